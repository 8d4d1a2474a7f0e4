"""The outbox: batches that workers handed over and the publisher has not written yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from redis import Redis

from evaluator.records import Generation, Verdict
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

    def values(self, entries: Sequence[Waiting]) -> list[bytes | None]:
        """Returns the batches of some entries as Redis holds them, in one round trip; None where it does not."""
        with self._redis.pipeline(transaction=False) as pipe:
            for entry in entries:
                pipe.hget(keys.batches(entry.run_id), entry.batch_id)
            return list(pipe.execute())

    def batch(self, entry: Waiting) -> Batch | None:
        """Returns the batch of an entry, or None if its run needs it no more.

        Raises:
            RapportError: `data_error` if it is no batch of this version.
        """
        (value,) = self.values([entry])
        return None if value is None else read_batch(entry, value)

    def kept(self, run_id: str) -> list[Batch]:
        """Returns all batches of a run that Redis holds, written to the store or not.

        Raises:
            RapportError: `data_error` if one is no batch of this version.
        """
        values = self._redis.hgetall(keys.batches(run_id))
        return [read_record(value, Batch, f"batch {name!r} of {run_id}") for name, value in values.items()]

    def of_shard(self, run_id: str, shard_id: str) -> list[Batch]:
        """Returns the batches of one shard of a run that Redis holds, of both lanes.

        Raises:
            RapportError: As of `kept`.
        """
        begins = shard_id.rsplit(".", 1)[1] + "-"
        names = [name for name in map(text, self._redis.hkeys(keys.batches(run_id))) if name.startswith(begins)]
        values = self._redis.hmget(keys.batches(run_id), names) if names else []
        return [
            read_record(value, Batch, f"batch {name!r} of {run_id}")
            for name, value in zip(names, values, strict=True)
            if value is not None
        ]

    def remove(self, entries: Sequence[Waiting]) -> None:
        """Takes entries out once the store holds their rows."""
        self._redis.xdel(keys.OUTBOX, *(entry.entry for entry in entries))


def read_batch(entry: Waiting, value: bytes) -> Batch:
    """Reads the batch of an entry.

    Raises:
        RapportError: `data_error` if it is no batch of this version.
    """
    return read_record(value, Batch, f"batch {entry.batch_id} of {entry.run_id}")


def lease_of(batch_id: str) -> str:
    """Names the lease under which a batch was handed over, by shard and number; its batches are counted from 1.

    Example:
        >>> lease_of("0003-000017-1f2e3d4c-0002")
        '0003-000017-1f2e3d4c'
    """
    return batch_id.rpartition("-")[0]


def output_tokens(batch: Batch) -> int:
    """Adds up the tokens that model and judge wrote."""
    rows: tuple[Generation | Verdict, ...] = (*batch.generations, *batch.verdicts)
    return sum(row.output_tokens for row in rows)


def first_answers(batch: Batch) -> int:
    """Counts the items that were answered, whatever was said; a second try at one is none more."""
    return sum(row.key.sample_index == 0 for row in batch.generations)


def unjudged(batch: Batch, orders: Mapping[str, int]) -> int:
    """Returns how many verdicts nobody will give: there is no answer to judge, or it loses unjudged.

    Args:
        batch: Rows.
        orders: In how many slot orders the answer to each question is judged.
    """
    return sum(orders[row.key.question_id] for row in batch.generations if row.answer is None or row.defect)


def milliseconds(batch: Batch) -> int:
    """Returns the worker's time that a batch's report tells of."""
    return int(1000 * sum(seconds for _, seconds in batch.report.stage_seconds)) if batch.report else 0
