"""What one worker of several takes of a run: what fits it, and after want of memory only what a larger one left."""

from __future__ import annotations

import os

import pytest

from evaluator.errors import Cause, RapportError
from evaluator.facts import ModelFacts
from leaderboard.fleet import Announcement, Gpu
from leaderboard.records import AmendmentKind, Lane, State
from leaderboard.submissions import keys
from leaderboard.submissions.history import amendments_of
from tests.builders import make_submission
from tests.worker.fleet import announce, make_worker
from worker import jobs
from worker.announce import name_of
from worker.rooms import Rooms
from worker.survey import Surveyor

SUBMISSION = make_submission(facts=ModelFacts(weight_bytes=30 * 10**9))
(RUN,) = SUBMISSION.run_ids()
BOTH, GENERATE = tuple(Lane), (Lane.GENERATE,)


def gpu_worker(name: str, gigabytes: int, lanes=GENERATE, **changes) -> Announcement:
    return make_worker(name, lanes, gpus=(Gpu(name="card", memory_bytes=gigabytes * 10**9),), **changes)


def own(gigabytes: int, lanes=GENERATE) -> Announcement:
    """The worker whose job this process is."""
    return gpu_worker(name_of(os.getppid()), gigabytes, lanes)


def rooms(redis, lanes=GENERATE) -> Rooms:
    return Rooms(redis, RUN, SUBMISSION, lanes)


@pytest.mark.parametrize(
    ("gigabytes", "lanes", "serves"),
    [
        (40, GENERATE, GENERATE),
        (24, GENERATE, ()),
        (80, BOTH, BOTH),
        (24, BOTH, (Lane.JUDGE,)),
    ],
    ids=["it fits", "it does not fit", "it fits beside a judge", "it can judge"],
)
def test_a_worker_serves_a_run_in_the_lanes_in_which_there_is_room(redis, gigabytes, lanes, serves):
    announce(redis, own(gigabytes, lanes))
    assert rooms(redis, lanes).lanes() == serves


def test_a_job_that_no_worker_has_begun_takes_everything(redis):
    announce(redis, gpu_worker("another", 24))
    assert rooms(redis, BOTH).lanes() == BOTH
    assert rooms(redis).left_to_larger(Lane.GENERATE) == 0


def test_after_want_of_memory_only_larger_workers_take_it(redis):
    announce(redis, own(40), gpu_worker("as-large", 40), gpu_worker("large", 80), gpu_worker("larger", 144))
    assert rooms(redis).lanes() == GENERATE
    assert rooms(redis).left_to_larger(Lane.GENERATE) == 2
    assert rooms(redis).lanes() == ()
    assert redis.pttl(keys.crowded(RUN)) > 0, "it is not remembered for ever"


def test_want_of_memory_in_one_lane_keeps_nobody_from_the_other(redis):
    announce(redis, own(80, BOTH), gpu_worker("larger", 144))
    assert rooms(redis, BOTH).left_to_larger(Lane.GENERATE) == 1
    assert rooms(redis, BOTH).lanes() == (Lane.JUDGE,)


def test_larger_workers_of_another_lane_are_no_help(redis):
    announce(redis, own(40), gpu_worker("judge", 144, (Lane.JUDGE,)))
    assert rooms(redis).left_to_larger(Lane.GENERATE) == 0


def test_on_the_roomiest_all_is_forgotten_and_whoever_takes_it_up_again_tries_everywhere(redis):
    announce(redis, own(40))
    redis.hset(keys.crowded(RUN), Lane.GENERATE, 36 * 10**9)
    assert rooms(redis).lanes() == (), "nobody is there who has more"
    assert rooms(redis).left_to_larger(Lane.GENERATE) == 0
    assert rooms(redis).lanes() == GENERATE


@pytest.fixture
def job(redis_url, redis, ledger, tmp_path, monkeypatch):
    """Does a job on the run, whose only task ends for want of memory; returns the run's state."""
    ledger.create(SUBMISSION)
    ledger.advance(RUN, State.QUEUED, "alice")
    for name, value in {"REDIS_URL": redis_url, "DATA": tmp_path, "LANES": '["generate"]'}.items():
        monkeypatch.setenv(f"RAPPORT_{name}", str(value))

    def out_of_memory(job):
        raise jobs.TaskFailed(Lane.GENERATE, RapportError(Cause.OUT_OF_MEMORY, "Too large.", "Use a smaller one."))

    monkeypatch.setattr(jobs, "_work", out_of_memory)

    def work() -> State:
        jobs.evaluate(RUN)
        return ledger.state(RUN)

    return work


def test_want_of_memory_is_final_on_the_roomiest_worker_alone(redis, ledger, job):
    announce(redis, own(40), gpu_worker("larger", 80, run_id="busy"))
    assert job() is State.QUEUED
    (tried,) = amendments_of(ledger.history(SUBMISSION.id).events, AmendmentKind.TRIED)
    assert (tried.trial.failure.cause, tried.trial.number, tried.trial.most) == (Cause.OUT_OF_MEMORY, 1, 2)
    (waits,) = Surveyor(redis).look().waiting
    assert waits.taken_by([own(40).kind, gpu_worker("larger", 80).kind]) == {gpu_worker("larger", 80).kind}

    announce(redis, own(80))
    assert job() is State.FAILED
    failure = ledger.view(SUBMISSION.id).runs[0].failure
    assert (failure.cause, failure.message) == (Cause.OUT_OF_MEMORY, "Too large.")


def test_a_run_that_lost_its_larger_worker_says_that_it_has_no_room(redis, ledger, job):
    announce(redis, own(40), gpu_worker("larger", 80))
    job()
    (waits,) = Surveyor(redis).look().waiting
    assert not waits.lacks_room([own(40).kind, gpu_worker("larger", 80).kind])
    assert waits.lacks_room([own(40).kind])
    assert not waits.lacks_room([]), "that nobody is alive is said in other words"
