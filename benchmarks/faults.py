"""`make bench-faults`: random faults in every state of a run, then everything is accounted for.

Redis, RQ, processes and store are real. The engine is the deterministic one for most faults, and vLLM with a small real
model for the rest. Each site takes some dozens of faults and is then left alone until all of its runs have ended.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import random
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from benchmarks.report import report
from leaderboard.records import State
from tests.faults.campaign import Campaign, Outcome
from tests.faults.clocks import library
from tests.faults.faults import OF_THE_CLOCK, OF_THE_HUB, Cell, Fault, cells
from tests.faults.site import BOTH_SUITES, Plan, Site, running_site
from tests.hub_server import LocalHub
from tests.tiny_model import make_tiny_model

log = logging.getLogger("rapport.faults")

AT_LEAST = 3
"""How often every cell is hit in the long version."""
A_SITE = 50
"""Faults that one site takes."""
_LOCAL = tuple(fault for fault in Fault if fault not in OF_THE_HUB)
_REAL = (
    *(Fault.REDIS_KILLED, Fault.PUBLISHER_KILLED, Fault.REAPER_KILLED, Fault.REDIS_OLDER, Fault.REDIS_EMPTY),
    *(Fault.ENGINE_KILLED, Fault.ENGINE_OUT_OF_MEMORY, Fault.JOB_KILLED, Fault.WORKER_KILLED, Fault.CLOCK_FORWARDS),
)
_REAL_STATES = (State.QUEUED, State.GENERATING)
"""In which a model is loaded and at work; what a tiny one says is judged in no time."""
_REAL_PATIENCE = 10.0


class Round(NamedTuple):
    """The faults of one site."""

    cells: Sequence[Cell]
    hub: bool
    real: bool


def main(arguments: Sequence[str] | None = None) -> None:
    """Does the faults and reports what became of everything."""
    options = _options(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # Leaves all contexts, and no process behind.
    rounds = list(rounds_of(options.faults, options.real, random.Random(options.seed)))  # noqa: S311 - No secret.
    outcomes = [_held(each, options.seed + number) for number, each in enumerate(rounds)]
    left = psutil.Process().children(recursive=True)
    assert not left, f"left behind: {left}"
    report("faults", figures(rounds, outcomes))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Reads what may be changed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("--faults", type=int, default=500, help="how many, those with a real engine included")
    parser.add_argument("--real", type=int, default=20, help="how many of them with vLLM and a small real model")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(arguments)


def rounds_of(faults: int, real: int, chance: random.Random) -> Iterator[Round]:
    """Yields which faults each site takes: every cell at least three times where there are enough, drawn beyond."""
    every = [cell for cell in cells(tuple(Fault)) if library() or cell.fault not in OF_THE_CLOCK]
    able = [cell for cell in cells(_REAL) if cell.state in _REAL_STATES and cell in every]
    with_model = chance.sample(able * (real // len(able) + 1), real)
    owed = [*(Counter(every * AT_LEAST) - Counter(with_model)).elements()]
    count = faults - real
    wanted = chance.sample(owed + chance.choices(every, k=max(0, count - len(owed))), count)
    for hub in (False, True):
        of_kind = [cell for cell in wanted if (cell.fault in OF_THE_HUB) is hub]
        for start in range(0, len(of_kind), A_SITE):
            yield Round(of_kind[start : start + A_SITE], hub, real=False)
    if with_model:
        yield Round(with_model, hub=False, real=True)


def _held(each: Round, seed: int) -> Outcome:
    """Does the faults of one site."""
    with tempfile.TemporaryDirectory(prefix="rapport-faults-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        hub = stack.enter_context(LocalHub(folder / "hub")) if each.hub else None
        plan = _real_plan(folder) if each.real else Plan(protocols=BOTH_SUITES, app=not each.hub, hub=hub)
        site: Site = stack.enter_context(running_site(folder / "site", plan))
        campaign = (
            Campaign(site, seed, company=2, patience=_REAL_PATIENCE, after_rows=True)
            if each.real
            else Campaign(site, seed)
        )
        campaign.hit(each.cells)
        outcome = campaign.finish()
    log.info("%d faults of a site: %s; missed: %s", len(outcome.strikes), outcome.account, outcome.missed)
    return outcome


def _real_plan(folder: Path) -> Plan:
    """Returns a site with one worker on vLLM; every model is a copy of a tiny one under another name."""
    model = make_tiny_model(folder / "tiny", context=32_768)

    def copy(models: Path, name: str) -> None:
        shutil.copytree(model, models / name)
        (models / name / "README.md").write_text(f"---\nlicense: apache-2.0\n---\n{name}\n")

    return Plan(workers=1, engine="vllm", make_model=copy)


def figures(rounds: Sequence[Round], outcomes: Sequence[Outcome]) -> Mapping[str, Any]:
    """Returns what all campaigns came to together."""
    hit: Counter[Cell] = sum((outcome.cells for outcome in outcomes), Counter())
    accounts = [outcome.account for outcome in outcomes]
    wrong = ("lost", "duplicated", "mixed", "stuck", "wrong_scorecards", "wrong_in_public")
    return {
        "faults": sum(hit.values()),
        "faults_real_engine": sum(
            len(outcome.strikes) for each, outcome in zip(rounds, outcomes, strict=True) if each.real
        ),
        "cells": len(hit),
        "submissions": sum(each.submissions for each in accounts),
        "runs": sum(each.runs for each in accounts),
        "published": sum(each.published for each in accounts),
        "failed_with_cause": sum(each.failed_with_cause for each in accounts),
        **{name: sum(len(getattr(each, name)) for each in accounts) for name in wrong},
        "cells_by_name": {f"{cell.fault} / {cell.state}": times for cell, times in sorted(hit.items())},
    }


if __name__ == "__main__":
    main()
