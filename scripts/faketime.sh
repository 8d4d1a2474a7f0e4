#!/usr/bin/env bash
# Makes sure that tests of jumping clocks have Debian's libfaketime; where it cannot be had, those tests say that they
# are skipped.
set -euo pipefail

if compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' >/dev/null; then exit 0; fi
as_root=
if [ "$(id -u)" != 0 ] && command -v sudo >/dev/null; then as_root="sudo -n"; fi
if command -v apt-get >/dev/null; then
  printf 'test: installing libfaketime for the tests of jumping clocks\n' >&2
  if $as_root apt-get update -qq >/dev/null 2>&1 &&
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends libfaketime >/dev/null 2>&1; then
    exit 0
  fi
fi
printf 'test: libfaketime cannot be installed here: clocks will not jump (on Debian: apt install libfaketime)\n' >&2
