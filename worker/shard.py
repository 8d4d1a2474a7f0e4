"""Runs one shard: loads the engines if they are not there yet, asks the model, asks the judge, reports the cost."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from evaluator.engines.base import Engine, EngineSpec, process_peak_rss_mb
from evaluator.engines.load import best_engine
from evaluator.errors import Cause, RapportError
from evaluator.hicupid.selection import UserItems
from evaluator.models import PinnedModel, fetch
from evaluator.run import RunSetup, generate, judge
from leaderboard.records import Plan, ShardReport, State
from leaderboard.settings import Settings
from leaderboard.submissions.ledger import Ledger
from worker.engines import EnginePool
from worker.handover import Handover
from worker.lease import Lease, Leases
from worker.outbox import Outbox

_GPU_SHARE = 0.9
"""Part of a card that a run may take; model and judge halve it unless they are one engine."""


def worker_name() -> str:
    """Returns the name by which this process holds leases."""
    return f"{socket.gethostname()}-{os.getpid()}"


class Work(NamedTuple):
    """What stays the same from shard to shard of one job."""

    setup: RunSetup
    plan: Plan
    settings: Settings
    ledger: Ledger
    pool: EnginePool
    outbox: Outbox


class _Engines(NamedTuple):
    """The two engines of a run; they may be one and the same."""

    model: Engine
    judge: Engine


class _Clock:
    """Adds up the seconds of each stage."""

    def __init__(self) -> None:
        """Starts with no stage."""
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Counts the time inside the context towards a stage."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - started


def run_shard(work: Work, leases: Leases, lease: Lease) -> None:
    """Asks and judges the users of a shard, one after the other; what is known already is not asked again.

    Raises:
        RapportError: With a typed cause, if an engine cannot be loaded or is gone, or the data set is broken.
        StaleLease: If another worker has taken the shard over.
    """
    clock, handover = _Clock(), Handover(leases, lease, work.outbox)
    known = handover.known_rows()
    with clock.stage("load"):
        engines = _load(work)
    shard = next(shard for shard in work.plan.shards if shard.id == lease.shard_id)
    for user in (UserItems(*pair) for pair in shard.users):
        with clock.stage("generate"):
            fresh = handover.generations(generate(work.setup, user, engines.model, known.generations.keys()))
        _note_all_generated(work)
        with clock.stage("judge"):
            answers = [*known.generations.values(), *fresh]
            handover.verdicts(judge(work.setup, user, answers, engines.judge, known.verdicts.keys()))
    handover.finish(_report(work, engines, clock))


def _note_all_generated(work: Work) -> None:
    """Moves the run on once every item has its generation row, whoever asked it."""
    if work.ledger.progress(work.plan.run_id).generations >= len(work.plan.items):
        work.ledger.advance(work.plan.run_id, State.JUDGING, worker_name())


def _load(work: Work) -> _Engines:
    """Loads the submitted model and the judge, unless they are loaded.

    Raises:
        RapportError: `judge_error` if the judge cannot be loaded; else what loading the model ended with.
    """
    run_id, setup = work.plan.run_id, work.setup
    judge_model = PinnedModel(setup.judge.model, setup.judge_revision)
    share = _GPU_SHARE if judge_model == setup.model else _GPU_SHARE / 2
    model = work.pool.get(_spec(setup.model, share, work.settings), run_id)
    try:
        return _Engines(model, work.pool.get(_spec(judge_model, share, work.settings), f"{run_id}-judge"))
    except RapportError as error:
        raise RapportError(Cause.JUDGE_ERROR, f"The judge {setup.judge.id}: {error.message}", error.remedy) from error


def _spec(pinned: PinnedModel, gpu_share: float, settings: Settings) -> EngineSpec:
    """Says how a model is loaded on this machine."""
    dtype = settings.dtype
    if dtype == "auto" and not os.path.exists("/dev/nvidiactl"):
        dtype = "float32"  # Faster than bfloat16 on CPUs without instructions for it.
    return EngineSpec(
        engine=best_engine(settings.engine),
        model_path=str(fetch(pinned, settings.models).resolve()),
        dtype=dtype,
        kv_cache_gib=settings.kv_cache_gib,
        gpu_share=gpu_share,
    )


def _report(work: Work, engines: _Engines, clock: _Clock) -> ShardReport:
    """Says what the shard cost and what it ran on."""
    info = engines.model.info
    return ShardReport(
        worker=worker_name(),
        engine=info.engine,
        engine_version=info.version,
        engine_flags=info.flags,
        dtype=info.dtype,
        hardware=info.hardware,
        stage_seconds=tuple(sorted((name, round(seconds, 2)) for name, seconds in clock.seconds.items())),
        peak_rss_mb=round(max(work.pool.peak_rss_mb(), process_peak_rss_mb()), 1),
        terms=work.plan.terms,
    )
