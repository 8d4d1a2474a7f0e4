"""Asks a run's questions and judges the answers, wave by wave: the one loop of workers and of `rapport evaluate`.

Where rows go, and which are there already, is the business of a sink.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Protocol

from evaluator.engines.base import Engine, EngineInfo
from evaluator.generate import generate, input_key
from evaluator.hicupid.contexts import Contexts
from evaluator.hicupid.outcomes import about
from evaluator.hicupid.questions import Item
from evaluator.hicupid.selection import UserItems
from evaluator.judge import is_said_by, judge, settled
from evaluator.records import Generation, InputKey, Verdict
from evaluator.setup import RunSetup, users_of
from evaluator.waves import waves


class KnownRows(NamedTuple):
    """Rows that are there already."""

    generations: Mapping[str, Generation]
    """By input key."""
    verdicts: Sequence[Verdict]
    """All attempts."""


class RowSink(Protocol):
    """Where finished rows go; a row counts once the sink has taken it."""

    def known_rows(self) -> KnownRows:
        """Returns the rows that were taken before."""

    def generations(self, rows: Iterable[Generation]) -> list[Generation]:
        """Takes answers as they come and returns them all."""

    def verdicts(self, rows: Iterable[Verdict]) -> None:
        """Takes verdicts as they come."""


class AnswerSource(Protocol):
    """Who answers."""

    @property
    def info(self) -> EngineInfo:
        """Provenance of the answers."""

    def key(self, question_id: str) -> InputKey:
        """Returns the key under which an answer to a question is known."""

    def waves(self, users: Sequence[UserItems]) -> Iterator[tuple[UserItems, ...]]:
        """Yields users in their order, as many together as are best asked together."""

    def answers(self, users: Sequence[UserItems], done: Mapping[str, Generation]) -> Iterator[Generation]:
        """Yields the answers to some users' questions, except those that are `done`, by input key."""


class ModelAnswers(NamedTuple):
    """A loaded model that answers."""

    setup: RunSetup
    engine: Engine
    contexts: Contexts

    @property
    def info(self) -> EngineInfo:
        """See `AnswerSource.info`."""
        return self.engine.info

    def key(self, question_id: str) -> InputKey:
        """See `AnswerSource.key`."""
        return input_key(self.setup, question_id, self.engine.info, self.contexts.provenance)

    def waves(self, users: Sequence[UserItems]) -> Iterator[tuple[UserItems, ...]]:
        """See `AnswerSource.waves`."""
        return waves(self.setup, users, self.engine, self.contexts)

    def answers(self, users: Sequence[UserItems], done: Mapping[str, Generation]) -> Iterator[Generation]:
        """See `AnswerSource.answers`."""
        return generate(self.setup, users, self.engine, self.contexts, done)


class StageClock:
    """Adds up the seconds of each stage.

    Example:
        >>> clock = StageClock()
        >>> with clock.stage("load"):
        ...     pass
        >>> [name for name, seconds in clock.stages()]
        ['load']
    """

    def __init__(self) -> None:
        """Starts with no stage."""
        self._seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Counts the time inside the context towards a stage."""
        started = time.monotonic()
        try:
            yield
        finally:
            self._seconds[name] = self._seconds.get(name, 0.0) + time.monotonic() - started

    def stages(self) -> tuple[tuple[str, float], ...]:
        """Returns the stages, sorted by name, with their seconds."""
        return tuple(sorted((name, round(seconds, 2)) for name, seconds in self._seconds.items()))


def ask_users(
    setup: RunSetup, items: Iterable[Item], source: AnswerSource, judge_engine: Engine, sink: RowSink, clock: StageClock
) -> None:
    """Asks and judges some items, user by user; what the sink knows already is not asked again.

    Answers and verdicts that engines gave under other conditions than these do not count as known.

    Args:
        setup: The run.
        items: All that the run asks of some users.
        source: Who answers.
        judge_engine: The judge.
        sink: Where rows go.
        clock: Is told what the stages `generate` and `judge` take.

    Raises:
        RapportError: If an engine is gone or the data set is broken; what the sink has taken by then is kept.
    """
    known = sink.known_rows()
    asked = list(items)
    keys = [source.key(item.question_id).digest() for item in asked]
    there = {row.key.question_id: row for key in keys if (row := known.generations.get(key))}
    said = [row for row in known.verdicts if is_said_by(row, judge_engine.info)]
    for wave in source.waves(users_of(owed(asked, there, said))):
        with clock.stage("generate"):
            fresh = sink.generations(source.answers(wave, known.generations))
        with clock.stage("judge"):
            sink.verdicts(judge(setup, wave, [*there.values(), *fresh], judge_engine, said))


def owed(items: Iterable[Item], answers: Mapping[str, Generation], verdicts: Iterable[Verdict]) -> list[Item]:
    """Returns the items that still lack their answer, or a verdict that can be had, in their order.

    Args:
        items: What the run asks.
        answers: What is there, by question id.
        verdicts: All attempts of the run's judge that are there.
    """
    finished = {about(row) for row in verdicts if settled(row)}

    def lacks(item: Item) -> bool:
        answer = answers.get(item.question_id)
        if answer is None or answer.answer is None or answer.defect is not None:
            return answer is None
        return any((item.question_id, answer.content_hash, order) not in finished for order in item.orders)

    return [item for item in items if lacks(item)]
