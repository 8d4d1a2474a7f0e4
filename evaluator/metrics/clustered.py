"""Intervals of any figure, clustered by user: the figure is looked at without each user in turn."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evaluator.metrics import student
from evaluator.metrics.intervals import LEAST_USERS, Array, without_noise
from evaluator.results import Interval

Figure = Callable[[NDArray[np.intp]], float | None]
"""Takes the places of the items that are left and returns the figure, or None where it is not defined."""


class Method(StrEnum):
    """How the ends of an interval are found: from a figure's spread, or from those of two intervals."""

    STUDENT = "student"
    """Student's t about the figure: for everything that has no bounds or stays away from them."""
    SCORE = "score"
    """Wilson's score interval, for shares in 0..1, which may come close to either end."""
    MOVER = "mover"
    """From the intervals of two figures of different users, for the one less the other: no spread of its own."""


class Missing(StrEnum):
    """Why there is no figure, or no interval of it."""

    UNDEFINED = "it is not defined on these labels"
    FEW_CLUSTERS = "fewer than 10 users"
    ONE_DECIDES = "without one of the users it is not defined"
    NOTHING_VARIES = "it is the same without any of the users"
    NO_METHOD = "it is published without an interval"
    TRIVIAL = "it is 1 whatever annotators say"


class Spread(NamedTuple):
    """Figures, with any leading axes, and how sure they are."""

    value: Any
    """Not a number where the figure is not defined."""
    deviation: Any
    """Standard error, in the unit of the figure; zero where it is the same without any of the clusters, and not a
    number where it is not defined without one of them."""
    freedom: Any
    """Degrees of freedom of Student's t."""
    users: Any
    """Clusters that have an item."""


def spread(figure: Figure, clusters: Sequence[Hashable] | NDArray[Any]) -> Spread:
    """Returns the spread of any figure that can be recomputed on some of its items: the delete-one-cluster jackknife.

    Items of one cluster, such as those of a user, stand or fall together. The interval speaks of other users under the
    same annotators (and the same prompts, if the clusters are users): these count as given.

    Args:
        figure: The figure of some of the items.
        clusters: (items,): whose each item is, in any order. Only items that the figure looks at: their numbers say how
            much each cluster weighs.

    Example:
        >>> ratings = np.array([1.0, 2, 3, 4, 6, 8])
        >>> found = spread(lambda left: float(ratings[left].mean()), list("aabbcc"))
        >>> float(found.value), round(float(found.deviation), 3), round(float(found.freedom), 3), int(found.users)
        (4.0, 1.607, 2.0, 3)
    """
    places, items = _grouped(clusters)
    value = _number(figure(np.arange(len(places))))
    without = [_number(figure(np.flatnonzero(places != cluster))) for cluster in range(len(items))]
    return spread_of(np.array(value), np.array(without), items)


def spread_of_sums(figure: Callable[[Array], Array], sums: Array, items: Array) -> Spread:
    """Returns the spread of a figure that is made of sums over items, such as a confusion matrix: much faster.

    Args:
        figure: Takes sums, (..., what is summed), and returns the figures, (...); not a number where not defined.
        sums: (clusters, what is summed): each cluster's own.
        items: (clusters,): numbers of items.

    Example:
        >>> found = spread_of_sums(lambda sums: sums[..., 0] / sums[..., 1], np.array([[3.0, 2], [7, 2], [14, 2]]),
        ...                        np.array([2.0, 2, 2]))
        >>> float(found.value), round(float(found.deviation), 3)
        (4.0, 1.607)
    """
    whole = sums.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return spread_of(figure(whole), figure(whole - sums), items)


