"""Brings the ledger back from the store after Redis has lost its memory, wholly or in part.

The store's journal holds every submission with its history, and the rows of a run lie beside its plan: what was
computed and stored is not computed again, and what Redis alone remembers of another past is dropped.

Where several batches of a lease lie in the store as one, under the name of the first, they come back as one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from redis import Redis
from redis.client import Pipeline

from evaluator.errors import RapportError
from evaluator.judge import is_counted
from leaderboard.connection import text
from leaderboard.maintaining import journal as acts_journal
from leaderboard.records import Batch, Failure, Lane, Plan
from leaderboard.store.base import Store
from leaderboard.store.runs import StoredRun
from leaderboard.submissions import journal, keys
from leaderboard.submissions.ledger import Ledger
from worker.outbox import Outbox, lease_of, milliseconds, output_tokens, unjudged
from worker.shelf import Shelf

log = logging.getLogger("rapport.publisher")

ACTOR = "publisher"
_AT_ONCE = 500

# Numbers stay below 10^14, which Lua still writes in full.
_RAISE_FENCE = """
local time = redis.call('TIME')
local least = math.max(tonumber(ARGV[1]), time[1] * 1000 + math.floor(time[2] / 1000))
if tonumber(redis.call('GET', KEYS[1]) or '0') < least then redis.call('SET', KEYS[1], string.format('%.0f', least)) end
return 1
"""


class Recovery(NamedTuple):
    """What runs are brought back with.

    Example:
        >>> Recovery(redis, ledger, store).bring_back("s-20260101-0a1b2c3d.demo-v1")  # doctest: +SKIP
    """

    redis: Redis
    ledger: Ledger
    store: Store

    def bring_back(self, run_id: str, *, holds_all: bool = False) -> None:
        """Enters a run's plan and batches as the store has them, so that workers may take it.

        New leases take higher numbers than any under which its batches were handed over. A run whose files cannot be
        read ends with that as its cause, and holds up no other.

        Args:
            run_id: The run.
            holds_all: Whether Redis still holds all that was ever stored of runs which it has not forgotten on purpose.
        """
        stored = StoredRun(self.store, run_id)
        try:
            if not (holds_all and _is_known(run_id, self.redis, stored)):
                _restore_rows(run_id, self.redis, stored)
        except RapportError as error:
            log.error("the rows of %s cannot be restored: %s", run_id, error)
            failure = Failure(cause=error.cause, message=error.message, remedy=error.remedy)
            self.ledger.fail(run_id, ACTOR, failure)
            return
        self.raise_fence(max((_fencing_number(name) for name in stored.names), default=0))
        self.redis.srem(keys.SHELVED, run_id)

    def raise_fence(self, greatest: int) -> None:
        """Lets new leases take numbers above `greatest`, and above all that were granted before this moment."""
        self.redis.register_script(_RAISE_FENCE)(keys=[keys.FENCE], args=[greatest + 1])


def restore_all(redis: Redis, ledger: Ledger, store: Store, shelf: Shelf, *, holds_all: bool) -> None:
    """Merges submissions, plans and rows that the store knows with what Redis holds.

    Every lease is ended, since a rival of its holder may have been forgotten, and new ones take higher numbers than any
    that was granted before. Of runs that ended long ago no rows are read: they come back when one is taken up again.
    None at all are read where Redis is known to hold all that was stored, and may have lost only what came later.
    """
    changed = journal.restore(redis, store)
    log.info("restored %d submissions from the store", changed)
    log.info("restored %d acts of maintainers from the store", acts_journal.restore(redis, store))
    # A lease that is ended here came to nothing through no fault of its shard.
    for pattern in (keys.lease("*", "*"), keys.grants("*", "*")):
        if names := list(redis.scan_iter(pattern, count=1000)):
            redis.delete(*names)
    recovery = Recovery(redis, ledger, store)
    recovery.raise_fence(0)
    for run_id in _needed(ledger, shelf):
        recovery.bring_back(run_id, holds_all=holds_all)


def _needed(ledger: Ledger, shelf: Shelf) -> list[str]:
    """Returns the runs whose rows are needed, or may be soon; what ended long ago is shelved."""
    shelf.empty()
    needed, ids = list[str](), ledger.newest(ledger.count())
    for start in range(0, len(ids), _AT_ONCE):
        needed += shelf.sort(journal.readable(ledger, ids[start : start + _AT_ONCE]))
    return needed


def _is_known(run_id: str, redis: Redis, stored: StoredRun) -> bool:
    """Says whether Redis holds a run's plan and batches, by their names."""
    known = {text(name) for name in redis.hkeys(keys.batches(run_id))}
    return stored.names <= known and bool(redis.exists(keys.plan(run_id)))


