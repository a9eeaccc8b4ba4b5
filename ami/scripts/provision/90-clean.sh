#!/bin/bash
# Nothing that one instance owns, and nothing that only the build needed, may be in the image of all.
set -Eeuo pipefail

# Nobody has a key to an instance, so nothing listens for one.
systemctl disable ssh.service ssh.socket

apt-get -y autoremove --purge
apt-get clean
rm -rf /var/lib/apt/lists/* "$FROM" "${HOME:?}/.cache" /root/.cache
rm -f /etc/ssh/ssh_host_*
truncate --size 0 /etc/machine-id
cloud-init clean --logs
