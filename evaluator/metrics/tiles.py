"""All pairs of a board's models, some against some others at a time: memory grows with models, not with pairs.

Where two models have the same users, the errors of their difference are the difference of their own errors. So what is
drawn is drawn once for each model, and everything else of a pair comes from products of its models' figures.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations_with_replacement, product
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from evaluator.metrics.intervals import Array, Board, Estimate, compare, linear, without_noise

SIDE = 64
"""Models on each side of a tile: enough for fast products of matrices, few enough to stay in the cache."""
LEAST_GROUP = 8
"""With fewer models on the same users as these, pairs are compared one by one."""
PAIRS = 256
"""Such pairs handled at once."""
_CLOSE = 1e-4
"""Variances below this share of their parts have lost digits as a difference of products, and are summed instead."""

Places = NDArray[np.intp]
"""Models by their places in the board."""


class Pairs(NamedTuple):
    """The comparisons of a tile, all of one shape of two axes."""

    first: Places
    second: Places
    """Whose value is subtracted; equal to `first` where there is no comparison."""
    estimate: Estimate
    """The differences; errors are not kept, and there is no deviation where there is no comparison."""
    inverse: Array
    """1 / deviation, or 1 where there is none; 0 where there is no comparison."""


class Tile(Protocol):
    """Some models against some others."""

    def pairs(self) -> Pairs:
        """Returns the comparisons, anew each time."""
        ...

    def reach(self) -> Any:
        """Returns what no error times its deviation exceeds in size, in each draw, (draws,), or in all."""
        ...

    def row_reach(self, draws: NDArray[np.intp]) -> Any:
        """Returns the same for each row, (rows, draws), along some directions."""
        ...

    def errors(self, pairs: Pairs, row: int, draws: NDArray[np.intp]) -> Array:
        """Returns the errors of the comparisons of a row along some directions, (columns, draws)."""
        ...


class _Side(NamedTuple):
    """Some models on the same users, with what is drawn for them."""

    places: Places
    value: Array
    scale: Array
    errors: Array
    """(models, users), as `own` and `shared`."""
    own: Array
    shared: Array
    """Sums of squares of `common`."""
    common: Array
    """(rates, models, users)."""
    trace: Array
    """(models,): sum of the errors' variances; what a model alone adds to the degrees of freedom, as is `spread`."""
    spread: Array
    drawn: Array
    """(models, draws): errors along random directions."""
    highest: Array
    """(draws,): the greatest of these."""
    lowest: Array
    has: NDArray[np.bool_]
    """(users,): whom they are compared on."""


def tiles(board: Board, directions: Array) -> Iterator[Tile]:
    """Yields tiles in which every pair of models stands once.

    Args:
        board: The models.
        directions: (users, draws): what errors are drawn along.
    """
    has = np.any(board.items > 0, axis=-1)
    patterns, group = np.unique(np.packbits(has, axis=1), axis=0, return_inverse=True)
    members = [np.flatnonzero(group.ravel() == number) for number in range(len(patterns))]
    order = np.argsort(-_values(board), kind="stable")
    rank = np.argsort(order)
    large = [places[np.argsort(rank[places])] for places in members if len(places) >= LEAST_GROUP]
    sides = _Sides(board, directions, has)
    blocks = [places[start : start + SIDE] for places in large for start in range(0, len(places), SIDE)]
    for one, other in combinations_with_replacement(range(len(blocks)), 2):
        yield _Block(sides, tuple(blocks[one].tolist()), tuple(blocks[other].tolist()))
    alone = np.concatenate([np.zeros(0, dtype=np.intp), *(one for one in members if len(one) < LEAST_GROUP)])
    yield from _rows(sides, np.sort(alone), blocks)


def _values(board: Board) -> Array:
    """The models' weighted sums of rates, (models,): neighbours in one tile are alike."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((board.totals.sum(axis=1) / board.items.sum(axis=1)) @ board.weights, dtype=np.float64)


class _Sides:
    """Makes the sides of tiles; keeps those of the models' own users, and the last others."""

    def __init__(self, board: Board, directions: Array, has: NDArray[np.bool_]) -> None:
        self.board, self.directions, self._has = board, directions, has
        self._own = lru_cache(maxsize=None)(self._make)
        self._other = lru_cache(maxsize=32)(self._make)

    def of(self, places: tuple[int, ...], other: int) -> _Side:
        """Returns some models on the users that they share with another one."""
        own = self._has[places[0]]
        shared = own & self._has[other]
        keep = self._own if np.array_equal(own, shared) else self._other
        return keep(places, shared.tobytes())

    def _make(self, places: tuple[int, ...], users: bytes) -> _Side:
        chosen = list(places)
        mask = np.frombuffer(users, dtype=np.bool_)[:, None]
        parts = linear(self.board.totals[chosen] * mask, self.board.items[chosen] * mask, self.board.weights)
        own, shared = parts.own, (parts.common**2).sum(axis=-1)
        gram = parts.common.swapaxes(1, 2) @ parts.common
        drawn = parts.errors @ self.directions
        return _Side(
            places=np.array(chosen, dtype=np.intp),
            value=parts.value,
            scale=parts.scale,
            errors=parts.errors,
            own=own,
            shared=shared,
            common=np.ascontiguousarray(parts.common.transpose(2, 0, 1)),
            trace=(own - shared).sum(axis=1),
            spread=(own**2 - 2 * own * shared).sum(axis=1) + (gram**2).sum(axis=(1, 2)),
            drawn=drawn,
            highest=drawn.max(axis=0),
            lowest=drawn.min(axis=0),
            has=mask[:, 0],
        )


