"""How runs have ended, counted from all histories; each event is read once."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from redis import Redis

from evaluator.errors import Cause, RapportError
from leaderboard.connection import text
from leaderboard.records import Event, State, Transition
from leaderboard.submissions import keys
from leaderboard.submissions.states import ENDED
from leaderboard.submissions.views import read_events
from worker.mark import read_mark

log = logging.getLogger("rapport.metrics")

_AT_ONCE = 500
"""Submissions whose events are read in one round trip."""


class Outcomes:
    """Counts ends of runs, and reads on from where it stopped.

    The counts only ever grow, unless the ledger was restored: then all of it is read again.

    Example:
        >>> outcomes = Outcomes(redis)  # doctest: +SKIP
        >>> outcomes.read(lambda: True), outcomes.ended[State.PUBLISHED]  # doctest: +SKIP
        (True, 12)
    """

    def __init__(self, redis: Redis) -> None:
        """Has read nothing yet."""
        self._redis = redis
        self._seen: dict[str, int] = {}
        self._era = ""
        self.ended: Counter[State] = Counter()
        """Runs by the state that they ended in."""
        self.failed: Counter[Cause] = Counter()
        """Runs that failed, by their cause."""

    def read(self, may_go_on: Callable[[], bool]) -> bool:
        """Reads what was added; says whether all of it was read before `may_go_on` said no.

        Events that cannot be read are named in the log, once, and counted nowhere.
        """
        era = _era_of(self._redis.get(keys.EPOCH))
        if era != self._era:
            self._forget(era)
        ids = [text(name) for name in self._redis.zrange(keys.SUBMISSIONS, 0, -1)]
        for start in range(0, len(ids), _AT_ONCE):
            if not may_go_on():
                return False
            self._read(ids[start : start + _AT_ONCE])
        return True

    def _forget(self, era: str) -> None:
        """Begins anew."""
        self._era = era
        self._seen.clear()
        self.ended.clear()
        self.failed.clear()

    def _read(self, ids: Sequence[str]) -> None:
        """Reads what was added to some submissions."""
        with self._redis.pipeline(transaction=False) as pipe:
            for name in ids:
                pipe.lrange(keys.events(name), self._seen.get(name, 0), -1)
            found = pipe.execute()
        for name, lines in zip(ids, found, strict=True):
            self._seen[name] = self._seen.get(name, 0) + len(lines)
            try:
                self._count(read_events(lines, name))
            except RapportError as error:
                log.warning("not counted: %s", error)

    def _count(self, events: Iterable[Event]) -> None:
        """Counts the ends among some events."""
        for event in events:
            if isinstance(event, Transition) and event.after in ENDED:
                self.ended[event.after] += 1
                if event.after is State.FAILED and event.failure:
                    self.failed[event.failure.cause] += 1


def _era_of(value: object) -> str:
    """Returns the era of the publisher's mark, which ends when the ledger is restored; empty without a mark."""
    mark = None if value is None else read_mark(text(value))
    return mark.era if mark else ""
