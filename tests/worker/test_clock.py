"""The clock of Redis: what was to last for seconds must not last for a day because the clock was put back."""

from __future__ import annotations

import pytest
from redis import Redis

from leaderboard.records import Lane
from leaderboard.submissions import keys
from worker.clock import LONGEST_SECONDS, Clock

DAY_MS = 24 * 3600 * 1000
LEASE = keys.lease("s-1.demo-v1.0000", Lane.GENERATE)


class PutBack:
    """A Redis whose clock a test puts back; all else is real."""

    def __init__(self, redis: Redis) -> None:
        self._redis, self.behind = redis, 0

    def time(self) -> tuple[int, int]:
        seconds, microseconds = self._redis.time()
        return seconds - self.behind, microseconds

    def __getattr__(self, name: str) -> object:
        return getattr(self._redis, name)


@pytest.mark.parametrize("name", [LEASE, keys.pause("s-1.demo-v1"), keys.worker("vm-1"), keys.PUBLISHER, keys.ORDER])
def test_what_would_last_for_a_day_lasts_for_seconds(redis: Redis, name: str) -> None:
    redis.set(name, "x", px=DAY_MS)
    assert Clock(redis).look()
    assert 0 < redis.pttl(name) <= 1000 * LONGEST_SECONDS
    assert redis.get(name) == b"x"


def test_what_lasts_for_seconds_is_left_alone(redis: Redis) -> None:
    redis.set(LEASE, "x", px=5000)
    Clock(redis).look()
    assert 0 < redis.pttl(LEASE) <= 5000


def test_a_clock_that_goes_on_changes_nothing(redis: Redis) -> None:
    clock = Clock(redis)
    clock.look()
    redis.set(LEASE, "x", px=DAY_MS)
    assert not clock.look()
    assert redis.pttl(LEASE) > 1000 * LONGEST_SECONDS


def test_a_clock_that_is_put_back_is_noticed_each_time(redis: Redis) -> None:
    behind = PutBack(redis)
    clock = Clock(behind)  # type: ignore[arg-type]
    clock.look()
    for behind.behind in (3600, 7200):
        redis.set(LEASE, "x", px=DAY_MS)
        assert clock.look()
        assert redis.pttl(LEASE) <= 1000 * LONGEST_SECONDS
        assert not clock.look()


def test_what_has_no_end_is_not_touched(redis: Redis) -> None:
    redis.set(keys.FENCE, "17")
    Clock(redis).look()
    assert redis.pttl(keys.FENCE) == -1
