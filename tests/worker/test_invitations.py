"""Invitations: one waits for a run that has work left, and none for a run that has not."""

import pytest

from evaluator.errors import Cause
from leaderboard.records import Failure, State
from leaderboard.submissions import keys
from leaderboard.submissions.invite import JOB, invite, queue
from tests.builders import make_report, make_submission
from worker.handover import Handover
from worker.reaper import reap

FAILURE = Failure(cause=Cause.LOAD_ERROR, message="It does not load.", remedy="Mend it.")


def waiting(redis) -> list[str]:
    """The runs that workers are invited to, in the order of the queue."""
    return [job.args[0] for job in queue(redis).jobs]


def take_invitation(redis) -> None:
    """What RQ does when a worker takes a job off the queue, or loses it."""
    assert redis.lpop(f"rq:queue:{keys.QUEUE}")


def test_an_invitation_is_an_rq_job_with_a_run_id_and_nothing_else(redis):
    assert invite(redis, "s-1.demo-v1", job_seconds=60)
    (job,) = queue(redis).jobs
    assert (job.func_name, job.args, job.kwargs, job.timeout) == (JOB, ["s-1.demo-v1"], {}, 60)


def test_a_second_invitation_is_not_sent_while_one_waits(redis):
    assert [invite(redis, "s-1.demo-v1", 60) for _ in range(3)] == [True, False, False]
    assert len(waiting(redis)) == 1


def test_each_run_has_an_invitation_of_its_own(redis):
    for run_id in ("s-1.demo-v1", "s-2.demo-v1", "s-1.other"):
        invite(redis, run_id, 60)
    assert waiting(redis) == ["s-1.demo-v1", "s-2.demo-v1", "s-1.other"]


def test_once_an_invitation_has_been_taken_another_can_be_sent(redis):
    invite(redis, "s-1.demo-v1", 60)
    take_invitation(redis)
    assert invite(redis, "s-1.demo-v1", 60)
    assert waiting(redis) == ["s-1.demo-v1"]


def test_a_run_that_nobody_has_planned_is_invited_to(redis, ledger, leases, run_id):
    assert reap(redis, ledger, leases, 60) == 1
    assert waiting(redis) == [run_id]


def test_reaping_again_sends_nothing_while_an_invitation_waits(redis, ledger, leases, plan):
    assert [reap(redis, ledger, leases, 60) for _ in range(3)] == [1, 0, 0]


def test_a_run_whose_shards_are_all_held_needs_nobody(redis, ledger, leases, plan):
    for worker in ("gpu-1", "gpu-2"):
        leases.claim(plan, worker)
    assert reap(redis, ledger, leases, 60) == 0


@pytest.mark.parametrize("state", [State.QUEUED, State.GENERATING, State.JUDGING])
def test_a_shard_whose_lease_was_lost_is_invited_to_again(redis, ledger, leases, plan, state):
    for step in (State.GENERATING, State.JUDGING)[: [State.QUEUED, State.GENERATING, State.JUDGING].index(state)]:
        assert ledger.advance(plan.run_id, step, "worker")
    held, _ = leases.claim(plan, "gpu-1"), leases.claim(plan, "gpu-2")
    redis.delete(keys.lease(held.shard_id))  # What an expiry leaves behind.
    assert reap(redis, ledger, leases, 60) == 1
    assert waiting(redis) == [plan.run_id]


def test_a_lost_invitation_is_replaced(redis, ledger, leases, plan):
    reap(redis, ledger, leases, 60)
    take_invitation(redis)
    assert reap(redis, ledger, leases, 60) == 1
    assert waiting(redis) == [plan.run_id]


def test_a_run_whose_shards_are_all_done_needs_nobody(redis, ledger, leases, plan, outbox):
    while lease := leases.claim(plan, "gpu-1"):
        Handover(leases, lease, outbox).finish(make_report())
        leases.release(lease, forgive=True)
    assert reap(redis, ledger, leases, 60) == 0


@pytest.mark.parametrize("end", [State.FAILED, State.CANCELLED])
def test_a_run_that_has_ended_is_not_invited_to(redis, ledger, leases, plan, end):
    ledger.move(plan.run_id, State.QUEUED, end, "someone", FAILURE if end is State.FAILED else None)
    assert ledger.active()
    assert reap(redis, ledger, leases, 60) == 0


def test_a_run_that_was_entered_but_never_queued_is_queued_and_invited_to(redis, ledger, leases):
    submission = make_submission()
    ledger.create(submission)

    assert reap(redis, ledger, leases, 60) == 1

    (run_id,) = submission.run_ids()
    assert ledger.state(run_id) is State.QUEUED
    assert ledger.transitions(submission.id)[-1].actor == "reaper"


@pytest.mark.parametrize("state", [State.SCORING, State.PUBLISHING])
def test_a_run_that_lost_its_rows_with_redis_is_worked_on_again_however_far_it_was(
    redis, ledger, leases, run_id, state
):
    """After a restore from the journal the state is there and the plan is not."""
    for step in (State.GENERATING, State.JUDGING, State.SCORING, State.PUBLISHING):
        if ledger.state(run_id) is not state:
            ledger.advance(run_id, step, "worker")
    assert ledger.state(run_id) is state
    assert reap(redis, ledger, leases, 60) == 1


def test_every_run_of_every_active_submission_is_looked_at(redis, ledger, leases):
    for number in (1, 2):
        submission = make_submission(number, protocols=("demo-v1", "other"))
        ledger.create(submission)
        for run_id in submission.run_ids():
            ledger.advance(run_id, State.QUEUED, "alice")
    assert reap(redis, ledger, leases, 60) == 4
