"""Failures of ours are tried again a few times, with pauses, before they end a run."""

from pathlib import Path

import pytest

from evaluator.encoders.process import EncoderProcess
from evaluator.engines.child import Crashed, Killed
from evaluator.engines.process import EngineProcess
from evaluator.errors import Cause, RapportError
from leaderboard.records import AmendmentKind, Failure, State, Trial
from leaderboard.settings import Settings
from leaderboard.submissions import keys, trials
from leaderboard.submissions.history import amendments_of
from tests.builders import NOON, make_batch, make_plan, make_submission, rows_of
from tests.scripted import make_setup
from worker import jobs
from worker.engines import JudgeFailed, RunEngines
from worker.lease import Leases
from worker.rooms import wants_memory
from worker.troubles import MOST_RETRIES, Troubles, last_word

RUN = "s-20260301-00000001.demo-v1"


@pytest.fixture(scope="module")
def setup(tmp_path_factory):
    return make_setup(tmp_path_factory.mktemp("cache"))


def trouble(cause: Cause = Cause.INFRASTRUCTURE) -> RapportError:
    return RapportError(cause, "The Hub did not answer.", "Try again.")


@pytest.mark.parametrize("cause", sorted(cause for cause in Cause if cause.passes))
def test_a_failure_of_ours_is_tried_again_a_few_times(redis, cause):
    troubles = Troubles(redis)

    answers = [troubles.may_try_again(RUN, trouble(cause)) for _ in range(MOST_RETRIES + 1)]

    assert answers == [True] * MOST_RETRIES + [False]


@pytest.mark.parametrize("cause", sorted(cause for cause in Cause if not cause.passes))
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


def crashed() -> Crashed:
    return Crashed(Cause.INFRASTRUCTURE, "The engine ended unexpectedly with code 139.", "Try again.")


def test_an_engine_that_ends_by_itself_is_tried_again_a_few_times_whatever_came_in_between(redis, leases):
    """Else whoever made the weights could have it answered once and end, for ever."""
    plan = make_plan(RUN, users=range(1, 12))
    rows = [rows_of(plan, shard) for shard in plan.shards]
    answers = []
    for number in range(MOST_RETRIES + 1):
        answers.append(Troubles(redis).may_try_again(RUN, crashed()))
        lease = leases.claim(plan, "gpu-1")
        shard = next(place for place, each in enumerate(plan.shards) if each.id == lease.shard_id)
        batch = make_batch(plan, plan.shards[shard], f"000{number}-1", generations=rows[shard].generations)
        leases.hand_over(lease, batch)
    assert answers == [True] * MOST_RETRIES + [False]
    assert Troubles(redis).may_try_again(RUN, crashed()), "a run that is taken up again has its tries"


def test_an_encoder_that_ends_by_itself_is_not_the_models_fault():
    assert (Crashed, RapportError) == (EngineProcess.DEATH, EncoderProcess.DEATH)


def test_a_judge_that_ends_by_itself_is_a_failure_of_ours(redis, setup):
    engines = RunEngines(setup, Settings(), Path("engine"))
    with pytest.raises(JudgeFailed, match="The judge demo: The engine ended") as failed, engines.as_judge():
        raise crashed()
    assert (failed.value.cause, last_word(failed.value, answered=False)) == (Cause.INFRASTRUCTURE, failed.value)


def test_what_wants_memory_may_do_better_on_a_larger_worker(setup):
    engines = RunEngines(setup, Settings(), Path("engine"))
    with pytest.raises(JudgeFailed) as failed, engines.as_judge():
        raise trouble(Cause.OUT_OF_MEMORY)
    assert failed.value.cause is Cause.JUDGE_ERROR, "no submitter pays for it"
    assert [wants_memory(each) for each in (failed.value, trouble(Cause.OUT_OF_MEMORY), killed())] == [True] * 3
    assert [wants_memory(each) for each in (trouble(), trouble(Cause.JUDGE_ERROR), crashed())] == [False] * 3


def test_each_try_that_came_to_nothing_is_an_event_of_the_submission(redis, ledger, submission, run_id):
    before = ledger.history(submission.id)
    ledger.note_saved([before])
    for _ in range(2):
        Troubles(redis, "gpu-1").may_try_again(run_id, trouble())
    first, second = amendments_of(ledger.history(submission.id).events, AmendmentKind.TRIED)
    assert (first.actor, first.sequence, second.sequence) == ("gpu-1", 3, 4)
    assert (first.trial.run_id, first.trial.number, second.trial.number, first.trial.most) == (run_id, 1, 2, 4)
    assert (first.trial.failure.cause, first.trial.failure.message) == (
        Cause.INFRASTRUCTURE,
        "The Hub did not answer.",
    )
    assert 5 <= (first.trial.resumes_at - first.at).total_seconds() + 1 <= 6.5
    assert second.trial.resumes_at - second.at > first.trial.resumes_at - first.at
    assert ledger.history(submission.id).states == before.states, "no run has moved"


def test_a_try_is_saved_with_the_next_journal_and_hurries_nobody(redis, ledger, submission, run_id):
    redis.delete(keys.URGENT)
    ledger.note_saved([ledger.history(submission.id)])
    Troubles(redis).may_try_again(run_id, trouble())
    assert (ledger.unsaved(), ledger.is_urgent()) == ([submission.id], False)


def test_a_try_that_was_noted_and_whose_answer_was_lost_is_noted_once(redis, ledger, submission, run_id, monkeypatch):
    monkeypatch.setattr(trials, "now", lambda: NOON)
    failure = Failure(cause=Cause.TIMEOUT, message="Slow.", remedy="Wait.")
    trial = Trial(run_id=run_id, failure=failure, number=1, most=4, resumes_at=NOON)
    for _ in range(2):
        trials.note_trial(redis, "gpu-1", trial)
    assert len(amendments_of(ledger.history(submission.id).events, AmendmentKind.TRIED)) == 1


def test_a_try_on_what_the_ledger_does_not_know_is_noted_nowhere(redis, ledger):
    assert Troubles(redis).may_try_again(RUN, trouble())
    assert (redis.exists(keys.events(RUN.split(".")[0])), ledger.unsaved()) == (0, [])


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
