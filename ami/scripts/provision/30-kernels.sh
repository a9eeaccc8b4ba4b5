#!/bin/bash
# Indicators and rule functions come compiled. numba keeps code for one kind of processor, and the instance types differ:
# it is told the plain one that all of them are, here and in the units.
set -Eeuo pipefail

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
  "$ROOT/venv/bin/python" -m cryptowatch.rules.warm
