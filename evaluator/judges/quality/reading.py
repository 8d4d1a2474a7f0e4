"""Whether what a judge says can be read, whether it looks at answers or at slots, and what a verdict takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from evaluator.hicupid.questions import Item
from evaluator.hicupid.scoring import User, agreement_of
from evaluator.judges.quality.figures import share_of, without
from evaluator.judges.quality.judged import Judged, once, places_of, summed, values_of
from evaluator.judges.quality.records import Costs, PositionFigures, QualityFigure, ReadingFigures, Why
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


class _Taken(NamedTuple):
    """What one verdict took, all attempts together."""

    user: User
    rows: int
    prompt_tokens: int
    output_tokens: int
    computed_tokens: float
    """Not a number where the engine does not tell for some attempt."""
    seconds: float
    """Not a number where they were not told for some attempt."""


def costs_of(attempts: Iterable[Attempt], items: Mapping[str, Item]) -> Costs:
    """Returns what a verdict takes, over all attempts at it.

    Args:
        attempts: Those of one judge, looked at one by one; one that stands there twice counts once.
        items: Items by question id; attempts at other questions are left out.
    """
    taken: dict[str, _Taken] = {}
    seen: set[tuple[str, int]] = set()
    for row in attempts:
        item = items.get(row.question_id)
        if item is None or (row.verdict_key, row.number) in seen:
            continue
        seen.add((row.verdict_key, row.number))
        before = taken.get(row.verdict_key) or _Taken((item.split, item.user_id), 0, 0, 0, 0.0, 0.0)
        taken[row.verdict_key] = _Taken(
            before.user,
            before.rows + 1,
            before.prompt_tokens + row.prompt_tokens,
            before.output_tokens + row.output_tokens,
            before.computed_tokens + (np.nan if row.cached_tokens is None else row.prompt_tokens - row.cached_tokens),
            before.seconds + (np.nan if row.seconds is None else row.seconds),
        )
    found = [taken[key] for key in sorted(taken)]
    return Costs(
        verdicts=len(found),
        rows=sum(each.rows for each in found),
        prompt_tokens=_mean(found, [each.prompt_tokens for each in found]),
        output_tokens=_mean(found, [each.output_tokens for each in found]),
        computed_tokens=_mean(found, [each.computed_tokens for each in found]),
        seconds=_mean(found, [each.seconds for each in found]),
    )


def _mean(taken: Sequence[_Taken], values: Sequence[float]) -> QualityFigure:
    """The mean of what was told, with its interval."""
    column = np.array(values, dtype=np.float64)
    told = ~np.isnan(column)
    if len(taken) and not told.any():
        return without(Why.UNTOLD, len(taken))
    users, count = places_of(each.user for each in taken)
    sums = summed(users, count, np.where(told, column, 0.0), told.astype(np.float64))
    return share_of(sums, Method.STUDENT, len(taken))
