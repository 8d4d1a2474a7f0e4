"""What a worker does when it is invited to a run: task after task, under a lease, until none is free.

A job never decides that a run has succeeded. It hands rows over; the publisher counts them. And it ends a run only
where trying again cannot help: failures of ours are tried again, by the next worker that the reaper invites.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from redis import Redis
from redis.exceptions import RedisError
from rq.timeouts import JobTimeoutException

from evaluator.errors import Cause, RapportError
from leaderboard.connection import connect
from leaderboard.records import Failure, Lane, Plan, protocol_of, submission_of
from leaderboard.rescoring.promotions import told_promotions
from leaderboard.rescoring.records import is_of_rescore, rescore_of
from leaderboard.settings import Settings
from leaderboard.submissions.history import is_paused
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.states import ENDED, IN_WORK
from worker.engines import Endpoints, RunEngines, judge_endpoint
from worker.judging import rejudge
from worker.lease import GrantsExhausted, Lease, Leases, StaleLease
from worker.needs import note_what_is_needed
from worker.outbox import Outbox
from worker.planning import OutdatedPlan, check_unchanged, make_plan, prepare
from worker.rooms import Rooms, wants_memory
from worker.shard import Work, mark_progress, run_task, worker_name
from worker.troubles import Troubles, last_word
from worker.watch import Watch, held, last_lines

log = logging.getLogger("rapport.worker")


class TaskFailed(RapportError):
    """Work on a task has failed, and not what comes before it."""

    def __init__(self, lane: Lane, why: RapportError) -> None:
        """Keeps in which lane that was, and why."""
        super().__init__(why.cause, why.message, why.remedy)
        self.lane, self.why = lane, why


class _Job(NamedTuple):
    """One invitation being followed."""

    run_id: str
    settings: Settings
    redis: Redis
    ledger: Ledger
    leases: Leases
    watch: Watch

    @property
    def engine_log(self) -> Path:
        """What the names of its engines' logs begin with."""
        return _engine_log(self.settings, self.run_id)


def evaluate(run_id: str) -> None:
    """Works on a run, or on a re-score, until nothing of it is free; the one job that workers accept."""
    settings = Settings()
    redis = connect(settings.redis_url)
    if is_of_rescore(run_id):
        rejudge(rescore_of(run_id), settings, redis)
    else:
        _evaluate(run_id, settings, redis)


def _evaluate(run_id: str, settings: Settings, redis: Redis) -> None:
    """Works on a run.

    A failure of the model, the data or the judge ends the run with its typed cause. What was handed over by then stays
    and is not asked again when the run is taken up.
    """
    leases = Leases(redis, settings.lease_seconds)
    watch = Watch(redis, leases, run_id, _engine_log(settings, run_id))
    job = _Job(run_id, settings, redis, Ledger(redis), leases, watch)
    before = _rows(job)
    try:
        with watch:
            _work(job)
    except StaleLease as error:
        log.warning("%s; another worker has taken over", error)
    except RapportError as error:
        _end(job, error)
    except JobTimeoutException:
        if _rows(job) == before:
            _end(job, _nothing_came())
        log.warning("work on %s reached its time limit and will be taken up again", run_id)
    except RedisError as error:
        # Nothing is lost: the lease runs out or was given back, and the reaper invites again.
        log.warning("work on %s was cut off by %s and will be taken up again", run_id, type(error).__name__)
    except Exception as error:
        if isinstance(error, KeyError) and error.args[0] in (run_id, submission_of(run_id)):
            log.warning("the ledger does not know %s; if Redis has lost it, it will be restored and taken up", run_id)
            return
        # The last line of defence: the run must not hang, whatever went wrong; the traceback goes to the worker's log.
        _fail(job, _unexpected(error))
        raise


def _rows(job: _Job) -> int:
    """Returns how many rows of the run were handed over."""
    progress = job.ledger.progress(job.run_id)
    return progress.generations + progress.verdicts


