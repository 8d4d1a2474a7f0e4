"""How often two things agree: a share with an interval that also holds near 0 and 100 percent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy.special import betaincinv

from evaluator.metrics import student
from evaluator.metrics.intervals import LEAST_USERS, UserSums, linearise
from evaluator.records import Record

_DIGITS = 6
_LEVEL = 0.95


class Agreement(Record):
    """A share of comparisons that agree, in 0..100, with everything a reader needs to weigh it."""

    agree: int
    """Comparisons that agree."""
    compared: int
    """Comparisons where both sides have something to compare."""
    missing: int
    """Comparisons where at least one side has nothing; they are in no share."""
    percent: float | None
    """`agree` over `compared`; None where nothing was compared."""
    low: float | None
    """Lower end of the 95 % interval, as `percent`; None where nothing was compared."""
    high: float | None
    users: int
    """Users with a comparison."""
    clustered_by: Literal["user", "nothing"]
    """`nothing` below ten users: the interval then takes all comparisons to be independent, and is rather too narrow
    than too wide."""


def agreement(users: Sequence[UserSums], missing: int = 0) -> Agreement:
    """Returns how often comparisons agree.

    The interval is Clopper and Pearson's (Biometrika 26, 1934) on as many independent comparisons as those of whole
    users are worth: their number over the design effect, adjusted for its degrees of freedom (Korn and Graubard, Survey
    Methodology 24, 1998). Where all agree, or none, nothing tells how much a user's comparisons have in common, and
    each user counts as one.

    Args:
        users: For each user how many comparisons agree, and how many there are.
        missing: Comparisons that could not be made.

    Example:
        >>> found = agreement([UserSums(2, 2)] * 12)
        >>> found.percent, found.clustered_by, round(found.low, 1), found.high
        (100.0, 'user', 73.5, 100.0)
        >>> agreement([UserSums(9, 10)]).clustered_by
        'nothing'
    """
    having = [user for user in users if user.items]
    agree, compared = round(sum(user.total for user in having)), sum(user.items for user in having)
    low, high = (None, None)
    clustered = len(having) >= LEAST_USERS
    if compared:
        worth = _worth(having, agree / compared, compared) if clustered else compared
        low, high = _clopper_pearson(agree / compared * worth, worth)
    return Agreement(
        agree=agree,
        compared=compared,
        missing=missing,
        percent=round(100 * agree / compared, _DIGITS) if compared else None,
        low=low,
        high=high,
        users=len(having),
        clustered_by="user" if clustered else "nothing",
    )


def _worth(users: Sequence[UserSums], share: float, compared: int) -> float:
    """Returns how many independent comparisons are worth as much as these; never more than there are."""
    sums = np.array([users], dtype=np.float64).transpose(2, 1, 0)
    found = linearise(sums[0], sums[1], np.ones(1))
    if not found.deviation > 0:
        return float(len(users))
    quantile = (1 + _LEVEL) / 2
    adjusted = (student.ppf(quantile, compared - 1) / student.ppf(quantile, found.freedom)) ** 2
    return float(min(compared, share * (1 - share) / found.deviation**2 * adjusted))


def _clopper_pearson(agree: float, compared: float) -> tuple[float, float]:
    """Returns the interval of a share of `compared`, which need not be whole numbers, in percent."""
    tail = (1 - _LEVEL) / 2
    low = 0.0 if agree <= 0 else float(betaincinv(agree, compared - agree + 1, tail))
    high = 1.0 if agree >= compared else float(betaincinv(agree + 1, compared - agree, 1 - tail))
    return round(100 * low, _DIGITS), round(100 * high, _DIGITS)
