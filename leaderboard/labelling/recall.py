"""What holds of people, kept in memory: of whom something is known, only what came since is read and worked out."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import NamedTuple

from leaderboard.labelling.desk import Desk, read_event
from leaderboard.labelling.standing import NOTHING, Standing, standing_of

MOST_PEOPLE = 256
"""Of so many people at most something is kept."""


class _Known(NamedTuple):
    """What held of somebody after an event."""

    last: bytes | str
    """The event as it is written, by which it is seen that Redis still holds the same past."""
    standing: Standing


class Recall:
    """Reads what holds of people.

    Example:
        >>> Recall(desk).standing("annotator-0a1b2")  # doctest: +SKIP
    """

    def __init__(self, desk: Desk) -> None:
        """Knows nobody yet."""
        self._desk = desk
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._lock = threading.Lock()

    def standing(self, annotator: str) -> Standing:
        """Returns what holds of a person.

        Raises:
            RapportError: `data_error` if something of it cannot be read.
        """
        with self._lock:
            known = self._known.get(annotator)
        if known:
            last, *new = self._desk.written(annotator, known.standing.events - 1) or [b""]
            if last == known.last:
                return self._keep(annotator, known.standing, new)
        return self._keep(annotator, NOTHING, self._desk.written(annotator))

    def _keep(self, annotator: str, before: Standing, new: list[bytes | str]) -> Standing:
        """Works out what holds after new events, and keeps it."""
        if not new:
            return before
        standing = standing_of([read_event(value, annotator) for value in new], before)
        with self._lock:
            self._known[annotator] = _Known(new[-1], standing)
            self._known.move_to_end(annotator)
            while len(self._known) > MOST_PEOPLE:
                self._known.popitem(last=False)
        return standing
