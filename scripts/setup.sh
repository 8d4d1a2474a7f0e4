#!/usr/bin/env bash
# Creates .venv from the lock files, for the hardware at hand. Says which step failed and what to do.
set -euo pipefail
cd "$(dirname "$0")/.."

log=.venv/setup.log
models=${RAPPORT_MODELS:-data/models}
# Where torch's CPU builds are published; asked only if pip's own sources do not have the wheel.
torch_index=https://download.pytorch.org/whl/cpu
torch=torch==2.13.0+cpu

fail() { # fail STEP REMEDY
  printf 'setup: FAILED at "%s". %s\n' "$1" "$2" >&2
  exit 1
}

remedy() { # remedy OTHERWISE: what helps, told from the end of the log
  case $(tail -n 40 "$log") in
    *"No space left on device"*) printf 'The disk is full: free some (5 GB in all), then run make setup again.' ;;
    *"NewConnectionError"* | *"NameResolutionError"* | *"ConnectTimeoutError"* | *"Network is unreachable"*)
      printf 'The package index cannot be reached: check the network, or the proxy, then run make setup again.' ;;
    *) printf '%s' "$1" ;;
  esac
}

step() { # step NAME REMEDY COMMAND...
  local name=$1 otherwise=$2
  shift 2
  printf 'setup: %s\n' "$name" >&2
  if ! "$@" >>"$log" 2>&1; then
    tail -n 12 "$log" >&2
    printf '\n' >&2
    fail "$name" "$(remedy "$otherwise") (whole log: $log)"
  fi
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

ensure_home() { # pip and the model libraries keep caches there; some containers have none that can be written
  local probe
  if [ -n "${HOME:-}" ] && probe=$(mktemp "$HOME/.rapport-XXXXXX" 2>/dev/null); then
    rm -f "$probe"
  else
    export HOME="$PWD/.venv/.home"
    mkdir -p "$HOME"
  fi
}

# pip answers Ctrl-C with an ordinary exit code, which would look like a failed step.
exec 3>&2 # Inside a step, standard error is the log.
trap 'printf "\nsetup: stopped. Run make setup again; it goes on from here.\n" >&3; exit 130' INT TERM

[ -w . ] || fail "write to $PWD" "Give yourself the right to write there, or clone the repository elsewhere."
if gpu_answers; then build=gpu; else build=cpu; fi
stamp=$(cat "locks/$build.txt" pyproject.toml scripts/setup.sh | sha256sum | cut -d' ' -f1)-$build
made=$(cat .venv/.rapport 2>/dev/null || true)

if [ "$made" != "$stamp" ]; then
  # The two builds share file names and version numbers: one laid over the other is a mixture that pip calls complete.
  if [ -n "$made" ] && [ "${made##*-}" != "$build" ]; then rebuild=yes; else rebuild=no; fi
  if [ $rebuild = yes ] || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    python=$(find_python) || fail "find Python" "Install Python 3.11 or newer, or name it: PYTHON=/path/to/python make setup."
    printf 'setup: create .venv (%s)\n' "$build" >&2
    "$python" -m venv --clear .venv >/dev/null 2>&1 ||
      fail "create .venv" "Install Python's venv module (on Debian and Ubuntu: apt install python3-venv) or free some disk, then try again."
  fi
  printf 'unfinished-%s' "$build" >.venv/.rapport
  : >"$log"
  ensure_home
  retry="Check the network and the free disk (5 GB), then run make setup again; it goes on from here."
  if [ "$build" = cpu ]; then step "install torch for the CPU" "$retry" install_torch; fi
  step "install the locked packages ($build, some minutes)" "$retry" \
    .venv/bin/python -m pip install --no-deps --require-hashes -r "locks/$build.txt"
  step "install Rapport itself" "$retry" .venv/bin/python -m pip install --no-deps --no-build-isolation -e .
  printf '%s' "$stamp" >.venv/.rapport
fi

if [ ! -f "$models/SmolLM2-135M-Instruct/README.md" ]; then
  ensure_home
  step "convert the demo model (about a minute)" "Free 1 GB of disk, then run make setup again." \
    .venv/bin/rapport demo-model --models "$models"
fi
