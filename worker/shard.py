"""Runs one shard: loads the engines if they are not there yet, asks the model, asks the judge, reports the cost."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from evaluator.ask import KnownRows, StageClock, ask_users
from evaluator.engines.base import process_peak_rss_mb
from evaluator.hicupid.selection import UserItems
from evaluator.records import Generation, Verdict
from evaluator.setup import RunSetup
from leaderboard.records import Plan, ShardReport, State
from leaderboard.settings import Settings
from leaderboard.submissions.ledger import Ledger
from worker.engines import RunEngines
from worker.handover import Handover
from worker.lease import Lease, Leases
from worker.outbox import Outbox


def worker_name() -> str:
    """Returns the name by which this process holds leases."""
    return f"{socket.gethostname()}-{os.getpid()}"


class Work(NamedTuple):
    """What stays the same from shard to shard of one job."""

    setup: RunSetup
    plan: Plan
    settings: Settings
    ledger: Ledger
    engines: RunEngines
    outbox: Outbox


class LeasedRows(NamedTuple):
    """Rows under a lease; moves the run on once every item has its answer, whoever asked it."""

    work: Work
    handover: Handover
    orders: Mapping[str, int]
    """In how many slot orders each question's answer is judged."""

    def known_rows(self) -> KnownRows:
        """See `RowSink.known_rows`."""
        return self.handover.known_rows()

    def generations(self, rows: Iterable[Generation]) -> list[Generation]:
        """See `RowSink.generations`."""
        taken = self.handover.generations(rows)
        plan, ledger = self.work.plan, self.work.ledger
        if unjudged := sum(self.orders[row.key.question_id] for row in taken if row.answer is None or row.defect):
            ledger.want_fewer(plan.run_id, unjudged)
        if ledger.progress(plan.run_id).generations >= len(plan.items):
            ledger.advance(plan.run_id, State.JUDGING, worker_name())
        return taken

    def verdicts(self, rows: Iterable[Verdict]) -> None:
        """See `RowSink.verdicts`."""
        self.handover.verdicts(rows)


def run_shard(work: Work, leases: Leases, lease: Lease) -> None:
    """Asks and judges the users of a shard; what is known already is not asked again.

    Raises:
        RapportError: With a typed cause, if an engine cannot be loaded or is gone, or the data set is broken.
        StaleLease: If another worker has taken the shard over.
    """
    clock, handover = StageClock(), Handover(leases, lease, work.outbox)
    shard = next(shard for shard in work.plan.shards if shard.id == lease.shard_id)
    users = {UserItems(*pair) for pair in shard.users}
    items = [item for item in work.plan.items if UserItems(item.split, item.user_id) in users]
    with clock.stage("load"):
        engines = work.engines.get()
    sink = LeasedRows(work, handover, {item.question_id: len(item.orders) for item in items})
    ask_users(work.setup, items, engines.source, engines.judge, sink, clock)
    handover.finish(make_report(work.engines, clock, work.plan))


def make_report(engines: RunEngines, clock: StageClock, plan: Plan) -> ShardReport:
    """Says what some work cost and what it ran on."""
    source, judge = engines.get()
    info = source.info
    return ShardReport(
        worker=worker_name(),
        engine=info.engine,
        engine_version=info.version,
        engine_flags=info.flags,
        dtype=info.dtype,
        hardware=info.hardware,
        judge_engine=judge.info.engine,
        judge_engine_version=judge.info.version,
        judge_dtype=judge.info.dtype,
        judge_hardware=judge.info.hardware,
        context=next((source.key(item.question_id).context for item in plan.items), ()),
        stage_seconds=clock.stages(),
        peak_rss_mb=round(max(engines.peak_rss_mb(), process_peak_rss_mb()), 1),
        terms=plan.terms,
    )
