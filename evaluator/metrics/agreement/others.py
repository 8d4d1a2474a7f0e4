"""What the other annotators say: a rater and each annotator against the same others, on the same items."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evaluator.metrics.agreement.confusion import Labels, Places, classes_of, coded

_DECIMALS = 10
"""Means are rounded to so many decimals, so that equal ones tie in whatever order they were added up."""


class Votes(NamedTuple):
    """The majority of each item."""

    labels: Labels
    """(items,): NaN where votes are tied or there are none."""
    tied: NDArray[np.bool_]
    """(items,): whether two classes have the most votes."""
    empty: NDArray[np.bool_]
    """(items,): whether nobody voted."""


class Comparisons(NamedTuple):
    """A rater and annotators against the same references, in one long form; every entry has all three labels.

    References hang on one item alone: to leave out items, or users, take the other entries.
    """

    items: Places
    """(n,): places of the items."""
    annotators: Places
    """(n,): places of the annotators who are left out of the reference."""
    groups: Places
    """(n,): what has a kappa of its own: the annotator who is left out, or a pair of him and the single other one."""
    rater: Labels
    """(n,): the rater's labels."""
    human: Labels
    """(n,): the annotators' own labels."""
    reference: Labels
    """(n,): what the others say, or the other one."""

    def take(self, entries: NDArray[Any]) -> Comparisons:
        """Returns some of the entries.

        Args:
            entries: A mask of them all, or places.
        """
        return Comparisons(*(column[entries] for column in self))


class HeldOut(NamedTuple):
    """Comparisons with the others, and what became of all labels of the table: the counts add up to them."""

    comparisons: Comparisons
    unanswered: int
    """Labels of items that the rater gives no answer to."""
    alone: int
    """Labels, of those left, of items that no other annotator labelled."""
    tied: int
    """Labels, of those left, where the others' votes are tied: left out for rater and annotator alike."""
    compared: int
    """Labels that are left and compared."""


class Cells(NamedTuple):
    """All labels of a table that may be compared, item by item."""

    items: Places
    """(n,): places of the items, in order."""
    annotators: Places
    """(n,): columns."""
    labels: Labels
    """(n,)."""
    unanswered: int
    """Labels that are not there, as of `HeldOut`."""
    alone: int
    """Labels that are not there, as of `HeldOut`."""


def majority(table: Labels) -> Votes:
    """Returns the class that most annotators name, item by item.

    Args:
        table: (items, annotators).

    Example:
        >>> votes = majority(np.array([[1.0, 1, 0], [1, 0, np.nan], [np.nan] * 3]))
        >>> votes.labels.tolist(), votes.tied.tolist(), votes.empty.tolist()
        ([1.0, nan, nan], [False, True, False], [False, False, True])
    """
    items, annotators = np.nonzero(~np.isnan(table))
    labels = table[items, annotators]
    classes = classes_of(labels)
    return most_votes(votes_of(items, labels, classes, len(table)), classes)


def mean(table: Labels) -> Labels:
    """Returns the mean rating of each item, (items,), to ten decimals; NaN where nobody rated it.

    Args:
        table: (items, annotators).
    """
    there = ~np.isnan(table)
    counts = there.sum(axis=1)
    sums = np.where(there, table, 0.0).sum(axis=1)
    means = np.divide(sums, counts, out=np.full(len(table), np.nan), where=counts > 0)
    return np.asarray(np.round(means, _DECIMALS))


def against_majority(table: Labels, rater: Labels) -> HeldOut:
    """Compares a rater and every annotator with the majority of the others.

    Args:
        table: (items, annotators).
        rater: (items,) labels of the rater, who is none of them; NaN where there is no answer.

    Raises:
        ValueError: There is not one label for each item.

    Example:
        >>> table = np.array([[1.0, 1, 0], [0, 0, 0], [1, 0, np.nan]])
        >>> found = against_majority(table, np.array([1.0, 1, 0]))
        >>> found.comparisons.human.tolist(), found.comparisons.reference.tolist(), found.tied
        ([0.0, 0.0, 0.0, 0.0, 1.0, 0.0], [1.0, 0.0, 0.0, 0.0, 0.0, 1.0], 2)
    """
    cells = cells_of(table, rater)
    classes = classes_of(cells.labels)
    votes = votes_of(cells.items, cells.labels, classes, len(table))[cells.items]
    votes[np.arange(len(votes)), coded(cells.labels, classes)] -= 1
    others = most_votes(votes, classes)
    return _held_out(cells, rater, others.labels, int(others.tied.sum()))


