"""The noise ceiling: what no rater with one answer an item can pass against the same references.

It is found with hindsight, on the very items: of people who contradict each other, nobody can agree with all.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluator.metrics.agreement.confusion import Labels, Places, classes_of, coded, numbered
from evaluator.metrics.agreement.figures import centred, centred_ranks, members_of
from evaluator.metrics.agreement.others import Comparisons

_ROUNDING = 1e-12
"""What floating point may leave of no gain."""
_ROWS = 256
"""Items whose pairs with all others are held at once."""


def kappa_ceiling(comparisons: Comparisons) -> float | None:
    """Returns the highest kappa, within annotators, that answers of any rater have: it is reached, so it is exact.

    A class that no reference names never helps: summed over the classes that one does name, what they gain at the best
    ratio is at least what that class does.
    """
    if not len(comparisons.items):
        return None
    classes = classes_of(comparisons.reference)
    places, items, annotators = _places(comparisons, classes)
    weights, size = comparisons.weights, len(classes)
    shares = np.bincount(annotators * size + places, weights, (annotators.max() + 1) * size).reshape(-1, size)
    shares = shares / shares.sum(axis=1, keepdims=True)
    votes = np.bincount(items * size + places, weights, (items.max() + 1) * size).reshape(-1, size)
    chance = np.stack([np.bincount(items, weights * share) for share in shares[annotators].T], axis=1)
    return _best_ratio(votes - chance, votes.sum(axis=1, keepdims=True) - chance, 0.0)


def f1_ceiling(comparisons: Comparisons, of: float) -> float | None:
    """Returns the highest F1 of a class that answers of any rater have: it is reached, so it is exact."""
    truth = (comparisons.reference == of).astype(np.float64)
    if not truth.any():
        return None
    items = numbered(comparisons.items)
    yes, all_of_item = np.bincount(items, truth), np.bincount(items).astype(np.float64)
    none = np.zeros(len(yes))
    return _best_ratio(np.stack([none, 2 * yes], axis=1), np.stack([none, all_of_item], axis=1), float(truth.sum()))


def matthews_ceiling(comparisons: Comparisons, of: float) -> float | None:
    """Returns what no Matthews correlation of a class, within annotators, can pass: see `spearman_ceiling`."""
    return _correlation_ceiling((comparisons.reference == of).astype(np.float64), comparisons)


def spearman_ceiling(comparisons: Comparisons) -> float | None:
    """Returns what no Spearman correlation within annotators can pass.

    One answer an item makes one number an item, of which the annotators' means are taken. Of all such numbers, ranks or
    not, those of the least squares fit of items and annotators to the references correlate best: the bound is the
    multiple correlation of the items with the references, given the annotators.
    """
    if not len(comparisons.items):
        return None
    annotators = numbered(comparisons.annotators)
    return _correlation_ceiling(centred_ranks(comparisons.reference, annotators), comparisons)


def kendall_ceiling(comparisons: Comparisons) -> float | None:
    """Returns what no Kendall's tau-b within annotators can pass.

    Tau-b is the cosine of the orders (1, 0, -1) of all pairs. A rater has one order a pair; of all numbers that
    could stand for it, the annotators' mean order has the greatest cosine. Time and pairs grow with items squared.
    """
    items = numbered(comparisons.items)
    annotators = numbered(comparisons.annotators)
    groups = [members for members in members_of(annotators, len(items)) if len(members) > 1]
    reached = total = 0.0
    for start in range(0, int(items.max(initial=-1)) + 1, _ROWS):
        sums, counts = np.zeros((2, _ROWS, int(items.max()) + 1))
        for members in groups:
            rows = members[(items[members] >= start) & (items[members] < start + _ROWS)]
            order = np.sign(comparisons.reference[rows][:, None] - comparisons.reference[members])
            where = np.ix_(items[rows] - start, items[members])
            sums[where] += order / (len(members) - 1)
            counts[where] += 1 / (len(members) - 1)
            total += float((order**2).sum()) / (len(members) - 1)
        reached += float((sums**2 / np.where(counts > 0, counts, 1.0)).sum())
    return _bound(reached, total) if total else None


def least_absolute_error(comparisons: Comparisons) -> float | None:
    """Returns the least mean absolute error that answers of any rater have, that of the items' median references."""
    if not len(comparisons.items):
        return None
    items = numbered(comparisons.items)
    counts = np.bincount(items)
    ordered = comparisons.reference[np.lexsort((comparisons.reference, items))]
    medians = ordered[np.cumsum(counts) - counts + (counts - 1) // 2]
    return float(np.abs(comparisons.reference - medians[items]).mean())


def _places(comparisons: Comparisons, classes: Labels) -> tuple[Places, Places, Places]:
    """References as places of classes, and items and annotators numbered without gaps."""
    return (
        coded(comparisons.reference, classes),
        numbered(comparisons.items),
        numbered(comparisons.annotators),
    )


def _best_ratio(gains: NDArray[Any], costs: NDArray[Any], base: float) -> float | None:
    """The greatest ratio of summed gains to `base` and summed costs, with one choice an item.

    Dinkelbach (Management Science 13, 1967): at the best ratio no choice gains more than the ratio times its costs.
    From 0 upwards, each round takes the choices that do so most, and their ratio is the next, until it rises no more.

    Args:
        gains: (items, choices); some choices add up to no less than 0.
        costs: (items, choices), none below 0.
        base: What is divided by beside costs.
    """
    every, best = np.arange(len(gains)), 0.0
    while True:
        choice = (gains - best * costs).argmax(axis=1)
        under = base + costs[every, choice].sum()
        if under <= _ROUNDING * max(len(gains), 1):
            return None
        ratio = float(gains[every, choice].sum() / under)
        if ratio <= best + _ROUNDING:
            return min(max(ratio, best), 1.0)
        best = ratio


def _correlation_ceiling(values: Labels, comparisons: Comparisons) -> float | None:
    """The multiple correlation of items with values, given annotators (Frisch and Waugh, Econometrica 1, 1933)."""
    items = numbered(comparisons.items)
    annotators = numbered(comparisons.annotators)
    values = centred(values, annotators)
    total = float(values @ values)
    if total <= _ROUNDING:
        return None
    shares = np.zeros((items.max() + 1, annotators.max() + 1))
    np.add.at(shares, (items, annotators), 1.0)
    counts = shares.sum(axis=1)
    means = np.bincount(items, values) / counts
    left = np.bincount(annotators, values - means[items])
    normal = np.diag(shares.sum(axis=0)) - shares.T @ (shares / counts[:, None])
    fitted = float(means**2 @ counts + left @ np.linalg.lstsq(normal, left, rcond=None)[0])
    return _bound(fitted, total)


def _bound(reached: float, total: float) -> float:
    """A correlation of a part of the whole, rounded up."""
    return float(np.sqrt(min(max(reached / total * (1 + _ROUNDING), 0.0), 1.0)))
