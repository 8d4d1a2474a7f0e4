"""What was measured of runs, kept for as long as it tells something."""

from __future__ import annotations

import json

import pytest

from leaderboard.submissions import keys
from leaderboard.submissions.estimate import Cost, Pace
from leaderboard.submissions.measures import (
    COSTS_KEPT,
    note_cost,
    read_costs,
    read_log,
    read_paces,
    read_worker_seconds,
)


def test_the_latest_costs_of_a_protocol_are_kept(redis):
    for number in range(COSTS_KEPT + 5):
        note_cost(redis, "demo-v1", Cost(24, float(number)))
    note_cost(redis, "other", Cost(7, 1.25))
    costs = read_costs(redis, "demo-v1")
    assert len(costs) == COSTS_KEPT
    assert (costs[0], costs[-1]) == (Cost(24, COSTS_KEPT + 4.0), Cost(24, 5.0))
    assert read_costs(redis, "other") == [Cost(7, 1.25)]
    assert read_costs(redis, "unknown") == []


def test_paces_are_told_by_the_clock_of_redis(redis):
    now, _ = redis.time()
    for ago, rows in ((100, 99), (60, 5), (20, 5)):
        redis.lpush(keys.marks("fast"), f"{now - ago} {rows} {10 * rows}")
    redis.lpush(keys.marks("old"), f"{now - 4000} 5 50", f"{now - 3900} 5 50")
    redis.lpush(keys.marks("ahead"), f"{now + 4000} 5 50", f"{now + 3900} 5 50")
    paces = read_paces(redis, ["fast", "old", "ahead", "unknown"])
    assert (paces["old"], paces["ahead"], paces["unknown"]) == (None, None, None)
    fast = paces["fast"]
    assert isinstance(fast, Pace)
    assert 10 / 110 < fast.rows_per_second <= 10 / 100
    assert fast.tokens_per_second == pytest.approx(10 * fast.rows_per_second)
    assert fast.measurements == 2
    assert read_paces(redis, []) == {}


def test_a_run_of_which_nothing_is_known_has_no_log_and_no_seconds(redis):
    assert (read_log(redis, "x"), read_worker_seconds(redis, "x")) == ((), 0)
    redis.set(keys.log("x"), json.dumps(["loading", "ready"]))
    redis.hset(keys.progress("x"), "milliseconds", 1500)
    assert (read_log(redis, "x"), read_worker_seconds(redis, "x")) == (("loading", "ready"), 1.5)
