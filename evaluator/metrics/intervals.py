"""Intervals that respect who was asked: a user's answers stand or fall together, so users are resampled, not rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from scipy.stats import t as student

from evaluator.results import Interval

LEAST_USERS = 10
"""Below this number of users no interval is given: it would promise what so few cannot tell."""


class UserSums(NamedTuple):
    """One user's part of one rate: the sum of his items' scores and their number."""

    total: float
    items: int


class Part(NamedTuple):
    """One rate of a weighted sum: every user's sums in the same order of users, and the rate's weight."""

    users: Sequence[UserSums]
    weight: float = 1.0


def ratio(users: Sequence[UserSums]) -> float | None:
    """Returns the mean over all items of all users, or None if there are none.

    Example:
        >>> ratio([UserSums(1.0, 2), UserSums(2.0, 2)])
        0.75
    """
    count = sum(user.items for user in users)
    return math.fsum(user.total for user in users) / count if count else None


def clustered_interval(parts: Sequence[Part], level: float = 0.95) -> Interval | None:
    """Returns the interval of a weighted sum of rates, clustered by user.

    Each rate is a ratio of sums over users; its error is linearised (Cochran, Sampling Techniques, 1977, section 6.3)
    and added over the rates within each user, so that their covariance counts. The quantile is Student's t with
    `users - 1` degrees of freedom.

    Args:
        parts: The rates, with users in the same order; scores in any unit, which the interval keeps.
        level: Confidence, in 0..1.

    Returns:
        The interval, not cut to the possible range; None below ten users with an item, or if a rate has no item.

    Example:
        >>> users = [UserSums(score, 1) for score in (0, 0, 1, 1, 1, 0, 1, 0, 1, 1)]
        >>> interval = clustered_interval([Part(users)])
        >>> round(interval.low, 3), round(interval.high, 3), interval.users
        (0.231, 0.969, 10)
    """
    present = [any(part.users[place].items for part in parts) for place in range(len(parts[0].users))]
    number = sum(present)
    rates = [ratio(part.users) for part in parts]
    if number < LEAST_USERS or any(rate is None for rate in rates):
        return None
    known = [rate for rate in rates if rate is not None]
    counts = [sum(user.items for user in part.users) for part in parts]
    errors = [
        math.fsum(
            part.weight * (part.users[place].total - rate * part.users[place].items) / count
            for part, rate, count in zip(parts, known, counts, strict=True)
        )
        for place, there in enumerate(present)
        if there
    ]
    deviation = math.sqrt(number / (number - 1) * math.fsum(error * error for error in errors))
    centre = math.fsum(part.weight * rate for part, rate in zip(parts, known, strict=True))
    reach = float(student.ppf((1 + level) / 2, number - 1)) * deviation
    return Interval(low=centre - reach, high=centre + reach, users=number)
