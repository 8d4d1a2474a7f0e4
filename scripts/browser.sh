#!/usr/bin/env bash
# Makes sure that the browser tests have a Chromium: one that is installed, Debian's, or Playwright's own.
set -euo pipefail
cd "$(dirname "$0")/.."

for name in chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null; then exit 0; fi
done
if .venv/bin/python -m tests.browser >/dev/null 2>&1; then exit 0; fi
if scripts/debian.sh chromium "the browser tests"; then exit 0; fi
if .venv/bin/python -m playwright install chromium >&2; then exit 0; fi
printf 'test: FAILED at "find a browser". Install Chromium (on Debian: apt install chromium), then try again.\n' >&2
exit 1
