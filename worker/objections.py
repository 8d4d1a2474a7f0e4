"""Saves what readers object to, and what maintainers say to it, to the store."""

from __future__ import annotations

import time
from collections.abc import Callable

from redis import Redis

from leaderboard.objections.desk import ObjectionDesk, Unsaved
from leaderboard.objections.journal import files_of
from worker.parts import Part

OBJECTIONS_A_COMMIT = 30


class ObjectionSaver:
    """Gathers objections with news now and then, along with whatever is written anyway.

    Readers never cause a commit by themselves: however many object, there is one in some seconds.

    Example:
        >>> part = ObjectionSaver(redis, seconds=20).gather(at_once=True)  # doctest: +SKIP
    """

    def __init__(self, redis: Redis, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Saves every `seconds` by a clock of seconds."""
        self._desk, self._seconds, self._clock = ObjectionDesk(redis), seconds, clock
        self._saved_at = float("-inf")

    def gather(self, *, at_once: bool) -> Part | None:
        """Returns what has news if it is time to save; None if there is nothing."""
        if not at_once and self._clock() - self._saved_at < self._seconds:
            return None
        turn = self._desk.unsaved()[:OBJECTIONS_A_COMMIT]
        if not turn:
            return None
        files = tuple(files_of(each.objection for each in turn))
        return Part(f"{len(turn)} objections", files, lambda: self._note(turn))

    def _note(self, turn: tuple[Unsaved, ...]) -> None:
        """Notes what the store holds."""
        self._desk.note_saved(turn)
        self._saved_at = self._clock()