def spread_of(value: Array, without: Array, items: Array) -> Spread:
    """Returns the spread of figures that are known without each cluster.

    The squares of what each cluster changes are added up, each times 1 less the cluster's share of the items. For a
    mean over items this is its linearised error with the CR2 correction, and the degrees of freedom are those of Bell
    and McCaffrey (Survey Methodology 28, 2002), so that the interval of a mean is that of
    `evaluator.metrics.intervals.clustered_interval`. For equal clusters it is the jackknife (Tukey; Efron and Stein,
    Annals of Statistics 9, 1981) about the figure itself, with clusters - 1 degrees of freedom.

    Args:
        value: (...): the figures of all items.
        without: (..., clusters): the figures without each cluster.
        items: (..., clusters): each cluster's items; one without any does not count.
    """
    share = items / items.sum(axis=-1, keepdims=True)
    changes = np.where(share > 0, np.asarray(value)[..., None] - without, 0.0)
    scale = np.abs(value) + np.abs(changes).max(axis=-1, initial=0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = share / (1 - share)
        freedom = 1 / ((odds**2 * (1 - 2 * share)).sum(axis=-1) + (odds * share).sum(axis=-1) ** 2)
    deviation = without_noise(np.sqrt((changes**2 * (1 - share)).sum(axis=-1)), scale)
    return Spread(value, deviation, freedom, (share > 0).sum(axis=-1))


def ends(found: Spread, method: Method, level: float = 0.95) -> tuple[Array, Array]:
    """Returns the low and the high ends of the intervals of some figures, both (...); not a number where there is none.

    There is none where `missing` names a reason.

    Raises:
        ValueError: For `Method.MOVER`: one spread does not tell it.
    """
    if method is Method.MOVER:
        raise ValueError("the interval of a difference is made of two, not of a spread")
    reach = np.asarray(student.ppf((1 + level) / 2, found.freedom))
    low, high = (_score if method is Method.SCORE else _student)(found, reach)
    given = (np.asarray(found.users) >= LEAST_USERS) & np.isfinite(found.value) & np.isfinite(found.deviation)
    if method is Method.STUDENT:
        given &= np.asarray(found.deviation) > 0
    return np.where(given, low, np.nan), np.where(given, high, np.nan)


def missing(found: Spread, method: Method) -> Missing | None:
    """Returns why one figure has no interval, None where it has one.

    There is none below ten clusters, nor for a figure that is not defined on all items or without one of the clusters:
    it hangs on that one. Where nothing varies between clusters, Student's t would promise certainty, which so few
    cannot tell; of a share Wilson's interval says what is known.

    Example:
        >>> missing(Spread(0.5, 0.1, 8, 9), Method.STUDENT).value
        'fewer than 10 users'
        >>> missing(Spread(0.0, 0.0, 11, 12), Method.STUDENT).name, missing(Spread(0.0, 0.0, 11, 12), Method.SCORE)
        ('NOTHING_VARIES', None)
    """
    if not math.isfinite(found.value):
        return Missing.UNDEFINED
    if found.users < LEAST_USERS:
        return Missing.FEW_CLUSTERS
    if not math.isfinite(found.deviation):
        return Missing.ONE_DECIDES
    return Missing.NOTHING_VARIES if method is Method.STUDENT and not found.deviation else None


def interval(found: Spread, method: Method, level: float = 0.95) -> Interval | None:
    """Returns the interval of one figure, in its unit, or None where `ends` gives none.

    Example:
        >>> found = interval(Spread(0.5, 0.1, 11, 12), Method.STUDENT)
        >>> round(found.low, 3), round(found.high, 3), found.users
        (0.28, 0.72, 12)
    """
    low, high = ends(found, method, level)
    return Interval(low=float(low), high=float(high), users=int(found.users)) if math.isfinite(low) else None


def _student(found: Spread, reach: Array) -> tuple[Array, Array]:
    """The t interval; it is not cut to what is possible."""
    return found.value - reach * found.deviation, found.value + reach * found.deviation


def _score(found: Spread, reach: Array) -> tuple[Array, Array]:
    """Wilson's score interval (Journal of the American Statistical Association 22, 1927) with Student's quantile.

    The number of items is that of independent ones with the same error, value (1 - value) / deviation^2, and one at
    least. A share of 0 or 1 says nothing about how alike the items of a user are, and each user counts as one item.
    """
    value = np.clip(found.value, 0.0, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        alone = np.where(found.deviation > 0, value * (1 - value) / np.square(found.deviation), found.users)
        worth = np.maximum(alone, 1.0)
        pull = reach**2 / worth
        centre = (value + pull / 2) / (1 + pull)
        width = np.sqrt(pull * value * (1 - value) + pull**2 / 4) / (1 + pull)
    return centre - width, centre + width


def _grouped(clusters: Sequence[Hashable] | NDArray[Any]) -> tuple[NDArray[np.intp], Array]:
    """The place of each item's cluster, (items,), in order of appearance, and the numbers of items, (clusters,)."""
    names = list(clusters.tolist() if isinstance(clusters, np.ndarray) else clusters)
    order = {name: place for place, name in enumerate(dict.fromkeys(names))}
    places = np.array([order[name] for name in names], dtype=np.intp)
    return places, np.bincount(places, minlength=len(order)).astype(np.float64)


def _number(figure: float | None) -> float:
    """The figure, not a number for None."""
    return math.nan if figure is None else figure
