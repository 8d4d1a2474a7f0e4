"""A run of a human-grounded task over a small set, with an engine that says what it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from evaluator.ask import KnownRows, StageClock, ask_answers
from evaluator.engines.base import Request
from evaluator.hicupid.prompts import builtin_pack
from evaluator.human.asking import HumanAnswers
from evaluator.human.data import HumanData, demo_set
from evaluator.human.items import HumanItem
from evaluator.human.outcomes import score
from evaluator.human.people import People
from evaluator.human.results import HumanResult
from evaluator.human.setup import HumanSetup, items
from evaluator.human.stages.wording import load_wording
from evaluator.human.tasks import Task
from evaluator.models import PinnedModel
from evaluator.protocol import human_protocol
from evaluator.records import Generation, Verdict
from tests.scripted import ScriptedEngine

Say = Callable[[Request], str | None]
DEMO = HumanData.open(str(demo_set()))


class ListSink:
    """Keeps rows in memory; see `evaluator.ask.RowSink`."""

    def __init__(self, rows: Iterable[Generation] = ()) -> None:
        self.rows = list(rows)

    def known_rows(self) -> KnownRows:
        return KnownRows({row.input_key: row for row in self.rows}, ())

    def generations(self, rows: Iterable[Generation]) -> list[Generation]:
        fresh = list(rows)
        self.rows += fresh
        return fresh

    def verdicts(self, rows: Iterable[Verdict]) -> None:
        raise AssertionError(f"nobody judges this: {list(rows)}")


class Run(NamedTuple):
    """A run that is all asked."""

    items: list[HumanItem]
    rows: list[Generation]
    engine: ScriptedEngine
    result: HumanResult


def make_human_setup(task: Task, data: HumanData = DEMO, *, thinking: bool = False) -> HumanSetup:
    return HumanSetup(
        model=PinnedModel("org/model", "a" * 40),
        adapter=None,
        thinking=thinking,
        data=data,
        protocol=human_protocol(f"human-{task}-v1"),
        wording=load_wording(),
        pack=builtin_pack(),
        judge=People(),
        judge_revision=data.sha,
        terms=data.terms,
    )


def run(setup: HumanSetup, say: Say, known: Iterable[Generation] = ()) -> Run:
    """Asks everything that is not known."""
    engine, sink, asked = ScriptedEngine(say), ListSink(known), list(items(setup))
    source = HumanAnswers(setup, engine)
    for _ in ask_answers(asked, source, sink.known_rows(), sink, StageClock()):
        pass
    return Run(asked, sink.rows, engine, result_of(setup, asked, sink.rows))


def result_of(setup: HumanSetup, asked: list[HumanItem], rows: Iterable[Generation]) -> HumanResult:
    return score(asked, rows, task=setup.protocol.task, epsilon=setup.protocol.epsilon)
