#!/usr/bin/env bash
# Makes sure that the browser tests have a Chromium: one that is installed, Debian's, or Playwright's own.
set -euo pipefail
cd "$(dirname "$0")/.."

for name in chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null; then exit 0; fi
done
if .venv/bin/python -m tests.browser >/dev/null 2>&1; then exit 0; fi

as_root=
if [ "$(id -u)" != 0 ] && command -v sudo >/dev/null; then as_root="sudo -n"; fi
if command -v apt-get >/dev/null; then
  printf 'test: installing Chromium for the browser tests\n' >&2
  if $as_root apt-get update -qq >/dev/null 2>&1 &&
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends chromium >/dev/null 2>&1; then
    exit 0
  fi
fi
if .venv/bin/python -m playwright install chromium >&2; then exit 0; fi
printf 'test: FAILED at "find a browser". Install Chromium (on Debian: apt install chromium), then try again.\n' >&2
exit 1
