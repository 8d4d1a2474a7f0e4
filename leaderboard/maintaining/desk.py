"""The log of what maintainers do, in Redis: read page by page, and appended to in one go with what is done."""

from __future__ import annotations

import logging
from typing import NamedTuple

from redis import Redis
from redis.client import Pipeline

from evaluator.errors import RapportError
from leaderboard.maintaining.records import Act
from leaderboard.maintaining.state import Site, read_site
from leaderboard.store.rows import read_record
from leaderboard.submissions import keys

log = logging.getLogger("rapport.publisher")


class Entry(NamedTuple):
    """A place of the log, and what stands there."""

    place: int
    """From 1: the sequence number of its act."""
    value: bytes
    """As it stands in Redis."""
    act: Act | None
    """None if it cannot be read, or says that it belongs to another place."""


class MaintainDesk:
    """Reads the log, and the state that follows from it.

    Example:
        >>> MaintainDesk(redis).acts(count=10)  # doctest: +SKIP
        ()
    """

    def __init__(self, redis: Redis) -> None:
        """Works on an open connection."""
        self._redis = redis

    def count(self) -> int:
        """Returns how many acts there are."""
        return self._redis.llen(keys.ACTS)

    def acts(self, start: int | None = None, count: int = 50) -> tuple[Act, ...]:
        """Returns acts, the newest first.

        What was lost together with its file in the archive has kept its number, and is left out.

        Args:
            start: Sequence number of the newest one to return; None is the newest there is.
            count: How many places of the log to look at.

        Raises:
            RapportError: `data_error` if one cannot be read.
        """
        last = self.count() if start is None else start
        if last < 1 or count < 1:
            return ()
        values = self._redis.lrange(keys.ACTS, max(0, last - count), last - 1)
        return tuple(read_act(value) for value in reversed(values) if value)

    def from_on(self, first: int) -> tuple[Entry, ...]:
        """Returns all entries from a sequence number on, the oldest first; those that are lost are left out.

        What cannot be read is named in the log of this process, and returned as it stands.
        """
        values = enumerate(self._redis.lrange(keys.ACTS, first - 1, -1), start=first)
        return tuple(_entry(place, value) for place, value in values if value)

    def site(self) -> Site:
        """Returns the state that follows from all acts.

        Raises:
            RapportError: `data_error` if it cannot be read.
        """
        return read_site(self._redis.hgetall(keys.SITE))


def read_act(value: bytes | str) -> Act:
    """Reads an act as it stands in Redis.

    Raises:
        RapportError: `data_error` if it is none.
    """
    return read_record(value, Act, f"an act in {keys.ACTS}")


def _entry(place: int, value: bytes | str) -> Entry:
    """Returns what stands at a place of the log."""
    content = value.encode() if isinstance(value, str) else value
    try:
        act = read_act(content)
    except RapportError as error:
        log.error("entry %d of the log of maintainers: %s", place, error)
        return Entry(place, content, None)
    if act.sequence != place:
        log.error("entry %d of the log of maintainers says that it is %d", place, act.sequence)
        return Entry(place, content, None)
    return Entry(place, content, act)


def place_of_next(pipe: Pipeline) -> int:
    """Returns which place the next act takes; within a transaction that watches the log, before its changes."""
    return int(pipe.llen(keys.ACTS)) + 1


def append(pipe: Pipeline, act: Act, place: int) -> None:
    """Appends an act, among the changes of a transaction that watches the log."""
    pipe.rpush(keys.ACTS, act.model_copy(update={"sequence": place}).model_dump_json())
