"""Workers announce themselves and are forgotten when they fall silent."""

import pytest
from redis import Redis

from leaderboard.fleet import Announcement, Fleet, Gpu, Lane
from leaderboard.records import now
from leaderboard.submissions import keys
from tests.waiting import until


def announcement(name: str, *gpus: Gpu) -> Announcement:
    return Announcement(
        name=name,
        lanes=(Lane.GENERATE, Lane.JUDGE),
        gpus=gpus,
        memory_bytes=24 * 10**9,
        engine="vllm",
        engine_version="0.32.0",
        dtype="float32",
        kv_cache_bytes=2**30,
        context_tokens=32_768,
        started_at=now(),
    )


def test_workers_are_known_by_what_they_said_last(redis: Redis) -> None:
    fleet, first = Fleet(redis), announcement("b-1")
    fleet.announce(first, 60)
    fleet.announce(announcement("a-1", Gpu(name="H100", memory_bytes=80 * 10**9)), 60)
    fleet.announce(first.model_copy(update={"run_id": "s-20260101-0a1b2c3d.demo-v1"}), 60)

    alive = fleet.alive()

    assert [(worker.name, worker.run_id) for worker in alive] == [
        ("a-1", None),
        ("b-1", "s-20260101-0a1b2c3d.demo-v1"),
    ]
    assert alive[0].gpus == (Gpu(name="H100", memory_bytes=80 * 10**9),)


def test_a_worker_that_leaves_is_forgotten_at_once(redis: Redis) -> None:
    fleet = Fleet(redis)
    fleet.announce(announcement("a-1"), 60)
    fleet.leave("a-1")

    assert fleet.alive() == []


def test_a_silent_worker_is_forgotten_and_comes_back_when_it_speaks(redis: Redis) -> None:
    fleet = Fleet(redis)
    fleet.announce(announcement("a-1"), 0.05)
    until(lambda: not redis.exists(keys.worker("a-1")), what="the announcement runs out")

    assert fleet.alive() == []
    assert redis.smembers(keys.WORKERS) == set()

    fleet.announce(announcement("a-1"), 60)
    assert [worker.name for worker in fleet.alive()] == ["a-1"]


def test_a_worker_of_another_version_hides_no_other(redis: Redis, caplog: pytest.LogCaptureFixture) -> None:
    fleet = Fleet(redis)
    fleet.announce(announcement("a-1"), 60)
    fleet.announce(announcement("b-1"), 60)
    redis.set(keys.worker("a-1"), '{"schema_version": 2}')

    assert [worker.name for worker in fleet.alive()] == ["b-1"]
    assert "a-1" in caplog.text