def _restore_rows(run_id: str, redis: Redis, stored: StoredRun) -> None:
    """Enters what the store holds of a run, and drops what is in it already or contradicts it."""
    if not stored.names:
        return  # Nothing of it was stored yet: it begins anew, or goes on with what Redis holds.
    plan = stored.plan()
    if plan is None:
        return  # It was not known when its rows were stored, so it cannot be gone on with.
    found = {name: stored.batch(name) for name in sorted(stored.names)}

    def enter(pipe: Pipeline) -> None:
        alone = [batch for batch in Outbox(pipe).kept(run_id) if batch.id not in found]
        merged = _merged(found.values(), alone)
        alone = [batch for batch in alone if batch.id not in merged]
        doubled = _doubled(found.values(), alone)
        settled_by_now = merged | doubled | found.keys()
        entries = [entry for entry in Outbox(pipe).waiting() if entry.run_id == run_id]
        waiting = [entry for entry in entries if entry.batch_id in settled_by_now]
        pipe.multi()
        if waiting:
            Outbox(pipe).remove(waiting)
        if merged | doubled:
            pipe.hdel(keys.batches(run_id), *(merged | doubled))
        pipe.hset(keys.batches(run_id), mapping={name: batch.model_dump_json() for name, batch in found.items()})
        enter_counts(pipe, plan, [*(batch for batch in alone if batch.id not in doubled), *found.values()])

    redis.transaction(enter, keys.batches(run_id))
    log.info("restored %d batches of %s from the store", len(found), run_id)


def _merged(stored: Iterable[Batch], alone: Sequence[Batch]) -> set[str]:
    """Names the batches that lie in the store within another one of their lease.

    Args:
        stored: Batches that the store holds.
        alone: Batches that stand under their names in Redis alone.
    """
    known: dict[str, set[tuple[str, int]]] = {}
    for batch in stored:
        known.setdefault(lease_of(batch.id), set()).update(_rows_of(batch))
    return {batch.id for batch in alone if _rows_of(batch) <= known.get(lease_of(batch.id), set())}


def _doubled(stored: Iterable[Batch], alone: Sequence[Batch]) -> set[str]:
    """Names the batches that were made in another past: those of shards of which some row is in the store already.

    Args:
        stored: Batches that the store holds.
        alone: Batches whose rows Redis alone holds, or that have the same rows by chance.
    """
    known = {row for batch in stored for row in _rows_of(batch)}
    shards = {batch.shard_id for batch in alone if not known.isdisjoint(_rows_of(batch))}
    return {batch.id for batch in alone if batch.shard_id in shards}


def _rows_of(batch: Batch) -> set[tuple[str, int]]:
    """Names the rows of a batch; a verdict that could not be read may be asked for once more."""
    answers = {(row.input_key, 0) for row in batch.generations}
    report = {(f"{batch.shard_id}.{batch.report.lane}", 0)} if batch.report else set()
    return answers | report | {(row.verdict_key, row.attempt) for row in batch.verdicts}


def enter_counts(pipe: Pipeline, plan: Plan, batches: Sequence[Batch]) -> None:
    """Sets a run's plan, its counts and its finished shards to what its batches come to."""
    run_id, orders = plan.run_id, {item.question_id: len(item.orders) for item in plan.items}
    pipe.set(keys.plan(run_id), plan.model_dump_json())
    counts = {
        "items": sum(item.is_asked for item in plan.items),
        "shards": len(plan.shards),
        "verdicts_wanted": sum(orders.values()) - sum(unjudged(batch, orders) for batch in batches),
        "generations": sum(len(batch.generations) for batch in batches),
        "verdicts": sum(is_counted(row) for batch in batches for row in batch.verdicts),
        "tokens": sum(map(output_tokens, batches)),
        "milliseconds": sum(map(milliseconds, batches)),
    }
    pipe.hset(keys.progress(run_id), items=[part for pair in counts.items() for part in pair])
    for lane in Lane:
        pipe.delete(keys.done(run_id, lane), keys.grants(run_id, lane))
        if done := {batch.shard_id for batch in batches if batch.report and batch.report.lane is lane}:
            pipe.sadd(keys.done(run_id, lane), *sorted(done))


def _fencing_number(batch_id: str) -> int:
    """Returns the number of the lease under which a batch was handed over; 0 where its name does not tell.

    Example:
        >>> _fencing_number("0003-000017-1f2e3d4c-0002"), _fencing_number("notes")
        (17, 0)
    """
    number = batch_id.split("-")[1:2]
    return int(number[0]) if number and number[0].isdecimal() else 0
