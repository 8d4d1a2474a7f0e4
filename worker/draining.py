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
from leaderboard.store.base import Write
from leaderboard.store.rows import encode_rows
from leaderboard.submissions import keys
from leaderboard.submissions.ledger import Ledger
from worker.outbox import Outbox, Waiting
from worker.setbacks import Setbacks

log = logging.getLogger("rapport.publisher")

BATCHES_A_COMMIT = 30
"""Each batch is at most three files: some 100 files a commit."""


class Drain:
    """Writes waiting batches to the store, some at a time.

    Example:
        >>> while Drain(redis, ledger, commit, fail, setbacks).step():  # doctest: +SKIP
        ...     pass
    """

    def __init__(
        self,
        redis: Redis,
        ledger: Ledger,
        commit: Callable[[Sequence[Write], str], None],
        fail: Callable[[str, RapportError], None],
        setbacks: Setbacks,
    ) -> None:
        """Writes through `commit`; `fail` ends a run whose batch cannot be read."""
        self._redis, self._ledger, self._commit, self._fail = redis, ledger, commit, fail
        self._outbox, self._setbacks = Outbox(redis), setbacks

    def step(self) -> bool:
        """Writes the oldest batches whose turn it is; says whether any wait."""
        waiting = self._outbox.waiting(None if any(self._setbacks) else BATCHES_A_COMMIT)
        entries = self._chosen(waiting)
        run_ids = {entry.run_id for entry in entries}
        published = self._published(run_ids)
        writes = [write for entry in entries if entry.run_id not in published for write in self._files_of(entry)]
        if writes:
            with self._setbacks.watching(run_ids):
                self._commit([*self._plans(run_ids), *writes], f"{len(entries)} batches")
        if entries:
            self._outbox.remove(entries)
        return bool(waiting)

    def _chosen(self, waiting: Sequence[Waiting]) -> list[Waiting]:
        """Returns what is written now: batches of one run that stands aside at its turn, else those of all others."""
        if not self._setbacks.theirs:
            return [entry for entry in waiting if entry.run_id not in self._setbacks][:BATCHES_A_COMMIT]
        runs = {entry.run_id for entry in waiting}
        run_id = next((run_id for run_id in self._setbacks if run_id in runs), None)
        return [entry for entry in waiting if entry.run_id == run_id][:BATCHES_A_COMMIT]

    def _published(self, run_ids: Collection[str]) -> set[str]:
        """Returns which of some runs are published: an older copy of Redis may still hold rows made for them."""
        names = sorted(run_ids)
        states = self._redis.mget([keys.state(name) for name in names]) if names else []
        return {name for name, state in zip(names, states, strict=True) if state and text(state) == State.PUBLISHED}

    def _files_of(self, entry: Waiting) -> list[Write]:
        """Returns the files of one batch; an unreadable one ends its run and nobody else's."""
        try:
            batch = self._outbox.batch(entry)
        except RapportError as error:
            log.error("%s is not stored: %s", entry.batch_id, error)
            self._fail(entry.run_id, error)
            return []
        return [] if batch is None else list(files_of(batch))

    def _plans(self, run_ids: set[str]) -> Iterator[Write]:
        """Yields the plans of some runs, which stand beside the rows: the store alone must tell what was asked."""
        for run_id in sorted(run_ids):
            if plan := self._ledger.plan(run_id):
                yield Write(layout.plan_path(run_id), plan.model_dump_json().encode())


def files_of(batch: Batch) -> Iterator[Write]:
    """Yields the files of one batch."""
    folders: tuple[tuple[str, Sequence[Record]], ...] = (
        (layout.generations_folder(batch.run_id), batch.generations),
        (layout.verdicts_folder(batch.run_id), batch.verdicts),
        (layout.reports_folder(batch.run_id), (batch.report,) if batch.report else ()),
    )
    for folder, rows in folders:
        if rows:
            yield Write(layout.batch_path(folder, batch.id), encode_rows(rows))
