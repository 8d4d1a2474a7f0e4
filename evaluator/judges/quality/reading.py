"""Whether what a judge says can be read, whether it looks at answers or at slots, and what a verdict takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evaluator.hicupid.questions import Item
from evaluator.hicupid.scoring import agreement_of
from evaluator.judges.quality.costs import AttemptColumns, CostTally
from evaluator.judges.quality.figures import share_of
from evaluator.judges.quality.judged import Judged, once, places_of, summed, values_of
from evaluator.judges.quality.records import Costs, PositionFigures, ReadingFigures
from evaluator.metrics.clustered import Method
from evaluator.records import Outcome, SlotOrder, Verdict

_UNPARSED, _NOT_JUDGED = "unparsed", "not_judged"
"""Causes of a missing verdict, as `evaluator.hicupid.outcomes.why_missing` names them."""


def reading_figures(judged: Sequence[Judged]) -> ReadingFigures:
    """Returns how much of what a judge said could be read.

    Args:
        judged: What it said, of any models.
    """
    every = once(judged)
    users, count = places_of(each.user for each in every)
    owed = np.array([len(each.entry.outcomes) for each in every], dtype=np.float64)
    causes = [Counter(each.entry.missing_because) for each in every]
    missing, unparsed, unasked = (
        np.array([pick(each) for each in causes], dtype=np.float64)
        for pick in (Counter.total, lambda each: each[_UNPARSED], lambda each: each[_NOT_JUDGED])
    )
    asked, possible = owed - unasked, int(owed.sum())
    return ReadingFigures(
        owed=possible,
        asked=int(asked.sum()),
        read=int((owed - missing).sum()),
        missing_because=tuple(sorted(sum(causes, Counter()).items())),
        unparsed=share_of(summed(users, count, unparsed, asked), Method.SCORE, possible),
        missing=share_of(summed(users, count, missing - unasked, asked), Method.SCORE, possible),
    )


def position_figures(judged: Sequence[Judged]) -> PositionFigures:
    """Returns whether a judge looks at the answers or at the slots.

    Both are the figures of a scorecard (`evaluator.hicupid.scoring`), over the answers of all models and in 0..1.

    Args:
        judged: What it said, of any models. Only pairs that are owed verdicts in both orders count, and of these only
            such as have both.
    """
    pairs = [each for each in once(judged) if len(each.entry.item.orders) == 2]
    users, count = places_of(each.user for each in pairs)
    same = values_of(pairs, agreement_of) / 100
    there = ~np.isnan(same)
    slots = np.array([_slots(each) for each in pairs], dtype=np.float64).reshape(len(pairs), 2)
    return PositionFigures(
        consistency=share_of(
            summed(users, count, np.where(there, same, 0.0), there.astype(np.float64)), Method.SCORE, len(pairs)
        ),
        slot_a=share_of(summed(users, count, *slots.T), Method.SCORE, 2 * len(pairs)),
    )


def _slots(each: Judged) -> tuple[int, int]:
    """How many words on a pair prefer slot A, and how many prefer either; none where a verdict is missing."""
    if not each.entry.judged:
        return 0, 0
    preferred = [
        (outcome is Outcome.WIN) == (order is SlotOrder.ANSWER_FIRST)
        for order, outcome in zip(each.entry.item.orders, each.entry.read, strict=True)
        if outcome is not Outcome.TIE
    ]
    return sum(preferred), len(preferred)


class Attempt(NamedTuple):
    """One attempt of a judge at one verdict."""

    verdict_key: str
    question_id: str
    number: int
    """From 1."""
    prompt_tokens: int
    cached_tokens: int | None
    """None where the engine does not tell."""
    output_tokens: int
    seconds: float | None
    """None where nobody told."""

    @classmethod
    def of(cls, row: Verdict) -> Attempt:
        """Returns that of a row. Seconds of zero were not told: no engine gave such a verdict then and there."""
        return cls(
            row.verdict_key,
            row.key.question_id,
            row.attempt,
            row.prompt_tokens,
            row.cached_tokens,
            row.output_tokens,
            row.seconds or None,
        )


def costs_of(attempts: Iterable[Attempt], items: Mapping[str, Item]) -> Costs:
    """Returns what a verdict takes, over all attempts at it.

    Args:
        attempts: Those of one judge; one that stands there twice counts once.
        items: Items by question id; attempts at other questions are left out.
    """
    rows = [row for row in attempts if row.question_id in items]
    names = {key: place for place, key in enumerate(sorted({row.verdict_key for row in rows}))}
    tally = CostTally()
    tally.add(
        AttemptColumns(
            verdicts=np.array([names[row.verdict_key] for row in rows], dtype=np.uint64),
            users=[(items[row.question_id].split, items[row.question_id].user_id) for row in rows],
            numbers=np.array([row.number for row in rows], dtype=np.int64),
            prompt_tokens=_floats(row.prompt_tokens for row in rows),
            output_tokens=_floats(row.output_tokens for row in rows),
            computed_tokens=_floats(
                None if row.cached_tokens is None else row.prompt_tokens - row.cached_tokens for row in rows
            ),
            seconds=_floats(row.seconds for row in rows),
        )
    )
    return tally.costs()


def _floats(values: Iterable[float | None]) -> NDArray[np.float64]:
    """Returns numbers; not a number for what nobody told."""
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
