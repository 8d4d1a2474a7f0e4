"""What a verdict takes, tallied from columns: of an attempt some 60 bytes are held, whatever board it is of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evaluator.hicupid.scoring import User
from evaluator.judges.quality.figures import share_of, without
from evaluator.judges.quality.judged import summed
from evaluator.judges.quality.records import Costs, QualityFigure, Why
from evaluator.metrics.clustered import Method


class AttemptColumns(NamedTuple):
    """Attempts of a judge at verdicts, (n,) each."""

    verdicts: NDArray[np.uint64]
    """Names the verdict; the first 64 bits of its key."""
    users: Sequence[User]
    """Whose question it is."""
    numbers: NDArray[np.int64]
    """Which attempt it is, from 1."""
    prompt_tokens: NDArray[np.float64]
    output_tokens: NDArray[np.float64]
    computed_tokens: NDArray[np.float64]
    """Tokens read that no cache held; not a number where the engine does not tell."""
    seconds: NDArray[np.float64]
    """Not a number where nobody told."""


class CostTally:
    """Takes in attempts, some at a time; one that is given twice counts once.

    Example:
        >>> CostTally().costs().verdicts
        0
    """

    def __init__(self) -> None:
        """Knows of none yet."""
        self._users: dict[User, int] = {}
        self._parts: list[tuple[NDArray[Any], ...]] = []

    def add(self, attempts: AttemptColumns) -> None:
        """Takes some in."""
        places = [self._users.setdefault(user, len(self._users)) for user in attempts.users]
        users = np.array(places, dtype=np.int64)
        self._parts.append((attempts.verdicts, attempts.numbers, users, *attempts[3:]))

    def costs(self) -> Costs:
        """Returns what a verdict takes, over all attempts at it."""
        columns = [np.concatenate(each) for each in zip(*self._parts, strict=True)] if self._parts else []
        if not columns or not len(columns[0]):
            nothing = without(Why.UNDEFINED, 0)
            return Costs(
                verdicts=0,
                rows=0,
                prompt_tokens=nothing,
                output_tokens=nothing,
                computed_tokens=nothing,
                seconds=nothing,
            )
        order = np.lexsort((columns[1], columns[0]))
        verdicts, numbers, users, *told = (each[order] for each in columns)
        first = np.append(True, (verdicts[1:] != verdicts[:-1]) | (numbers[1:] != numbers[:-1]))
        verdicts, users, told = verdicts[first], users[first], [each[first] for each in told]
        begins = np.flatnonzero(np.append(True, verdicts[1:] != verdicts[:-1]))
        places, count = np.unique(users[begins], return_inverse=True)[1], len(set(users[begins].tolist()))
        means = [_mean(np.add.reduceat(each, begins), places, count) for each in told]
        return Costs(
            verdicts=len(begins),
            rows=len(verdicts),
            prompt_tokens=means[0],
            output_tokens=means[1],
            computed_tokens=means[2],
            seconds=means[3],
        )


def _mean(values: NDArray[np.float64], users: NDArray[np.intp], count: int) -> QualityFigure:
    """The mean of what was told, with its interval."""
    told = ~np.isnan(values)
    if not told.any():
        return without(Why.UNTOLD, len(values))
    sums = summed(users, count, np.where(told, values, 0.0), told.astype(np.float64))
    return share_of(sums, Method.STUDENT, len(values))
