"""The memory that a process tells of is its own."""

import subprocess
import sys

from evaluator.engines.base import process_peak_rss_mb

TOLD = "from evaluator.engines.base import process_peak_rss_mb as told; print(told())"


def told_by(prelude: str = "") -> float:
    script = f"{prelude}\n{TOLD}"
    return float(subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout)


def test_what_was_used_and_given_back_is_told() -> None:
    assert told_by("block = bytearray(300 * 2**20); del block") > told_by() + 200


def test_a_small_process_that_a_large_one_starts_is_told_as_small() -> None:
    started_by_a_large_one = (
        f"import os, sys\nblock = bytearray(500 * 2**20)\nos.execv(sys.executable, [sys.executable, '-c', {TOLD!r}])"
    )
    out = subprocess.run([sys.executable, "-c", started_by_a_large_one], check=True, capture_output=True, text=True)
    assert float(out.stdout) < 400
    assert process_peak_rss_mb() > 0
