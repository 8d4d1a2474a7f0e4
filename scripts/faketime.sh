#!/usr/bin/env bash
# Makes sure that tests of jumping clocks have Debian's libfaketime; where it cannot be had, those tests say that they
# are skipped.
set -euo pipefail
cd "$(dirname "$0")/.."

if compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' >/dev/null; then exit 0; fi
if scripts/debian.sh libfaketime "the tests of jumping clocks"; then exit 0; fi
printf 'test: libfaketime cannot be installed here: clocks will not jump (on Debian: apt install libfaketime)\n' >&2
