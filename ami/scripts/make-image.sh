#!/bin/bash
# Makes an image and names it as the one that workers start from: what `make image` runs.
#
# usage: make-image.sh PYTHON    REGION and ARCHITECTURE (amd64, arm64) from the environment
set -Eeuo pipefail

python=${1:?the interpreter that builds the wheel}
architecture=${ARCHITECTURE:-amd64}
region=${REGION:-${AWS_REGION:-${AWS_DEFAULT_REGION:-}}}
ami=$(cd "$(dirname "$0")/.." && pwd)

cat <<END
A worker's image for $architecture in ${region:-a region}:
  1. build the package's wheel into dist/
  2. packer build: start an instance of Debian, run ami/scripts/provision.sh on it, keep its disk; this takes minutes
  3. write the image's id to the SSM parameter /crypto-watch/worker-image; the next deploy starts workers from it
END

missing=()
command -v packer >/dev/null || missing+=("Packer 1.7 or newer: https://developer.hashicorp.com/packer/install")
if command -v aws >/dev/null; then
  aws sts get-caller-identity >/dev/null 2>&1 || missing+=("AWS credentials that work: aws configure, or AWS_PROFILE")
else
  missing+=("the aws command: https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html")
fi
[[ -n $region ]] || missing+=("a region: make image REGION=eu-central-1")
if ((${#missing[@]})); then
  printf 'missing: %s\n' "${missing[@]}" >&2
  exit 1
fi

rm -f "$ami"/../dist/cryptowatch-*.whl
"$python" -m pip wheel --quiet --no-deps --wheel-dir "$ami/../dist" "$ami/.."
packer init "$ami"
packer build -var "region=$region" -var "architecture=$architecture" -var "wheel=$(ls "$ami"/../dist/cryptowatch-*.whl)" "$ami"
"$ami/scripts/publish-image.sh"
