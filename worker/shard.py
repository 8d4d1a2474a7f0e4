"""Runs one task: the answers of a shard's users, or the verdicts on them; reports what it cost."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple

from redis import Redis

from evaluator.ask import StageClock, ask_answers, ask_verdicts
from evaluator.engines.base import EngineInfo, process_peak_rss_mb
from evaluator.hicupid.selection import UserItems
from evaluator.human.items import HumanItem
from evaluator.human.judged.asking import ask_written_verdicts
from evaluator.human.people import INFO as PEOPLE_INFO
from evaluator.human.people import People
from evaluator.human.setup import HumanSetup
from evaluator.setup import AnyItem, users_of
from evaluator.suites import RunSetup
from leaderboard.records import Lane, Plan, ShardReport, State, protocol_of, submission_of
from leaderboard.settings import Settings
from leaderboard.submissions.estimate import Cost
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.measures import REHEARSAL, is_rehearsal, note_cost, note_rehearsal, read_worker_seconds
from worker.announce import name_of
from worker.engines import RunEngines
from worker.handover import Handover
from worker.lease import Lease, Leases
from worker.outbox import Outbox
from worker.tasks import finished


def worker_name() -> str:
    """Returns the name by which this process holds leases."""
    return name_of(os.getpid())


class Work(NamedTuple):
    """What stays the same from task to task of one job."""

    setup: RunSetup
    plan: Plan
    settings: Settings
    redis: Redis
    ledger: Ledger
    engines: RunEngines
    outbox: Outbox


def run_task(work: Work, leases: Leases, lease: Lease) -> None:
    """Asks the model or the judge about the users of a shard of a run, which is moved on.

    Raises:
        RapportError: As of `ask_shard`.
        StaleLease: Likewise.
    """
    if ask_shard(work, leases, lease).engine == REHEARSAL:
        note_rehearsal(work.redis, work.plan.run_id)
    mark_progress(work)
    _note_cost(work)


def ask_shard(work: Work, leases: Leases, lease: Lease) -> ShardReport:
    """Asks the model or the judge about the users of a shard; what is known already is not asked again.

    Returns:
        The report that closes the shard, which was handed over.

    Raises:
        RapportError: With a typed cause, if an engine cannot be loaded or is gone, or the data set is broken.
        StaleLease: If another worker has taken the task over.
    """
    shard = next(shard for shard in work.plan.shards if shard.id == lease.shard_id)
    users = {UserItems(*pair) for pair in shard.users}
    items = [item for item in work.plan.items if UserItems(item.split, item.user_id) in users]
    handover = Handover(leases, lease, work.outbox, {item.question_id: len(item.orders) for item in items})
    run = _answer if lease.lane is Lane.GENERATE else _judge
    report = run(work, items, handover)
    handover.finish(report)
    return report


def _answer(work: Work, items: list[AnyItem], sink: Handover) -> ShardReport:
    """Asks the model."""
    clock = StageClock()
    with clock.stage("load"):
        source = work.engines.source()
    for _ in ask_answers(items, source, sink.known_rows(), sink, clock):
        pass
    context = next((source.key(item.question_id).context for item in items), ())
    return make_report(Lane.GENERATE, source.info, work.engines, clock.stages(), work.plan, context)


def _judge(work: Work, items: list[AnyItem], sink: Handover) -> ShardReport:
    """Asks the judge about the answers that were handed over, whichever worker had them."""
    setup, clock = work.setup, StageClock()
    if isinstance(setup.judge, People):
        return make_report(Lane.JUDGE, PEOPLE_INFO, work.engines, clock.stages(), work.plan)
    with clock.stage("load"):
        engine, encoder = work.engines.judge(), work.engines.encoder()
    known = sink.known_rows()
    with work.engines.as_judge():
        answers = known.generations.values()
        if isinstance(setup, HumanSetup):
            asked = [item for item in items if isinstance(item, HumanItem)]
            ask_written_verdicts(setup, asked, answers, engine, known.verdicts, sink, clock, encoder)
        else:
            ask_verdicts(setup, users_of(items), answers, engine, known.verdicts, sink, clock)
    return make_report(Lane.JUDGE, engine.info, work.engines, clock.stages(), work.plan)


def mark_progress(work: Work) -> None:
    """Moves the run on to the state that its tasks are in."""
    run_id, ledger = work.plan.run_id, work.ledger
    ledger.advance(run_id, State.GENERATING, worker_name())
    if finished(work.redis, work.plan, [Lane.GENERATE]):
        ledger.advance(run_id, State.JUDGING, worker_name())


def _note_cost(work: Work) -> None:
    """Keeps what the run took, once it is all done.

    A reference takes next to nothing, and a rehearsal as long as it was told to: neither tells of any model.
    """
    plan = work.plan
    if work.setup.model.is_reference or not finished(work.redis, plan) or is_rehearsal(work.redis, plan.run_id):
        return
    facts = work.ledger.submission(submission_of(plan.run_id)).facts
    cost = Cost(
        run_id=plan.run_id,
        items=len(plan.items),
        seconds=read_worker_seconds(work.redis, plan.run_id),
        parameters=facts.parameters if facts else None,
    )
    note_cost(work.redis, protocol_of(plan.run_id), cost)


def make_report(
    lane: Lane,
    info: EngineInfo,
    engines: RunEngines,
    stages: Iterable[tuple[str, float]],
    plan: Plan,
    context: tuple[tuple[str, str], ...] = (),
) -> ShardReport:
    """Says what some work in a lane cost and what it ran on.

    Args:
        lane: The lane.
        info: Its engine: the model's or the judge's.
        engines: All that were loaded.
        stages: What each took, in seconds.
        plan: The run's.
        context: What decided the contexts besides the protocol.
    """
    return ShardReport(
        lane=lane,
        worker=worker_name(),
        engine=info.engine,
        engine_version=info.version,
        engine_flags=info.flags,
        dtype=info.dtype,
        hardware=info.hardware,
        context=context,
        stage_seconds=tuple(stages),
        peak_rss_mb=round(max(engines.peak_rss_mb(), process_peak_rss_mb()), 1),
        terms=plan.terms,
    )
