"""The reaper: an invitation waits wherever a worker could take something, and none where nothing is left."""

from __future__ import annotations

import pytest
from redis import Redis

from evaluator.errors import Cause
from evaluator.facts import ModelFacts
from leaderboard.fleet import Fleet, Gpu, Kind
from leaderboard.records import AmendmentKind, Failure, Lane, State
from leaderboard.submissions import keys
from leaderboard.submissions.estimate import Pace
from leaderboard.submissions.needs import Need, note_need
from leaderboard.submissions.order import read_order
from tests.builders import make_plan, make_submission
from tests.worker.fleet import announce, make_worker
from worker.invite import JOB, Owed, invite, job_seconds, queue, waiting
from worker.reaper import Reaper

FAILURE = Failure(cause=Cause.LOAD_ERROR, message="It does not load.", remedy="Mend it.")
BOTH, GENERATE, JUDGE = tuple(Lane), (Lane.GENERATE,), (Lane.JUDGE,)


@pytest.fixture
def reaper(redis: Redis) -> Reaper:
    """A reaper, with one worker of both lanes that has nothing to do."""
    announce(redis, make_worker())
    return Reaper(redis, longest_job=21_600)


def invited(redis: Redis, lanes=BOTH) -> list[str]:
    """The runs that workers of some lanes are invited to, in the order of the queue."""
    return [job.args[0] for job in queue(redis, kind_of(lanes)).jobs]


def kind_of(lanes) -> Kind:
    return make_worker(lanes=lanes).kind


def take_invitation(redis: Redis, lanes=BOTH) -> None:
    """What RQ does when a worker takes a job off the queue, or loses it."""
    assert redis.lpop(f"rq:queue:{kind_of(lanes).queue}")


def enter(ledger, number: int, submitter: str = "alice", **changes) -> str:
    """Enters a submission of one run and queues it; returns the run's id."""
    submission = make_submission(number, submitter=submitter, **changes)
    ledger.create(submission)
    (run_id,) = submission.run_ids()
    ledger.advance(run_id, State.QUEUED, submitter)
    return run_id


def test_an_invitation_is_an_rq_job_with_a_run_id_and_nothing_else(redis):
    invite(redis, "s-1.demo-v1", kind_of(JUDGE), seconds=60)
    (job,) = queue(redis, kind_of(JUDGE)).jobs
    assert (job.func_name, job.args, job.kwargs, job.timeout) == (JOB, ["s-1.demo-v1"], {}, 60)
    assert (job.result_ttl, job.failure_ttl) == (0, 24 * 3600)


def test_invitations_are_known_by_the_names_of_their_jobs(redis):
    for run_id in ("s-1.demo-v1", "s-2.demo-v1", "s-1.demo-v1"):
        invite(redis, run_id, kind_of(BOTH), 60)
    invite(redis, "s-3.other", kind_of(JUDGE), 60)
    assert waiting(redis, kind_of(BOTH), ["s-1.demo-v1", "s-3.other"]) == ["s-1.demo-v1", "s-1.demo-v1"]


@pytest.mark.parametrize(
    ("owed", "pace", "seconds"),
    [
        (None, None, 21_600),
        (None, Pace(0.5, 9.0, 2), 21_600),
        (Owed(1000, 50_000), None, 10_000 + 1800),
        (Owed(1000, 50_000), Pace(0.0, 0.0, 2), 10_000 + 1800),
        (Owed(1000, 10**7), None, 21_600),
        (Owed(10, 500), None, 3600),
        (Owed(1000, 50_000), Pace(0.5, 9.0, 2), 3 * 2000 + 1800),
        (Owed(10, 10**7), Pace(0.5, 9.0, 2), 3600),
        (Owed(1_000_000, 50_000), Pace(0.5, 9.0, 2), 21_600),
        (Owed(0, 0), None, 3600),
    ],
)
def test_the_time_limit_of_a_job_follows_from_what_is_left_and_the_pace(owed, pace, seconds):
    assert job_seconds(owed, pace, longest=21_600) == seconds
    assert job_seconds(owed, pace, longest=600) == 600


def test_the_time_limit_is_told_from_the_plan_before_anything_was_measured(redis, reaper, plan):
    reaper.step()
    (job,) = queue(redis, kind_of(BOTH)).jobs
    assert job.timeout == 3600, "a few answers of some dozen tokens take no six hours"


