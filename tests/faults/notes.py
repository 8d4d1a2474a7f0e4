"""What must not be lost from here on: noted while everything stands still, before something is done."""

from __future__ import annotations

from collections.abc import Iterator

from leaderboard.connection import text
from leaderboard.records import Batch, State
from leaderboard.store.base import Store
from leaderboard.store.runs import StoredRun
from leaderboard.submissions import keys
from leaderboard.submissions.states import ENDED
from tests.faults.site import Site

_EVERYTHING = 10**6


def rows_in(batch: Batch) -> Iterator[str]:
    """Yields the names of a batch's rows: what was asked, and what came out."""
    yield from (f"answer {row.input_key} {row.content_hash}" for row in batch.generations)
    yield from (f"verdict {row.verdict_key} {row.attempt} {row.completion!r}" for row in batch.verdicts)
    if batch.report:
        yield f"report of {batch.shard_id} {batch.report.lane}"


def batches_in(store: Store, run_id: str) -> Iterator[Batch]:
    """Yields what the store holds of a run, however it was merged."""
    run = StoredRun(store, run_id)
    return (run.batch(name) for name in sorted(run.names))


class Notes:
    """Notes of one site.

    Attributes:
        saved: Submissions that the page has called saved.
        withdrawn: Those that were withdrawn, and were called saved since.
        ended: How each of their runs had ended by then.
        taken_in: For each run, the names of rows that Redis has taken in.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self.saved: set[str] = set()
        self.withdrawn: set[str] = set()
        self.ended: dict[str, State] = {}
        self.taken_in: dict[str, set[str]] = {}
        self._read: dict[str, set[str]] = {}
        """For each run, the ids of batches whose rows were noted."""
        self._marks: dict[str, int] = {}
        """How far each mark of the publisher was raised."""
        self._past: dict[str, int] = {}
        """How far those were raised that stood when something was lost."""

    def take(self) -> None:
        """Notes what is so now, unless Redis has lost something and has not been mended yet."""
        site = self._site
        if not self.sound():
            return
        name, count = self._mark()
        self._marks[name] = count
        unsettled = [name for name in site.ledger.newest(_EVERYTHING) if name not in self.saved or self._open(name)]
        for view in site.ledger.views(unsettled):
            if view.saved:
                self.saved.add(view.submission.id)
                self.ended |= {run.id: run.state for run in view.runs if run.state in ENDED}
            for run in view.runs:
                self._note_rows(run.id)

    def memory_lost(self) -> None:
        """Forgets the rows that were in Redis alone: they are made once more."""
        self._past = dict(self._marks)
        self._read.clear()
        for run_id, rows in self.taken_in.items():
            rows &= {row for batch in batches_in(self._site.store, run_id) for row in rows_in(batch)}

    def sound(self) -> bool:
        """Whether the publisher has compared Redis with the store since it last lost something.

        A mark that is raised further than it stood then is another proof: the copy was no older than the mark.
        """
        name, count = self._mark()
        return bool(name) and count > self._past.get(name, -1)

    def _note_rows(self, run_id: str) -> None:
        """Notes the rows of a run's batches that were not looked at yet."""
        redis, read = self._site.redis, self._read.setdefault(run_id, set())
        new = {text(name) for name in redis.hkeys(keys.batches(run_id))} - read
        values = redis.hmget(keys.batches(run_id), sorted(new)) if new else []
        batches = [Batch.model_validate_json(value) for value in values if value is not None]
        read.update(batch.id for batch in batches)
        self.taken_in.setdefault(run_id, set()).update(row for batch in batches for row in rows_in(batch))

    def _mark(self) -> tuple[str, int]:
        name, _, count = text(self._site.redis.get(keys.EPOCH) or b"").partition(":")
        return name, int(count or 0)

    def _open(self, submission_id: str) -> bool:
        """Whether a run of a submission was not seen to have ended."""
        return any(f"{submission_id}.{protocol}" not in self.ended for protocol in self._site.settings.protocols)
