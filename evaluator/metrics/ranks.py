"""Ranks of a whole board, with intervals that hold for all of its models at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from evaluator.metrics.intervals import LEAST_USERS, Array, Board, ModelSums, align, compare, tail
from evaluator.records import Record

DRAWS = 1999
ERROR_RATE = 0.05
_SCREEN = 0.005
"""The part of the error rate that is spent on finding out which orders are beyond doubt."""
_SEED = 20240
_CHUNK = 256
"""Pairs handled at once: enough for fast products of matrices, few enough to stay in the cache."""


class Rank(Record):
    """A model's rank, and the interval of the ranks that the data leave open to it."""

    low: int
    """1 + the number of models that are significantly better."""
    high: int
    """The number of models ranked, less those that are significantly worse."""

    @property
    def rank(self) -> int:
        """The model's rank: the best that is left open to it, so that equals share it."""
        return self.low


class _Pairs(NamedTuple):
    """All pairs of models, the better one first, from the least to the most significant."""

    better: NDArray[np.intp]
    worse: NDArray[np.intp]
    score: Array
    """(pairs,): how significant the difference is, in 0..sqrt(users) like the errors that are drawn."""
    errors: Array
    """(pairs, users): the users' errors, scaled to a sum of squares of 1; next to nothing for a constant difference."""


def ranks(models: Mapping[str, ModelSums], draws: int = DRAWS) -> dict[str, Rank | None]:
    """Ranks a board: 1 + the number of significantly better models, with simultaneous 95 % intervals.

    Every pair of models is compared as in `paired_difference`, on the users that both have. With a probability of 95 %
    not one pair of the whole board is put in a wrong order, where an order of two models that are equal in truth is
    wrong too: the familywise error rate of all directed comparisons is 5 %. So all true ranks lie in their intervals at
    once; where models tie in truth, every rank that they share does (Mogstad, Romano, Shaikh and Wilhelm, Review of
    Economic Studies 91, 2024).

    The errors of all pairs are drawn together: each draw weighs the users by a random direction, the same for all
    models, so that the pairs' correlation counts. A random direction's cosine with any errors is a t statistic in
    disguise, which makes each pair's error exact for normal scores however few the users. Pairs of unlike freedom meet
    by their p values; a constant difference has that of the sign test. Two steps narrow the intervals: a comparison is
    judged by the greatest error among those that are not more significant (Romano and Wolf, Journal of the American
    Statistical Association 100, 2005), and an order that is beyond doubt at 0.5 % adds little to the errors that its
    reverse could make, for which the rest is held at 4.5 % (Romano, Shaikh and Wolf, Econometrica 82, 2014).

    Time grows with draws * users * models squared, memory with users * models squared: 200 models with 250 users take
    about 4 seconds on one core and 0.2 GB with the draws as they are.

    Args:
        models: The models by name.
        draws: Draws of the errors, at least 199, from a fixed seed: equal sums give equal ranks.

    Returns:
        The ranks by name, in the order given. None for a model that shares fewer than ten users with another one: while
        there are such pairs, the models with most of them are left out.

    Raises:
        ValueError: The weights differ, a user stands twice, a rate has not one entry for each user, or there are too
            few draws.

    Example:
        >>> from evaluator.metrics.intervals import Part, UserSums
        >>> def model(*scores):
        ...     return ModelSums(range(12), [Part([UserSums(score, 4) for score in scores])])
        >>> board = ranks(
        ...     {
        ...         "good": model(3, 4, 4, 3, 4, 3, 4, 4, 3, 4, 4, 4),
        ...         "fair": model(3, 4, 3, 3, 4, 4, 4, 3, 3, 4, 4, 4),
        ...         "poor": model(0, 1, 1, 0, 0, 1, 0, 2, 0, 1, 0, 1),
        ...     }
        ... )
        >>> [(name, rank.rank, rank.low, rank.high) for name, rank in board.items()]
        [('good', 1, 1, 2), ('fair', 1, 1, 2), ('poor', 3, 3, 3)]
    """
    if draws < 1 / _SCREEN - 1:
        raise ValueError(f"{draws} draws are too few for an error rate of {_SCREEN}")
    if not models:
        return {}
    names = sorted(models)
    board = align([models[name] for name in names])
    kept = np.flatnonzero(_comparable(board))
    asked = np.flatnonzero(board.items[kept].any(axis=(0, 2)))
    cells = np.ix_(kept, asked)
    pairs = _pairs(Board(board.totals[cells], board.items[cells], board.weights))
    significant = _significant(pairs, draws)
    better = np.bincount(pairs.worse[significant], minlength=len(kept))
    worse = np.bincount(pairs.better[significant], minlength=len(kept))
    found = {
        names[place]: Rank(low=1 + int(above), high=len(kept) - int(below))
        for place, above, below in zip(kept, better, worse, strict=True)
    }
    return {name: found.get(name) for name in models}