@pytest.mark.parametrize(("items", "seconds"), [(None, 21_600), (5, 3600), (10**6, 21_600)])
def test_the_time_limit_of_a_run_without_a_plan_is_told_from_what_others_were_asked(
    redis, reaper, run_id, items, seconds
):
    if items:
        note_need(redis, Need(protocol="demo-v1", data_sha="0", longest_characters=100, items=items))
    reaper.step()
    (job,) = queue(redis, kind_of(BOTH)).jobs
    assert job.timeout == seconds


def test_a_run_that_nobody_has_planned_is_invited_to(redis, reaper, run_id):
    assert reaper.step() == 1
    assert invited(redis) == [run_id]


def test_nobody_is_invited_where_nobody_listens(redis, run_id):
    assert Reaper(redis, 60).step() == 0


def test_reaping_again_sends_nothing_while_an_invitation_waits(reaper, plan):
    assert [reaper.step() for _ in range(3)] == [1, 0, 0]


def test_a_lost_invitation_is_replaced(redis, reaper, plan):
    reaper.step()
    take_invitation(redis)
    assert reaper.step() == 1
    assert invited(redis) == [plan.run_id]


def test_a_run_whose_tasks_are_all_held_needs_nobody(reaper, leases, plan):
    for worker in ("gpu-1", "gpu-2"):
        leases.claim(plan, worker)
    assert reaper.step() == 0


@pytest.mark.parametrize("state", [State.QUEUED, State.GENERATING, State.JUDGING])
def test_a_shard_whose_lease_was_lost_is_invited_to_again(redis, reaper, ledger, leases, plan, state):
    for step in (State.GENERATING, State.JUDGING)[: [State.QUEUED, State.GENERATING, State.JUDGING].index(state)]:
        assert ledger.advance(plan.run_id, step, "worker")
    held, _ = leases.claim(plan, "gpu-1"), leases.claim(plan, "gpu-2")
    redis.delete(keys.lease(*held.task))  # What an expiry leaves behind.
    assert reaper.step() == 1
    assert invited(redis) == [plan.run_id]


def test_a_run_whose_tasks_are_all_done_needs_nobody(reaper, plan, work):
    work()
    work()
    assert reaper.step() == 0


@pytest.mark.parametrize("end", [State.FAILED, State.CANCELLED])
def test_a_run_that_has_ended_is_not_invited_to(reaper, ledger, plan, end):
    ledger.move(plan.run_id, State.QUEUED, end, "someone", FAILURE if end is State.FAILED else None)
    assert ledger.active()
    assert reaper.step() == 0


def test_a_run_that_ends_is_noticed_although_its_submission_was_read_before(redis, reaper, ledger, plan):
    reaper.step()
    take_invitation(redis)
    ledger.move(plan.run_id, State.QUEUED, State.FAILED, "someone", FAILURE)
    assert reaper.step() == 0
    ledger.move(plan.run_id, State.FAILED, State.QUEUED, "alice")
    assert reaper.step() == 1


def test_what_was_read_before_redis_was_restored_is_read_again(redis, reaper, ledger, submission, run_id):
    reaper.step()
    take_invitation(redis)
    other = make_submission(submitter="bob")
    last = ledger.history(submission.id).events[-1]
    ended = last.model_copy(update={"after": State.CANCELLED, "failure": FAILURE, "actor": "bob"})
    redis.lset(keys.events(submission.id), -1, ended.model_dump_json())
    redis.set(keys.submission(submission.id), other.model_dump_json())
    assert reaper.step() == 1, "nothing says that its past has changed"
    take_invitation(redis)
    redis.set(keys.EPOCH, "restored:0")
    assert reaper.step() == 0


def test_a_run_that_was_entered_but_never_queued_is_queued_and_invited_to(reaper, ledger):
    submission = make_submission()
    ledger.create(submission)

    assert reaper.step() == 1

    (run_id,) = submission.run_ids()
    assert ledger.state(run_id) is State.QUEUED
    assert ledger.transitions(submission.id)[-1].actor == "reaper"


