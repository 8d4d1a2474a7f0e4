"""Workers that only say that they are there."""

from __future__ import annotations

from collections.abc import Sequence

from redis import Redis

from leaderboard.fleet import Announcement, Fleet
from leaderboard.records import Lane
from tests.builders import NOON


def make_worker(name: str = "gpu-1", lanes: Sequence[Lane] = tuple(Lane), **changes: object) -> Announcement:
    """Returns what a worker without a GPU says."""
    values = {
        "name": name,
        "lanes": lanes,
        "gpus": (),
        "memory_bytes": 24 * 10**9,
        "engine": "vllm",
        "engine_version": "0.32.0",
        "dtype": "float32",
        "kv_cache_bytes": 2**30,
        "context_tokens": 32_768,
        "started_at": NOON,
    }
    return Announcement.model_validate(values | changes)


def announce(redis: Redis, *workers: Announcement) -> None:
    """Enters workers that outlast any test."""
    for worker in workers or (make_worker(),):
        Fleet(redis).announce(worker, 600)