def _end(job: _Job, error: RapportError) -> None:
    """Ends a run with a failure, unless it may be tried again, or the failure is only that the job was called off."""
    if job.watch.called_off:
        log.info("%s was called off", job.run_id)
        return
    final = isinstance(error, (GrantsExhausted, OutdatedPlan))
    lane, why = (error.lane, error.why) if isinstance(error, TaskFailed) else (None, error)
    if final or not _tried_again(job, why, lane):
        _fail(job, last_word(why, answered=job.ledger.progress(job.run_id).generations > 0))
    if isinstance(error, OutdatedPlan):
        job.ledger.forget_fingerprints(job.ledger.submission(submission_of(job.run_id)), [protocol_of(job.run_id)])


def _tried_again(job: _Job, error: RapportError, lane: Lane | None) -> bool:
    """Sees to it that the run is tried again, on a larger worker or after a pause; says whether it is."""
    troubles = Troubles(job.redis, worker_name())
    if lane is not None and wants_memory(error) and (larger := _rooms(job).left_to_larger(lane)):
        troubles.note(job.run_id, error, 1, 1 + larger)
        return True
    return troubles.may_try_again(job.run_id, error)


def _rooms(job: _Job) -> Rooms:
    """Returns who knows where there is room for the run."""
    return Rooms(job.redis, job.run_id, job.ledger.submission(submission_of(job.run_id)), job.settings.lanes)


def _fail(job: _Job, error: RapportError) -> None:
    """Ends a run with its cause and its engine's last words, if it is still in the hands of workers."""
    log.error("%s failed: %s", job.run_id, error)
    said = last_lines(job.engine_log)
    failure = Failure(cause=error.cause, message=error.message, remedy=error.remedy, log=said)
    job.ledger.fail(job.run_id, worker_name(), failure, among=IN_WORK)


def _engine_log(settings: Settings, run_id: str) -> Path:
    """Returns what the names of the logs of a run's engines begin with."""
    return settings.data / "logs" / run_id


def _nothing_came() -> RapportError:
    """Says that a whole job passed without a single row."""
    return RapportError(
        Cause.TIMEOUT,
        "No answer came within the time limit of a job.",
        "Check that the model is not too large for the workers; finished items are kept.",
    )


def _unexpected(error: Exception) -> RapportError:
    """Says that the failure is ours, without showing its insides."""
    return RapportError(
        Cause.INFRASTRUCTURE,
        f"The worker met an unexpected error ({type(error).__name__}).",
        "This is our fault: retry it, finished items are kept; the worker's log has the details.",
    )


def _work(job: _Job) -> None:
    """Plans the run if nobody has, then takes task after task."""
    run_id, settings = job.run_id, job.settings
    plan = job.ledger.plan(run_id)
    if job.ledger.state(run_id) in ENDED:
        return  # A late invitation: there is nothing to do, so nothing must go wrong either.
    lanes = _rooms(job).lanes()
    if not lanes or (plan and not job.leases.free_tasks(plan, lanes)):
        return  # The same.
    submission = job.ledger.history(submission_of(run_id)).corrected
    setup = prepare(submission, run_id, settings, plan, told_promotions(job.redis))
    plan = plan or job.ledger.put_plan(make_plan(run_id, setup))
    check_unchanged(plan, setup)
    note_what_is_needed(job.redis, setup, plan)
    endpoints = Endpoints(judge=judge_endpoint(settings, setup.judge))
    with RunEngines(setup, settings, job.engine_log, endpoints, lanes) as engines:
        work = Work(setup, plan, settings, job.redis, job.ledger, engines, Outbox(job.redis))
        for lease in _leases(job, plan, lanes):
            with held(job.watch, job.leases, lease):
                mark_progress(work)
                try:
                    run_task(work, job.leases, lease)
                except RapportError as error:
                    raise TaskFailed(lease.lane, error) from error


def _leases(job: _Job, plan: Plan, lanes: Collection[Lane]) -> Iterator[Lease]:
    """Yields leases on what is free, until nothing is, the run is paused, or others have waited long enough."""
    begun = time.monotonic()
    submission = job.ledger.submission(submission_of(job.run_id))
    while not is_paused(job.ledger.history(submission.id).events):
        if time.monotonic() - begun >= job.settings.turn_seconds and _rooms(job).gives_way():
            log.info("%s gives way to others' runs", job.run_id)
            return
        lease = job.leases.claim(plan, worker_name(), lanes)
        if lease is None:
            return
        yield lease
