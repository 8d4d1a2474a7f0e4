"""What a worker does when it is invited to a run: shard after shard, under a lease, until none is free.

A job never decides that a run has succeeded. It hands rows over; the publisher counts them. And it ends a run only
where trying again cannot help: failures of ours are tried again, by the next worker that the reaper invites.
"""

from __future__ import annotations

import logging

from redis import Redis
from redis.exceptions import RedisError
from rq.timeouts import JobTimeoutException

from evaluator.errors import Cause, RapportError
from leaderboard.connection import connect
from leaderboard.records import Failure, State, submission_of
from leaderboard.settings import Settings
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.states import ENDED, IN_WORK
from worker.engines import Endpoints, RunEngines, judge_endpoint
from worker.lease import GrantsExhausted, Heartbeat, Lease, Leases, StaleLease
from worker.outbox import Outbox
from worker.planning import OutdatedPlan, check_unchanged, make_plan, prepare
from worker.shard import Work, run_shard, worker_name
from worker.troubles import Troubles

log = logging.getLogger("rapport.worker")


def evaluate(run_id: str) -> None:
    """Works on a run until none of its shards is free; the one job that workers accept.

    A failure of the model, the data or the judge ends the run with its typed cause. What was handed over by then stays
    and is not asked again when the run is taken up.
    """
    settings = Settings()
    redis = connect(settings.redis_url)
    ledger = Ledger(redis)
    try:
        _work(run_id, settings, redis, ledger)
    except StaleLease as error:
        log.warning("%s; another worker has taken over", error)
    except OutdatedPlan as error:
        _fail(ledger, run_id, error)
        ledger.forget_fingerprints(ledger.submission(submission_of(run_id)))
    except RapportError as error:
        exhausted = isinstance(error, GrantsExhausted)
        if exhausted or not Troubles(redis).may_try_again(run_id, error):
            _fail(ledger, run_id, error)
    except (RedisError, JobTimeoutException) as error:
        # Nothing is lost: the lease runs out or was given back, and the reaper invites again.
        log.warning("work on %s was cut off by %s and will be taken up again", run_id, type(error).__name__)
    except Exception as error:
        # The last line of defence: the run must not hang, whatever went wrong; the traceback goes to the worker's log.
        _fail(ledger, run_id, _unexpected(error))
        raise


def _fail(ledger: Ledger, run_id: str, error: RapportError) -> None:
    """Ends a run with its cause, if it is still in the hands of workers."""
    log.error("%s failed: %s", run_id, error)
    failure = Failure(cause=error.cause, message=error.message, remedy=error.remedy)
    ledger.fail(run_id, worker_name(), failure, among=IN_WORK)


def _unexpected(error: Exception) -> RapportError:
    """Says that the failure is ours, without showing its insides."""
    return RapportError(
        Cause.INFRASTRUCTURE,
        f"The worker met an unexpected error ({type(error).__name__}).",
        "This is our fault: submit the model again, finished items are kept; the worker's log has the details.",
    )


def _work(run_id: str, settings: Settings, redis: Redis, ledger: Ledger) -> None:
    """Plans the run if nobody has, then takes shard after shard."""
    leases = Leases(redis, settings.lease_seconds)
    plan = ledger.plan(run_id)
    if ledger.state(run_id) in ENDED or (plan and not leases.free_shards(plan)):
        return  # A late invitation: there is nothing to do, so nothing must go wrong either.
    setup = prepare(ledger.submission(submission_of(run_id)), run_id, settings, plan)
    plan = plan or ledger.put_plan(make_plan(run_id, setup))
    check_unchanged(plan, setup)
    endpoints = Endpoints(judge=judge_endpoint(settings, setup.judge))
    with RunEngines(setup, settings, settings.data / "logs" / run_id, endpoints) as engines:
        work = Work(setup, plan, settings, ledger, engines, Outbox(redis))
        while lease := leases.claim(plan, worker_name()):
            ledger.advance(run_id, State.GENERATING, worker_name())
            _take(work, leases, lease)


def _take(work: Work, leases: Leases, lease: Lease) -> None:
    """Runs one shard under its lease and gives it back, whatever happened.

    A grant counts as one that came to nothing only if the worker is lost with it, or Redis is.
    """
    forgive = True
    try:
        with Heartbeat(leases, lease, work.settings.lease_seconds / 3):
            run_shard(work, leases, lease)
    except RedisError:
        forgive = False
        raise
    finally:
        leases.release(lease, forgive=forgive)
