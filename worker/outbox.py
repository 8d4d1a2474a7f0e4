"""The outbox: batches that workers handed over and the publisher has not written yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from redis import Redis

from leaderboard.connection import text
from leaderboard.records import Batch
from leaderboard.store.rows import read_record
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
            Waiting(text(number), text((fields or {})[b"run"]), text((fields or {})[b"batch"]))
            for number, fields in entries
        ]

    def batch(self, entry: Waiting) -> Batch | None:
        """Returns the batch of an entry, or None if its run was published meanwhile.

        Raises:
            RapportError: `data_error` if it is no batch of this version.
        """
        value = self._redis.hget(keys.batches(entry.run_id), entry.batch_id)
        return None if value is None else read_record(value, Batch, f"batch {entry.batch_id} of {entry.run_id}")

    def kept(self, run_id: str) -> list[Batch]:
        """Returns all batches of a run that has not ended, written to the store or not.

        Raises:
            RapportError: `data_error` if one is no batch of this version.
        """
        values = self._redis.hgetall(keys.batches(run_id))
        return [read_record(value, Batch, f"batch {name!r} of {run_id}") for name, value in values.items()]

    def put_back(self, batch: Batch) -> None:
        """Enters a batch that the store holds already, after Redis has lost it."""
        if self._redis.hsetnx(keys.batches(batch.run_id), batch.id, batch.model_dump_json()):
            self._redis.hincrby(keys.progress(batch.run_id), "generations", len(batch.generations))
            self._redis.hincrby(keys.progress(batch.run_id), "verdicts", len(batch.verdicts))
            if batch.report:
                self._redis.sadd(keys.done(batch.run_id), batch.shard_id)

    def forget(self, run_id: str) -> None:
        """Drops everything that only the work on a run needed, once the store holds its result."""
        self._redis.delete(*(name(run_id) for name in (keys.batches, keys.plan, keys.done, keys.grants, keys.trouble)))

    def remove(self, entries: Sequence[Waiting]) -> None:
        """Takes entries out once the store holds their rows."""
        self._redis.xdel(keys.OUTBOX, *(entry.entry for entry in entries))
