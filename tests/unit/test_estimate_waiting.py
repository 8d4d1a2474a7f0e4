"""Estimates of time: from what was measured, and none where nothing was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.submissions.estimate import (
    NOTHING_TO_DO,
    PACE_SECONDS,
    Cost,
    Estimate,
    Mark,
    Pace,
    expected_seconds,
    pace_of,
    seconds_left,
    waiting_seconds,
)

SECONDS = st.floats(0, 1e6)
ESTIMATES = st.builds(Estimate, SECONDS, st.integers(1, 50))


def test_a_pace_is_that_of_the_last_minutes_alone():
    old, recent = [Mark(0, 1000, 9)], [Mark(1000, 8, 80), Mark(1050, 10, 100), Mark(1100, 10, 100)]
    assert pace_of(old + recent, now=1100) == Pace(0.2, 2.0, 2)


def test_a_run_that_has_come_to_a_halt_slows_down_until_nothing_is_said():
    marks = [Mark(1000, 8, 80), Mark(1010, 8, 80)]
    paces = [pace_of(marks, now) for now in (1010, 1100, 1000 + PACE_SECONDS)]
    assert [pace.rows_per_second for pace in paces] == sorted((pace.rows_per_second for pace in paces), reverse=True)
    assert pace_of(marks, 1010 + PACE_SECONDS + 1) is None


@pytest.mark.parametrize("marks", [[], [Mark(1000, 8, 80)], [Mark(1000, 8, 80), Mark(1000, 8, 80)]])
def test_a_pace_takes_two_batches_and_some_time_between_them(marks):
    assert pace_of(marks, now=1000) is None


@given(st.lists(st.builds(Mark, SECONDS, st.integers(0, 99), st.integers(0, 9999))), SECONDS)
def test_whatever_the_clock_does_a_pace_is_never_negative(marks, now):
    pace = pace_of(marks, now)
    assert pace is None or (pace.rows_per_second >= 0 and pace.tokens_per_second >= 0 and pace.measurements >= 1)


@pytest.mark.parametrize("pace", [None, Pace(0.0, 0.0, 3)])
def test_nothing_is_said_of_a_run_that_was_not_measured_or_stands_still(pace):
    assert seconds_left(10, pace) is None
    assert seconds_left(0, pace) == NOTHING_TO_DO


def test_a_run_that_has_not_begun_is_told_by_the_median_of_those_before_it():
    costs = [Cost(100, 100.0), Cost(100, 120.0), Cost(100, 9000.0)]
    assert expected_seconds(costs, items=50) == Estimate(60.0, 3)
    assert expected_seconds(costs) == Estimate(120.0, 3)
    assert expected_seconds([Cost(0, 5.0)], items=50) is None


@pytest.mark.parametrize(
    ("ahead", "busy", "workers", "seconds"),
    [
        ([], [], 1, 0.0),
        ([], [40.0], 1, 40.0),
        ([], [40.0, 10.0], 2, 10.0),
        ([100.0], [40.0], 1, 140.0),
        ([100.0, 5.0, 5.0], [], 2, 10.0),
        ([100.0], [40.0], 3, 0.0),
    ],
)
def test_whoever_is_ahead_takes_the_first_worker_that_is_free(ahead, busy, workers, seconds):
    told = waiting_seconds([Estimate(each, 1) for each in ahead], [Estimate(each, 1) for each in busy], workers)
    assert told is not None
    assert told.seconds == seconds


def test_nothing_is_said_without_workers_or_where_something_ahead_was_never_measured():
    assert waiting_seconds([], [], 0) is None
    assert waiting_seconds([None], [Estimate(1, 1)], 1) is None
    assert waiting_seconds([Estimate(1, 1)], [None], 1) is None


@given(st.lists(ESTIMATES, max_size=12), st.lists(ESTIMATES, max_size=4), st.integers(1, 5), ESTIMATES)
def test_one_more_ahead_never_shortens_the_wait(ahead, busy, workers, more):
    busy = busy[:workers]
    before, after = (waiting_seconds(queue, busy, workers) for queue in (ahead, [*ahead, more]))
    assert before is not None
    assert after is not None
    assert before.seconds <= after.seconds
