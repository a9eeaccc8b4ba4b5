#!/bin/bash
# Names the image that Packer has just made as the one that workers start from. The next update of the stack reads it.
#
# usage: publish-image.sh [PARAMETER]    reads manifest.json beside the Packer template; needs the aws command
set -Eeuo pipefail

parameter=${1:-/crypto-watch/worker-image}
manifest=$(dirname "$0")/../manifest.json

# The last build of the manifest, as "region:image".
artifact=$(python3 -c '
import json, sys
manifest = json.load(open(sys.argv[1]))
print(next(one["artifact_id"] for one in manifest["builds"] if one["packer_run_uuid"] == manifest["last_run_uuid"]))
' "$manifest")

# The data type has AWS check that it is an image, and one that this account may use.
aws ssm put-parameter --region "${artifact%%:*}" --name "$parameter" --value "${artifact##*:}" \
  --type String --data-type aws:ec2:image --overwrite
