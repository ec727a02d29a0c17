#!/usr/bin/env bash
# From a fresh clone to the live table, as root on Debian 12: packages, build, netto.
# Arguments go to netto, such as: deploy/quickstart.sh --prometheus=127.0.0.1:24040
set -euo pipefail
cd "$(dirname "$0")/.."

deploy/install-packages.sh build
cmake --preset release > /dev/null
cmake --build --preset release > build/release/build.log 2>&1 || {
  tail -40 build/release/build.log >&2
  echo "deploy/quickstart.sh: cannot build: see build/release/build.log" >&2
  exit 70
}
exec build/release/bin/netto "$@"
