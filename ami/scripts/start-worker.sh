#!/bin/bash
# Starts the worker with the values that user data wrote. Whatever fails, the instance is marked unhealthy, so that
# the group replaces it: one that is half booted looks healthy, costs money and does nothing.
set -Eeuo pipefail

readonly VALUES=/etc/crypto-watch/worker.env
readonly UNIT=crypto-watch-worker.service
# Seconds the worker may take to say that it is ready.
readonly PATIENCE_S=120

metadata() {
  local token
  token=$(curl --fail --silent --show-error --max-time 5 --request PUT \
    --header 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token)
  curl --fail --silent --show-error --max-time 5 --header "X-aws-ec2-metadata-token: $token" \
    "http://169.254.169.254/latest/meta-data/$1"
}

give_up() {
  trap - ERR
  set +e
  echo "the worker did not start: $1" >&2
  local region
  region=$(metadata placement/region)
  aws autoscaling set-instance-health --region "$region" --instance-id "$(metadata instance-id)" \
    --health-status Unhealthy --no-should-respect-grace-period
  exit 1
}
trap 'give_up "line $LINENO of $0 failed"' ERR

is_ready() {
  [[ $(journalctl --boot --unit "$UNIT" --output cat | grep -c 'ready\.') -gt 0 ]]
}

for name in AWS_DEFAULT_REGION DATABASE_SECRET_ARN ANALYSIS_QUEUE_URL ALERTS_QUEUE_URL LIVE_SLOTS; do
  grep -q "^$name=." "$VALUES" || give_up "$VALUES holds no $name"
done

systemctl enable --now "$UNIT"

deadline=$((SECONDS + PATIENCE_S))
until is_ready; do
  ((SECONDS < deadline)) || give_up "it was not ready after $PATIENCE_S s; see journalctl --unit $UNIT"
  sleep 1
done
echo "the worker is ready"
