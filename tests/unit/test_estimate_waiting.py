"""Estimates of time: from what was measured, and none where nothing was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.submissions.estimate import (
    FURTHEST,
    NEAREST,
    NOTHING_TO_DO,
    PACE_SECONDS,
    Cost,
    Estimate,
    Mark,
    Pace,
    Place,
    beginnings,
    expected,
    pace_of,
    seconds_left,
)

SECONDS = st.floats(0, 1e6)


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


def took(minutes: float, billions: float, items: int = 100) -> Cost:
    return Cost(items=items, seconds=60 * minutes, parameters=int(billions * 1e9))


def test_a_model_is_told_by_the_median_of_those_of_its_size_whatever_others_took():
    costs = [took(600, 70), took(10, 8), took(12, 7), took(90, 8), took(1, 0.5)]
    told = expected(costs, int(8e9), 100)
    assert told is not None
    assert (told.seconds, told.least, told.most) == (12 * 60, 10 * 60, 90 * 60)
    assert (told.runs, told.sizes, told.measured) == (3, (7 * 10**9, 8 * 10**9), True)


def test_a_tiny_model_is_not_told_by_a_huge_one_nor_the_other_way_round():
    assert expected([took(600, 70)], int(0.5e9), 100) is None
    assert expected([took(1, 0.5)], int(70e9), 100) is None


def test_where_none_is_of_its_size_it_is_worked_out_from_the_nearest_and_bounded_by_both_readings():
    told = expected([took(10, 2), took(80, 32), took(900, 400)], int(8e9), 100)
    assert told is not None
    assert told.estimate == Estimate(30 * 60, 2), "of 20 minutes from the small one and 40 from the large one"
    assert (told.least, told.most) == (10 * 60, 80 * 60)
    assert (told.sizes, told.measured) == ((2 * 10**9, 32 * 10**9), False)


def test_runs_of_fewer_questions_or_of_no_known_size_tell_nothing():
    assert expected([took(1, 8, items=24)], int(8e9), 100) is None
    assert expected([took(1, 8)], None, 100) is None
    assert expected([Cost(items=100, seconds=60)], int(8e9), 100) is None
    assert expected([took(1, 8, items=24)], int(8e9), None) is not None, "where nobody knows how many are asked"


def test_no_more_than_the_nearest_runs_count_the_latest_among_equals():
    latest, older = [took(10, 8)] * NEAREST, [took(500, 8)] * 20
    assert expected([*latest, *older], int(8e9), 100) == expected(latest, int(8e9), 100)


@given(st.lists(st.builds(took, st.floats(0.1, 1e4), st.floats(0.1, 500)), max_size=12), st.integers(10**8, 5 * 10**11))
def test_an_expectation_lies_within_its_interval(costs, parameters):
    told = expected(costs, parameters, 100)
    if told is None:
        assert not any(1 / FURTHEST <= parameters / (cost.parameters or 1) <= FURTHEST for cost in costs)
    else:
        assert told.least * (1 - 1e-9) <= told.seconds <= told.most * (1 + 1e-9)
        assert 1 <= told.runs <= min(NEAREST, len(costs))


def wait(ahead: list[float | None], busy: list[float | None], workers: int) -> Estimate | None:
    """How long a run waits behind some that any worker could take; None is a time that is not known."""
    free = [each if each is None else Estimate(each, 1) for each in busy] + [NOTHING_TO_DO] * (workers - len(busy))
    everybody = frozenset(range(workers))
    places = [Place(everybody, each if each is None else Estimate(each, 1)) for each in [*ahead, 0.0]]
    return list(beginnings(places, free))[-1]


@pytest.mark.parametrize(
    ("ahead", "busy", "workers", "seconds"),
    [
        ([], [], 1, 0.0),
        ([], [40.0], 1, 40.0),
        ([], [40.0, 10.0], 2, 10.0),
        ([100.0], [40.0], 1, 140.0),
        ([100.0, 5.0, 5.0], [], 2, 10.0),
        ([100.0], [40.0], 3, 0.0),
        ([], [None], 2, 0.0),
    ],
)
def test_whoever_is_ahead_takes_the_first_worker_that_is_free(ahead, busy, workers, seconds):
    told = wait(ahead, busy, workers)
    assert told is not None
    assert told.seconds == seconds


def test_nothing_is_said_without_workers_or_where_something_ahead_was_never_measured():
    assert wait([], [], 0) is None
    assert wait([None], [1.0], 1) is None
    assert wait([1.0], [None], 1) is None
    assert wait([3.0, None], [], 1) is None


def test_a_run_waits_for_workers_that_could_take_it_and_for_no_others():
    small, large = frozenset({0, 1}), frozenset({1})
    queue = [Place(large, Estimate(100, 1)), Place(large, None), Place(small, Estimate(7, 1)), Place(large, None)]
    told = list(beginnings(queue, [NOTHING_TO_DO, Estimate(50, 2)]))
    assert told == [Estimate(50, 2), Estimate(150, 3), NOTHING_TO_DO, None]


@given(st.lists(SECONDS, max_size=12), st.lists(SECONDS, max_size=4), st.integers(1, 5), SECONDS)
def test_one_more_ahead_never_shortens_the_wait(ahead, busy, workers, more):
    busy = busy[:workers]
    before, after = (wait(queue, busy, workers) for queue in (ahead, [*ahead, more]))
    assert before is not None
    assert after is not None
    assert before.seconds <= after.seconds
