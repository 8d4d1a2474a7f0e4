"""What a worker does when it is invited to a run: shard after shard, under a lease, until none is free.

A job never decides that a run has succeeded. It hands rows over; the publisher counts them.
"""

from __future__ import annotations

import logging

from evaluator.errors import Cause, RapportError
from leaderboard.connection import connect
from leaderboard.records import Failure, State, submission_of
from leaderboard.settings import Settings
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.states import ENDED
from worker.engines import EnginePool
from worker.lease import Heartbeat, Leases, StaleLease
from worker.planning import OutdatedPlan, check_unchanged, make_plan, prepare
from worker.shard import Work, run_shard, worker_name

log = logging.getLogger("rapport.worker")


def evaluate(run_id: str) -> None:
    """Works on a run until none of its shards is free; the one job that workers accept.

    A failure with a typed cause ends the run with that cause; anything else ends it as `infrastructure`. What was
    handed over by then stays and is not asked again when the run is taken up.
    """
    settings = Settings()
    redis = connect(settings.redis_url)
    ledger = Ledger(redis)
    if ledger.state(run_id) in ENDED:
        return
    try:
        _work(run_id, settings, ledger, Leases(redis, settings.lease_seconds))
    except StaleLease as error:
        log.warning("%s; another worker has taken over", error)
    except OutdatedPlan as error:
        ledger.fail(run_id, worker_name(), Failure(cause=error.cause, message=error.message, remedy=error.remedy))
        ledger.forget_fingerprints(ledger.submission(submission_of(run_id)))
    except RapportError as error:
        log.error("%s failed: %s", run_id, error)
        ledger.fail(run_id, worker_name(), Failure(cause=error.cause, message=error.message, remedy=error.remedy))
    except Exception as error:
        # The last line of defence: the run must not hang, whatever went wrong; the traceback goes to the worker's log.
        ledger.fail(run_id, worker_name(), _unexpected(error))
        raise


def _unexpected(error: Exception) -> Failure:
    """Says that the failure is ours, without showing its insides."""
    return Failure(
        cause=Cause.INFRASTRUCTURE,
        message=f"The worker met an unexpected error ({type(error).__name__}).",
        remedy="This is our fault: submit the model again, finished items are kept; the worker's log has the details.",
    )


def _work(run_id: str, settings: Settings, ledger: Ledger, leases: Leases) -> None:
    """Plans the run if nobody has, then takes shard after shard."""
    setup = prepare(ledger.submission(submission_of(run_id)), run_id, settings.data_set, settings.models)
    plan = ledger.plan(run_id) or ledger.put_plan(make_plan(run_id, setup))
    check_unchanged(plan, setup)
    with EnginePool(settings.data / "logs") as pool:
        work = Work(setup, plan, settings, ledger, pool)
        # A run that has ended meanwhile, by a failure elsewhere or because someone stopped it, is left alone.
        while ledger.state(run_id) not in ENDED and (lease := leases.claim(plan, worker_name())):
            ledger.advance(run_id, State.GENERATING, worker_name())
            with Heartbeat(leases, lease, settings.lease_seconds / 3):
                try:
                    run_shard(work, leases, lease)
                finally:
                    leases.release(lease)
