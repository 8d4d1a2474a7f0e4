"""What a page needs right now, built once for each state of the store however many ask."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from leaderboard.board.build import Board, build_board
from leaderboard.board.changes import Changes, build_changes
from leaderboard.board.judges import JudgeBoard, build_judge_board
from leaderboard.memory import give_back, never_walked, uncollected
from leaderboard.store.base import Revision, Store

log = logging.getLogger("rapport.board")

_BROKEN_SECONDS = 10.0
"""A file that is mended by hand does not move the store on, so a board with problems is built again after this."""

_SHORT_SECONDS = 0.25
"""Processor time of a build that everyone can wait for."""


class Whole(Protocol):
    """What is built from a store at one of its states."""

    @property
    def revision(self) -> Revision:
        """The state."""

    @property
    def problems(self) -> tuple[str, ...]:
        """A sentence for each file that could not be read."""


Built = TypeVar("Built", bound=Whole)


class Latest(Generic[Built]):
    """Holds what was built last and swaps it whole.

    Whoever asks first waits, and so does everyone where it is built in no time. What takes longer is renewed while
    everybody still reads the last one: nobody waits for a store that moved on.
    """

    def __init__(
        self, store: Store, build: Callable[[Store], Built], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Reads from a store; the first is built when it is first asked for."""
        self._store, self._build, self._clock = store, build, clock
        self._lock = threading.Lock()
        self._last: Built | None = None
        self._built = 0.0
        self._is_long = False
        self._prepared: list[Callable[[Built], object]] = []

    def prepare(self, what: Callable[[Built], object]) -> None:
        """Has something done with each that is built, before anybody sees it."""
        self._prepared.append(what)

    def now(self) -> Built:
        """Returns what is built from the store's present state, or from the last one while that is being built.

        Raises:
            StoreError: If the store as a whole cannot be read.
        """
        found = self._current()
        if found is not None:
            return found
        if self._last is not None and self._is_long:
            self._renew_behind()
            return self._last
        with self._lock:  # Whoever waited here finds what the first one built.
            found = self._current()
            return self._renewed() if found is None else found

    def _renew_behind(self) -> None:
        """Builds in a thread of its own, unless somebody does already."""
        if not self._lock.acquire(blocking=False):
            return

        def renew() -> None:
            try:
                if self._current() is None:
                    self._renewed()
            except Exception:
                log.exception("what is newer than the pages show cannot be read")
                self._is_long = False  # Whoever asks next tries by themselves, and is told.
            finally:
                self._lock.release()

        try:
            threading.Thread(target=renew, name="renew", daemon=True).start()
        except RuntimeError:  # There is no thread to be had: the last one is served, and the next visitor tries again.
            self._lock.release()
            log.exception("what is newer than the pages show is not read yet")

    def _renewed(self) -> Built:
        """Builds, and puts what was built in the last one's place."""
        start = time.thread_time()
        with uncollected():
            found = self._build(self._store)
            for what in self._prepared:
                what(found)
            self._is_long = time.thread_time() - start > _SHORT_SECONDS
            if self._is_long and self._last is None:
                never_walked()  # Once: what is garbage by then stays, and later boards take over nearly all.
        if self._is_long:
            give_back()
        self._log_new_problems(found)
        self._last, self._built = found, self._clock()
        return found

    def _current(self) -> Built | None:
        """What was built last, if it still holds."""
        head, last = self._store.head(), self._last
        if last is None or last.revision != head:
            return None
        worn = last.problems and self._clock() - self._built > _BROKEN_SECONDS
        return None if worn else last

    def _log_new_problems(self, found: Built) -> None:
        """Names each file that cannot be read, once and not at every build."""
        known = self._last.problems if self._last else ()
        for problem in found.problems:
            if problem not in known:
                log.error("left out of the board: %s", problem)


class Snapshot(Latest[Board]):
    """The board.

    Example:
        >>> Snapshot(LocalStore(folder)).board().rows  # doctest: +SKIP
        ()
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        """Reads from a store."""
        super().__init__(store, lambda results: build_board(results, self._last), clock)

    def board(self) -> Board:
        """Returns the board at the store's present state.

        Raises:
            StoreError: If the store as a whole cannot be read.
        """
        return self.now()


class JudgeSnapshot(Latest[JudgeBoard]):
    """The board of judges."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        """Reads from a store."""
        super().__init__(store, build_judge_board, clock)


class ChangesSnapshot(Latest[Changes]):
    """What changed on the board."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        """Reads from a store."""
        super().__init__(store, build_changes, clock)
