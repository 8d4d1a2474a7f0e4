"""Who is invited and who gives way, told from what there is to see."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.records import Lane
from leaderboard.submissions import keys
from leaderboard.submissions.order import ServingOrder, WaitingRun
from tests.builders import NOON
from tests.worker.fleet import make_worker
from worker.scheduler import Invitation, Invitations, due, gives_way, queues_of

BOTH, GENERATE, JUDGE = tuple(Lane), (Lane.GENERATE,), (Lane.JUDGE,)


def run(submitter: str, number: int = 0, lanes=GENERATE, **changes) -> WaitingRun:
    """A run that was handed in `number` minutes after noon."""
    at = NOON + datetime.timedelta(minutes=number)
    return WaitingRun(run_id=f"{submitter}-{number}", submitter=submitter, created_at=at, lanes=lanes, **changes)


def invited(runs, working, *queues: Invitations) -> list[str]:
    return [each.run_id for each in due(runs, working, {}, queues)]


def test_queues_are_those_that_somebody_listens_to():
    fleet = [
        make_worker("a"),
        make_worker("b", lanes=(Lane.JUDGE, Lane.GENERATE), run_id="x"),
        make_worker("c", lanes=JUDGE, run_id="x"),
        make_worker("d", lanes=GENERATE, draining=True),
    ]
    assert queues_of(fleet, {BOTH: ["y"]}) == [Invitations(BOTH, 1, ("y",)), Invitations(JUDGE, 0, ())]


def test_a_run_is_invited_to_in_each_queue_whose_workers_can_take_something_of_it():
    runs = [run("ann", lanes=BOTH), run("bob", lanes=JUDGE)]
    sent = due(runs, {}, {}, [Invitations(GENERATE, 5, ()), Invitations(JUDGE, 5, ())])
    assert sent == [
        Invitation("ann-0", GENERATE, "ann"),
        Invitation("bob-0", JUDGE, "bob"),
        Invitation("ann-0", JUDGE, "ann"),
    ]


def test_what_waits_in_a_queue_counts_for_its_submitter():
    runs = [run("ann", 0), run("ann", 1), run("bob", 9)]
    assert invited(runs, {}, Invitations(GENERATE, 1, ("ann-0",))) == ["bob-9"]


def test_a_run_that_is_paused_is_not_invited_to():
    assert invited([run("ann", paused=True)], {}, Invitations(GENERATE, 5, ())) == []


@given(
    st.lists(st.builds(run, st.sampled_from("abc"), st.integers(0, 30)), unique_by=lambda each: each.run_id),
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 4)),
    st.integers(0, 4),
    st.integers(0, 6),
)
def test_a_queue_never_holds_more_than_its_idle_workers_and_one(runs, working, idle, already):
    waiting = tuple(each.run_id for each in runs[:already])
    sent = invited(runs, working, Invitations(GENERATE, idle, waiting))
    assert len(sent) == min(len(runs) - len(waiting), max(0, idle + 1 - len(waiting)))
    assert len(set(sent) | set(waiting)) == len(sent) + len(waiting)


def order(*waiting: WaitingRun, **working: int) -> ServingOrder:
    return ServingOrder(waiting=waiting, working=tuple(working.items()))


@pytest.mark.parametrize(
    ("known", "fleet", "gives"),
    [
        (None, [], False),
        (order(ann=1), [], False),
        (order(run("ann", 1), ann=1), [], False),
        (order(run("bob"), ann=1), [], True),
        (order(run("bob", lanes=JUDGE), ann=1), [], False),
        (order(run("bob"), ann=1), [make_worker("idle")], False),
        (order(run("bob"), ann=1), [make_worker("idle", lanes=JUDGE)], True),
        (order(run("bob"), ann=1), [make_worker("busy", run_id="x")], True),
        (order(run("bob"), ann=1), [make_worker("leaving", draining=True)], True),
        (order(run("bob"), ann=1, bob=1), [], False),
        (order(run("bob"), ann=2, bob=1), [], False),
        (order(run("bob"), ann=3, bob=1), [], True),
    ],
    ids=[
        "no reaper",
        "nobody waits",
        "their own waits",
        "another waits",
        "it needs another lane",
        "a worker is idle",
        "the idle one has another lane",
        "the other is busy",
        "the idle one leaves",
        "each has one",
        "one more is no reason",
        "two more are",
    ],
)
def test_a_worker_gives_way_to_whoever_has_waited_with_less(known, fleet, gives):
    assert gives_way("ann", GENERATE, known, fleet) is gives


def test_a_lane_that_is_named_twice_is_one():
    assert queues_of([make_worker(lanes=(Lane.JUDGE, Lane.JUDGE))], {JUDGE: ["x"]}) == [Invitations(JUDGE, 1, ("x",))]
    assert keys.queue([Lane.JUDGE, Lane.JUDGE]) == keys.queue(JUDGE) == "rapport-judge"
