"""Planning a re-score of a thousand runs, as a part of `make bench-judge`: how long it takes, and how much memory.

The archive is made first, which is not counted. What is counted is a fresh process from its start to its end, with the
interpreter and all imports: it selects the runs and previews the re-score, as `rapport rescore --dry-run` does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.judge_archive import JUDGE, REVISION, USERS, Template, begin_archive, write_run
from evaluator.engines.base import process_peak_rss_mb
from evaluator.judges.spec import load_judge
from leaderboard.rescoring.preview import preview
from leaderboard.rescoring.selection import Filters, select
from leaderboard.store.local import LocalStore

RUNS = 1_000
JUDGED_SHARE = 0.25
"""Of the runs, those that an unfinished re-score has judged already."""


def measure_plan(runs: int = RUNS, users: int = USERS) -> dict[str, Any]:
    """Makes an archive and plans a re-score of all of it in a fresh process.

    Args:
        runs: How many it holds.
        users: Whose questions each asks.
    """
    judged = range(int(runs * JUDGED_SHARE))
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as scratch:
        folder = Path(scratch) / "archive"
        template = begin_archive(folder, Path(scratch), users, judged)
        with ProcessPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(partial(_write, folder, template, len(judged)), range(runs), chunksize=50))
        command = [sys.executable, "-m", "benchmarks.judge_plan", str(folder)]
        started = time.monotonic()
        told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        seconds = time.monotonic() - started
        stored = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return {
        "plan_seconds": round(seconds, 1),
        "plan_peak_rss_mb": told.pop("peak_rss_mb"),
        "plan": {**told, "archive_gb": round(stored / 1e9, 2)},
    }


def _write(folder: Path, template: Template, judged: int, number: int) -> None:
    """Writes one run."""
    write_run(folder, template, number, judged=number < judged)


def plan(folder: Path) -> dict[str, Any]:
    """Plans a re-score of everything in an archive."""
    store, judge = LocalStore(folder), load_judge(JUDGE)
    found = preview(store, judge, REVISION, select(store, Filters()))
    assert not found.findings, found.findings[:3]
    assert found.tokens is not None
    assert found.time is not None
    figures = ("runs", "answers", "equal_answers", "wanted", "there", "missing")
    return {
        **{name: getattr(found, name) for name in figures},
        "tokens_rest_on": found.tokens.measured,
        "time_rests_on": found.time.verdicts,
        "cpu_seconds": round(time.process_time(), 1),
        "peak_rss_mb": round(process_peak_rss_mb()),
    }


if __name__ == "__main__":
    print(json.dumps(plan(Path(sys.argv[1]))))
