#!/bin/bash
# Debian's packages, and its security updates: these belong into the image, not into a running worker, which would be
# restarted under its task. A new image brings new ones.
set -Eeuo pipefail

apt-get update
apt-get -y full-upgrade
apt-get -y install --no-install-recommends awscli ca-certificates curl python3 python3-venv

systemctl mask apt-daily.timer apt-daily-upgrade.timer unattended-upgrades.service

useradd --system --home-dir "$ROOT" --shell /usr/sbin/nologin crypto-watch
install -d "$ROOT/bin" /etc/crypto-watch
