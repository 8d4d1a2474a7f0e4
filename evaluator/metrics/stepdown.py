"""Which of a board's comparisons are significant together: a stepdown over all pairs that keeps none of them.

A tile is looked at closely only where its greatest possible error could change a threshold. Nothing is estimated by
that: what is passed over could not have counted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evaluator.metrics import student
from evaluator.metrics.intervals import Array, Board, Estimate, tail
from evaluator.metrics.tiles import Pairs, Tile, tiles

_SEED = 20240
_SLACK = 1e-9
"""What bounds leave to rounding, as a share."""


class Outcomes(NamedTuple):
    """How many comparisons of each model are significant, both (models,)."""

    better: NDArray[np.intp]
    """Models that are significantly better."""
    worse: NDArray[np.intp]


class _Bounds(NamedTuple):
    """What holds for all comparisons of each tile, all (tiles,)."""

    least: Array
    """No score is lower."""
    most: Array
    """No score is higher."""
    inverse: Array
    """The greatest of 1 / deviation."""


class _Limits(NamedTuple):
    """Which errors count, and how far."""

    kept: float
    """Orders with a higher score than this have been told apart: their own errors no longer count."""
    beyond: float
    """Orders with a higher score than this are beyond doubt: errors of their reverse count less, by what is above."""


class _Board(NamedTuple):
    """All comparisons."""

    tiles: list[Tile]
    bounds: _Bounds
    models: int
    users: int
    draws: int


def significant(board: Board, draws: int, screen: float, rate: float) -> Outcomes:
    """Counts the significant comparisons of each model; see `ranks` for what is promised.

    Args:
        board: Models that can all be compared with each other.
        draws: Random directions.
        screen: The error rate at which an order is beyond doubt.
        rate: The error rate of all directed comparisons together.
    """
    models, users, _ = board.totals.shape
    cut = list(tiles(board, _directions(draws, users)))
    whole = _Board(cut, _bounds(cut, users), models, users, draws)
    # Of the greatest errors, the one that a share `screen` of draws reaches; then that which a share `rate` does.
    screened = draws + 1 - math.ceil((1 - screen) * (draws + 1))
    allowed = sum((1 + exceeding) / (1 + draws) <= rate for exceeding in range(draws))
    beyond = _threshold(whole, _Limits(math.inf, math.inf), screened)
    kept, threshold = math.inf, _threshold(whole, _Limits(math.inf, beyond), allowed)
    while threshold < kept:
        kept, threshold = threshold, _threshold(whole, _Limits(threshold, beyond), allowed)
    return _outcomes(whole, kept)


def _bounds(cut: Sequence[Tile], users: int) -> _Bounds:
    """Looks at every tile once."""
    figures = np.array([_extremes(tile.pairs()) for tile in cut]).reshape(-1, 5)
    lowest, little, highest, much, inverse = figures.T
    least = _score(student.sf(lowest, little), users) * (1 - _SLACK)
    return _Bounds(least, _score(student.sf(highest, much), users) * (1 + _SLACK), inverse)


def _extremes(pairs: Pairs) -> tuple[float, float, float, float, float]:
    """Returns the least t and degrees of freedom, the greatest ones, and the greatest 1 / deviation."""
    value, deviation, freedom = pairs.estimate[:3]
    inverse = float(pairs.inverse.max())
    if not deviation.all():
        return 0.0, 1.0, math.inf, 1.0, inverse
    t = np.abs(value) / deviation
    return float(t.min()), float(freedom.min()), float(t.max()), float(freedom.max()), inverse


def _threshold(board: _Board, limits: _Limits, number: int) -> float:
    """Returns the error that the greatest one reaches or exceeds in a number of draws."""
    greatest, floor, place = np.zeros(board.draws), 0.0, board.draws - number
    for tile, least, most, inverse in zip(board.tiles, *board.bounds, strict=True):
        shift = 0.0 if least <= limits.kept else max(0.0, least - limits.beyond)
        draws = np.flatnonzero(_above(tile.reach() * inverse - shift, np.maximum(greatest, floor)))
        if not len(draws):
            continue
        pairs, lowest = tile.pairs(), np.maximum(greatest[draws], floor)
        matters = _above(tile.row_reach(draws) * pairs.inverse.max(axis=1)[:, None] - shift, lowest)
        rows = np.flatnonzero(matters.any(axis=1))
        ahead, behind = _shifts(pairs, rows, limits, board.users) if most > min(limits) else np.zeros((2, len(rows), 1))
        for number, row in enumerate(rows):
            drawn = draws[matters[row]]
            errors = tile.errors(pairs, row, drawn)
            found = np.maximum(errors - ahead[number][:, None], -errors - behind[number][:, None]).max(axis=0)
            greatest[drawn] = np.maximum(greatest[drawn], found)
        floor = float(np.partition(greatest, place)[place])
    return floor


def _above(reach: Any, lowest: Array) -> NDArray[np.bool_]:
    """Tells in which draws errors of such a reach could change the threshold."""
    return np.asarray(reach * (1 + _SLACK) > lowest)


def _shifts(pairs: Pairs, rows: NDArray[np.intp], limits: _Limits, users: int) -> tuple[Array, Array]:
    """Returns what is taken off the errors of "the first is better" and of "the second is better", (rows, columns)."""
    score = _scores(pairs, rows, users)
    own = np.where(score <= limits.kept, 0.0, math.inf)
    reverse = np.maximum(score - limits.beyond, 0.0)
    first = pairs.estimate.value[rows] >= 0
    return np.where(first, own, reverse), np.where(first, reverse, own)


def _outcomes(board: _Board, threshold: float) -> Outcomes:
    """Counts the comparisons with a higher score than the threshold."""
    better, worse = np.zeros((2, board.models), dtype=np.intp)
    for tile, most in zip(board.tiles, board.bounds.most, strict=True):
        if most <= threshold:
            continue
        pairs = tile.pairs()
        told = _scores(pairs, slice(None), board.users) > threshold
        first = pairs.estimate.value > 0
        for winner, loser, found in ((pairs.first, pairs.second, first), (pairs.second, pairs.first, ~first)):
            better += np.bincount(loser[told & found], minlength=board.models)
            worse += np.bincount(winner[told & found], minlength=board.models)
    return Outcomes(better, worse)


def _scores(pairs: Pairs, rows: Any, users: int) -> Array:
    """Returns the scores of some rows of a tile."""
    found = pairs.estimate
    value, deviation, freedom, shared = (
        figures[rows] for figures in (found.value, found.deviation, found.freedom, found.users)
    )
    return _score(tail(Estimate(value, deviation, freedom, found.errors, shared, enough=True)), users)


def _score(p_value: Array, users: int) -> Array:
    """Returns what a drawn error exceeds with such a probability: sqrt(users) times a random direction's cosine."""
    t = np.minimum(student.isf(p_value, users - 1), 1e9)
    return np.asarray(np.sqrt(users * t**2 / (users - 1 + t**2)), dtype=np.float64)


def _directions(draws: int, users: int) -> Array:
    """Returns random directions, (users, draws), of length sqrt(users)."""
    # Of numpy's generators only this one promises the same numbers in every version.
    normal = np.random.RandomState(_SEED).standard_normal((draws, users)).T
    return np.asarray(normal * np.sqrt(users / (normal**2).sum(axis=0)), dtype=np.float64)
