"""What simulated labels add up to, user by user, for `make bench-coverage`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from benchmarks.coverage_raters import ANNOTATORS, EACH, RATING, Floats, Ints, Labels, Written
from evaluator.metrics.alternative_annotator import LEAST_ANNOTATORS, untested

RATINGS = len(RATING.cuts) + 1
MEANS = np.arange(2 * RATINGS - 1) / 2
"""Means of two ratings, both from 0."""
NO_DIFFERENCE = 2
"""The rating, from 0, that says that there is no difference."""


class Table(NamedTuple):
    """What is added up over users."""

    sums: Floats
    """(users, ...)."""
    items: Floats
    """(users,): how many items, or comparisons, it is made of."""


def class_tables(labels: Labels) -> dict[str, Table]:
    """Returns what figures of two classes are made of.

    Returns:
        Confusions with the majority of the others, (users, annotators, own, reference), and with each single one,
        (users, pairs of annotators, own, reference), the model's and the annotators'; the model's with the majority of
        all three, (users, 1, own, reference); (users, label, label) of the annotators of an item; and duels of the
        model with an annotator, (users, annotators, majority of the others, whether it was won), with one majority for
        all or two.
    """
    votes = labels.human.sum(axis=1)
    majority, singles, duels = (np.zeros(()) for _ in range(3))
    for seat in range(EACH):
        annotator, own = labels.annotator[:, seat], labels.human[:, seat]
        others = votes - own
        reference = np.choose(others, (0, 2, 1))
        majority = majority + _count(labels.user, (ANNOTATORS, 2, 2, 3), annotator, labels.model, own, reference)
        won = np.where(labels.model, others, EACH - 1 - others) >= np.where(own, others, EACH - 1 - others)
        duels = duels + _count(labels.user, (ANNOTATORS, 3, 2), annotator, reference, won.astype(np.intp))
        for place in _other_seats(seat):
            pair = annotator * ANNOTATORS + labels.annotator[:, place]
            other = labels.human[:, place]
            singles = singles + _count(labels.user, (ANNOTATORS**2, 2, 2, 2), pair, labels.model, own, other)
    untied = majority[..., :2]
    return {
        "rater": _counts(untied.sum(axis=-2)),
        "human": _counts(untied.sum(axis=-3)),
        "single rater": _counts(singles.sum(axis=-2)),
        "single human": _counts(singles.sum(axis=-3)),
        "coincidences": _counts(singles.sum(axis=(1, 2)) / (EACH - 1)),
        "all": _counts(_count(labels.user, (1, 2, 2), np.zeros_like(votes), labels.model, (votes > 1).astype(np.intp))),
        "duels": _tested(duels.sum(axis=2, keepdims=True), balanced=False),
        "balanced duels": _tested(duels[:, :, :2], balanced=True),
    }


def truth_tables(labels: Labels) -> dict[str, Table]:
    """Returns the model's confusions with the truth, (users, 1, own, truth): with all who say what is right."""
    matrices = _count(labels.user, (1, 2, 2), np.zeros_like(labels.user), labels.model, labels.truth)
    return {"all": _counts(matrices)}


def rating_tables(labels: Labels) -> dict[str, Table]:
    """Returns what figures of ratings are made of.

    Returns:
        Counts of ratings by twice the mean of the two others, (users, annotators, rating, sum), the model's and the
        annotators'; the model's by the sum of all three, (users, 1, rating, sum); of ratings by whether the attribute
        is mentioned, (users, mentioned, rating), both, an item's three counting as one; (users, rating, rating) of the
        annotators of an item; and duels, as of classes.
    """
    sums, zero = labels.human.sum(axis=1), np.zeros_like(labels.user)
    rater, human, coincidences, said, duels = (np.zeros(()) for _ in range(5))
    for seat in range(EACH):
        annotator, own = labels.annotator[:, seat], labels.human[:, seat]
        shape = (ANNOTATORS, RATINGS, len(MEANS))
        rater = rater + _count(labels.user, shape, annotator, labels.model, sums - own)
        human = human + _count(labels.user, shape, annotator, own, sums - own)
        said = said + _count(labels.user, (2, RATINGS), labels.open, own) / EACH
        far = [_squared_distances(rating, _others(labels, seat)) for rating in (labels.model, own)]
        won = (far[0] <= far[1]).astype(np.intp)
        duels = duels + _count(labels.user, (ANNOTATORS, 1, 2), annotator, zero, won)
        for other in _others(labels, seat):
            coincidences = coincidences + _count(labels.user, (RATINGS, RATINGS), own, other) / 2
    rated = _count(labels.user, (2, RATINGS), labels.open, labels.model)
    every = _count(labels.user, (1, RATINGS, EACH * (RATINGS - 1) + 1), zero, labels.model, sums)
    tables = {"rater": rater, "human": human, "coincidences": coincidences, "said": said, "rated": rated, "all": every}
    return {name: _counts(table) for name, table in tables.items()} | {"duels": _tested(duels, balanced=False)}


def response_tables(labels: Labels) -> dict[str, Table]:
    """Returns how many responses have a mean rating by the model above no difference, and how many not, (users, 2)."""
    _, first, response = np.unique(labels.part, return_index=True, return_inverse=True)
    above = np.bincount(response, labels.model - NO_DIFFERENCE)
    return {"responses": _counts(_count(labels.user[first], (2,), (above <= 0).astype(np.intp)))}


def written_tables(written: Written) -> dict[str, Table]:
    """Returns what figures of a writer and an extractor are made of: counts, and attributes of each user."""
    extracted = written.accepted.sum(axis=1)
    users = np.ones(len(extracted))
    return {name: _counts(counts.astype(np.float64)) for name, counts in written._asdict().items()} | {
        "extracted": Table(np.stack([extracted, users], axis=1), users)
    }


def _others(labels: Labels, seat: int) -> list[Ints]:
    """The labels of the other annotators."""
    return [labels.human[:, other] for other in _other_seats(seat)]


def _other_seats(seat: int) -> list[int]:
    return [other for other in range(EACH) if other != seat]


def _squared_distances(rating: Ints, others: list[Ints]) -> Ints:
    """The sum of a rating's squared distances to others."""
    return np.asarray(((np.stack(others) - rating) ** 2).sum(axis=0))


def _count(user: Ints, shape: tuple[int, ...], *places: Ints) -> Floats:
    """Counts which places meet, for each user, (users, *shape)."""
    users = int(user.max()) + 1
    size = int(np.prod(shape))
    inside = np.ravel_multi_index(places, shape)
    return np.bincount(user * size + inside, minlength=users * size).reshape(users, *shape).astype(np.float64)


def _tested(duels: Floats, balanced: bool) -> Table:
    """Duels with the annotators who are tested, if there are enough of them."""
    items = duels.sum(axis=-1)
    enough = np.array([untested(items[:, place], balanced) is None for place in range(ANNOTATORS)])
    return _counts(duels * (enough & (enough.sum() >= LEAST_ANNOTATORS))[:, None, None])


def _counts(sums: Floats) -> Table:
    """A table whose counts are its items."""
    return Table(sums, sums.reshape(len(sums), -1).sum(axis=1))
