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
from evaluator.setup import AnyItem, HicupidSetup, OneItem, users_of
from evaluator.waves import waves

_USERS_JUDGED_AT_ONCE = 10
"""Of those whose answers were all there before: few enough that little is lost with a machine."""


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
        """Returns the key under which the first answer to a question is known."""

    def standing(self, question_id: str, known: Mapping[str, Generation]) -> Generation | None:
        """Returns the answer to a question that counts, of those known by input key; None while one is owed."""

    def waves(self, users: Sequence[UserItems]) -> Iterator[tuple[UserItems, ...]]:
        """Yields users in their order, as many together as are best asked together."""

    def answers(self, users: Sequence[UserItems], done: Mapping[str, Generation]) -> Iterator[Generation]:
        """Yields the answers to some users' questions, except those that are `done`, by input key."""


class ModelAnswers(NamedTuple):
    """A loaded model that answers HiCUPID's questions."""

    setup: HicupidSetup
    engine: Engine
    contexts: Contexts

    @property
    def info(self) -> EngineInfo:
        """See `AnswerSource.info`."""
        return self.engine.info

    def key(self, question_id: str) -> InputKey:
        """See `AnswerSource.key`."""
        return input_key(self.setup, question_id, self.engine.info, self.contexts.provenance)

    def standing(self, question_id: str, known: Mapping[str, Generation]) -> Generation | None:
        """See `AnswerSource.standing`."""
        return known.get(self.key(question_id).digest())

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
    setup: HicupidSetup,
    items: Iterable[Item],
    source: AnswerSource,
    judge_engine: Engine,
    sink: RowSink,
    clock: StageClock,
) -> None:
    """Asks and judges some items, user by user; what the sink knows already is not asked again.

    Answers and verdicts that engines gave under other conditions than these do not count as known. Every wave is judged
    before the next one is asked.

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
    known, asked = sink.known_rows(), list(items)
    there = answers_there(asked, source, known)
    owing = users_of(owed(asked, there, said_by(judge_engine.info, known.verdicts)))
    unanswered = set(_lacking(asked, there))
    answered = [user for user in owing if user not in unanswered]
    for start in range(0, len(answered), _USERS_JUDGED_AT_ONCE):
        users = answered[start : start + _USERS_JUDGED_AT_ONCE]
        ask_verdicts(setup, users, there.values(), judge_engine, known.verdicts, sink, clock)
    for wave, fresh in ask_answers(asked, source, known, sink, clock):
        ask_verdicts(setup, wave, [*there.values(), *fresh], judge_engine, known.verdicts, sink, clock)


def ask_answers(
    items: Iterable[AnyItem], source: AnswerSource, known: KnownRows, sink: RowSink, clock: StageClock
) -> Iterator[tuple[tuple[UserItems, ...], list[Generation]]]:
    """Asks for the answers that are not there yet, wave by wave.

    Args:
        items: All that the run asks of some users.
        source: Who answers.
        known: What is there; answers given under other conditions than those of `source` do not count.
        sink: Where answers go.
        clock: Is told what the stage `generate` takes.

    Yields:
        The users of each wave with the answers that the sink has just taken.

    Raises:
        RapportError: As of `ask_users`.
    """
    asked = [item for item in items if item.is_asked]
    for wave in source.waves(_lacking(asked, answers_there(asked, source, known))):
        with clock.stage("generate"):
            fresh = sink.generations(source.answers(wave, known.generations))
        yield wave, fresh


def ask_verdicts(
    setup: HicupidSetup,
    users: Sequence[UserItems],
    answers: Iterable[Generation],
    engine: Engine,
    known: Iterable[Verdict],
    sink: RowSink,
    clock: StageClock,
) -> None:
    """Asks for the verdicts on some users' answers that are not there yet.

    Args:
        setup: The run.
        users: Whose answers are judged.
        answers: The answers; those of others are left alone.
        engine: The judge.
        known: What is there; verdicts of an engine that ran otherwise do not count.
        sink: Where verdicts go.
        clock: Is told what the stage `judge` takes.

    Raises:
        RapportError: As of `ask_users`.
    """
    with clock.stage("judge"):
        sink.verdicts(judge(setup, users, answers, engine, said_by(engine.info, known)))


def answers_there(items: Iterable[AnyItem], source: AnswerSource, known: KnownRows) -> dict[str, Generation]:
    """Returns the answers that are there, under the conditions of `source`, by question id."""
    found = ((item.question_id, source.standing(item.question_id, known.generations)) for item in items)
    return {question_id: row for question_id, row in found if row}


def said_by(engine: EngineInfo, verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Returns the verdicts that an engine gave which ran as this one does."""
    return [row for row in verdicts if is_said_by(row, engine)]


def _lacking(items: Iterable[AnyItem], answers: Mapping[str, Generation]) -> list[UserItems]:
    """Returns the users one of whose answers is not there, in their order."""
    return users_of(item for item in items if item.question_id not in answers)


def owed(items: Iterable[OneItem], answers: Mapping[str, Generation], verdicts: Iterable[Verdict]) -> list[OneItem]:
    """Returns the items that still lack their answer, or a verdict that can be had, in their order.

    Args:
        items: What the run asks.
        answers: What is there, by question id.
        verdicts: All attempts of the run's judge that are there.
    """
    finished = {about(row) for row in verdicts if settled(row)}

    def lacks(item: OneItem) -> bool:
        answer = answers.get(item.question_id)
        if answer is None or answer.answer is None or answer.defect is not None:
            return answer is None
        return any((item.question_id, answer.content_hash, order) not in finished for order in item.orders)

    return [item for item in items if item.is_asked and lacks(item)]
