#!/bin/bash
# What systemd runs, the script that user data calls, and the one that drains. Nothing is enabled: the start script does
# that once it has values.
set -Eeuo pipefail

install -m 0755 "$FROM/scripts/start-worker.sh" "$ROOT/bin/start-worker"
install -m 0755 "$FROM/scripts/workers.sh" "$ROOT/bin/workers"
cp --recursive --no-preserve=mode,ownership "$FROM"/units/* /etc/systemd/system/
systemd-analyze verify --man=no "$FROM"/units/*.service
