"""What maintainers look for among all submissions: what failed and why, what is disputed, suspected or held up.

All histories are read once, and later those alone to which something has happened since.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from redis import Redis

from evaluator.errors import Cause
from leaderboard.pages.maintain.marks import Mark, marks_of
from leaderboard.records import State, Transition
from leaderboard.submissions import keys
from leaderboard.submissions.history import History
from leaderboard.submissions.journal import readable
from leaderboard.submissions.ledger import Ledger

READ_AT_ONCE = 1000
"""Histories that one request reads at most; the next one goes on with the others."""
_PIECE = 250
_ENDS_AT_ONCE = 1000


class Failed(NamedTuple):
    """A run that failed, and stayed so."""

    run_id: str
    cause: Cause
    at: datetime


class Standing(NamedTuple):
    """A submission, as far as lists of submissions look at it."""

    id: str
    model: str
    submitter: str
    created_at: datetime
    changed_at: datetime
    """When the last thing happened to it."""
    state: State
    failed: tuple[Failed, ...]
    """Those of its runs that failed."""
    marks: frozenset[Mark]


class Seen(NamedTuple):
    """All submissions, as far as they were looked at."""

    standings: tuple[Standing, ...]
    """The newest first."""
    total: int
    """Submissions that there are."""
    unreadable: int
    """Those of them that cannot be read; the log names them."""

    @property
    def unread(self) -> int:
        """How many were not looked at yet; the next request goes on with them."""
        return self.total - self.unreadable - len(self.standings)

    def with_mark(self, mark: Mark) -> list[Standing]:
        """Returns the submissions with a mark, the newest first."""
        return [each for each in self.standings if mark in each.marks]


class Index:
    """Knows where all submissions stand; whoever has just done something sees it done.

    Example:
        >>> Index(redis).look().total  # doctest: +SKIP
        1000
    """

    def __init__(self, redis: Redis, read_at_once: int = READ_AT_ONCE) -> None:
        """Has read nothing yet; reads at most so many histories for one request."""
        self._redis, self._ledger, self._most = redis, Ledger(redis), read_at_once
        self._lock = threading.Lock()
        self._known: dict[str, tuple[int, Standing | None]] = {}

    def look(self) -> Seen:
        """Returns where submissions stand now.

        Raises:
            RedisError: If Redis does not answer.
        """
        with self._lock:
            ids = self._ledger.newest(max(1, self._ledger.count()))
            last = dict(zip(ids, _last_events(self._redis, ids), strict=True))
            self._known = {name: known for name, known in self._known.items() if name in last}
            changed = [name for name in ids if name not in self._known or self._known[name][0] != last[name]]
            self._read(changed[: self._most], last)
            found = [self._known[name][1] for name in ids if name in self._known]
            standings = tuple(each for each in found if each is not None)
            return Seen(standings, len(ids), len(found) - len(standings))

    def _read(self, names: Sequence[str], last: Mapping[str, int]) -> None:
        """Reads some histories, many at a time; what cannot be read stays named as such until it changes."""
        for start in range(0, len(names), _PIECE):
            some = names[start : start + _PIECE]
            found = {history.submission.id: history for history in readable(self._ledger, some)}
            for name in some:
                history = found.get(name)
                self._known[name] = last[name], standing_of(history) if history else None


def standing_of(history: History) -> Standing:
    """Returns where a submission stands; a pure function of what has happened to it."""
    submission = history.submission
    return Standing(
        id=submission.id,
        model=submission.model,
        submitter=submission.submitter,
        created_at=submission.created_at,
        changed_at=history.events[-1].at,
        state=history.state,
        failed=tuple(_failed(history.transitions)),
        marks=marks_of(history),
    )


def _failed(steps: Iterable[Transition]) -> list[Failed]:
    """Returns the runs whose last step was that they failed."""
    last = {step.run_id: step for step in steps}.values()
    return [
        Failed(step.run_id, step.failure.cause, step.at) for step in last if step.after is State.FAILED and step.failure
    ]


def _last_events(redis: Redis, ids: Sequence[str]) -> list[int]:
    """Returns a number for the last event of each submission, another one for another event; many in one round trip."""
    found: list[int] = []
    for start in range(0, len(ids), _ENDS_AT_ONCE):
        with redis.pipeline(transaction=False) as pipe:
            for name in ids[start : start + _ENDS_AT_ONCE]:
                pipe.lrange(keys.events(name), -1, -1)
            found += [hash(tuple(lines)) for lines in pipe.execute()]
    return found
