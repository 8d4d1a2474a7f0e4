"""The board as the page needs it right now, built once for each state of the store however many ask."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from leaderboard.board.build import Board, build_board
from leaderboard.store.base import Store

log = logging.getLogger("rapport.board")

_BROKEN_SECONDS = 10.0
"""A file that is mended by hand does not move the store on, so a board with problems is built again after this."""


class Snapshot:
    """Holds the latest board and swaps it whole.

    Example:
        >>> Snapshot(LocalStore(folder)).board().rows  # doctest: +SKIP
        ()
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        """Reads from a store; the first board is built when it is first asked for."""
        self._store, self._clock = store, clock
        self._lock = threading.Lock()
        self._board: Board | None = None
        self._built = 0.0

    def board(self) -> Board:
        """Returns the board at the store's present state.

        Raises:
            StoreError: If the store as a whole cannot be read.
        """
        board = self._current()
        if board is not None:
            return board
        with self._lock:  # Whoever waited here finds the board that the first one built.
            board = self._current()
            if board is None:
                board = build_board(self._store)
                self._log_new_problems(board)
                self._board, self._built = board, self._clock()
            return board

    def _current(self) -> Board | None:
        """The board that was built last, if it still holds."""
        head, board = self._store.head(), self._board
        if board is None or board.revision != head:
            return None
        worn = board.problems and self._clock() - self._built > _BROKEN_SECONDS
        return None if worn else board

    def _log_new_problems(self, board: Board) -> None:
        """Names each file that cannot be read, once and not at every build."""
        known = self._board.problems if self._board else ()
        for problem in board.problems:
            if problem not in known:
                log.error("left out of the board: %s", problem)
