"""Ranks of a whole board, with intervals that hold for all of its models at once."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from evaluator.metrics.intervals import LEAST_USERS, Board, ModelSums, align
from evaluator.metrics.stepdown import significant
from evaluator.records import Record

DRAWS = 1999
ERROR_RATE = 0.05
_SCREEN = 0.005
"""The part of the error rate that is spent on finding out which orders are beyond doubt."""
_LEAST_DRAWS = math.ceil(1 / _SCREEN) - 1
_PATTERNS = 1024
"""Rows of a matrix over all models that are computed at once."""


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

    No pair is kept: pairs come tile by tile, and a tile is drawn for only where that could change a threshold (see
    `stepdown`). Memory grows with models * (users + draws), time at worst with draws * models squared: with the draws
    as they are, 10,000 models with 250 users take about three minutes on one core and 0.7 GB. Each model that has
    other users than most is compared by itself, which adds about a second at this size.

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
    names = sorted(models)
    if draws < _LEAST_DRAWS:
        raise ValueError(f"{draws} draws are too few for an error rate of {_SCREEN}")
    if not names:
        return {}
    found = dict(zip(names, rank_board(align([models[name] for name in names]), draws), strict=True))
    return {name: found[name] for name in models}


def rank_board(board: Board, draws: int = DRAWS) -> list[Rank | None]:
    """Returns the ranks of models that are on one axis of users already, in their order; else as `ranks`.

    Raises:
        ValueError: There are too few draws.
    """
    if draws < _LEAST_DRAWS:
        raise ValueError(f"{draws} draws are too few for an error rate of {_SCREEN}")
    found: list[Rank | None] = [None] * len(board.totals)
    kept = np.flatnonzero(_comparable(board))
    if not len(kept):
        return found
    if len(kept) < len(found):
        board = Board(board.totals[kept], board.items[kept], board.weights)
    asked = np.flatnonzero(board.items.any(axis=(0, 2)))
    if len(asked) < board.items.shape[1]:
        board = Board(board.totals[:, asked], board.items[:, asked], board.weights)
    outcomes = significant(board, draws, _SCREEN, ERROR_RATE - _SCREEN)
    for place, better, worse in zip(kept.tolist(), *(counts.tolist() for counts in outcomes), strict=True):
        found[place] = Rank(low=1 + better, high=len(kept) - worse)
    return found


def _comparable(board: Board) -> NDArray[np.bool_]:
    """Tells which models (models,) to rank, so that each shares ten users with an item of every rate with each.

    Models with items of the same rates for the same users stand or fall together, so one of them is looked at.
    """
    models, users, rates = board.items.shape
    if users < LEAST_USERS:
        return np.zeros(models, dtype=np.bool_)
    packed = np.packbits((board.items > 0).reshape(models, users * rates), axis=1)
    _, example, group, count = np.unique(packed, axis=0, return_index=True, return_inverse=True, return_counts=True)
    apart = _apart(board.items[example] > 0)
    kept = np.ones(len(apart), dtype=np.bool_)
    conflicts = _sums(apart, count)
    while (conflicts[kept] > 0).any():
        left_out = kept & (conflicts == conflicts[kept].max())
        kept &= ~left_out
        conflicts -= _sums(apart[:, left_out], count[left_out])
    return np.asarray(kept[group.ravel()])


def _apart(has: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tells which of some patterns, (patterns, users, rates), share too few users: (patterns, patterns)."""
    apart = np.zeros((len(has), len(has)), dtype=np.bool_)
    asked = has.any(axis=-1).astype(np.float32).T
    for rate in range(has.shape[-1]):
        for some in _slices(len(has)):
            apart[some] |= has[some, :, rate].astype(np.float32) @ asked < LEAST_USERS
    return apart | apart.T


def _sums(apart: NDArray[np.bool_], count: NDArray[np.intp]) -> NDArray[np.intp]:
    """Counts for each row of a matrix, whose columns stand for so many models, the models apart."""
    return np.concatenate([apart[some] @ count for some in _slices(len(apart))])


def _slices(rows: int) -> list[slice]:
    """Cuts the rows of a matrix over all patterns."""
    return [slice(start, start + _PATTERNS) for start in range(0, rows, _PATTERNS)]
