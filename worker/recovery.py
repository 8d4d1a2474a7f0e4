"""Brings the ledger back from the store after Redis has lost its memory, wholly or in part.

The store's journal holds every submission with its history, and the rows of a run in work lie beside its plan: what was
computed and stored is not computed again.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from pathlib import PurePosixPath
from typing import TypeVar

from redis import Redis

from evaluator.records import Generation, Record, Verdict
from leaderboard.records import Batch, Plan, ShardReport
from leaderboard.store import layout
from leaderboard.store.base import NotFound, Store
from leaderboard.store.rows import read_record
from leaderboard.submissions import keys
from leaderboard.submissions.journal import restore
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.states import ENDED
from worker.outbox import Outbox

log = logging.getLogger("rapport.publisher")

Row = TypeVar("Row", bound=Record)


def recover(redis: Redis, ledger: Ledger, store: Store) -> bool:
    """Restores what Redis has lost, if it has; says whether it had.

    Redis is taken to be whole for as long as a mark stands in it that only a loss can remove. An older copy of Redis
    has the mark: the publisher restores once at its start for that.
    """
    if redis.exists(keys.EPOCH):
        return False
    restore_all(ledger, store, Outbox(redis))
    redis.set(keys.EPOCH, "1")
    return True


def restore_all(ledger: Ledger, store: Store, outbox: Outbox) -> None:
    """Enters submissions, plans and rows that the store knows and Redis does not."""
    log.info("restored %d submissions from the store", restore(ledger, store))
    for submission_id in ledger.active():
        for run_id in ledger.submission(submission_id).run_ids():
            if ledger.state(run_id) not in ENDED:
                _restore_run(run_id, ledger, store, outbox)


def _restore_run(run_id: str, ledger: Ledger, store: Store, outbox: Outbox) -> None:
    """Enters a run's plan and the batches that were stored."""
    path = layout.plan_path(run_id)
    try:
        plan = read_record(store.read(path), Plan, path)
    except NotFound:
        return  # Nothing of it was stored yet: it begins anew.
    ledger.put_plan(plan)
    generations = _rows(store, layout.generations_folder(run_id), Generation)
    verdicts = _rows(store, layout.verdicts_folder(run_id), Verdict)
    reports = _rows(store, layout.reports_folder(run_id), ShardReport)
    for name in sorted({*generations, *verdicts, *reports}):
        outbox.put_back(
            Batch(
                id=name,
                run_id=run_id,
                shard_id=f"{run_id}.{name.split('-', 1)[0]}",
                generations=tuple(generations[name]),
                verdicts=tuple(verdicts[name]),
                report=next(iter(reports[name]), None),
            )
        )
    log.info("restored the rows of %s from the store", run_id)


def _rows(store: Store, folder: str, kind: type[Row]) -> defaultdict[str, list[Row]]:
    """Reads the rows of a folder by batch."""
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for path in store.list(folder):
        for number, line in enumerate(store.read(path).splitlines(), start=1):
            found[PurePosixPath(path).stem].append(read_record(line, kind, f"line {number} of {path}"))
    return found
