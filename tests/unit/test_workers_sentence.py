"""Visitors are told what work is done on, and nothing that tells where it stands."""

from leaderboard.fleet import Announcement, Gpu
from leaderboard.pages.workers import workers_sentence
from leaderboard.records import Lane
from tests.builders import NOON

H100 = Gpu(name="NVIDIA H100", memory_bytes=80 * 10**9)


def worker(*gpus: Gpu, lanes: tuple[Lane, ...] = tuple(Lane), **changes: object) -> Announcement:
    values = {
        "name": "secret-host-4711",
        "lanes": lanes,
        "gpus": gpus,
        "memory_bytes": 1,
        "engine": "vllm",
        "engine_version": "1",
        "dtype": "auto",
        "kv_cache_bytes": 1,
        "context_tokens": 1,
        "started_at": NOON,
    }
    return Announcement.model_validate(values | changes)


def test_alike_workers_are_counted_together() -> None:
    busy = worker(H100, H100, run_id="s-20260101-0a1b2c3d.demo-v1")
    fleet = [worker(H100, H100), busy, busy, worker(lanes=(Lane.JUDGE,))]

    said = workers_sentence(fleet)

    assert said == (
        "4 workers are alive: 2 on 2 × NVIDIA H100 (generate and judge, at work); "
        "1 on 2 × NVIDIA H100 (generate and judge, idle); 1 on a machine without GPU (judge, idle)."
    )
    assert "secret-host" not in said
    assert workers_sentence([worker()]).startswith("1 worker is alive")
