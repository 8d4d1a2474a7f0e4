#!/usr/bin/env bash
# Creates .venv from the lock files, for the hardware at hand. Says which step failed and what to do.
set -euo pipefail
cd "$(dirname "$0")/.."

log=.venv/setup.log
models=${RAPPORT_MODELS:-data/models}
# Where torch's CPU builds are published; asked only if pip's own sources do not have the wheel.
torch_index=https://download.pytorch.org/whl/cpu
torch=torch==2.13.0+cpu

step() { # step NAME REMEDY COMMAND...
  local name=$1 remedy=$2
  shift 2
  printf 'setup: %s\n' "$name" >&2
  if ! "$@" >>"$log" 2>&1; then
    tail -n 12 "$log" >&2
    printf '\nsetup: FAILED at "%s". %s (whole log: %s)\n' "$name" "$remedy" "$log" >&2
    exit 1
  fi
}

fail() {
  printf 'setup: FAILED at "%s". %s\n' "$1" "$2" >&2
  exit 1
}

find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3.11 python3.12 python3.13 python3; do
    if [ -n "$candidate" ] && command -v "$candidate" >/dev/null &&
      "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' 2>/dev/null; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  return 1
}

install_torch() {
  .venv/bin/python -m pip install --no-deps "$torch" ||
    .venv/bin/python -m pip install --no-deps --retries 2 --index-url "$torch_index" "$torch"
}

gpu_answers() { command -v nvidia-smi >/dev/null && nvidia-smi >/dev/null 2>&1; }

if gpu_answers; then build=gpu; else build=cpu; fi
stamp=$(cat "locks/$build.txt" pyproject.toml scripts/setup.sh | sha256sum | cut -d' ' -f1)-$build

if [ "$(cat .venv/.rapport 2>/dev/null || true)" != "$stamp" ]; then
  python=$(find_python) || fail "find Python" "Install Python 3.11 or newer, or name it: PYTHON=/path/to/python make setup."
  if [ ! -x .venv/bin/pip ]; then
    "$python" -m venv --clear .venv 2>/dev/null ||
      fail "create .venv" "Install Python's venv module (on Debian and Ubuntu: apt install python3-venv), then try again."
  fi
  : >"$log"
  retry="Check the network and the free disk (5 GB), then run make setup again; it goes on from here."
  if [ "$build" = cpu ]; then step "install torch for the CPU" "$retry" install_torch; fi
  step "install the locked packages ($build, some minutes)" "$retry" \
    .venv/bin/python -m pip install --no-deps --require-hashes -r "locks/$build.txt"
  step "install Rapport itself" "$retry" .venv/bin/python -m pip install --no-deps --no-build-isolation -e .
  printf '%s' "$stamp" >.venv/.rapport
fi

if [ ! -f "$models/SmolLM2-135M-Instruct/README.md" ]; then
  step "convert the demo model (about a minute)" "Free 1 GB of disk, then run make setup again." \
    .venv/bin/rapport demo-model --models "$models"
fi
