"""`make bench-board`: what building the board takes at 100, 1,000 and 10,000 models, all anew and for one model more.

Every measurement runs in a process of its own, so that its peak of memory is that of the build.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.board_models import name_of
from benchmarks.report import report

MODELS = (100, 1_000, 10_000)
USERS = 30
"""2,100 verdicts a model, before defects: 70 a user."""
RANKED_USERS = 250
"""Users of a full test split, for which ranking is timed once more."""


def measure(models: Sequence[int], users: int, ranked_users: int, folder: Path) -> dict[str, Any]:
    """Measures boards of some sizes.

    Args:
        models: The sizes, ascending; rows that one size has are kept for the next.
        users: Users that each model is asked for.
        ranked_users: Users for which ranking alone is timed.
        folder: An empty folder.
    """
    rows, by_size = folder / "rows", {}
    verdicts = written = 0
    for size in models:
        verdicts += _child("board_models", rows, written, size, "--users", users)
        written = size
        by_size[str(size)] = _measure_one(rows, folder / f"target-{size}", size, users) | {
            "models": size,
            "verdict_rows": verdicts,
            "verdicts_per_model": round(verdicts / size),
            **_child("board_measure", "ranking", size, ranked_users),
        }
    names = sorted({name for found in by_size.values() for name in found})
    first, last = by_size[str(models[0])], by_size[str(models[-1])]
    return {name: {size: found[name] for size, found in by_size.items()} for name in names} | {
        "users": users,
        "growth_full": round(last["full_seconds"] / first["full_seconds"], 2),
        "growth_incremental": round(last["incremental_seconds"] / first["incremental_seconds"], 2),
    }


def _measure_one(rows: Path, target: Path, size: int, users: int) -> dict[str, Any]:
    """Builds one size anew, judges one model again and back, and says whether that leaves what a full build does."""
    last = size - 1
    full = _child("board_measure", "full", rows, target)
    _child("board_models", rows, last, size, "--users", users, "--judging", 1)
    again = _child("board_measure", "incremental", rows, target, name_of(last))
    _child("board_models", rows, last, size, "--users", users)
    back = _child("board_measure", "incremental", rows, target, name_of(last))
    same = back["digest"] == full["digest"] != again["digest"]
    return {**full["figures"], **again["figures"], "incremental_same_as_full": same}


def _child(module: str, *arguments: Any) -> Any:
    """Runs a module of the benchmark in a process of its own and returns what it prints."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def main() -> None:
    """Measures and reports."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--models", type=int, nargs="+", default=MODELS)
    parser.add_argument("--users", type=int, default=USERS, help="users a model; 70 verdicts each")
    parser.add_argument("--ranked-users", type=int, default=RANKED_USERS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report("board", measure(sorted(arguments.models), arguments.users, arguments.ranked_users, Path(folder)))


if __name__ == "__main__":
    main()
