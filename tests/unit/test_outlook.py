"""What is told of a run's time to come, and what is not told because nothing was measured."""

from __future__ import annotations

import datetime

import pytest

from evaluator.facts import ModelFacts
from leaderboard.fleet import Announcement
from leaderboard.pages.times import outlook_sentences
from leaderboard.records import Lane, State
from leaderboard.submissions.estimate import NOTHING_TO_DO, Estimate, Pace
from leaderboard.submissions.order import ServingOrder, WaitingRun
from leaderboard.submissions.outlook import Measured, Outlook, beginnings_of, newcomer_begins, outlook_of
from leaderboard.submissions.room import footprint_of
from leaderboard.submissions.views import Progress, RunView
from tests.builders import NOON

FIRST, SECOND, BUSY = (f"s-20260101-0000000{number}.demo-v1" for number in (1, 2, 3))
HALF_DONE = Progress(generations=50, items=100, verdicts=50, verdicts_wanted=200)
KIND = ("demo-v1", 8_000_000_000)


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
        kinds=dict.fromkeys((FIRST, SECOND, BUSY), KIND),
        whole={KIND: Estimate(600.0, 2)},
        paces={BUSY: Pace(2.0, 300.0, 30)},
        progress={BUSY: HALF_DONE},
        resting={},
        publisher=True,
    )._replace(**changes)


def outlook(run_id: str, known: Measured) -> Outlook:
    return outlook_of(run_id, False, known, beginnings_of(known.order.waiting if known.order else (), known))


def test_a_waiting_run_is_told_its_place_and_when_whoever_is_before_it_is_done() -> None:
    first, second = (outlook(run_id, measured()) for run_id in (FIRST, SECOND))

    assert (first.position, second.position, second.waiting) == (1, 2, 2)
    assert first.begins == Estimate(100.0, 30), "the busy worker has 200 rows left at two a second"
    assert second.begins == Estimate(700.0, 32), "and the first one takes ten minutes more"
    assert second.lasts == Estimate(600.0, 2)


def test_a_second_worker_makes_it_sooner_but_not_one_that_only_judges() -> None:
    others = [worker("w-1", BUSY), worker("w-2", lanes=(Lane.JUDGE,))]

    assert outlook(SECOND, measured(fleet=others)).begins == Estimate(700.0, 32)
    assert outlook(SECOND, measured(fleet=[*others, worker("w-4")])).begins == Estimate(100.0, 30)


def test_a_run_in_work_is_told_how_fast_it_goes_and_what_is_left() -> None:
    told = outlook(BUSY, measured())

    assert told == Outlook(None, 2, 1, None, Estimate(100.0, 30), Pace(2.0, 300.0, 30), paused=False)


def test_a_busy_worker_is_waited_for_no_longer_than_its_turn() -> None:
    short = [worker("w-1", BUSY).model_copy(update={"turn_seconds": 40.0})]

    assert outlook(FIRST, measured(fleet=short)).begins == Estimate(40.0, 30)


def large(run: WaitingRun) -> WaitingRun:
    """The same run with weights of two gigabytes."""
    return run.model_copy(update={"footprint": footprint_of(ModelFacts(weight_bytes=2 * 10**9), tokens=0)})


def test_only_workers_on_which_it_fits_are_waited_for_behind_those_who_need_them_too() -> None:
    roomy = worker("w-2", BUSY).model_copy(update={"memory_bytes": 4 * 10**9})
    order = ServingOrder(waiting=(waiting(FIRST), large(waiting(SECOND, 2))), working=())
    mixed = measured(order=order, fleet=[worker("w-1"), roomy])

    assert outlook(FIRST, mixed).begins == Estimate(0.0, 0), "the small one is idle"
    assert outlook(SECOND, mixed).begins == Estimate(100.0, 30), "and does not help this one"
    assert not outlook(SECOND, mixed).lacks_room


def test_a_run_that_fits_none_of_the_workers_is_told_so_and_no_time() -> None:
    order = ServingOrder(waiting=(large(waiting(FIRST)),), working=())
    told = outlook(FIRST, measured(order=order, fleet=[worker("w-1")]))
    said = outlook_sentences(RunView(FIRST, State.QUEUED, HALF_DONE, ()), told)

    assert told.lacks_room
    assert "It fits none of the workers that are alive; it waits for a larger one, and nothing is lost." in said
    assert not any("Begins" in sentence for sentence in said)
    assert not outlook(FIRST, measured(order=order, fleet=[])).lacks_room


def test_what_is_not_alive_or_rests_is_told() -> None:
    told = outlook(FIRST, measured(order=None, publisher=False, resting={FIRST: "timeout"}, fleet=[]))

    assert (told.ordered, told.published, told.judges, told.resting) == (False, False, 0, "timeout")


def test_of_a_run_that_has_begun_and_waits_only_what_is_left_is_counted() -> None:
    half = measured(progress={BUSY: HALF_DONE, FIRST: HALF_DONE._replace(generations=100)})

    assert outlook(FIRST, half).lasts == Estimate(300.0, 2), "half of its rows are done"
    assert outlook(SECOND, half).begins == Estimate(400.0, 32), "100 of the busy one and these 300"


def test_a_larger_model_ahead_takes_the_longer() -> None:
    large = ("demo-v1", 70_000_000_000)
    mixed = measured(kinds={FIRST: large, SECOND: KIND, BUSY: KIND}, whole={KIND: Estimate(600, 2), large: None})

    assert outlook(SECOND, mixed).begins is None, "nothing tells how long it takes"
    mixed = mixed._replace(whole={KIND: Estimate(600.0, 2), large: Estimate(6000.0, 1)})
    assert outlook(SECOND, mixed).begins == Estimate(6100.0, 31)


def test_a_newcomer_stands_where_the_reaper_would_put_the_run() -> None:
    known, facts = measured(), ModelFacts()

    def begins(submitter: str, served: dict[str, int]) -> float | None:
        told = newcomer_begins(known.order, submitter, facts, served, known)
        return told and told.seconds

    assert begins("ann", {}) == 1300.0, "behind both of the same submitter"
    assert begins("eve", {}) == 700.0, "ann, who came first, has the first place"
    assert begins("eve", {"ann": 7}) == 100.0, "ann was served of late, and eve never"


def test_a_model_waits_for_the_workers_that_have_room_for_it() -> None:
    large = worker("w-2").model_copy(update={"memory_bytes": 10**12})
    known = measured(fleet=[worker("w-1", BUSY), large])

    told = newcomer_begins(known.order, "eve", ModelFacts(parameters=10**9), {"ann": 7}, known)
    assert told == NOTHING_TO_DO, "the large one is idle"
    small = measured(fleet=[worker("w-1", BUSY)])
    assert newcomer_begins(small.order, "eve", ModelFacts(parameters=10**9), {}, small) is None


def test_nothing_is_said_where_nothing_was_measured() -> None:
    nothing = measured(whole={KIND: None}, paces={}, progress={})
    told = outlook(SECOND, nothing)

    assert (told.position, told.begins, told.lasts, told.pace) == (2, None, None, None)
    assert outlook(SECOND, measured(order=None)).position is None
    assert outlook(SECOND, measured(fleet=[])).begins is None


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
