"""One measurement of `benchmarks.board`: prints what it took as one line of JSON."""

from __future__ import annotations

import os

# One thread, before numpy starts its own: small products of matrices lose more by waiting for each other.
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.board_models import make_template, name_of, write_model
from benchmarks.board_places import write_places
from evaluator.identity import folder_digest
from evaluator.metrics.intervals import Board
from evaluator.metrics.ranks import rank_board
from leaderboard.board.rebuild import rebuild, update

_WARM_MODELS, _WARM_USERS = 3, 12


def full(rows: Path, target: Path) -> dict[str, Any]:
    """Builds everything anew."""
    started = time.monotonic()
    problems = rebuild(rows, target)
    built = time.monotonic()
    write_places(target)
    ranked = time.monotonic()
    assert not problems, problems
    return {
        "figures": {
            "full_seconds": round(built - started, 2),
            "full_peak_rss_mb": _peak_rss_mb(),
            "ranking_seconds": round(ranked - built, 2),
            "kept_sums_bytes": sum(file.stat().st_size for file in (target / "user_scores").iterdir()),
        },
        "digest": folder_digest(target),
    }


def incremental(rows: Path, target: Path, model: str) -> dict[str, Any]:
    """Adds up one model anew and ranks all; counts every byte that the process reads, by the kernel's own count."""
    _warm_up()
    before, started = _bytes_read(), time.monotonic()
    problems = update(rows, target, model)
    built, own = time.monotonic(), _bytes_read()
    write_places(target)
    everything = _bytes_read()
    assert not problems, problems
    return {
        "figures": {
            "incremental_seconds": round(built - started, 3),
            "incremental_bytes_read": everything - before,
            "incremental_bytes_read_without_ranking": own - before,
            "incremental_peak_rss_mb": _peak_rss_mb(),
        },
        "digest": folder_digest(target),
    }


def ranking(models: int, users: int) -> dict[str, Any]:
    """Ranks models of known truth by sums in memory."""
    random = np.random.default_rng(0)
    items = np.broadcast_to([25.0, 5.0, 10.0], (models, users, 3)).copy()
    items -= random.random(items.shape) < 0.05
    quality = random.normal(40, 12, models)[:, None] + random.normal(0, 8, users) + random.normal(0, 5, (models, users))
    totals = random.normal(0, 35, items.shape) * np.sqrt(items) + quality[..., None] * items
    board = Board(np.round(totals / 25) * 25, items, np.array([25 / 40, 5 / 40, 5 / 40]))
    del totals, quality
    started = time.monotonic()
    ranks = rank_board(board)
    return {
        f"ranking_{users}_users_seconds": round(time.monotonic() - started, 2),
        f"ranking_{users}_users_peak_rss_mb": _peak_rss_mb(),
        f"ranking_{users}_users_mean_width": round(float(np.mean([rank.high - rank.low for rank in ranks if rank])), 1),
    }


def _warm_up() -> None:
    """Builds a small board, so that loading libraries counts as no reading of rows."""
    with tempfile.TemporaryDirectory() as folder:
        rows, target = Path(folder) / "rows", Path(folder) / "target"
        template = make_template(_WARM_USERS)
        for number in range(_WARM_MODELS):
            write_model(rows, template, number)
        rebuild(rows, target)
        update(rows, target, name_of(0))
        write_places(target)


def _bytes_read() -> int:
    """Bytes that this process has asked the kernel for, from files or caches."""
    lines = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(lines["rchar"])


def _peak_rss_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    """Runs the measurement that was asked for."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    kinds = parser.add_subparsers(dest="kind", required=True)
    for kind in ("full", "incremental"):
        one = kinds.add_parser(kind)
        one.add_argument("rows", type=Path)
        one.add_argument("target", type=Path)
        if kind == "incremental":
            one.add_argument("model")
    one = kinds.add_parser("ranking")
    one.add_argument("models", type=int)
    one.add_argument("users", type=int)
    arguments = vars(parser.parse_args())
    kind = arguments.pop("kind")
    measurements: dict[str, Callable[..., dict[str, Any]]] = {
        "full": full,
        "incremental": incremental,
        "ranking": ranking,
    }
    print(json.dumps(measurements[kind](**arguments)))


if __name__ == "__main__":
    main()
