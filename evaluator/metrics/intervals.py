"""Intervals that respect who was asked: a user's answers stand or fall together, so users are counted, not rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evaluator.metrics import student
from evaluator.records import Record
from evaluator.results import Interval

LEAST_USERS = 10
"""Below this number of users no interval is given: it would promise what so few cannot tell."""

_ROUNDING = 1e-10
"""A value or deviation below this share of the scores is what floating point leaves of none."""

Array = NDArray[np.float64]
"""All figures are double: a rank must not hang on the last bits."""


class UserSums(NamedTuple):
    """One user's part of one rate: the sum of his items' scores and their number."""

    total: float
    items: int


class Part(NamedTuple):
    """One rate of a weighted sum: every user's sums in the same order of users, and the rate's weight."""

    users: Sequence[UserSums]
    weight: float = 1.0


class ModelSums(NamedTuple):
    """What comparing a model needs: whom it was asked for, and every rate's sums in that order of users."""

    users: Sequence[int]
    parts: Sequence[Part]


class Difference(Record):
    """A model's weighted sum of rates less another's, over the users that both have, in the unit of the scores."""

    estimate: float | None
    """None if the shared users have no item of some rate."""
    interval: Interval | None
    """95 %, clustered by user; None below ten shared users."""
    p_value: float | None
    """Two-sided, against no difference; below 0.05 exactly where the interval leaves out zero."""
    users: int
    """Users that both models have."""
    left_out: int
    """Users that only one of the two has; they do not count."""


class Estimate(NamedTuple):
    """Weighted sums of rates, with one or no leading axis, and how sure they are."""

    value: Any
    deviation: Any
    """Standard error; zero where all users agree."""
    freedom: Any
    """Degrees of freedom of Student's t."""
    errors: Array
    """(..., users): what each user adds to the error; their squares sum to the squared deviation."""
    users: Any
    """Users with an item."""
    enough: Any
    """Whether every rate has at least ten users."""


class Linear(NamedTuple):
    """What `linearise` makes its estimates of; two of them on the same users add up to that of their difference."""

    value: Any
    """Weighted sums of rates."""
    scale: Any
    """What a value or a deviation is next to nothing against."""
    errors: Array
    """(..., users): what each user adds to the error."""
    own: Array
    """(..., users): variances of the errors if items had independent ones of variance 1, but for `common`."""
    common: Array
    """(..., users, rates): what users' errors share: their covariance is diag(own) - common common'."""


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

    The quantile is Student's t; variance and degrees of freedom are those of `linearise`. With as many items for each
    user this is the t interval of the users' own means.

    Args:
        parts: The rates, with users in the same order; scores in any unit, which the interval keeps.
        level: Confidence, in 0..1.

    Returns:
        The interval, not cut to the possible range; None if some rate has fewer than ten users with an item.

    Example:
        >>> users = [UserSums(score, 1) for score in (0, 0, 1, 1, 1, 0, 1, 0, 1, 1)]
        >>> interval = clustered_interval([Part(users)])
        >>> round(interval.low, 3), round(interval.high, 3), interval.users
        (0.231, 0.969, 10)
    """
    totals, items = _sums(parts)
    return _interval(linearise(totals, items, _weights(parts)), level)


def paired_difference(first: ModelSums, second: ModelSums) -> Difference:
    """Compares two models on the users that both have: what a user makes easy or hard for both cancels out.

    The difference is a weighted sum over the rates of both models, with the second's weights negative, and its interval
    that of `clustered_interval`. If the difference is the same for every user, there is no deviation to divide by: p is
    then that of the sign test, 2^(1 - users), or 1 if there is no difference at all.

    Args:
        first: One model.
        second: The other, with the same rates under the same weights.

    Raises:
        ValueError: The weights differ, a user stands twice, or a rate has not one entry for each user.

    Example:
        >>> one = ModelSums(range(12), [Part([UserSums(place % 3, 2) for place in range(12)])])
        >>> other = ModelSums(range(1, 14), [Part([UserSums(place % 2, 2) for place in range(13)])])
        >>> difference = paired_difference(one, other)
        >>> difference.users, difference.left_out, round(difference.estimate, 3), round(difference.p_value, 3)
        (11, 3, 0.318, 0.046)
    """
    board = align([first, second])
    has = np.any(board.items > 0, axis=-1)
    found = compare(board, np.array([0]), np.array([1]))
    estimate = Estimate(*(figures[0] for figures in found))
    known = bool(np.isfinite(estimate.value))
    return Difference(
        estimate=float(estimate.value) if known else None,
        interval=_interval(estimate, 0.95),
        p_value=float(2 * tail(found)[0]) if estimate.enough else None,
        users=int(estimate.users),
        left_out=int((has[0] ^ has[1]).sum()),
    )


class Board(NamedTuple):
    """Several models' sums on one axis of users; zero items where a model was not asked for a user."""

    totals: Array
    """(models, users, rates)."""
    items: Array
    """(models, users, rates)."""
    weights: Array
    """(rates,)."""


