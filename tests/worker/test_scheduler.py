"""Who is invited and who gives way, told from what there is to see."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.facts import ModelFacts
from leaderboard.fleet import Gpu, Kind
from leaderboard.records import Lane
from leaderboard.submissions.order import ServingOrder, WaitingRun
from leaderboard.submissions.room import fit_of, footprint_of
from tests.builders import NOON
from tests.worker.fleet import make_worker
from worker.scheduler import Invitation, Invitations, due, gives_way, queues_of

BOTH, GENERATE, JUDGE = tuple(Lane), (Lane.GENERATE,), (Lane.JUDGE,)


def kind(*lanes: Lane, **changes) -> Kind:
    return make_worker(lanes=lanes, **changes).kind


def card(gigabytes: int) -> Gpu:
    return Gpu(name="card", memory_bytes=gigabytes * 10**9)


LARGE = footprint_of(ModelFacts(weight_bytes=60 * 10**9), tokens=0)
"""Sixty gigabytes: too much for most, and for a card of 80 GB if a judge stands beside it."""


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
    ]
    queues = [Invitations(kind(*BOTH), 1, ("y",)), Invitations(kind(*JUDGE), 0, ())]
    assert queues_of(fleet, {kind(*BOTH): ["y"]}) == queues


def test_a_run_is_invited_to_in_each_queue_whose_workers_can_take_something_of_it():
    runs = [run("ann", lanes=BOTH), run("bob", lanes=JUDGE)]
    model, judge = kind(*GENERATE), kind(*JUDGE)
    sent = due(runs, {}, {}, [Invitations(model, 5, ()), Invitations(judge, 5, ())])
    assert sent == [
        Invitation("ann-0", model, "ann"),
        Invitation("bob-0", judge, "bob"),
        Invitation("ann-0", judge, "ann"),
    ]


def test_what_waits_in_a_queue_counts_for_its_submitter():
    runs = [run("ann", 0), run("ann", 1), run("bob", 9)]
    assert invited(runs, {}, Invitations(kind(*GENERATE), 1, ("ann-0",))) == ["bob-9"]


def test_a_run_that_is_paused_is_not_invited_to():
    assert invited([run("ann", paused=True)], {}, Invitations(kind(*GENERATE), 5, ())) == []


@given(
    st.lists(st.builds(run, st.sampled_from("abc"), st.integers(0, 30)), unique_by=lambda each: each.run_id),
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 4)),
    st.integers(0, 4),
    st.integers(0, 6),
)
def test_a_queue_never_holds_more_than_its_idle_workers_and_one(runs, working, idle, already):
    waiting = tuple(each.run_id for each in runs[:already])
    sent = invited(runs, working, Invitations(kind(*GENERATE), idle, waiting))
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
        (order(run("bob"), ann=1, bob=1), [], False),
        (order(run("bob"), ann=2, bob=1), [], False),
        (order(run("bob"), ann=3, bob=1), [], True),
        (order(run("bob", footprint=LARGE), ann=1), [], False),
        (order(run("bob", footprint=LARGE), ann=1), [make_worker("roomy", memory_bytes=10**12, run_id="x")], False),
        (order(run("bob", crowded=((Lane.GENERATE, 10**9),)), ann=1), [], True),
        (order(run("bob", crowded=((Lane.GENERATE, 10**12),)), ann=1), [], False),
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
        "each has one",
        "one more is no reason",
        "two more are",
        "it does not fit",
        "it waits for a larger one",
        "a smaller one was too small",
        "one as large was too small",
    ],
)
def test_a_worker_gives_way_to_whoever_has_waited_with_less(known, fleet, gives):
    assert gives_way("ann", kind(*GENERATE), known, fleet) is gives


def test_a_lane_that_is_named_twice_is_one():
    twice = make_worker(lanes=(Lane.JUDGE, Lane.JUDGE))
    assert queues_of([twice], {kind(*JUDGE): ["x"]}) == [Invitations(kind(*JUDGE), 1, ("x",))]
    assert twice.kind.queue == kind(*JUDGE).queue


SMALL, ROOMY = kind(*GENERATE, gpus=(card(24),)), kind(*GENERATE, gpus=(card(80),))


def test_a_run_is_invited_to_only_where_it_fits():
    runs = [run("ann", footprint=LARGE), run("bob")]
    sent = due(runs, {}, {}, [Invitations(SMALL, 5, ()), Invitations(ROOMY, 5, ())])
    assert [(each.run_id, each.kind) for each in sent] == [("bob-0", SMALL), ("ann-0", ROOMY), ("bob-0", ROOMY)]


def test_a_run_that_fits_nowhere_is_invited_to_nowhere_and_keeps_nobody_waiting():
    runs = [run("ann", footprint=LARGE), run("bob", 5)]
    assert invited(runs, {}, Invitations(SMALL, 0, ())) == ["bob-5"]


def test_a_run_for_which_memory_was_wanting_goes_to_larger_workers_only_and_in_that_lane_only():
    both, roomy = kind(*BOTH, gpus=(card(24),)), kind(*BOTH, gpus=(card(80),))
    queues = [Invitations(both, 0, ()), Invitations(roomy, 0, ())]
    for lanes, places in ((GENERATE, {roomy}), (BOTH, {both, roomy})):
        sent = due([run("ann", lanes=lanes, crowded=((Lane.GENERATE, both.room),))], {}, {}, queues)
        assert {each.kind for each in sent} == places


def test_where_it_fits_beside_a_judge_comes_before_where_it_may_only_fit_without():
    queues = [Invitations(kind(*BOTH, gpus=(card(80),)), 1, ()), Invitations(kind(*BOTH, gpus=(card(144),)), 0, ())]
    sent = due([run("ann", footprint=LARGE)], {}, {}, queues)
    assert [each.kind for each in sent] == [queues[1].kind]
    alone = due([run("ann", footprint=LARGE)], {}, {}, queues[:1])
    assert [each.kind for each in alone] == [queues[0].kind], "better than nowhere"


@given(st.integers(1, 200), st.integers(1, 200), st.integers(0, 120))
def test_what_the_check_lets_in_is_invited_to_somewhere(one, another, weights):
    """The check refuses by the same figure, so that what it lets in never waits in vain."""
    fleet = [make_worker(str(size), gpus=(card(size),)) for size in (one, another)]
    footprint = footprint_of(ModelFacts(weight_bytes=weights * 10**9), tokens=0)
    let_in = any(fit_of(worker.kind, footprint).alone <= 1 for worker in fleet)
    assert bool(due([run("ann", footprint=footprint)], {}, {}, queues_of(fleet, {}))) is let_in


def test_alike_workers_share_a_queue_and_others_do_not():
    kinds = [
        SMALL,
        ROOMY,
        kind(*BOTH, gpus=(card(24),)),
        kind(*GENERATE),
        kind(*GENERATE, dtype="bfloat16"),
        kind(*GENERATE, kv_cache_bytes=2**31),
        kind(*GENERATE, context_tokens=4096),
    ]
    assert len({each.queue for each in kinds}) == len(kinds)
    assert kind(*GENERATE, gpus=(card(24),), started_at=NOON + datetime.timedelta(1), run_id="x") == SMALL
