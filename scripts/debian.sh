#!/usr/bin/env bash
# Installs a Debian package, told as PACKAGE and what it is FOR; fails where that cannot be done.
set -euo pipefail

command -v apt-get >/dev/null || exit 1
as_root=
if [ "$(id -u)" != 0 ] && command -v sudo >/dev/null; then as_root="sudo -n"; fi
printf 'test: installing %s for %s\n' "$1" "$2" >&2
$as_root apt-get update -qq >/dev/null 2>&1
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends "$1" >/dev/null 2>&1
