"""Users' sums of many scorecards, from Parquet files straight into arrays: no record for each of millions of rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from evaluator.errors import Cause, RapportError
from evaluator.hicupid.questions import QuestionType
from evaluator.hicupid.scoring import TOTAL_WEIGHTS
from evaluator.hicupid.user_scores import UserScore
from evaluator.metrics.intervals import Board, UserSums
from evaluator.parquet import read_table
from leaderboard.board.tallies import TYPES

_FIGURES = tuple(f"{type_}_{what}" for type_ in TYPES for what in ("sum", "items"))
_COLUMNS = ("scorecard_id", "split", "user_id", *_FIGURES)


class _Sums(NamedTuple):
    """A scorecard's users."""

    split: NDArray[np.int64]
    """(users,): the number of each user's split."""
    user: NDArray[np.int64]
    """(users,)."""
    figures: NDArray[np.float64]
    """(figures, users): sum and items of each question type in turn."""


class SumsTable:
    """The users' sums of some scorecards, 64 bytes a user.

    Example:
        >>> table = SumsTable()
        >>> table.add(results.read("user_scores/c8.parquet"), "user_scores/c8.parquet", wanted)  # doctest: +SKIP
        >>> table.board(["s-20260101-0a1b2c3d.official-v1@judge"]).totals.shape  # doctest: +SKIP
        (1, 250, 3)
    """

    def __init__(self) -> None:
        """Holds none yet."""
        self._splits: dict[str, int] = {}
        self._by_card: dict[str, _Sums] = {}

    def __contains__(self, scorecard_id: object) -> bool:
        """Says whether a scorecard's sums are here."""
        return scorecard_id in self._by_card

    def add(self, content: bytes, name: str, wanted: Collection[str] | None = None) -> list[str]:
        """Adds the scorecards of a file, and returns their ids.

        Args:
            content: A Parquet file with the columns of `OpenUserScore`.
            name: What it is called in errors.
            wanted: The only ids to add; all if None.

        Raises:
            RapportError: `data_error` if it is no such file; nothing of it was added.
        """
        try:
            found = dict(self._read(content, wanted))
        except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
            reason = f"{name} is no readable Parquet file of users' sums: {str(error).splitlines()[0][:200]}."
            raise RapportError(Cause.DATA_ERROR, reason, "Restore the file from a backup, or remove it.") from error
        self._by_card |= found
        return list(found)

    def take(self, other: SumsTable, scorecard_ids: Iterable[str]) -> None:
        """Adds some scorecards of another table.

        Raises:
            KeyError: If the sums of one are not there.
        """
        names = list(other._splits)
        numbers = np.array([self._splits.setdefault(name, len(self._splits)) for name in names], dtype=np.int64)
        for name in scorecard_ids:
            sums = other._by_card[name]
            self._by_card[name] = sums._replace(split=numbers[sums.split])

    def users(self, scorecard_id: str) -> tuple[UserScore, ...]:
        """Returns a scorecard's users, in the order of splits and user ids.

        Raises:
            KeyError: If its sums are not here.
        """
        own, splits = self._by_card[scorecard_id], list(self._splits)
        names = [splits[number] for number in own.split.tolist()]
        sums = [
            map(UserSums, totals.tolist(), items.astype(np.int64).tolist())
            for totals, items in zip(own.figures[::2], own.figures[1::2], strict=True)
        ]
        found = [UserScore(*user) for user in zip(names, own.user.tolist(), *sums, strict=True)]
        return tuple(sorted(found, key=lambda user: user.user))

    def board(self, scorecard_ids: Sequence[str]) -> Board:
        """Returns scorecards' sums for the Total on one axis: all their users, sorted by split and id.

        Raises:
            KeyError: If the sums of one are not here.
        """
        some = [self._by_card[name] for name in scorecard_ids]
        order = np.argsort(np.argsort(list(self._splits))) if self._splits else np.zeros(0, dtype=np.intp)
        users = [np.array([order[sums.split], sums.user]) for sums in some]
        everyone, place = np.unique(
            np.concatenate([np.zeros((2, 0), dtype=np.int64), *users], axis=1), axis=1, return_inverse=True
        )
        ends = np.cumsum([own.shape[1] for own in users])[:-1]
        board = np.zeros((2, len(some), everyone.shape[1], len(TYPES)))
        for number, (sums, places) in enumerate(zip(some, np.split(place.ravel(), ends), strict=True)):
            board[0, number, places], board[1, number, places] = sums.figures[::2].T, sums.figures[1::2].T
        weights = np.array([TOTAL_WEIGHTS[QuestionType(type_)] for type_ in TYPES])
        return Board(board[0], board[1], weights)

    def _read(self, content: bytes, wanted: Collection[str] | None) -> Iterator[tuple[str, _Sums]]:
        """Yields the scorecards of a file; splits get numbers as they come."""
        table: Any = read_table(content, _COLUMNS)
        if any(table[name].null_count for name in _COLUMNS):
            raise ValueError("a column lacks values")
        names = table["scorecard_id"].to_numpy()
        split = np.array(
            [self._splits.setdefault(name, len(self._splits)) for name in table["split"].to_pylist()], dtype=np.int64
        )
        user = table["user_id"].to_numpy().astype(np.int64)
        figures = np.array([table[name].to_numpy() for name in _FIGURES], dtype=np.float64)
        if not np.isfinite(figures).all() or (figures[1::2] < 0).any():
            raise ValueError("a sum or a number of items is none")
        order = np.argsort(names, kind="stable")
        starts = 1 + np.flatnonzero(names[order][1:] != names[order][:-1])
        for mine in np.split(order, starts):
            if len(mine) and (wanted is None or names[mine[0]] in wanted):
                yield str(names[mine[0]]), _Sums(split[mine], user[mine], figures[:, mine])