@pytest.mark.parametrize("state", [State.SCORING, State.PUBLISHING])
def test_a_run_that_lost_its_rows_with_redis_is_worked_on_again_however_far_it_was(reaper, ledger, run_id, state):
    """After a restore from the journal the state is there and the plan is not."""
    for step in (State.GENERATING, State.JUDGING, State.SCORING, State.PUBLISHING):
        if ledger.state(run_id) is not state:
            ledger.advance(run_id, step, "worker")
    assert ledger.state(run_id) is state
    assert reaper.step() == 1


def test_workers_of_a_lane_are_invited_to_what_they_can_take(redis, reaper, plan, do_task):
    announce(redis, make_worker("judge-1", JUDGE), make_worker("gpu-2", GENERATE))
    reaper.step()
    assert (invited(redis, GENERATE), invited(redis, JUDGE)) == ([plan.run_id], [])
    do_task(plan, Lane.GENERATE)
    reaper.step()
    assert invited(redis, JUDGE) == [plan.run_id]
    do_task(plan, Lane.GENERATE)
    take_invitation(redis, GENERATE)
    reaper.step()
    assert invited(redis, GENERATE) == [], "only the judge has something left to do"


def test_a_queue_holds_one_more_invitation_than_it_has_idle_workers(redis, ledger, reaper):
    runs = [enter(ledger, number, f"person-{number}") for number in range(6)]
    assert reaper.step() == 2
    announce(redis, make_worker("gpu-2"), make_worker("gpu-3", run_id=runs[0]))
    assert reaper.step() == 1
    assert invited(redis) == runs[:3]


def test_a_person_with_many_models_does_not_block_another(redis, ledger, reaper):
    many = [enter(ledger, number) for number in range(5)]
    one = enter(ledger, 9, "bob")
    reaper.step()
    assert invited(redis) == [many[0], one]


def test_the_next_invitation_goes_to_whoever_was_served_longest_ago(redis, ledger, reaper):
    many = [enter(ledger, number) for number in range(3)]
    reaper.step()
    for _ in range(2):
        take_invitation(redis)
    one = enter(ledger, 9, "bob")
    reaper.step()
    assert invited(redis) == [one, many[0]]


def test_maintainers_lift_pause_and_resume(redis, ledger, reaper):
    runs = [enter(ledger, number, f"person-{number}") for number in range(3)]

    def amend(run_id: str, kind: AmendmentKind) -> None:
        ledger.amend(ledger.history(run_id.split(".")[0]), kind, "maintainer", "For a reason.")

    amend(runs[0], AmendmentKind.PAUSED)
    amend(runs[2], AmendmentKind.LIFTED)
    reaper.step()
    assert invited(redis) == [runs[2], runs[1]]
    order = read_order(redis)
    assert order is not None
    assert [order.position(run_id) for run_id in runs] == [None, 2, 1]
    amend(runs[0], AmendmentKind.RESUMED)
    for _ in range(2):
        take_invitation(redis)
    reaper.step()
    assert invited(redis) == [runs[2], runs[0]], "of the two that were not lifted, one was served before"


def test_nobody_is_invited_during_a_pause_after_trouble(redis, reaper, plan):
    redis.set(keys.pause(plan.run_id), "infrastructure", px=600_000)
    assert reaper.step() == 0
    redis.delete(keys.pause(plan.run_id))
    assert reaper.step() == 1


def test_the_time_limit_is_told_from_what_the_run_was_seen_to_do(redis, reaper, plan):
    seconds, _ = redis.time()
    for ago, rows in ((100, 1), (50, 5)):
        redis.lpush(keys.marks(plan.run_id), f"{seconds - ago} {rows} 100")
    reaper.step()
    (job,) = queue(redis, kind_of(BOTH)).jobs
    assert job.timeout == 3600, "a few rows at this pace take no longer"


def test_a_submission_that_cannot_be_read_hinders_no_other(redis, ledger, reaper):
    broken, whole = enter(ledger, 1), enter(ledger, 2, "bob")
    redis.set(keys.submission(broken.split(".")[0]), "{}")
    reaper.step()
    assert invited(redis) == [whole]


def test_what_workers_are_busy_with_counts_before_they_have_a_lease(redis, ledger, reaper):
    runs = [enter(ledger, number) for number in range(2)] + [enter(ledger, 9, "bob")]
    announce(redis, make_worker(run_id=runs[0]))
    reaper.step()
    assert invited(redis) == [runs[2]]
    order = read_order(redis)
    assert order is not None
    assert (dict(order.working), order.position(runs[0]), order.position(runs[1])) == ({"alice": 1}, None, 2)