class _Block:
    """Models on the same users against models on the same users, perhaps other ones."""

    def __init__(self, sides: _Sides, first: tuple[int, ...], second: tuple[int, ...]) -> None:
        self._sides, self._first, self._second = sides, first, second

    def _both(self) -> tuple[_Side, _Side]:
        return self._sides.of(self._first, self._second[0]), self._sides.of(self._second, self._first[0])

    def pairs(self) -> Pairs:
        first, second = self._both()
        scale = first.scale[:, None] + second.scale
        deviation = without_noise(np.sqrt(_variances(first, second)), scale)
        value = without_noise(first.value[:, None] - second.value, scale)
        inverse = 1 / np.where(deviation > 0, deviation, 1.0)
        if self._first == self._second:
            inverse, value, deviation = np.triu(inverse, 1), np.triu(value, 1), np.triu(deviation, 1)
        shape = value.shape
        return Pairs(
            first=np.broadcast_to(first.places[:, None], shape),
            second=np.broadcast_to(second.places, shape),
            estimate=Estimate(
                value=value,
                deviation=deviation,
                freedom=_freedom(first, second),
                errors=np.zeros(0),
                users=np.full(shape, first.has.sum()),
                enough=True,
            ),
            inverse=inverse,
        )

    def reach(self) -> Array:
        first, second = self._both()
        return np.maximum(first.highest - second.lowest, second.highest - first.lowest)

    def row_reach(self, draws: NDArray[np.intp]) -> Array:
        first, second = self._both()
        drawn = first.drawn[:, draws]
        return np.maximum(drawn - second.lowest[draws], second.highest[draws] - drawn)

    def errors(self, pairs: Pairs, row: int, draws: NDArray[np.intp]) -> Array:
        first, second = self._both()
        return np.asarray((first.drawn[row, draws] - second.drawn[:, draws]) * pairs.inverse[row][:, None])


def _variances(first: _Side, second: _Side) -> Array:
    """Squared deviations of all differences."""
    squares = (first.errors**2).sum(axis=1)[:, None] + (second.errors**2).sum(axis=1)
    found = squares - 2 * (first.errors @ second.errors.T)
    one, other = np.nonzero(found < _CLOSE * squares)
    found[one, other] = ((first.errors[one] - second.errors[other]) ** 2).sum(axis=1)
    return np.asarray(found)


def _freedom(first: _Side, second: _Side) -> Any:
    """Satterthwaite's degrees of freedom of all differences, as `linearise` has them for one."""
    cross = first.own @ (second.own - second.shared).T - first.shared @ second.own.T
    for one, other in product(first.common, second.common):
        cross += (one @ other.T) ** 2
    return (first.trace[:, None] + second.trace) ** 2 / (first.spread[:, None] + second.spread + 2 * cross)


class _Row:
    """One model against some others, each compared on the users that the two have: a single row."""

    def __init__(self, sides: _Sides, first: int, second: tuple[int, ...], alike: bool) -> None:
        self._sides, self._first, self._second = sides, first, second
        self._alike = alike  # Whether the others have the same users, so that they are one side.
        self._reach = math.inf  # Known once the pairs were compared, or else once their errors were drawn.

    def pairs(self) -> Pairs:
        second = np.array(self._second, dtype=np.intp)
        first = np.full(len(second), self._first)
        found = compare(self._sides.board, first, second)
        inverse = 1 / np.where(found.deviation > 0, found.deviation, 1.0)
        if self._alike:
            self._reach = self._reach_by_sides(found.errors, inverse)
        row = Estimate(*(np.asarray(figures)[None] for figures in found))
        return Pairs(first[None], second[None], row, inverse[None])

    def _reach_by_sides(self, errors: Array, inverse: Array) -> float:
        """Bounds errors by what was drawn for the models on all of their own users, and how far that is off.

        Users that only one of two models has are taken out of what was drawn; what is off on the others is little.
        """
        own = self._sides.of((self._first,), self._first)
        others = self._sides.of(self._second, self._second[0])
        spare = others.has & ~own.has, own.has & ~others.has
        directions = self._sides.directions
        drawn = others.drawn - others.errors[:, spare[0]] @ directions[spare[0]]
        drawn -= own.drawn - own.errors[:, spare[1]] @ directions[spare[1]]
        off = errors - (own.errors - others.errors) * (own.has & others.has)
        far = np.sqrt((off**2).sum(axis=1) * errors.shape[1])
        return float(((np.abs(drawn).max(axis=1) + far) * inverse).max() / inverse.max())

    def reach(self) -> float:
        return self._reach

    def row_reach(self, draws: NDArray[np.intp]) -> Array:
        return np.full((1, len(draws)), self._reach)

    def errors(self, pairs: Pairs, row: int, draws: NDArray[np.intp]) -> Array:
        found = pairs.estimate.errors[row] @ self._sides.directions
        if not self._alike:
            self._reach = float(np.abs(found * pairs.inverse[row][:, None]).max() / pairs.inverse.max())
        return np.asarray((found * pairs.inverse[row][:, None])[:, draws])


def _rows(sides: _Sides, alone: Places, blocks: list[Places]) -> Iterator[_Row]:
    """Yields the pairs of some models with each other and with all others."""
    for number, place in enumerate(alone.tolist()):
        for start in range(number + 1, len(alone), PAIRS):
            yield _Row(sides, place, tuple(alone[start : start + PAIRS].tolist()), alike=False)
        for block in blocks:
            yield _Row(sides, place, tuple(block.tolist()), alike=True)
