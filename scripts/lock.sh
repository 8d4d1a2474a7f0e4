#!/usr/bin/env bash
# Resolves the lock files for every supported Python at once. Needs uv; set UV_FIND_LINKS where torch's CPU wheel lies
# in a folder, else it is taken from torch's own index.
set -euo pipefail
cd "$(dirname "$0")/.."

resolve() { uv pip compile pyproject.toml --universal --python-version 3.11 --no-header --no-annotate -q "$@"; }
torch_source=(--extra-index-url https://download.pytorch.org/whl/cpu --index-strategy unsafe-best-match --no-emit-index-url)
if [ -n "${UV_FIND_LINKS:-}" ]; then torch_source=(--find-links "$UV_FIND_LINKS" --no-emit-find-links); fi

# torch itself is left out of the CPU lock: scripts/setup.sh installs it from where its CPU builds are published.
resolve --extra cpu --extra embedded --extra test --override locks/without.txt --generate-hashes \
  --no-emit-package torch --no-emit-package torchvision --no-emit-package torchaudio \
  --no-emit-package torchcodec "${torch_source[@]}" -o locks/cpu.txt
resolve --extra gpu --extra embedded --extra test --generate-hashes -o locks/gpu.txt
resolve -o requirements.txt
