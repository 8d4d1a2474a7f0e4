"""Joins items with what was answered and said about it; of several rows on the same thing one counts, by fixed rules.

What the judge or the machine fails at is missing. What the model fails at, a defect of its answer, is a loss.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

from evaluator.hicupid.questions import Item, QuestionType
from evaluator.identity import text_digest
from evaluator.records import Generation, Outcome, SlotOrder, Verdict

CREDIT: Mapping[Outcome, float] = {
    Outcome.WIN: 1.0,
    Outcome.TIE: 0.5,
    Outcome.LOSS: 0.0,
    Outcome.SATISFIED: 1.0,
    Outcome.UNSATISFIED: 0.0,
}
"""What an outcome scores."""


class MadeOn(NamedTuple):
    """What the rows of a run were made on: of several rows on the same thing, one that was made so counts."""

    engine: str
    """Of the model, as `dtype`."""
    dtype: str
    judge_engine: str
    judge_dtype: str

    def answered(self, row: Generation) -> bool:
        """Says whether an answer was made so."""
        return (row.key.engine, row.key.dtype) == (self.engine, self.dtype)

    def judged(self, row: Verdict) -> bool:
        """Says whether a verdict was given so."""
        return (row.key.engine, row.key.dtype) == (self.judge_engine, self.judge_dtype)


class JudgedItem(NamedTuple):
    """One item with what became of it."""

    item: Item
    answer: Generation | None
    outcomes: tuple[Outcome | None, ...]
    """In the order of `item.orders`; None is a missing verdict."""
    missing_because: tuple[str, ...]
    """The cause of each missing verdict."""

    @property
    def lost_by_defect(self) -> bool:
        """Whether the answer lost without a judge."""
        return self.answer is not None and self.answer.defect is not None

    @property
    def judged(self) -> bool:
        """Whether none of its verdicts is missing: else it counts in no rate, for half a pair favours a slot."""
        return not self.missing_because

    @property
    def read(self) -> tuple[Outcome, ...]:
        """The outcomes that are there."""
        return tuple(outcome for outcome in self.outcomes if outcome is not None)


class Counting(NamedTuple):
    """Which of some rows count, each in the order of the rows."""

    generations: tuple[bool, ...]
    verdicts: tuple[bool, ...]


def join_rows(
    items: Iterable[Item],
    generations: Iterable[Generation],
    verdicts: Iterable[Verdict],
    made_on: MadeOn | None = None,
) -> list[JudgedItem]:
    """Returns every item with its answer and outcomes, in the order of question ids.

    Args:
        items: Everything that the protocol asks.
        generations: Rows of one model under one protocol. Of several on one question one that is `made_on` what the
            run was counts, of these the last attempt, of these an answer rather than a failure, and between two
            answers the one whose hash comes last.
        verdicts: Rows of one judge. Of several on the same answer in the same order one that is `made_on` what the run
            was counts, of these the last readable attempt, and between two the one whose hash comes last, never one
            for what it says.
        made_on: What the run was made on; None prefers no engine.
    """
    answers, said = latest_rows(generations, verdicts, made_on)
    return [
        _joined(item, answers.get(item.question_id), said) for item in sorted(items, key=lambda item: item.question_id)
    ]


def which_count(
    items: Iterable[Item],
    generations: Sequence[Generation],
    verdicts: Sequence[Verdict],
    made_on: MadeOn | None = None,
) -> Counting:
    """Tells which rows `join_rows` takes, for whoever joins them without knowing the rules.

    Args:
        items: Everything that the protocol asks.
        generations: Rows of one model under one protocol.
        verdicts: Rows of one judge.
        made_on: As in `join_rows`.
    """
    answers, said = latest_rows(generations, verdicts, made_on)
    chosen: set[int] = set()
    for item in items:
        answer = answers.get(item.question_id)
        chosen.add(id(answer))
        if answer is not None and answer.content_hash is not None and answer.defect is None:
            chosen |= {id(said.get((item.question_id, answer.content_hash, order))) for order in item.orders}
    return Counting(_once(generations, chosen), _once(verdicts, chosen))


def _once(rows: Sequence[Generation | Verdict], chosen: set[int]) -> tuple[bool, ...]:
    """Tells which rows are chosen; of one that stands there twice only the first."""
    left, found = set(chosen), []
    for row in rows:
        found.append(id(row) in left)
        left.discard(id(row))
    return tuple(found)


def latest_rows(
    generations: Iterable[Generation], verdicts: Iterable[Verdict], made_on: MadeOn | None
) -> tuple[dict[str, Generation], dict[tuple[str, str, SlotOrder], Verdict]]:
    """Returns the answer that counts for each question, and the verdict for each thing to say one about."""

    def standing(row: Generation) -> tuple[bool, int, bool, str, str]:
        fits = made_on is not None and made_on.answered(row)
        return fits, row.attempt, row.content_hash is not None, row.content_hash or "", _row_hash(row)

    def weight(row: Verdict) -> tuple[bool, bool, int, str]:
        fits = made_on is not None and made_on.judged(row)
        return fits, row.outcome is not None, row.attempt, _row_hash(row)

    answers = {row.key.question_id: row for row in sorted(generations, key=standing)}
    return answers, {about(row): row for row in sorted(verdicts, key=weight)}


def count_clashes(generations: Iterable[Generation], verdicts: Iterable[Verdict]) -> int:
    """Returns how many answers and verdicts were left out because another one on the same thing says otherwise."""
    contents: dict[Hashable, set[str]] = defaultdict(set)
    for answer in generations:
        if answer.content_hash is not None:
            contents[answer.key.question_id].add(answer.content_hash)
    for verdict in verdicts:
        if verdict.outcome is not None:
            contents[about(verdict)].add(verdict.outcome)
    return sum(len(different) - 1 for different in contents.values())


def _row_hash(row: Generation | Verdict) -> str:
    """Names a row by all that it holds: an order that favours nothing in it."""
    return text_digest(row.model_dump_json())


def about(row: Verdict) -> tuple[str, str, SlotOrder]:
    """Names what a verdict is about: question, answer by its hash, and slot order."""
    return row.key.question_id, row.key.content_hash, row.key.slot_order


def _joined(item: Item, answer: Generation | None, said: Mapping[tuple[str, str, SlotOrder], Verdict]) -> JudgedItem:
    """Joins one item with its rows."""
    if answer is None or answer.content_hash is None:
        cause = "not_generated" if answer is None else str(answer.failure)
        return JudgedItem(item, answer, (None,) * len(item.orders), (cause,) * len(item.orders))
    if answer.defect is not None:
        lost = Outcome.UNSATISFIED if item.type is QuestionType.SCHEDULE else Outcome.LOSS
        return JudgedItem(item, answer, (lost,) * len(item.orders), ())
    verdicts = [said.get((item.question_id, answer.content_hash, order)) for order in item.orders]
    return JudgedItem(
        item,
        answer,
        tuple(None if verdict is None else verdict.outcome for verdict in verdicts),
        tuple(why_missing(verdict) for verdict in verdicts if verdict is None or verdict.outcome is None),
    )


def why_missing(verdict: Verdict | None) -> str:
    """Says why a verdict on an answer that is there is missing."""
    if verdict is None:
        return "not_judged"
    return f"judge_{verdict.failure}" if verdict.failure else "unparsed"
