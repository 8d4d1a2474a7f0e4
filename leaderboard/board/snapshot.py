"""The board as the page needs it right now, built once for each state of the store however many ask."""

from __future__ import annotations

import threading

from leaderboard.board.build import Board, build_board
from leaderboard.store.base import Store


class Snapshot:
    """Holds the latest board and swaps it whole.

    Example:
        >>> Snapshot(LocalStore(folder)).board().rows  # doctest: +SKIP
        ()
    """

    def __init__(self, store: Store) -> None:
        """Reads from a store; the first board is built when it is first asked for."""
        self._store = store
        self._lock = threading.Lock()
        self._board: Board | None = None

    def board(self) -> Board:
        """Returns the board at the store's present state.

        Raises:
            RapportError: `data_error` naming the file that could not be read.
        """
        head = self._store.head()
        board = self._board
        if board is not None and board.revision == head:
            return board
        with self._lock:  # Whoever waited here finds the board that the first one built.
            if self._board is None or self._board.revision != self._store.head():
                self._board = build_board(self._store)
            return self._board