def _comparable(board: Board) -> NDArray[np.bool_]:
    """Tells which models (models,) to rank, so that each shares ten users with an item of every rate with each."""
    has = board.items > 0
    asked = has.any(axis=-1).astype(np.float64)
    shared = np.min([has[..., rate].astype(np.float64) @ asked.T for rate in range(has.shape[-1])], axis=0)
    apart = np.minimum(shared, shared.T) < LEAST_USERS
    kept = np.ones(len(has), dtype=np.bool_)
    while (apart & kept & kept[:, None]).any():
        conflicts = (apart & kept).sum(axis=1) * kept
        kept &= conflicts < conflicts.max()
    return kept


def _pairs(board: Board) -> _Pairs:
    """Compares all models with each other."""
    models, users, _ = board.totals.shape
    better, worse = np.triu_indices(models, 1)
    score, errors = np.zeros(len(better)), np.zeros((len(better), users))
    for chunk in _chunks(len(better)):
        found = compare(board, better[chunk], worse[chunk])
        reverse = found.value < 0
        scale = np.where(found.deviation > 0, found.deviation, 1.0) * np.where(reverse, -1.0, 1.0)
        score[chunk] = _score(tail(found), users)
        errors[chunk] = found.errors / scale[:, None]
        better[chunk], worse[chunk] = (
            np.where(reverse, worse[chunk], better[chunk]),
            np.where(reverse, better[chunk], worse[chunk]),
        )
    order = np.argsort(score, kind="stable")
    return _Pairs(better[order], worse[order], score[order], errors[order])


def _score(p_value: Array, users: int) -> Array:
    """Returns what a drawn error exceeds with such a probability: sqrt(users) times a random direction's cosine."""
    t = np.minimum(student.isf(p_value, users - 1), 1e9)
    return np.asarray(np.sqrt(users * t**2 / (users - 1 + t**2)), dtype=np.float64)


def _significant(pairs: _Pairs, draws: int) -> NDArray[np.bool_]:
    """Tells for which pairs, (pairs,), "better" is significant among all directed comparisons of the board.

    "Worse" never is, so that its errors come first when the greatest is carried from the least to the most significant.
    """
    if not len(pairs.score):
        return np.zeros(0, dtype=np.bool_)
    directions = _directions(draws, pairs.errors.shape[1])
    chunks = _chunks(len(pairs.score))
    greatest = np.zeros(draws)
    for chunk in chunks:
        greatest = np.maximum(greatest, np.abs(pairs.errors[chunk] @ directions).max(axis=0))
    beyond = np.sort(greatest)[math.ceil((1 - _SCREEN) * (draws + 1)) - 1]
    excess = np.maximum(pairs.score - beyond, 0.0)
    greatest = np.zeros(draws)
    for chunk in chunks:
        reverse = -(pairs.errors[chunk] @ directions) - excess[chunk, None]
        greatest = np.maximum(greatest, reverse.max(axis=0))
    exceeding = np.zeros(len(pairs.score))
    for chunk in chunks:
        errors = pairs.errors[chunk] @ directions
        errors[0] = np.maximum(errors[0], greatest)
        errors = np.maximum.accumulate(errors, axis=0)
        greatest = errors[-1]
        exceeding[chunk] = (errors >= pairs.score[chunk, None]).sum(axis=1)
    p_values = np.maximum.accumulate((1 + exceeding[::-1]) / (1 + draws))[::-1]
    return np.asarray(p_values <= ERROR_RATE - _SCREEN)


def _directions(draws: int, users: int) -> Array:
    """Returns random directions, (users, draws), of length sqrt(users)."""
    # Of numpy's generators only this one promises the same numbers in every version.
    normal = np.random.RandomState(_SEED).standard_normal((draws, users)).T
    return np.asarray(normal * np.sqrt(users / (normal**2).sum(axis=0)), dtype=np.float64)


def _chunks(pairs: int) -> list[slice]:
    """Cuts the pairs into slices."""
    return [slice(start, start + _CHUNK) for start in range(0, pairs, _CHUNK)]
