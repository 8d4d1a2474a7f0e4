"""The noise ceiling: what no rater with one answer an item can pass against the same references.

It is found with hindsight, on the very items: of people who contradict each other, nobody can agree with all.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evaluator.metrics.agreement.confusion import Labels, Places, classes_of, numbered
from evaluator.metrics.agreement.figures import centred, centred_ranks, members_of
from evaluator.metrics.agreement.others import Comparisons

_ROUNDING = 1e-12
"""What floating point may leave of no gain."""
_ROWS = 256
"""Items whose pairs with all others are held at once."""


def is_trivial(comparisons: Comparisons) -> bool:
    """Tells whether references of one item never contradict each other: whoever repeats them is always right.

    So it is against majorities of three annotators an item and two classes, whatever they say.
    """
    return bool((~_contested(comparisons)).all())


def kappa_ceiling(comparisons: Comparisons) -> float | None:
    """Returns what no kappa against majorities, of a rater who names the two classes, can pass.

    Whatever else he says, it is best to repeat references that do not contradict each other. So his rate of a class
    lies, in each group, between that if all contested items went one way and that if all went the other, and the
    disagreement of chance is at most the greater of those at the two ends. What disagrees is divided by that, each
    contested item going where it costs less. It is exact where nothing is contested.

    Returns:
        None where references name one class alone, or more than two.
    """
    found = _two_classes(comparisons)
    if found is None:
        return None
    sizes, shares, truth, groups = found
    contested = _contested(comparisons)
    settled, free = (np.bincount(groups, weights) / sizes for weights in (truth * ~contested, contested * 1.0))
    most = np.maximum(_chance(settled, shares), _chance(settled + free, shares))
    weights = _weights(sizes, shares)
    costs = np.divide(weights, sizes * most, out=np.zeros(len(sizes)), where=most > 0)[groups]
    items = numbered(comparisons.items)
    said = [np.bincount(items, costs * wrong) for wrong in (truth, 1 - truth)]
    return float(min(1 - np.minimum(*said).sum() / weights.sum() + _ROUNDING, 1.0))


def single_kappa_ceiling(pairs: Comparisons) -> float | None:
    """Returns what no mean kappa against single annotators, of a rater who names the two classes, can pass.

    Any two annotators disagree on some items, where he can only agree with one of them. For each two the best is found
    on their items alone, so that it is exact for two annotators, and a bound for more.

    Args:
        pairs: What `against_singles` returns.

    Returns:
        None where references name one class alone, or more than two.
    """
    found = _two_classes(pairs)
    if found is None:
        return None
    sizes, shares, truth, groups = found
    own = pairs.human == pairs.reference
    counts = [np.bincount(groups, same) for same in (own * truth, ~own * (1 - truth), ~own * truth)]
    best = [_best_of_two(*each) for each in zip(sizes, *counts, strict=True)]
    return float(min(sum(best) / (2 * _weights(sizes, shares).sum()) + _ROUNDING, 1.0))


def _best_of_two(size: float, both: float, first: float, second: float) -> float:
    """The greatest weighted sum of kappas with two annotators.

    They both name the class `both` times, and one of them alone `first` or `second` times. Of these items some are
    said to be of the class; for each number of them it is best to agree with the one annotator as often as possible, or
    with the other.
    """
    named = np.arange(first + second + 1)
    shares = (both + first) / size, (both + second) / size
    reached = np.zeros((2, len(named)))
    for place, of_first in enumerate((np.minimum(named, first), np.maximum(named - second, 0))):
        wrong = (first - of_first) + (named - of_first), of_first + second - (named - of_first)
        for share, apart in zip(shares, wrong, strict=True):
            chance = size * _chance((both + named) / size, share)
            kappas = 1 - np.divide(apart, chance, out=np.ones(len(named)), where=chance > 0)
            reached[place] += _weights(size, share) * kappas
    return float(reached.max())


class _Groups(NamedTuple):
    """References of two classes, group by group."""

    sizes: Labels
    """(groups,): comparisons."""
    shares: Labels
    """(groups,): of references that name the second class."""
    truth: Labels
    """(n,): 1 where a reference does."""
    groups: Places
    """(n,), without gaps."""


def _two_classes(comparisons: Comparisons) -> _Groups | None:
    """References by group; None unless there are two classes, and both of them in some group."""
    classes = classes_of(comparisons.reference)
    if len(classes) != 2:
        return None
    truth = (comparisons.reference == classes[1]).astype(np.float64)
    groups = numbered(comparisons.groups)
    sizes = np.bincount(groups).astype(np.float64)
    shares = np.bincount(groups, truth) / sizes
    return _Groups(sizes, shares, truth, groups) if _weights(sizes, shares).sum() > _ROUNDING else None


def _chance(rate: Any, share: Any) -> Labels:
    """How often independent raters with these rates of a class disagree."""
    return np.asarray(rate + share - 2 * rate * share)


def _weights(sizes: Any, shares: Any) -> Labels:
    """What groups weigh in a mean kappa: see `confusion.kappa_of`."""
    return np.asarray(2 * sizes * shares * (1 - shares))


def _contested(comparisons: Comparisons) -> NDArray[np.bool_]:
    """Whether the references of an entry's item contradict each other, (n,)."""
    if not len(comparisons.items):
        return np.zeros(0, dtype=np.bool_)
    items = numbered(comparisons.items)
    order = np.lexsort((comparisons.reference, items))
    counts = np.bincount(items)
    last = np.cumsum(counts) - 1
    ordered = comparisons.reference[order]
    return np.asarray((ordered[last - counts + 1] < ordered[last])[items])


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
