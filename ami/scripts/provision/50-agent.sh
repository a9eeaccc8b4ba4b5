#!/bin/bash
# The CloudWatch agent. It is not in Debian: fetched from AWS, and installed only if AWS signed it.
#
# AGENT_URL, AGENT_KEY_URL, AGENT_KEY: another package, another key, and that key's fingerprint.
set -Eeuo pipefail

site=https://amazoncloudwatch-agent.s3.amazonaws.com
package=${AGENT_URL:-$site/debian/$(dpkg --print-architecture)/latest/amazon-cloudwatch-agent.deb}
key=${AGENT_KEY_URL:-$site/assets/amazon-cloudwatch-agent.gpg}
# As printed in the agent's manual.
fingerprint=${AGENT_KEY:-937616F3450B7D806CBD9725D58167303B789C72}
# The first that reads the journal.
least_version=1.300070

# Only the build needs these: the last part removes them.
apt-get -y install --no-install-recommends gpg gpg-agent
apt-mark auto gpg gpg-agent

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fetch() {
  curl --proto '=https,file' --fail --silent --show-error --location --retry 3 --output "$folder/$2" "$1"
}
fetch "$key" key
fetch "$package" agent.deb
fetch "$package.sig" agent.deb.sig

export GNUPGHOME=$folder/gnupg
install -d -m 0700 "$GNUPGHOME"
gpg --batch --quiet --import "$folder/key"
# The last word of the line is the primary key's fingerprint.
if ! gpg --batch --status-fd 1 --verify "$folder/agent.deb.sig" "$folder/agent.deb" 2>"$folder/said" |
  grep -q "^\[GNUPG:\] VALIDSIG .*$fingerprint\$"; then
  cat "$folder/said" >&2
  echo "$package is not signed by the key $fingerprint" >&2
  exit 1
fi

version=$(dpkg-deb --field "$folder/agent.deb" Version)
dpkg --compare-versions "$version" ge "$least_version" ||
  { echo "agent $version cannot read the journal: $least_version or later is needed" >&2 && exit 1; }
dpkg --install "$folder/agent.deb"
install -m 0644 "$FROM/conf/cloudwatch-agent.json" /etc/crypto-watch/cloudwatch-agent.json
