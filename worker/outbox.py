"""The outbox: batches that workers handed over and the publisher has not written yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from redis import Redis

from leaderboard.records import Batch
from leaderboard.submissions import keys


class Waiting(NamedTuple):
    """One batch on its way to the store."""

    entry: str
    """Its place in the stream."""
    run_id: str
    batch_id: str


class Outbox:
    """Reads the stream of batches; an entry stays until it is removed, so a crash loses nothing."""

    def __init__(self, redis: Redis) -> None:
        """Works on an open connection."""
        self._redis = redis

    def waiting(self, limit: int | None = None) -> list[Waiting]:
        """Returns the oldest entries, all of them without a limit."""
        entries = self._redis.xrange(keys.OUTBOX, count=limit) or []
        return [
            Waiting(_text(number), _text((fields or {})[b"run"]), _text((fields or {})[b"batch"]))
            for number, fields in entries
        ]

    def batches(self, entries: Sequence[Waiting]) -> list[Batch]:
        """Returns the batches of some entries; one whose run was published meanwhile is left out."""
        values = (self._redis.hget(keys.batches(entry.run_id), entry.batch_id) for entry in entries)
        return [Batch.model_validate_json(value) for value in values if value is not None]

    def remove(self, entries: Sequence[Waiting]) -> None:
        """Takes entries out once the store holds their rows."""
        self._redis.xdel(keys.OUTBOX, *(entry.entry for entry in entries))


def _text(value: object) -> str:
    """Redis answers in bytes."""
    return value.decode() if isinstance(value, bytes) else str(value)
