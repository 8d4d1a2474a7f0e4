"""How many labels would halve an interval: an estimate from what leaving out half of the items costs.

The variance of a figure is taken for a / U + b / (U m), with U users of m items each: what differs between users, which
only further users even out, and what differs between the items of a user. Half of the items of each user are left out
at random, several times over: what the variance then grows by, on average, is the second part. Both variances are
jackknife estimates over users, so that this is a rough guide with few users.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evaluator.hicupid.scoring import rounded
from evaluator.human.figures import ONE_MORE_HUMAN
from evaluator.human.report.labels import TaskLabels
from evaluator.human.report.records import Precision, Task, Unplanned
from evaluator.metrics import agreement
from evaluator.metrics.agreement import Comparisons, kappa_of, tally
from evaluator.metrics.clustered import Method, Spread, interval, spread, spread_of_sums

HALVINGS = 20
_SEED = 11
_NARROWER = 4
"""Half the width is a quarter of the variance."""


class _Halved(NamedTuple):
    """What became of the variance in one halving."""

    variance: float
    labels: int


def precision(given: TaskLabels) -> Precision:
    """Returns how many labels would halve the interval of mean kappa against singles, or of ratings' Spearman."""
    labels_of = (~np.isnan(given.labelled.table)).sum(axis=1)
    several = np.flatnonzero(labels_of > 1)
    users = given.labelled.users[several]
    look = _ratings(given) if given.task is Task.RATING else _classes(given)
    figure = f"{'spearman_within_annotators' if given.task is Task.RATING else 'single_kappa'}.{ONE_MORE_HUMAN}"
    labels = int(labels_of[several].sum())
    found = look(np.isin(np.arange(len(labels_of)), several)) if len(several) else None
    ends = found and interval(found, Method.STUDENT)
    common: dict[str, Any] = {"figure": figure, "users": len(np.unique(users)), "labels": labels}
    if found is None or ends is None or not found.deviation:
        return _unplanned(common, None if ends is None else (ends.high - ends.low) / 2, 0, Unplanned.NO_INTERVAL)
    reach = (ends.high - ends.low) / 2
    halved = [
        _Halved(float(one.deviation) ** 2, int(labels_of[left].sum()))
        for left in _halvings(several, users, len(labels_of))
        if math.isfinite((one := look(left)).deviation)
    ]
    if len(halved) < HALVINGS / 2 or not _growth(labels, halved):
        return _unplanned(common, reach, len(halved), Unplanned.FEW_ITEMS)
    from_users, needed = labels_needed(float(found.deviation) ** 2, labels, halved)
    return Precision(
        **common,
        half_width=rounded(reach),
        halvings=len(halved),
        from_users=rounded(from_users),
        labels_needed=needed,
        users_needed=_NARROWER * common["users"],
        reason=Unplanned.USERS_ALONE if needed is None else None,
    )


def labels_needed(variance: float, labels: int, halved: list[_Halved]) -> tuple[float, int | None]:
    """Splits a variance, and returns how many labels on the same users would make it a quarter.

    Args:
        variance: With all labels.
        labels: Their number.
        halved: Variances without half of the items, and the labels that were left.

    Returns:
        The share of the variance that further labels would leave, and how many would do; None if no number would.

    Example:
        >>> labels_needed(1.0, 600, [_Halved(1.9, 300)])
        (0.1, 3600)
        >>> labels_needed(1.0, 600, [_Halved(1.5, 300)])
        (0.5, None)
    """
    grown = float(np.mean([one.variance for one in halved])) - variance
    of_labels = min(max(grown / _growth(labels, halved), 0.0), variance)
    from_users = 1 - of_labels / variance
    left = 1 / _NARROWER - from_users
    share = round(from_users, 12)
    return share, math.ceil(round(labels * (1 - share) / left, 6)) if left > 1e-9 else None


def _growth(labels: int, halved: list[_Halved]) -> float:
    """By how many times itself the part of the labels grows where some are left out."""
    return float(np.mean([labels / one.labels for one in halved])) - 1


def _unplanned(common: dict[str, Any], reach: float | None, halvings: int, reason: Unplanned) -> Precision:
    """What is known where variance cannot be split."""
    users = _NARROWER * common["users"] if reach else None
    return Precision(
        **common,
        half_width=rounded(reach),
        halvings=halvings,
        from_users=None,
        labels_needed=None,
        users_needed=users,
        reason=reason,
    )


def _halvings(items: NDArray[np.intp], users: NDArray[np.intp], count: int) -> Iterator[NDArray[np.bool_]]:
    """Yields masks of half of the items of each user, at least one; an odd one out stays every other time."""
    random = np.random.default_rng(_SEED)
    groups = [items[users == user] for user in np.unique(users)]
    for _ in range(HALVINGS):
        left = np.full(count, False)
        for group in groups:
            size = max(1, (len(group) + int(random.integers(2))) // 2)
            left[random.choice(group, size, replace=False)] = True
        yield left


Look = Callable[[NDArray[np.bool_]], Spread]
"""Takes a mask of items and returns the spread of the figure on these."""


def _classes(given: TaskLabels) -> Look:
    """Looks at the mean kappa between single annotators, from each user's confusion matrices."""
    labelled = given.labelled
    pairs = agreement.against_singles(labelled.table, np.zeros(len(labelled.items))).comparisons
    groups = np.unique(pairs.groups, return_inverse=True)[1]
    size, count = int(groups.max(initial=-1)) + 1, int(labelled.users.max(initial=-1)) + 1

    def look(left: NDArray[np.bool_]) -> Spread:
        kept = left[pairs.items]
        some, users = pairs.take(kept), labelled.users[pairs.items[kept]]
        cells = users * size + groups[kept]
        sums = tally(some.human, some.reference, np.array([0.0, 1.0]), cells, count=count * size)
        items = np.bincount(users, minlength=count).astype(np.float64)
        return spread_of_sums(lambda some: kappa_of(some.reshape(-1, size, 2, 2)), sums.reshape(count, -1), items)

    return look


def _ratings(given: TaskLabels) -> Look:
    """Looks at annotators' rank correlation with the mean of the others."""
    labelled = given.labelled
    held: Comparisons = agreement.against_mean(labelled.table, np.zeros(len(labelled.items))).comparisons

    def look(left: NDArray[np.bool_]) -> Spread:
        some = held.take(left[held.items])

        def figure(places: NDArray[np.intp]) -> float | None:
            return agreement.spearman(some.human[places], some.reference[places], within=some.annotators[places])

        return spread(figure, labelled.users[some.items])

    return look
