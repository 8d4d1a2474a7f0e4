"""Drains the outbox: what workers handed over becomes files of the store."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Sequence

from redis import Redis

from evaluator.errors import RapportError
from evaluator.records import Record
from leaderboard.connection import text
from leaderboard.records import Batch, State
from leaderboard.store import layout
from leaderboard.store.base import Store, Write
from leaderboard.store.rows import encode_rows
from leaderboard.submissions import keys
from leaderboard.submissions.ledger import Ledger
from worker.outbox import Outbox, Waiting, lease_of, read_batch
from worker.parts import Part

log = logging.getLogger("rapport.publisher")

BATCHES_A_COMMIT = 2000
"""So many are held in memory together; those of one lease always are."""
_FILES_OF_A_LEASE = 4
"""At most: a file of each kind, and the plan."""


class Drain:
    """Gathers batches that wait, the oldest first.

    Those of one lease that wait together become one file a kind, under the name of the first of them. Whoever drains
    them again after a crash finds all of them, and perhaps more, behind the same first one: the same file is written
    with the same rows, or with more.

    Example:
        >>> part = Drain(redis, ledger, store, fail).gather(Outbox(redis).waiting(), room=100)  # doctest: +SKIP
    """

    def __init__(self, redis: Redis, ledger: Ledger, store: Store, fail: Callable[[str, RapportError], None]) -> None:
        """Looks in the store for plans; `fail` ends a run whose batch cannot be read."""
        self._redis, self._ledger, self._store, self._fail = redis, ledger, store, fail
        self._outbox = Outbox(redis)
        self._planned: set[str] = set()
        """Runs whose plan the store was seen to hold."""

    def gather(self, waiting: Sequence[Waiting], room: int) -> Part | None:
        """Returns what is to be stored of batches that wait; None if there are none.

        Args:
            waiting: The entries, the oldest first. Of each lease of which there is one, all that wait.
            room: How many files may be written; those of the first lease are written in any case.
        """
        published = self._published({entry.run_id for entry in waiting})
        taken, writes = list[Waiting](), dict[str, Write]()
        for entries in _by_lease(waiting):
            full = len(taken) + len(entries) > BATCHES_A_COMMIT or len(writes) + _FILES_OF_A_LEASE > room
            if taken and full:
                break
            taken += entries
            if entries[0].run_id not in published:
                writes |= {write.path: write for write in self._files_of(entries, writes)}
        if not taken:
            return None
        runs = frozenset(entry.run_id for entry in taken)
        return Part(f"{len(taken)} batches", tuple(writes.values()), lambda: self._outbox.remove(taken), runs)

    def _published(self, run_ids: Collection[str]) -> set[str]:
        """Returns which of some runs are published: an older copy of Redis may still hold rows made for them."""
        names = sorted(run_ids)
        states = self._redis.mget([keys.state(name) for name in names]) if names else []
        return {name for name, state in zip(names, states, strict=True) if state and text(state) == State.PUBLISHED}

    def _files_of(self, entries: Sequence[Waiting], gathered: Collection[str]) -> Iterator[Write]:
        """Yields the files of one lease's batches, and the plan beside them unless it is stored or gathered already."""
        if batches := list(self._batches(entries)):
            run_id = entries[0].run_id
            if layout.plan_path(run_id) not in gathered:
                yield from self._plan(run_id)
            yield from files_of(batches)

    def _batches(self, entries: Sequence[Waiting]) -> Iterator[Batch]:
        """Yields batches; an unreadable one ends its run and nobody else's."""
        for entry, value in zip(entries, self._outbox.values(entries), strict=True):
            if value is None:
                continue
            try:
                yield read_batch(entry, value)
            except RapportError as error:
                log.error("%s is not stored: %s", entry.batch_id, error)
                self._fail(entry.run_id, error)

    def _plan(self, run_id: str) -> Iterator[Write]:
        """Yields the plan of a run if the store lacks it: the store alone must tell what was asked."""
        path = layout.plan_path(run_id)
        if run_id in self._planned:
            return
        if path in self._store.list(layout.run_folder(run_id)):
            self._planned.add(run_id)
        elif plan := self._ledger.plan(run_id):
            yield Write(path, plan.model_dump_json().encode())


def _by_lease(waiting: Sequence[Waiting]) -> list[list[Waiting]]:
    """Puts together what was handed over under one lease, in the order in which each lease began to wait."""
    found: dict[tuple[str, str], list[Waiting]] = {}
    for entry in waiting:
        found.setdefault((entry.run_id, lease_of(entry.batch_id)), []).append(entry)
    return list(found.values())


def files_of(batches: Sequence[Batch]) -> Iterator[Write]:
    """Yields the files of some batches of one lease, in their order; they bear the name of the first."""
    first = batches[0]
    folders: tuple[tuple[str, list[Record]], ...] = (
        (layout.generations_folder(first.run_id), [row for batch in batches for row in batch.generations]),
        (layout.verdicts_folder(first.run_id), [row for batch in batches for row in batch.verdicts]),
        (layout.reports_folder(first.run_id), [batch.report for batch in batches if batch.report]),
    )
    for folder, rows in folders:
        if rows:
            yield Write(layout.batch_path(folder, first.id), encode_rows(rows))
