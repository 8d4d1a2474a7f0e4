"""Workers that only say that they are there."""

from __future__ import annotations

from collections.abc import Sequence

import psutil
from redis import Redis

from leaderboard.fleet import Announcement, Fleet, Kind
from leaderboard.gpus import gpus
from leaderboard.records import Lane
from leaderboard.settings import Settings
from tests.builders import NOON
from worker.engines import own_dtype


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


def kind_here(settings: Settings, lanes: Sequence[Lane] = tuple(Lane)) -> Kind:
    """Returns the kind of the workers that are started on this machine."""
    return make_worker(
        lanes=lanes,
        gpus=gpus(),
        memory_bytes=psutil.virtual_memory().total,
        dtype=own_dtype(settings),
        kv_cache_bytes=int(settings.kv_cache_gib * 2**30),
        context_tokens=settings.context_tokens,
    ).kind


def announce(redis: Redis, *workers: Announcement) -> None:
    """Enters workers that outlast any test."""
    for worker in workers or (make_worker(),):
        Fleet(redis).announce(worker, 600)
