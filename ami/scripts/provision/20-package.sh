#!/bin/bash
# The package in an environment of its own: the versions that were tested, and binaries only, so no compiler comes into
# the image. `ta` is published as source alone, in plain Python.
set -Eeuo pipefail

python3 -m venv "$ROOT/venv"
wheels=("$FROM"/cryptowatch-*.whl)
"$ROOT/venv/bin/pip" install --no-cache-dir --disable-pip-version-check --quiet \
  --only-binary :all: --no-binary ta --constraint "$FROM/requirements.txt" "${wheels[0]}[worker]"
