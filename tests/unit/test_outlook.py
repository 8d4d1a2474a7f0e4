"""What is told of a run's time to come, and what is not told because nothing was measured."""

from __future__ import annotations

import datetime

import pytest

from leaderboard.fleet import Announcement
from leaderboard.pages.times import outlook_sentences
from leaderboard.records import Lane, State
from leaderboard.submissions.estimate import Cost, Estimate, Pace
from leaderboard.submissions.order import ServingOrder, WaitingRun
from leaderboard.submissions.outlook import Measured, Outlook, outlook_of
from leaderboard.submissions.views import Progress, RunView
from tests.builders import NOON

FIRST, SECOND, BUSY = (f"s-20260101-0000000{number}.demo-v1" for number in (1, 2, 3))
HALF_DONE = Progress(generations=50, items=100, verdicts=50, verdicts_wanted=200)


def worker(name: str, run_id: str | None = None, lanes: tuple[Lane, ...] = tuple(Lane)) -> Announcement:
    return Announcement(
        name=name,
        lanes=lanes,
        gpus=(),
        memory_bytes=1,
        engine="vllm",
        engine_version="1",
        dtype="float32",
        kv_cache_bytes=1,
        context_tokens=1,
        started_at=NOON,
        run_id=run_id,
    )


def waiting(run_id: str, minutes: int = 0, workers: int = 0) -> WaitingRun:
    created = NOON + datetime.timedelta(minutes=minutes)
    return WaitingRun(run_id=run_id, submitter="ann", created_at=created, lanes=(Lane.GENERATE,), workers=workers)


def measured(**changes: object) -> Measured:
    return Measured(
        order=ServingOrder(waiting=(waiting(BUSY, workers=1), waiting(FIRST), waiting(SECOND, 1)), working=(("b", 1),)),
        fleet=[worker("w-1", BUSY)],
        costs={"demo-v1": [Cost(100, 600.0), Cost(100, 600.0)]},
        paces={BUSY: Pace(2.0, 300.0, 30)},
        progress={BUSY: HALF_DONE},
        resting={},
        publisher=True,
    )._replace(**changes)


def test_a_waiting_run_is_told_its_place_and_when_whoever_is_before_it_is_done() -> None:
    first, second = (outlook_of(run_id, False, measured()) for run_id in (FIRST, SECOND))

    assert (first.position, second.position, second.waiting) == (1, 2, 2)
    assert first.begins == Estimate(100.0, 30), "the busy worker has 200 rows left at two a second"
    assert second.begins == Estimate(700.0, 32), "and the first one takes ten minutes more"
    assert second.lasts == Estimate(600.0, 2)


def test_a_second_worker_makes_it_sooner_but_not_one_that_only_judges_or_drains() -> None:
    draining = worker("w-3").model_copy(update={"draining": True})
    others = [worker("w-1", BUSY), worker("w-2", lanes=(Lane.JUDGE,)), draining]

    assert outlook_of(SECOND, False, measured(fleet=others)).begins == Estimate(700.0, 32)
    assert outlook_of(SECOND, False, measured(fleet=[*others, worker("w-4")])).begins == Estimate(100.0, 32)


def test_a_run_in_work_is_told_how_fast_it_goes_and_what_is_left() -> None:
    outlook = outlook_of(BUSY, False, measured())

    assert outlook == Outlook(None, 2, 1, None, Estimate(100.0, 30), Pace(2.0, 300.0, 30), paused=False)


def test_a_busy_worker_is_waited_for_no_longer_than_its_turn() -> None:
    short = [worker("w-1", BUSY).model_copy(update={"turn_seconds": 40.0})]

    assert outlook_of(FIRST, False, measured(fleet=short)).begins == Estimate(40.0, 30)


def test_what_is_not_alive_or_rests_is_told() -> None:
    outlook = outlook_of(FIRST, False, measured(order=None, publisher=False, resting={FIRST: "timeout"}, fleet=[]))

    assert (outlook.ordered, outlook.published, outlook.judges, outlook.resting) == (False, False, 0, "timeout")


def test_nothing_is_said_where_nothing_was_measured() -> None:
    nothing = measured(costs={}, paces={}, progress={})
    outlook = outlook_of(SECOND, False, nothing)

    assert (outlook.position, outlook.begins, outlook.lasts, outlook.pace) == (2, None, None, None)
    assert outlook_of(SECOND, False, measured(order=None)).position is None
    assert outlook_of(SECOND, False, measured(fleet=[])).begins is None


@pytest.mark.parametrize(
    ("outlook", "state", "words"),
    [
        (Outlook(2, 5, 0, None, None, None, paused=False), State.QUEUED, "No worker is alive"),
        (Outlook(2, 5, 1, None, None, None, paused=False), State.QUEUED, "not known"),
        (Outlook(1, 5, 1, Estimate(0.0, 0), None, None, paused=False), State.QUEUED, "as soon as"),
        (Outlook(1, 5, 1, Estimate(9.0, 3), None, None, paused=True), State.QUEUED, "Paused"),
        (Outlook(None, 0, 1, None, Estimate(90.0, 3), Pace(1, 41.6, 3), paused=False), State.JUDGING, "42 tokens/s"),
        (Outlook(None, 0, 1, None, Estimate(0.0, 0), None, paused=False), State.SCORING, "result is being made"),
        (Outlook(None, 0, 1, None, None, None, False, published=False), State.SCORING, "publisher is not alive"),
        (Outlook(None, 0, 1, None, None, None, False, ordered=False), State.QUEUED, "reaper is not alive"),
        (Outlook(None, 0, 1, None, None, None, False, judges=0), State.JUDGING, "No worker that judges"),
        (Outlook(None, 0, 1, None, None, None, False, resting="timeout"), State.QUEUED, "failure of ours (timeout)"),
    ],
)
def test_a_reader_is_told_in_sentences(outlook: Outlook, state: State, words: str) -> None:
    said = outlook_sentences(RunView(FIRST, state, HALF_DONE, ()), outlook)

    assert words in " ".join(said)
    assert all(sentence.endswith(".") for sentence in said)


def test_of_a_run_without_an_outlook_nothing_is_said() -> None:
    assert outlook_sentences(RunView(FIRST, State.PUBLISHED, HALF_DONE, ()), None) == []
