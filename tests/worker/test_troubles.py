"""Failures of ours are tried again a few times, with pauses, before they end a run."""

from pathlib import Path

import pytest

from evaluator.engines.child import Killed
from evaluator.errors import Cause, RapportError
from leaderboard.records import State
from leaderboard.settings import Settings
from leaderboard.submissions import keys
from tests.builders import make_batch, make_plan, make_submission, rows_of
from tests.scripted import make_setup
from worker import jobs
from worker.engines import RunEngines
from worker.lease import Leases
from worker.troubles import MOST_RETRIES, RETRIED, Troubles

RUN = "s-20260301-00000001.demo-v1"


@pytest.fixture(scope="module")
def setup(tmp_path_factory):
    return make_setup(tmp_path_factory.mktemp("cache"))


def trouble(cause: Cause = Cause.INFRASTRUCTURE) -> RapportError:
    return RapportError(cause, "The Hub did not answer.", "Try again.")


@pytest.mark.parametrize("cause", sorted(RETRIED))
def test_a_failure_of_ours_is_tried_again_a_few_times(redis, cause):
    troubles = Troubles(redis)

    answers = [troubles.may_try_again(RUN, trouble(cause)) for _ in range(MOST_RETRIES + 1)]

    assert answers == [True] * MOST_RETRIES + [False]


@pytest.mark.parametrize("cause", sorted(set(Cause) - RETRIED))
def test_a_failure_of_the_model_is_not(redis, cause):
    assert not Troubles(redis).may_try_again(RUN, trouble(cause))


def test_pauses_grow_longer(redis):
    troubles, pauses = Troubles(redis), []
    for _ in range(MOST_RETRIES):
        troubles.may_try_again(RUN, trouble())
        pauses.append(redis.pttl(keys.pause(RUN)))

    assert pauses[0] < pauses[1] < pauses[2]
    assert troubles.pausing(RUN)


def test_a_row_that_comes_back_starts_the_count_anew(redis, leases):
    plan = make_plan(RUN, users=(1,))
    for _ in range(MOST_RETRIES):
        Troubles(redis).may_try_again(RUN, trouble())
    lease = leases.claim(plan, "gpu-1")
    rows = rows_of(plan, plan.shards[0])

    leases.hand_over(lease, make_batch(plan, plan.shards[0], "0000-1", generations=rows.generations))

    assert Troubles(redis).may_try_again(RUN, trouble())


def killed() -> Killed:
    return Killed(Cause.OUT_OF_MEMORY, "The engine was killed.", "Use a machine with more memory.")


def test_an_engine_that_was_killed_is_tried_again_once_whatever_came_in_between(redis, leases):
    plan = make_plan(RUN, users=(1,))
    assert Troubles(redis).may_try_again(RUN, killed())
    lease = leases.claim(plan, "gpu-1")
    rows = rows_of(plan, plan.shards[0])
    leases.hand_over(lease, make_batch(plan, plan.shards[0], "0000-1", generations=rows.generations))
    assert not Troubles(redis).may_try_again(RUN, killed())
    assert Troubles(redis).may_try_again(RUN, killed()), "a run that is taken up again has another try"


def test_a_model_that_says_itself_that_memory_ran_out_is_not_tried_again(redis):
    assert not Troubles(redis).may_try_again(RUN, trouble(Cause.OUT_OF_MEMORY))


def test_a_killed_judge_is_the_judges_and_tried_again_once(redis, setup):
    engines = RunEngines(setup, Settings(), Path("engine"))
    with pytest.raises(Killed, match="The judge demo: The engine was killed") as failed, engines.as_judge():
        raise killed()
    assert Troubles(redis).may_try_again(RUN, failed.value)


def test_a_job_that_meets_our_failure_leaves_the_run_open_and_the_last_one_ends_it(
    redis_url, redis, ledger, tmp_path, monkeypatch
):
    ledger.create(make_submission())
    ledger.advance(RUN, State.QUEUED, "alice")
    monkeypatch.setenv("RAPPORT_REDIS_URL", redis_url)
    monkeypatch.setenv("RAPPORT_DATA", str(tmp_path))

    def hub_is_down(*_):
        raise trouble()

    monkeypatch.setattr(jobs, "prepare", hub_is_down)
    for _ in range(MOST_RETRIES):
        jobs.evaluate(RUN)
        assert ledger.state(RUN) is State.QUEUED

    jobs.evaluate(RUN)

    run = ledger.view(make_submission().id).runs[0]
    assert (run.state, run.failure.cause) == (State.FAILED, Cause.INFRASTRUCTURE)
    assert run.failure.message == "The Hub did not answer."


def test_a_late_invitation_to_a_run_in_the_publishers_hands_can_do_no_harm(
    redis_url, redis, ledger, leases, plan, work, tmp_path, monkeypatch
):
    work()
    work()
    monkeypatch.setenv("RAPPORT_REDIS_URL", redis_url)
    monkeypatch.setenv("RAPPORT_DATA", str(tmp_path))
    monkeypatch.setattr(jobs, "prepare", lambda *_: pytest.fail("there is nothing to prepare"))

    jobs.evaluate(plan.run_id)

    assert ledger.state(plan.run_id) is State.QUEUED
    assert Leases(redis, 30).free_tasks(plan) == 0
