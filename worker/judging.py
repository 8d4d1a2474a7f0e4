"""What a worker does when it is invited to a re-score: one judge, loaded once, and run after run under leases."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from redis import Redis
from redis.exceptions import RedisError
from rq.timeouts import JobTimeoutException

from evaluator.errors import Cause, RapportError
from evaluator.protocol import load_protocol
from evaluator.suites import RunSetup
from leaderboard.fleet import Fleet
from leaderboard.records import Failure, Lane, Plan, protocol_of, submission_of
from leaderboard.rescoring.desk import RescoreDesk
from leaderboard.rescoring.judges import judge_of
from leaderboard.rescoring.records import SUBMITTER, Rescore, RescoreStatus, RescoreStep, judged_run_of
from leaderboard.settings import Settings
from leaderboard.submissions import keys
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.order import read_order
from worker.announce import name_of
from worker.engines import Endpoints, JudgeFailed, RunEngines, judge_endpoint
from worker.lease import GrantsExhausted, Lease, Leases, StaleLease
from worker.outbox import Outbox
from worker.planning import Conditions, candidate_of, check_unchanged, data_set_of, make_setup
from worker.scheduler import gives_way
from worker.shard import Work, ask_shard, worker_name
from worker.watch import Watch, held, last_lines

log = logging.getLogger("rapport.worker")

LINGER_SECONDS = 30.0
"""So long a loaded judge waits for the next run to be laid out, unless somebody else waits for the worker."""
_LOOK_SECONDS = 0.5
FIRST_PAUSE_SECONDS = 5.0
MOST_RETRIES = 3
_KEPT_SECONDS = 24 * 3600


class _Rejudging(NamedTuple):
    """One invitation being followed."""

    rescore: Rescore
    settings: Settings
    redis: Redis
    desk: RescoreDesk
    leases: Leases
    watch: Watch

    @property
    def wanted(self) -> bool:
        """Whether the rest is still to be done."""
        found = self.desk.find(self.rescore.id)
        return found is not None and found.status is RescoreStatus.RUNNING


class _Judging(NamedTuple):
    """A run that is laid out, with everything that its judge needs."""

    plan: Plan
    setup: RunSetup


def rejudge(rescore_id: str, settings: Settings, redis: Redis) -> None:
    """Judges for a re-score until nothing of it is free.

    The judge is loaded once, however many runs it judges. Where it fails, the re-score is tried again a few times and
    then paused with that cause, since every other run would fail likewise; where a run cannot be judged, that run alone
    fails.
    """
    desk, leases = RescoreDesk(redis), Leases(redis, settings.lease_seconds)
    if (rescore := desk.find(rescore_id)) is None:
        log.warning("nothing is known of %s; if Redis has lost it, it will be restored and taken up", rescore_id)
        return
    engine_log = settings.data / "logs" / rescore.work_id

    def discarded() -> bool:
        found = desk.find(rescore_id)
        return found is not None and found.status is RescoreStatus.DISCARDED

    watch = Watch(redis, leases, rescore.work_id, engine_log, unwanted=discarded)
    job = _Rejudging(rescore, settings, redis, desk, leases, watch)
    try:
        with watch:
            _work(job, engine_log)
    except RapportError as error:
        if not watch.called_off:
            _hold_up(job, error, engine_log)
    except JobTimeoutException:
        log.warning("work on %s reached its time limit and will be taken up again", rescore_id)
    except RedisError as error:
        log.warning("work on %s was cut off by %s and will be taken up again", rescore_id, type(error).__name__)
    except Exception as error:
        # The last line of defence: else it would be taken up for ever, and fail for ever.
        message = f"The worker met an unexpected error ({type(error).__name__})."
        _hold_up(job, RapportError(Cause.INFRASTRUCTURE, message, "See the worker's log, then resume it."), engine_log)
        raise


def _work(job: _Rejudging, engine_log: Path) -> None:
    """Takes task after task, whichever run it is of."""
    outbox, ledger, engines = Outbox(job.redis), Ledger(job.redis), None
    with contextlib.ExitStack() as stack:
        for judging in _judgings(job, ledger):
            if engines is None:
                endpoints = Endpoints(judge=judge_endpoint(job.settings, judging.setup.judge))
                loaded = RunEngines(judging.setup, job.settings, engine_log, endpoints, (Lane.JUDGE,))
                engines = stack.enter_context(loaded)
            work = Work(judging.setup, judging.plan, job.settings, job.redis, ledger, engines, outbox)
            for lease in _leases(job, judging.plan):
                _judge(work, job, lease)


def _judge(work: Work, job: _Rejudging, lease: Lease) -> None:
    """Judges the answers of a shard, unless another worker has taken that over."""
    try:
        with held(job.watch, job.leases, lease):
            ask_shard(work, job.leases, lease)
    except StaleLease as error:
        log.warning("%s; another worker has taken over", error)
    else:
        job.redis.delete(keys.trouble(job.rescore.work_id))


def _judgings(job: _Rejudging, ledger: Ledger) -> Iterator[_Judging]:
    """Yields judgings with something free, as long as there are any, the re-score goes on and nobody else waits."""
    begun, setups = time.monotonic(), dict[tuple[str, str], RunSetup]()
    worked_at = begun
    while job.wanted:
        plan = next(_with_free_tasks(job, ledger), None)
        turn_is_over = time.monotonic() - begun >= job.settings.turn_seconds
        if (turn_is_over or plan is None) and _gives_way(job.redis, job.settings):
            log.info("%s gives way to submissions", job.rescore.id)
            return
        if plan is None:
            if time.monotonic() - worked_at >= LINGER_SECONDS:
                return
            time.sleep(_LOOK_SECONDS)
            continue
        run_id = judged_run_of(plan.run_id)
        name = protocol_of(run_id), plan.data_sha
        try:
            if name not in setups:
                setups[name] = _setup(run_id, plan, job, ledger)
            check_unchanged(plan, setups[name])
        except RapportError as error:
            if error.cause is Cause.JUDGE_ERROR:
                raise  # Every other run would fail likewise.
            _give_up(job, plan, error)
            continue
        yield _Judging(plan, setups[name])
        worked_at = time.monotonic()


def _with_free_tasks(job: _Rejudging, ledger: Ledger) -> Iterator[Plan]:
    """Yields the plans of open judgings of which something is free."""
    for name in job.desk.judgings(job.rescore.id):
        plan = ledger.plan(name)
        if plan is not None and job.leases.free_tasks(plan, (Lane.JUDGE,)):
            yield plan


def _leases(job: _Rejudging, plan: Plan) -> Iterator[Lease]:
    """Yields leases on what is free of one judging, until nothing is or the re-score does not go on."""
    while job.wanted:
        try:
            lease = job.leases.claim(plan, worker_name(), (Lane.JUDGE,))
        except GrantsExhausted as error:
            _give_up(job, plan, error)
            return
        if lease is None:
            return
        yield lease


def _setup(run_id: str, plan: Plan, job: _Rejudging, ledger: Ledger) -> RunSetup:
    """Opens what the judge needs to read a run's answers.

    Raises:
        RapportError: As of `planning.prepare`.
    """
    protocol, judge = load_protocol(protocol_of(run_id)), judge_of(job.rescore, job.settings.judges)
    submission = ledger.history(submission_of(run_id)).corrected
    conditions = Conditions(protocol, judge, judge.prompt_pack, data_set_of(protocol, job.settings))
    return make_setup(candidate_of(submission), conditions, job.settings, plan)


def _gives_way(redis: Redis, settings: Settings) -> bool:
    """Says whether this worker is to leave the re-score to a submission that has waited longer."""
    alive, name = Fleet(redis).alive(), name_of(os.getppid())
    own = next((worker.kind for worker in alive if worker.name == name), None)
    return own is not None and gives_way(SUBMITTER, own, read_order(redis), alive)


def _give_up(job: _Rejudging, plan: Plan, error: RapportError) -> None:
    """Notes that a run cannot be judged; the publisher closes what is open of it."""
    failure = Failure(cause=error.cause, message=error.message, remedy=error.remedy)
    log.error("%s cannot be judged: %s", plan.run_id, error)
    job.desk.note(
        job.rescore.id, RescoreStep.RUN_FAILED, worker_name(), run_id=judged_run_of(plan.run_id), failure=failure
    )
    job.desk.close([plan.run_id], job.rescore.id)


def _hold_up(job: _Rejudging, error: RapportError, engine_log: Path) -> None:
    """Has the re-score tried again after a pause, or holds it up until a maintainer resumes it."""
    name, work_id = job.rescore.id, job.rescore.work_id
    times = int(job.redis.incr(keys.trouble(work_id)))
    job.redis.pexpire(keys.trouble(work_id), 1000 * _KEPT_SECONDS)
    cause = error.of if isinstance(error, JudgeFailed) else error.cause
    if cause.passes and times <= MOST_RETRIES:
        pause = FIRST_PAUSE_SECONDS * 2 ** (times - 1)
        job.redis.set(keys.pause(work_id), error.cause, px=int(1000 * pause))
        log.warning("%s: %s; tried again in %.0f s", name, error, pause)
        return
    job.redis.delete(keys.trouble(work_id))
    said = last_lines(engine_log)
    failure = Failure(cause=error.cause, message=error.message, remedy=error.remedy, log=said)
    log.error("%s is paused: %s", name, error)
    try:
        job.desk.note(name, RescoreStep.PAUSED, worker_name(), "The judge failed.", failure=failure)
    except RapportError as moved:  # It was decided otherwise meanwhile, or Redis has lost it.
        log.info("%s", moved)