def align(models: Sequence[ModelSums]) -> Board:
    """Puts models on one axis: all their users, sorted.

    Raises:
        ValueError: The weights differ, a user stands twice, or a rate has not one entry for each user.
    """
    weights = [_weights(model.parts) for model in models]
    if any(not np.array_equal(weights[0], other) for other in weights):
        raise ValueError("models can only be compared by the same rates under the same weights")
    everyone = sorted(set().union(*(model.users for model in models)))
    places = {user: place for place, user in enumerate(everyone)}
    sums = np.zeros((2, len(models), len(everyone), len(weights[0])))
    for number, model in enumerate(models):
        if len(set(model.users)) < len(model.users):
            raise ValueError("a user stands twice in one model")
        sums[:, number, [places[user] for user in model.users]] = _sums(model.parts, len(model.users))
    return Board(sums[0], sums[1], weights[0])


def compare(board: Board, first: NDArray[np.intp], second: NDArray[np.intp]) -> Estimate:
    """Returns the differences of pairs of models, each over the users that both have.

    Args:
        board: The models.
        first: (pairs,): places of models in the board.
        second: (pairs,): places of the models that are subtracted.
    """
    has = (np.any(board.items[some] > 0, axis=-1, keepdims=True) for some in (first, second))
    shared = np.logical_and(*has)
    totals, items = (
        np.concatenate([sums[first], sums[second]], axis=-1) * shared for sums in (board.totals, board.items)
    )
    return linearise(totals, items, np.concatenate([board.weights, -board.weights]))


def linearise(totals: Array, items: Array, weights: Array) -> Estimate:
    """Returns weighted sums of rates, each a ratio of sums over users, and their clustered errors.

    An error is linearised (Cochran, Sampling Techniques, 1977, section 6.3) and added over the rates within each user,
    so that their covariance counts. A user with a large share of a rate's items pulls the rate to himself: his residual
    is divided by sqrt(1 - share), which is the CR2 correction, and the degrees of freedom are Satterthwaite's for
    items with equal, independent errors (Bell and McCaffrey, Survey Methodology 28, 2002). With equal shares these are
    users - 1.

    Args:
        totals: (..., users, rates): sums of scores.
        items: (..., users, rates): numbers of items.
        weights: (rates,).

    Returns:
        What is not a number where a rate has no item or all of its items from one user.
    """
    parts = linear(totals, items, weights)
    own, common = parts.own, parts.common
    shared = (common**2).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        gram = np.swapaxes(common, -1, -2) @ common
        deviation = np.sqrt((parts.errors**2).sum(axis=-1))
        freedom = (own - shared).sum(axis=-1) ** 2 / (
            (own**2 - 2 * own * shared).sum(axis=-1) + (gram**2).sum(axis=(-1, -2))
        )
    return Estimate(
        value=without_noise(parts.value, parts.scale),
        deviation=without_noise(deviation, parts.scale),
        freedom=freedom,
        errors=parts.errors,
        users=(items > 0).any(axis=-1).sum(axis=-1),
        enough=((items > 0).sum(axis=-2) >= LEAST_USERS).all(axis=-1),
    )


def linear(totals: Array, items: Array, weights: Array) -> Linear:
    """Returns what `linearise` makes its estimates of, of sums as there."""
    counts = items.sum(axis=-2, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = items / counts
        pull = weights / (counts * np.sqrt(1 - shares))
        residuals = totals - totals.sum(axis=-2, keepdims=True) * shares
        return Linear(
            value=(totals.sum(axis=-2) / counts[..., 0, :]) @ weights,
            scale=(np.abs(totals).sum(axis=-2) / counts[..., 0, :]) @ np.abs(weights),
            errors=(residuals * pull).sum(axis=-1),
            own=(pull**2 * items).sum(axis=-1),
            common=pull * items / np.sqrt(counts),
        )


def without_noise(figure: Any, scale: Any) -> Array:
    """Returns figures, with zero for what floating point leaves of none."""
    return np.where(np.abs(figure) <= _ROUNDING * scale, 0.0, figure)


def tail(estimate: Estimate) -> Array:
    """Returns one-sided p values of estimates, (...): how likely zero would give as much, in its direction.

    Without a deviation it is the sign test's, 2^-users, or one half for no difference.
    """
    value, deviation = np.abs(estimate.value), estimate.deviation
    with np.errstate(divide="ignore", invalid="ignore"):
        usual = student.sf(value / deviation, estimate.freedom)
    sign_test = np.where(value > 0, 0.5**estimate.users, 0.5)
    return np.asarray(np.where(deviation > 0, usual, sign_test), dtype=np.float64)


def _interval(estimate: Estimate, level: float) -> Interval | None:
    """The t interval of one estimate."""
    if not estimate.enough:
        return None
    centre = float(estimate.value)
    reach = float(student.ppf((1 + level) / 2, estimate.freedom) * estimate.deviation)
    return Interval(low=centre - reach, high=centre + reach, users=int(estimate.users))


def _weights(parts: Sequence[Part]) -> Array:
    """The rates' weights."""
    return np.array([part.weight for part in parts], dtype=np.float64)


def _sums(parts: Sequence[Part], users: int | None = None) -> Array:
    """Totals and items of the rates, (2, users, rates); the number of users must be that of every rate."""
    users = len(parts[0].users) if users is None else users
    if any(len(part.users) != users for part in parts):
        raise ValueError("every rate needs one entry for each user")
    sums = np.array([part.users for part in parts], dtype=np.float64).reshape(len(parts), users, 2)
    return sums.transpose(2, 1, 0)
