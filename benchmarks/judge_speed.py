"""Verdicts a second, ours beside those of a bare `LLM.chat`, as a part of `make bench-judge`.

Both are given the same loaded engine, the same prompts in the same order, and the same decoding of each: forced
patterns, seeds and log probabilities. The bare call gets all prompts at once, ready as chat messages, in the engine's
own process; ours begins with stored answers and ends with stored verdicts, and asks the engine's process from outside,
as a worker does. The prefix cache is emptied before each run. They alternate, and which of them comes first does too.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.judge_engine import BenchEngine
from benchmarks.setup import bench_setup
from evaluator.demo_model import ensure_demo_model
from evaluator.engines.base import EngineSpec
from evaluator.hicupid.data import HicupidData
from evaluator.hicupid.demo_data import DemoSize, write_demo_set
from evaluator.hicupid.selection import UserItems
from evaluator.judge import judge
from evaluator.models import PinnedModel
from evaluator.protocol import QuestionLimit, hicupid_protocol
from evaluator.records import Generation, Verdict
from evaluator.references import ReferenceAnswers
from evaluator.setup import HicupidSetup, items, users_of

USERS = 6
"""Of 14 verdicts each."""
ROUNDS = 5
_SPLIT = "test_2"
_LIMIT = QuestionLimit(users_per_split=1, persona=5, profile=1, schedule=2)
"""Of each user: the types in the proportions of the whole set, 14 verdicts."""


class Spent(NamedTuple):
    """What one run took."""

    seconds: float
    cpu_seconds: float
    """Of all processes."""


class Judging(NamedTuple):
    """What is judged."""

    setup: HicupidSetup
    users: list[UserItems]
    answers: list[Generation]


def measure_speed(users: int = USERS, rounds: int = ROUNDS) -> dict[str, Any]:
    """Runs both in turn on one engine.

    Args:
        users: Whose answers are judged.
        rounds: Runs of each, without the first of either, which warms up.
    """
    model = ensure_demo_model(Path("data/models"))
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as scratch:
        data = Path(scratch) / "set"
        write_demo_set(data, DemoSize(users, users, 1), seed=42)
        spec = EngineSpec(engine="vllm", model_path=str(model.resolve()), dtype="float32", kv_cache_gib=1)
        with BenchEngine(spec, Path(scratch) / "engine.log") as engine:
            return _compare(_judging(data, users), engine, rounds)


def _judging(data: Path, users: int) -> Judging:
    """Returns what is judged: the data set's general answers to the first questions of some users."""
    limit = _LIMIT.model_copy(update={"users_per_split": users})
    protocol = hicupid_protocol("official-v1").model_copy(update={"splits": (_SPLIT,), "limit": limit})
    setup = bench_setup(HicupidData.open(str(data)), protocol)
    setup = setup._replace(model=PinnedModel("reference/general_answer", ""))
    asked = users_of(items(setup))
    return Judging(setup, asked, list(ReferenceAnswers(setup).answers(asked, {})))


def _compare(judging: Judging, engine: BenchEngine, rounds: int) -> dict[str, Any]:
    """Runs ours and the bare call once each to warm up, then in turn."""
    engine.afresh()
    verdicts = ours(judging, engine)
    _timed("bare", judging, engine)
    alike = _check(engine.said(), verdicts)
    spent: dict[str, list[Spent]] = {"bare": [], "ours": []}
    steps = dict[str, int]()  # Of the last runs: a first one also steps while patterns are compiled.
    for number in range(rounds):
        for name in sorted(spent, reverse=number % 2 == 1):
            spent[name].append(_timed(name, judging, engine))
            steps[name] = engine.steps()
            print(name, spent[name][-1], file=sys.stderr)
    return {
        **_rates(spent, len(verdicts)),
        "verdicts": len(verdicts),
        "said_alike": alike,
        "engine_steps": steps,
        **engine.asked(),
        "prompt_tokens": sum(row.prompt_tokens for row in verdicts),
        "cached_tokens": sum(row.cached_tokens or 0 for row in verdicts),
        "output_tokens": sum(row.output_tokens for row in verdicts),
        "engine_flags": dict(engine.info.flags),
    }


def ours(judging: Judging, engine: BenchEngine) -> list[Verdict]:
    """Judges as a worker does, from stored answers to verdicts."""
    return list(judge(judging.setup, judging.users, judging.answers, engine, ()))


def _timed(name: str, judging: Judging, engine: BenchEngine) -> Spent:
    """Runs one of them on an empty cache."""
    engine.afresh()
    started, cpu = time.monotonic(), engine.cpu_seconds()
    if name == "bare":
        seconds = engine.bare()
    else:
        ours(judging, engine)
        seconds = time.monotonic() - started
    return Spent(seconds, engine.cpu_seconds() - cpu)


def _rates(spent: Mapping[str, Sequence[Spent]], verdicts: int) -> dict[str, Any]:
    """Returns the rates that are compared, each a median, and every run that they are of."""
    rates = {name: verdicts / statistics.median(run.seconds for run in runs) for name, runs in spent.items()}
    cpu = {name: statistics.median(run.cpu_seconds for run in runs) for name, runs in spent.items()}
    return {
        "bare_vps": round(rates["bare"], 3),
        "ours_vps": round(rates["ours"], 3),
        "ratio": round(rates["ours"] / rates["bare"], 3),
        "cpu_ratio": round(cpu["bare"] / cpu["ours"], 3),
        "seconds": {name: [round(run.seconds, 2) for run in runs] for name, runs in spent.items()},
        "cpu_seconds": {name: [round(run.cpu_seconds, 2) for run in runs] for name, runs in spent.items()},
    }


def _check(said: Sequence[tuple[str, str]], verdicts: Sequence[Verdict]) -> int:
    """Makes sure that both read the same prompts and that no verdict was asked for twice.

    Returns:
        To how many prompts both said the same, word for word.
    """
    if Counter(prompt for prompt, _ in said) != Counter(row.prompt_hash for row in verdicts):
        raise SystemExit("The bare call reads other prompts than ours.")
    if lacking := [row for row in verdicts if row.attempt > 1 or row.outcome is None]:
        raise SystemExit(f"{len(lacking)} verdicts cannot be read at once, so that ours asks more: {lacking[0]}")
    return (Counter(said) & Counter((row.prompt_hash, row.completion) for row in verdicts)).total()


if __name__ == "__main__":
    print(json.dumps(measure_speed()))
