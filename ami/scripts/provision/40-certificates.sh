#!/bin/bash
# The certificates that sign those of RDS; they are in no system's store.
#
# CERTIFICATES_URL: another place to take them from (https or file).
set -Eeuo pipefail

curl --proto '=https,file' --fail --silent --show-error --location --retry 3 --output "$ROOT/rds-global-bundle.pem" \
  "${CERTIFICATES_URL:-https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem}"

"$ROOT/venv/bin/python" - "$ROOT/rds-global-bundle.pem" <<'END'
import ssl, sys
count = len(ssl.create_default_context(cafile=sys.argv[1]).get_ca_certs())
sys.exit(0 if count else f"{sys.argv[1]} holds no certificate")
END
