"""Saves what people do on the labelling page to the store."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from redis import Redis

from evaluator.errors import RapportError
from leaderboard.labelling.desk import Desk
from leaderboard.labelling.journal import files_of, look_again
from leaderboard.labelling.records import PersonEvent
from leaderboard.store.base import Operation, Store
from worker.parts import Part

log = logging.getLogger("rapport.publisher")

PEOPLE_A_COMMIT = 20
"""Of so many people at most labels go into one commit."""


class LabelSaver:
    """Gathers people with news: now and then, along with whatever is written anyway, and at once who has withdrawn.

    Nothing is saved of people who are held, and never fewer events than the store holds. With a `store` to read, those
    who are held are looked at again now and then. Every path follows from who it is and which events they are, so
    saving them again after a crash changes nothing.

    Example:
        >>> part = LabelSaver(redis, seconds=20).gather(at_once=True)  # doctest: +SKIP
    """

    def __init__(
        self,
        redis: Redis,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        store: Store | None = None,
    ) -> None:
        """Saves every `seconds` by a clock of seconds."""
        self._redis, self._desk, self._seconds, self._clock = redis, Desk(redis), seconds, clock
        self._store = store
        self._saved_at = self._looked_at = float("-inf")
        self._last = ""
        """The last person who was saved: the next ones come first, so that none waits for ever."""
        self._known: dict[str, int] = {}
        """How many events of a person the store was given by this process."""

    def gather(self, *, at_once: bool) -> Part | None:
        """Returns what has news if it is time to save, or somebody has withdrawn; None if there is nothing."""
        urgent = self._desk.urgent()
        due = at_once or self._clock() - self._saved_at >= self._seconds or urgent
        self._look_again()
        held = self._desk.held() if due else {}
        if not due or not (unsaved := [each for each in self._desk.unsaved() if each not in held]):
            return None
        in_turn = sorted(unsaved, key=lambda name: (name not in urgent, name <= self._last, name))
        turn = in_turn[:PEOPLE_A_COMMIT]
        self._last = turn[-1]
        found = {annotator: events for annotator in turn if (events := self._events(annotator))}
        operations: list[Operation] = [
            file for annotator, events in found.items() for file in files_of(events, self._known.get(annotator, 0))
        ]
        if not operations:
            return None
        words = f"labels of {len(found)} people"
        return Part(words, tuple(operations), lambda: self._note(found, whole=len(turn) == len(unsaved)))

    def forget(self) -> None:
        """Forgets what the store was given: to be called after Redis has lost something."""
        self._known.clear()

    def _events(self, annotator: str) -> tuple[PersonEvent, ...]:
        """Reads a person's events; those that cannot be read are named in the log and hold up nobody else."""
        try:
            events = self._desk.events(annotator)
        except RapportError as error:
            log.error("labels are not saved: %s", error)
            return ()
        if len(events) < (saved := self._desk.saved(annotator)):
            why = f"Redis holds {len(events)} events of {annotator}, and the store {saved}."
            log.error("labels are not saved: %s", why)
            self._desk.hold(annotator, why)
            return ()
        return events

    def _look_again(self) -> None:
        """Looks now and then whether the store can be read of those who are held."""
        if self._store is None or self._clock() - self._looked_at < self._seconds:
            return
        self._looked_at = self._clock()
        if count := look_again(self._redis, self._store):
            log.info("the store can be read again of %d people who were held", count)
            self._known.clear()

    def _note(self, found: dict[str, tuple[PersonEvent, ...]], *, whole: bool) -> None:
        """Notes what the store holds; until all is there, the rest is saved as soon as the store takes it."""
        for annotator, events in found.items():
            self._desk.note_saved(annotator, len(events))
            self._known[annotator] = len(events)
        self._saved_at = self._clock() if whole else float("-inf")
