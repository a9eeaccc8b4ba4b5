#!/bin/bash
# Makes a worker of a plain Debian. Runs once, when the image is built, as root.
#
# usage: provision.sh FOLDER    with units/, conf/, scripts/, requirements.txt and the package's wheel in it
set -Eeuo pipefail

# What the parts read.
export FROM=${1:?the folder with what to install}
export ROOT=/opt/crypto-watch
export DEBIAN_FRONTEND=noninteractive

for part in "$FROM"/scripts/provision/*.sh; do
  echo "== $(basename "$part" .sh)"
  bash "$part"
done
