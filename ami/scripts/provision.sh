#!/bin/bash
# Makes a worker of a plain Debian. Runs once, when the image is built, as root.
#
# usage: provision.sh FOLDER    with units/, scripts/, requirements.txt and the package's wheel in it
set -Eeuo pipefail

from=${1:?the folder with what to install}
home=/opt/crypto-watch
export DEBIAN_FRONTEND=noninteractive

# Security updates belong into the image, not into a running worker: one that restarts itself loses its task.
apt-get update
apt-get -y full-upgrade
apt-get -y install --no-install-recommends awscli ca-certificates curl python3 python3-venv

useradd --system --home-dir "$home" --shell /usr/sbin/nologin crypto-watch
install -d "$home/bin" /etc/crypto-watch

# The versions that were tested, and binaries only: no compiler comes into the image.
python3 -m venv "$home/venv"
wheels=("$from"/cryptowatch-*.whl)
"$home/venv/bin/pip" install --no-cache-dir --only-binary :all: \
  --constraint "$from/requirements.txt" "${wheels[0]}[worker]"

# Indicators and rule functions come compiled. numba keeps code for one kind of processor, and the instance types differ: it is told
# the plain one that all of them are, here and in the unit.
case $(uname -m) in
  x86_64) processor=x86-64-v3 ;;
  aarch64) processor=neoverse-n1 ;;
  *) echo "no instance type has a processor $(uname -m)" >&2 && exit 1 ;;
esac
printf 'NUMBA_CPU_NAME=%s\nNUMBA_CPU_FEATURES=\nNUMBA_CACHE_DIR=/var/cache/crypto-watch\n' "$processor" \
  >/etc/crypto-watch/compiler.env
install -d -o crypto-watch -g crypto-watch /var/cache/crypto-watch
# shellcheck disable=SC2046 # three settings, three arguments
runuser -u crypto-watch -- env $(cat /etc/crypto-watch/compiler.env) \
  "$home/venv/bin/python" -m cryptowatch.rules.warm

# The certificates that sign those of RDS; they are in no system's store.
curl --fail --silent --show-error --retry 3 --output "$home/rds-global-bundle.pem" \
  https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem
grep -q -- '-----BEGIN CERTIFICATE-----' "$home/rds-global-bundle.pem"

install -m 0755 "$from/scripts/start-worker.sh" "$home/bin/start-worker"
install -m 0644 "$from/units/crypto-watch-worker.service" /etc/systemd/system/crypto-watch-worker.service

# Nothing that one instance owns may be in the image of all.
apt-get clean
rm -rf /var/lib/apt/lists/* "$from" "${HOME:?}/.cache"
rm -f /etc/ssh/ssh_host_*
truncate --size 0 /etc/machine-id
cloud-init clean --logs
