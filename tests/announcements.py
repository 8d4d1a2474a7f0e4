"""What workers say of themselves, for tests: every field has a plain value, and a test names only what it is about."""

from __future__ import annotations

from typing import Any

from leaderboard.fleet import Announcement, Gpu
from leaderboard.records import Lane
from tests.builders import NOON

H100 = Gpu(name="NVIDIA H100", memory_bytes=80 * 10**9)


def make_announcement(**changes: Any) -> Announcement:
    """What a worker with one large GPU says that only lets models answer."""
    values = {
        "name": "gpu-1-4711",
        "lanes": (Lane.GENERATE,),
        "gpus": (H100,),
        "memory_bytes": 200 * 10**9,
        "engine": "vllm",
        "engine_version": "0.32.0",
        "dtype": "auto",
        "kv_cache_bytes": 2**30,
        "context_tokens": 32_768,
        "started_at": NOON,
    }
    return Announcement.model_validate(values | changes)