def test_looking_around_takes_as_many_round_trips_for_many_as_for_few(redis, ledger, reaper):
    for number in range(3):
        enter(ledger, number, f"person-{number}")
    reaper.step()
    before = _round_trips(redis, reaper)
    for number in range(3, 40):
        enter(ledger, number, f"person-{number}")
    reaper.step()
    assert _round_trips(redis, reaper) == before


def _round_trips(redis: Redis, reaper: Reaper) -> int:
    """How often the surveyor writes to the server when it looks around once."""
    sends = 0
    connection = redis.connection_pool.connection_class
    original = connection.send_packed_command

    def counting(self, *told, **named):
        nonlocal sends
        sends += 1
        return original(self, *told, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "send_packed_command", counting)
        reaper._surveyor.look()
    return sends


def test_a_worker_that_leaves_is_invited_no_more(redis, reaper, run_id):
    Fleet(redis).leave("gpu-1")
    assert reaper.step() == 0


def test_a_plan_that_is_longer_than_one_shard_is_seen_whole(redis, ledger, leases, reaper, run_id):
    plan = ledger.put_plan(make_plan(run_id, users=range(1, 13)))
    for number in range(11):
        assert leases.claim(plan, f"gpu-{number}")
    assert reaper.step() == 1
    assert leases.claim(plan, "gpu-11")
    take_invitation(redis)
    assert reaper.step() == 0


def test_a_run_whose_rows_the_store_alone_holds_is_for_nobody_until_they_are_back(redis, ledger, reaper, run_id):
    """It was generated from, it failed, its plan was dropped, and now it is taken up again."""
    ledger.advance(run_id, State.GENERATING, "worker")
    ledger.fail(run_id, "worker", FAILURE)
    ledger.advance(run_id, State.QUEUED, "alice")
    redis.sadd(keys.SHELVED, run_id)
    assert reaper.step() == 0
    ledger.put_plan(make_plan(run_id))
    redis.srem(keys.SHELVED, run_id)
    assert reaper.step() == 1


def test_large_models_wait_for_large_workers_and_their_page_can_tell(redis, ledger, reaper):
    seven_billion = ModelFacts(parameters=7 * 10**9)
    run_id = enter(ledger, 1, facts=seven_billion)
    assert reaper.step() == 0, "24 GB in float32"
    order = read_order(redis)
    assert order is not None
    (waits,) = order.waiting
    assert waits.lacks_room([kind_of(BOTH)])
    large = make_worker("gpu-2", gpus=(Gpu(name="card", memory_bytes=80 * 10**9),), dtype="auto")
    announce(redis, large)
    assert reaper.step() == 1
    assert [job.args[0] for job in queue(redis, large.kind).jobs] == [run_id]
    assert not waits.lacks_room([kind_of(BOTH), large.kind])


def test_the_longest_prompt_counts_as_soon_as_it_was_measured(redis, ledger, reaper):
    hungry = ModelFacts(parameters=10**8, kv_bytes_per_token=10**6)
    enter(ledger, 1, facts=hungry)
    note_need(redis, Need(protocol="demo-v1", data_sha="0", longest_characters=60_000, items=24))
    assert reaper.step() == 0, "some 10,000 tokens of a megabyte, twice as much in float32, and a cache of one GiB"
    note_need(redis, Need(protocol="demo-v1", data_sha="0", longest_characters=600, items=24))
    assert reaper.step() == 1


def test_a_note_of_another_version_keeps_nobody_waiting(redis, ledger, reaper, caplog):
    enter(ledger, 1, facts=ModelFacts(parameters=10**8, kv_bytes_per_token=10**6))
    redis.set(keys.need("demo-v1"), "{}")
    assert reaper.step() == 1
    assert "need of demo-v1" in caplog.text


def test_the_order_tells_how_large_each_model_is(redis, ledger, reaper):
    enter(ledger, 1, facts=ModelFacts(parameters=64))
    enter(ledger, 2)
    reaper.step()
    assert [run.parameters for run in read_order(redis).waiting] == [64, None]
