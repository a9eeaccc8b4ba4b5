#!/bin/bash
# What the drain daemon does to this instance's workers.
#
# usage: workers stop       finish what they have in hand, take nothing else, end
#        workers return     give back at once what they have in hand, end
#        workers kill
#        workers running    succeeds as long as one of them is there
set -Eeuo pipefail

readonly WORKERS=(crypto-watch-worker.service crypto-watch-studies.service)

case ${1:-} in
  stop) systemctl stop --no-block "${WORKERS[@]}" ;;
  return) systemctl kill --kill-whom=main --signal=SIGQUIT "${WORKERS[@]}" ;;
  kill) systemctl kill --kill-whom=all --signal=SIGKILL "${WORKERS[@]}" ;;
  running)
    states=$(systemctl show --property=ActiveState --value "${WORKERS[@]}")
    grep --quiet --invert-match -E '^(inactive|failed)?$' <<<"$states"
    ;;
  *) sed -n '2,/^set/s/^# \?//p' "$0" >&2 && exit 2 ;;
esac
