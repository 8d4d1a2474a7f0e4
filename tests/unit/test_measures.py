"""What was measured of runs, kept for as long as it tells something."""

from __future__ import annotations

import json

import pytest

from evaluator.errors import RapportError
from leaderboard.submissions import keys
from leaderboard.submissions.estimate import Cost, Pace, expected
from leaderboard.submissions.measures import (
    COSTS_KEPT,
    note_cost,
    read_costs,
    read_log,
    read_paces,
    read_worker_seconds,
)


def cost(number: int, **changes) -> Cost:
    return Cost(run_id=f"run-{number}", items=24, seconds=float(number), parameters=8_000_000_000, **changes)


def test_the_latest_costs_of_a_protocol_are_kept(redis):
    for number in range(COSTS_KEPT + 5):
        note_cost(redis, "demo-v1", cost(number))
    note_cost(redis, "other", cost(7))
    costs = read_costs(redis, "demo-v1")
    assert costs == [cost(number) for number in range(COSTS_KEPT + 4, 4, -1)]
    assert read_costs(redis, "other") == [cost(7)]
    assert read_costs(redis, "unknown") == []


def test_a_run_that_two_workers_noted_counts_once_as_it_was_noted_last(redis):
    note_cost(redis, "demo-v1", cost(1))
    note_cost(redis, "demo-v1", cost(2))
    note_cost(redis, "demo-v1", cost(1).model_copy(update={"seconds": 3.0}))
    assert [(each.run_id, each.seconds) for each in read_costs(redis, "demo-v1")] == [("run-1", 3.0), ("run-2", 2.0)]


def test_notes_from_before_sizes_were_noted_are_read_as_such_and_tell_nothing_of_a_model(redis):
    redis.lpush(keys.costs("demo-v1"), "24 600.000", "24 6.000")
    costs = read_costs(redis, "demo-v1")
    assert [(each.schema_version, each.items, each.seconds, each.parameters) for each in costs] == [
        (1, 24, 6.0, None),
        (1, 24, 600.0, None),
    ]
    assert expected(costs, 8_000_000_000, 24) is None


def test_a_note_that_cannot_be_read_is_named(redis):
    redis.lpush(keys.costs("demo-v1"), '{"schema_version": 1}')
    with pytest.raises(RapportError, match="rapport:costs:demo-v1 is no Cost"):
        read_costs(redis, "demo-v1")


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
