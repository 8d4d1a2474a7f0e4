"""What `rapport evaluate` has said to be kept is there after any kill, with an engine of its own at work."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from rich.console import Console

from evaluator.ask import owed
from evaluator.hicupid.demo_data import DemoSize, write_demo_set
from evaluator.judges.spec import load_judge
from evaluator.models import pin
from evaluator.protocol import read_protocol
from evaluator.records import Generation, Record, Verdict
from leaderboard.records import Plan
from leaderboard.settings import Settings
from tests.tiny_model import make_tiny_model
from tests.waiting import until
from worker.engines import NO_ENDPOINTS
from worker.local.evaluation import evaluate
from worker.local.folder import Folder, read_kept, read_lines
from worker.local.progress import Progress
from worker.local.wanted import Wanted
from worker.planning import Candidate, Conditions

PROTOCOL = """
id: small-test
title: Some questions of each type, for tests.
suite: hicupid
official: false
splits: [test_2]
types: [persona, profile, schedule]
limit: {users_per_split: 2, persona: 5, profile: 1, schedule: 4}
prompt_style: zero/system
context: {mode: full}
sampling: {temperature: 0.0, max_tokens: 8, seed: 42}
orders: both
judge: demo
"""
ANSWERS = 20
KILLS = (1, ANSWERS + 1)
"""Rows that are acknowledged before each kill, at least: amid the answers, which come up to eight at a time, and amid
the verdicts."""
IMPORTED = ("datasets", "rouge_score.rouge_scorer", "sacrebleu", "worker.local.evaluation", __name__)


class Noting(Progress):
    """Writes down every row that it is told is on disk, where it outlives the process."""

    def __init__(self, path: Path) -> None:
        super().__init__(Console(quiet=True))
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def answered(self, rows) -> None:
        self._note(rows)
        super().answered(rows)

    def judged(self, rows) -> None:
        self._note(rows)
        super().judged(rows)

    def _note(self, rows: Iterable[Record]) -> None:
        os.write(self._file, "".join(f"{row.model_dump_json()}\n" for row in rows).encode())


def evaluate_noting(place: Path) -> None:
    """Evaluates into `out` below a folder and notes there what is acknowledged."""
    import datasets

    datasets.config.HF_DATASETS_CACHE = str(place / "cache")
    judge = load_judge("demo")
    settings = Settings(engine="transformers", models=place / "models", data=place / "data")
    wanted = Wanted(
        Candidate(pin(judge.model, None, settings.models), None, thinking=False),
        Conditions(read_protocol(place / "small.yaml"), judge, "builtin", str(place / "set")),
        NO_ENDPOINTS,
        limit=None,
        out=place / "out",
    )
    evaluate(wanted, settings, Noting(place / "noted"))


def lines(path: Path) -> list[bytes]:
    """The whole lines of a file."""
    return path.read_bytes().split(b"\n")[:-1] if path.exists() else []


def written(place: Path) -> list[bytes]:
    """All whole lines of both journals."""
    folder = Folder(place / "out")
    return [*lines(folder.generations), *lines(folder.verdicts)]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A machine with one model that answers and judges, and a data set."""
    make_tiny_model(tmp_path / "models" / load_judge("demo").model.removeprefix("local/"), context=32768)
    write_demo_set(tmp_path / "set", DemoSize(2, 1, 1), 42)
    (tmp_path / "small.yaml").write_text(PROTOCOL)
    return tmp_path


def test_every_acknowledged_row_is_there_after_a_kill_and_once_in_the_end(place: Path) -> None:
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([*IMPORTED])
    noted = place / "noted"
    for due in KILLS:
        process = processes.Process(target=evaluate_noting, args=(place,))
        process.start()
        due = max(due, len(lines(noted)) + 1)
        until(
            lambda: not process.is_alive() or len(lines(noted)) >= due,  # noqa: B023
            what=f"{due} rows are acknowledged",
            within=120,
        )
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        assert set(lines(noted)) <= set(written(place)), "a row that was said to be kept is lost or changed"

    process = processes.Process(target=evaluate_noting, args=(place,))
    process.start()
    process.join()
    assert process.exitcode == 0
    assert set(lines(noted)) <= set(written(place))
    folder = Folder(place / "out")
    plan = read_kept(folder.plan, Plan)
    answers, verdicts = read_lines(folder.generations, Generation), read_lines(folder.verdicts, Verdict)
    assert plan is not None
    assert owed(plan.items, {row.key.question_id: row for row in answers}, verdicts) == []
    assert len({row.input_key for row in answers}) == len(answers) == ANSWERS
    assert len({(row.verdict_key, row.attempt) for row in verdicts}) == len(verdicts)
    unshared = Counter(row.shared_tokens == 0 for row in answers)
    assert unshared[True] == 2, "a user's history is new once, whichever engine was shown it"
