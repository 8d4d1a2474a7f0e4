"""The workers that are alive: each announces itself and what it has, and is forgotten soon after it falls silent."""

from __future__ import annotations

import logging
import math
from typing import Literal, NamedTuple

from pydantic import Field
from redis import Redis

from evaluator.errors import RapportError
from evaluator.estimate import GPU_SHARE
from evaluator.records import Record
from leaderboard.connection import text
from leaderboard.records import Lane, Moment
from leaderboard.store.rows import read_record
from leaderboard.submissions import keys

log = logging.getLogger("rapport.fleet")

_CPU_SHARE = 0.8
"""Part of a machine's memory that engines may take."""


class Kind(NamedTuple):
    """All that decides what a worker can take; workers alike in it share a queue of invitations."""

    lanes: tuple[Lane, ...]
    """Sorted, each once."""
    room: int
    """Bytes that all engines together may take, on one GPU if there is any."""
    cache_bytes: int | None
    """Of one engine where it is set; None on a GPU, where it takes what the weights leave."""
    context_tokens: int
    """Most tokens of prompt and answer."""
    wide: bool
    """Whether it computes in float32."""

    @property
    def queue(self) -> str:
        """Name of the RQ queue of its invitations; no two kinds share one.

        Example:
            >>> Kind((Lane.GENERATE, Lane.JUDGE), 72_000_000_000, None, 32_768, wide=False).queue
            'rapport-generate-judge-72000000000-32768'
            >>> Kind((Lane.GENERATE,), 19_200_000_000, 2**30, 32_768, wide=True).queue
            'rapport-generate-19200000000-32768-1073741824-float32'
        """
        room = (self.room, self.context_tokens, self.cache_bytes, "float32" if self.wide else None)
        return keys.queue(self.lanes, [str(part) for part in room if part is not None])


class Gpu(Record):
    """One accelerator of a worker."""

    name: str
    memory_bytes: int = Field(gt=0)


class Announcement(Record):
    """What a worker says of itself every few seconds."""

    schema_version: Literal[1] = 1
    name: str
    """Host and process; no two workers share it."""
    lanes: tuple[Lane, ...] = Field(min_length=1)
    gpus: tuple[Gpu, ...]
    """Empty on a machine without any."""
    memory_bytes: int = Field(gt=0)
    """Of the machine."""
    engine: str
    """What runs models here; see `EngineInfo.engine`."""
    engine_version: str
    dtype: str
    kv_cache_bytes: int = Field(gt=0)
    """Of one engine, where there is no GPU."""
    context_tokens: int = Field(gt=0)
    """Most tokens of prompt and answer that engines are set up for."""
    turn_seconds: float = Field(default=1800.0, ge=0)
    """How long it serves one run while somebody else waits."""
    confined: tuple[str, ...] = ()
    """What processes that hold models are confined to here, such as `no network`; empty if to nothing."""
    started_at: Moment
    run_id: str | None = None
    """What it works on; None while it waits."""

    @property
    def kind(self) -> Kind:
        """What decides which work it can take; `auto` computes in float32 without a GPU."""
        memory = max((gpu.memory_bytes for gpu in self.gpus), default=0)
        return Kind(
            lanes=tuple(sorted({*self.lanes})),
            room=math.ceil(GPU_SHARE * memory if self.gpus else _CPU_SHARE * self.memory_bytes),
            cache_bytes=None if self.gpus else self.kv_cache_bytes,
            context_tokens=self.context_tokens,
            wide=self.dtype == "float32" or (self.dtype == "auto" and not self.gpus),
        )


class Fleet:
    """Reads and writes announcements.

    Example:
        >>> fleet = Fleet(redis)  # doctest: +SKIP
        >>> [worker.name for worker in fleet.alive()]  # doctest: +SKIP
        ['gpu-1-4711']
    """

    def __init__(self, redis: Redis) -> None:
        """Works on an open connection."""
        self._redis = redis

    def announce(self, announcement: Announcement, seconds: float) -> None:
        """Says that a worker is alive, for some seconds."""
        with self._redis.pipeline() as pipe:
            pipe.sadd(keys.WORKERS, announcement.name)
            pipe.set(keys.worker(announcement.name), announcement.model_dump_json(), px=int(1000 * seconds))
            pipe.execute()

    def leave(self, name: str) -> None:
        """Forgets a worker at once."""
        with self._redis.pipeline() as pipe:
            pipe.srem(keys.WORKERS, name)
            pipe.delete(keys.worker(name))
            pipe.execute()

    def alive(self) -> list[Announcement]:
        """Returns what all workers that are alive say, sorted by name.

        One that speaks another version is passed over, and told in the log: it must not hide all others.
        """
        names = sorted(text(value) for value in self._redis.smembers(keys.WORKERS))
        values = self._redis.mget([keys.worker(name) for name in names]) if names else []
        said = dict(zip(names, values, strict=True))
        if silent := [name for name, value in said.items() if value is None]:
            self._redis.srem(keys.WORKERS, *silent)  # Whoever speaks again is entered again.
        read = (_read(name, value) for name, value in said.items() if value is not None)
        return [announcement for announcement in read if announcement]


def _read(name: str, value: bytes | str) -> Announcement | None:
    """Reads one announcement; None if it is none of this version."""
    try:
        return read_record(text(value), Announcement, f"announcement of {name}")
    except RapportError as error:
        log.warning("a worker is passed over: %s", error)
        return None
