"""Who is served next: everybody has a turn before anybody has a second one."""

from __future__ import annotations

import datetime
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.records import Lane
from leaderboard.submissions import keys
from leaderboard.submissions.order import (
    ServingOrder,
    WaitingRun,
    fair_order,
    note_served,
    publish_order,
    read_order,
    read_served,
)
from tests.builders import NOON

NOBODY: dict[str, int] = {}


def waiting(submitter: str, number: int = 0, **changes) -> WaitingRun:
    """A run that was handed in `number` minutes after noon."""
    values = {
        "run_id": f"{submitter}-{number}",
        "submitter": submitter,
        "created_at": NOON + datetime.timedelta(minutes=number),
        "lanes": (Lane.GENERATE,),
    }
    return WaitingRun(**(values | changes))


def names(order: list[WaitingRun]) -> list[str]:
    return [run.run_id for run in order]


RUNS = st.lists(
    st.builds(
        waiting,
        st.sampled_from(["ann", "bob", "cem", "dua"]),
        st.integers(0, 50),
        lifted=st.booleans(),
        paused=st.booleans(),
    ),
    unique_by=lambda run: run.run_id,
    max_size=30,
)
HELD = st.dictionaries(st.sampled_from(["ann", "bob", "cem", "dua"]), st.integers(0, 5))


def test_submitters_take_turns_and_each_has_the_oldest_first():
    runs = [waiting("ann", number) for number in range(3)] + [waiting("bob", 10), waiting("bob", 11)]
    assert names(fair_order(runs, NOBODY)) == ["ann-0", "bob-10", "ann-1", "bob-11", "ann-2"]


def test_who_has_workers_already_waits_for_those_who_have_none():
    runs = [waiting("ann", 0), waiting("bob", 10), waiting("cem", 20)]
    assert names(fair_order(runs, {"ann": 2, "bob": 1})) == ["cem-20", "bob-10", "ann-0"]


def test_between_equals_whoever_was_served_longest_ago_is_next():
    runs = [waiting("ann", 0), waiting("bob", 10), waiting("cem", 20)]
    assert names(fair_order(runs, NOBODY, {"ann": 7, "bob": 3})) == ["cem-20", "bob-10", "ann-0"]


def test_what_a_maintainer_lifts_comes_first_and_what_is_paused_not_at_all():
    runs = [waiting("ann", 0), waiting("bob", 1, paused=True), waiting("cem", 2, lifted=True)]
    assert names(fair_order(runs, {"cem": 9})) == ["cem-2", "ann-0"]


@given(RUNS, HELD)
def test_every_run_that_is_not_paused_has_one_place(runs, held):
    assert sorted(names(fair_order(runs, held))) == sorted(run.run_id for run in runs if not run.paused)


@given(RUNS, HELD)
def test_the_order_of_arrival_decides_nothing_but_between_equals(runs, held):
    assert fair_order(runs, held) == fair_order(runs[::-1], held)


@given(RUNS, HELD)
def test_each_place_goes_to_a_submitter_who_has_no_more_than_any_other_that_waits(runs, held):
    order = fair_order(runs, held)
    counts = Counter(held)
    for place, run in enumerate(order):
        rivals = [other.submitter for other in order[place:] if other.lifted is run.lifted]
        assert counts[run.submitter] == min(counts[name] for name in rivals)
        counts[run.submitter] += 1


@given(
    workers=st.integers(1, 8),
    many=st.integers(1, 50),
    length=st.lists(st.integers(1, 5), min_size=60, max_size=60),
)
def test_nobody_waits_for_more_than_one_run_a_worker_of_a_person_with_many(workers, many, length):
    """Workers take a run to its end and then the first in the order; runs are of any length."""
    left = [waiting("many", number) for number in range(many)] + [waiting(f"one{number}", 99) for number in range(10)]
    busy: dict[int, tuple[WaitingRun, int]] = {}
    begun_by_many, served = 0, {}
    lengths = iter(length)
    while left or busy:
        for worker in range(workers):
            if worker not in busy and left:
                held = Counter(run.submitter for run, _ in busy.values())
                run = fair_order(left, held, served)[0]
                served[run.submitter] = 1 + max(served.values(), default=0)
                left.remove(run)
                begun_by_many += run.submitter == "many"
                assert begun_by_many <= workers or not any(other.submitter != "many" for other in left)
                busy[worker] = (run, next(lengths))
        busy = {worker: (run, still - 1) for worker, (run, still) in busy.items() if still > 1}


def test_who_was_served_last_is_remembered(redis):
    for name in ("ann", "bob", "ann"):
        note_served(redis, name)
    served = read_served(redis)
    assert served["bob"] < served["ann"]


def test_the_order_is_known_to_all_until_the_reaper_falls_silent(redis):
    order = ServingOrder(waiting=(waiting("ann"),), working=(("bob", 1),))
    publish_order(redis, order, 60)
    assert read_order(redis) == order
    redis.delete(keys.ORDER)
    assert read_order(redis) is None


@pytest.mark.parametrize(("run_id", "position"), [("ann-0", 1), ("bob-1", None), ("cem-2", 2), ("dua-3", None)])
def test_a_position_counts_those_that_wait_for_their_first_worker(run_id, position):
    order = ServingOrder(
        waiting=(waiting("ann", 0), waiting("bob", 1, workers=1), waiting("cem", 2)), working=(("bob", 1),)
    )
    assert order.position(run_id) == position