def against_mean(table: Labels, rater: Labels) -> HeldOut:
    """Compares a rater and every annotator with the mean of the others.

    Args:
        table: (items, annotators) of ratings.
        rater: (items,) ratings of the rater, who is none of them; NaN where there is no answer.

    Raises:
        ValueError: There is not one rating for each item.
    """
    cells = cells_of(table, rater)
    sums, counts = (np.bincount(cells.items, weights, len(table)) for weights in (cells.labels, None))
    others = (sums[cells.items] - cells.labels) / (counts[cells.items] - 1)
    return _held_out(cells, rater, np.round(others, _DECIMALS), 0)


def against_singles(table: Labels, rater: Labels) -> HeldOut:
    """Compares a rater and every annotator with each other annotator of the same item.

    Args:
        table: (items, annotators).
        rater: (items,) labels of the rater, who is none of them; NaN where there is no answer.

    Returns:
        One entry for each annotator's label and each other label of the item; a group is a pair of two annotators, who
        make a second one in the other order.

    Raises:
        ValueError: There is not one label for each item.
    """
    cells = cells_of(table, rater)
    counts = np.bincount(cells.items, minlength=len(table))
    repeats = counts[cells.items]
    own = np.repeat(np.arange(len(repeats)), repeats)
    within = np.arange(len(own)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    other = (np.cumsum(counts) - counts)[cells.items][own] + within
    own, other = own[own != other], other[own != other]
    items = cells.items[own]
    annotators, others = cells.annotators[own], cells.annotators[other]
    pairs = Comparisons(
        items,
        annotators,
        annotators * table.shape[1] + others,
        rater[items],
        cells.labels[own],
        cells.labels[other],
    )
    return HeldOut(pairs, cells.unanswered, cells.alone, 0, len(cells.labels))


def cells_of(table: Labels, rater: Labels) -> Cells:
    """Returns the labels of items that the rater answers and at least two annotators labelled.

    Args:
        table: (items, annotators).
        rater: (items,).

    Raises:
        ValueError: There is not one label for each item.
    """
    if rater.shape != table.shape[:1]:
        raise ValueError("a rater needs one place for each item of the table")
    there = ~np.isnan(table)
    counts = there.sum(axis=1)
    answered = ~np.isnan(rater)
    items, annotators = np.nonzero(there & (answered & (counts > 1))[:, None])
    return Cells(
        items,
        annotators,
        table[items, annotators],
        unanswered=int(counts[~answered].sum()),
        alone=int((answered & (counts == 1)).sum()),
    )


def _held_out(cells: Cells, rater: Labels, others: Labels, tied: int) -> HeldOut:
    """What is left of labels once those without a reference are gone."""
    there = ~np.isnan(others)
    items, annotators = cells.items[there], cells.annotators[there]
    comparisons = Comparisons(items, annotators, annotators, rater[items], cells.labels[there], others[there])
    return HeldOut(comparisons, cells.unanswered, cells.alone, tied, len(items))


def votes_of(items: Places, labels: Labels, classes: Labels, count: int) -> NDArray[np.intp]:
    """Returns how many labels of each class each item has, (items, classes)."""
    size = max(len(classes), 1)
    return np.bincount(items * size + coded(labels, classes), minlength=count * size).reshape(count, size)


def most_votes(votes: NDArray[np.intp], classes: Labels) -> Votes:
    """Returns the class with the most votes, of (items, classes) votes."""
    most = votes.max(axis=1, initial=0)
    empty = most == 0
    tied = ((votes == most[:, None]).sum(axis=1) > 1) & ~empty
    labels = np.full(len(votes), np.nan)
    clear = ~(empty | tied)
    labels[clear] = classes[votes[clear].argmax(axis=1)]
    return Votes(labels, tied, empty)
