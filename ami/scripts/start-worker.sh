#!/bin/bash
# Starts the workers with the values that user data wrote. Whatever fails, the instance is marked unhealthy, so that
# the group replaces it: one that is half booted looks healthy, costs money and does nothing.
set -Eeuo pipefail

readonly VALUES=/etc/crypto-watch/worker.env

value() {
  sed -n "s/^$1=//p" "$VALUES"
}

metadata() {
  local token address
  address=$(value METADATA_URL)
  address=${address:-http://169.254.169.254}
  token=$(curl --fail --silent --show-error --max-time 5 --request PUT \
    --header 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$address/latest/api/token")
  curl --fail --silent --show-error --max-time 5 --header "X-aws-ec2-metadata-token: $token" \
    "$address/latest/meta-data/$1"
}

# Tells an update of the stack, which waits for it, how this instance started: SUCCESS or FAILURE. When none runs, the
# stack refuses to hear it.
signal() {
  local stack
  stack=$(value WORKERS_STACK)
  [[ -n $stack ]] || return 0
  aws cloudformation signal-resource --region "$(metadata placement/region)" --stack-name "$stack" \
    --logical-resource-id WorkerGroup --unique-id "$(metadata instance-id)" --status "$1" 2>/dev/null || true
}

give_up() {
  trap - ERR
  set +e
  echo "the worker did not start: $1" >&2
  signal FAILURE
  aws autoscaling set-instance-health --region "$(metadata placement/region)" --instance-id "$(metadata instance-id)" \
    --health-status Unhealthy --no-should-respect-grace-period
  exit 1
}
trap 'give_up "line $LINENO of $0 failed"' ERR

# Tells what the machine does. The workers do theirs without it, so an agent that fails is no reason to replace them.
start_agent() {
  local configuration=/etc/crypto-watch/cloudwatch-agent.json
  sed -i "s|@LOG_GROUP@|$(value LOG_GROUP)|; s|@STACK_NAME@|$(value STACK_NAME)|" "$configuration"
  /opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl -a fetch-config -m ec2 -s -c "file:$configuration" ||
    echo "the CloudWatch agent did not start: this instance's logs stay in its journal" >&2
}

for name in AWS_DEFAULT_REGION STACK_NAME LOG_GROUP WORKER_GROUP ANALYSIS_QUEUE_URL STUDIES_QUEUE_URL ALERTS_QUEUE_URL \
  LIVE_SLOTS BULK_SLOTS; do
  [[ -n $(value "$name") ]] || give_up "$VALUES holds no $name"
done

start_agent
systemctl enable crypto-watch-worker crypto-watch-studies crypto-watch-drain
# Returns when the workers have said that they take work; fails when one did not in time.
systemctl start crypto-watch-worker crypto-watch-studies crypto-watch-drain ||
  give_up "a unit did not start; see journalctl --unit 'crypto-watch-*'"
signal SUCCESS
echo "the workers are ready"
