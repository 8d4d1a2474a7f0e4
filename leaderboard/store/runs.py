"""What the store holds of one run: many small files while it goes on, and a few large ones once it is *compacted*.

Rows keep their batches in either form, since batches tell which leases have written and which shards are done: a run
can be brought back from both, and goes on from both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import accumulate
from pathlib import PurePosixPath

from pydantic import Field

from evaluator.errors import Cause, RapportError
from evaluator.hicupid.questions import Item
from evaluator.human.items import HumanItem
from evaluator.records import Generation, Record, Verdict
from evaluator.setup import AnyItem
from leaderboard.records import Batch, Plan, ShardReport
from leaderboard.scorecards import RunRows
from leaderboard.store import layout
from leaderboard.store.base import Delete, Operation, Store, Write
from leaderboard.store.items import decode_items, digest_of, encode_items
from leaderboard.store.parquet import decode_parquet, encode_parquet
from leaderboard.store.rows import Row, decode_rows, read_record

_AT_ONCE = 200
"""Files that are read together."""


class CompactBatch(Record):
    """One batch of a compacted run: in each file its rows follow those of the batch before it."""

    id: str
    generations: int = Field(ge=0)
    """Its rows there, as of the others."""
    verdicts: int = Field(ge=0)
    reports: int = Field(ge=0)


class CompactPlan(Plan):
    """The plan of a compacted run. Its items lie in a file that all runs share which ask the same."""

    items: tuple[Item | HumanItem, ...] = Field(default=(), max_length=0, exclude=True)
    items_sha: str
    """Digest of the items; see `layout.items_path`."""
    batches: tuple[CompactBatch, ...]


def is_compact(plan: bytes) -> bool:
    """Says whether the file of a plan is that of a compacted run."""
    return b'"items_sha"' in plan


class StoredRun:
    """Reads a run's plan and rows, in whichever form they lie there. What was read is kept, and not looked for again.

    Example:
        >>> StoredRun(store, "s-20260101-0a1b2c3d.demo-v1").plan()  # doctest: +SKIP
    """

    def __init__(self, store: Store, run_id: str) -> None:
        """Reads when it is asked."""
        self.store, self.run_id = store, run_id

    @property
    def is_compacted(self) -> bool:
        """Whether its rows lie in a few large files; what was added since may lie beside them."""
        return layout.compact_path(layout.generations_folder(self.run_id)) in self._paths

    @property
    def loose(self) -> list[str]:
        """The small files of its rows, sorted."""
        return sorted(path for path in self._paths if path.endswith(".jsonl"))

    @property
    def names(self) -> set[str]:
        """The ids of its batches."""
        compact = self._compact_plan.batches if self._compact_plan else ()
        return {batch.id for batch in compact} | {PurePosixPath(path).stem for path in self.loose}

    def plan(self) -> Plan | None:
        """Returns the run's plan; None if nothing of the run was stored.

        Raises:
            RapportError: `data_error` if it cannot be read.
        """
        path = layout.plan_path(self.run_id)
        if path not in self._paths:
            return None
        if (compact := self._compact_plan) is None:
            return read_record(self.store.read(path), Plan, path)
        values = {name: getattr(compact, name) for name in Plan.model_fields}
        return Plan(**(values | {"items": self._items(compact.items_sha)}))

    def rows(self) -> RunRows:
        """Reads all of its rows, in the order of its batches' names.

        Raises:
            RapportError: `data_error` naming file and place if one cannot be read.
        """
        return RunRows(_all(self.generations), _all(self.verdicts), _all(self.reports))

    def batch(self, name: str) -> Batch:
        """Reads one of its batches.

        Raises:
            RapportError: `data_error` naming file and place if a row of the run cannot be read.
        """
        reports = self.reports.get(name)
        return Batch(
            id=name,
            run_id=self.run_id,
            shard_id=f"{self.run_id}.{name.split('-', 1)[0]}",
            generations=tuple(self.generations.get(name, ())),
            verdicts=tuple(self.verdicts.get(name, ())),
            report=reports[0] if reports else None,
        )

    @cached_property
    def generations(self) -> dict[str, list[Generation]]:
        """Its answers by batch, in the order of names; a batch without any may be left out."""
        return self._by_batch(layout.generations_folder(self.run_id), Generation)

    @cached_property
    def verdicts(self) -> dict[str, list[Verdict]]:
        """Its verdicts by batch, likewise."""
        return self._by_batch(layout.verdicts_folder(self.run_id), Verdict)

    @cached_property
    def reports(self) -> dict[str, list[ShardReport]]:
        """Its reports by batch, likewise."""
        return self._by_batch(layout.reports_folder(self.run_id), ShardReport)

    @cached_property
    def _paths(self) -> frozenset[str]:
        """All of its files."""
        return frozenset(self.store.list(layout.run_folder(self.run_id)))

    @cached_property
    def _compact_plan(self) -> CompactPlan | None:
        """What stands in the place of its plan if it is compacted."""
        path = layout.plan_path(self.run_id)
        return read_record(self.store.read(path), CompactPlan, path) if self.is_compacted else None

    def _items(self, items_sha: str) -> tuple[AnyItem, ...]:
        """Reads what a compacted run asked."""
        path = layout.items_path(items_sha)
        items = decode_items(self.store.read(path), path)
        if digest_of(items) != items_sha:
            raise _unlike(path, "items")
        return items

    def _by_batch(self, folder: str, kind: type[Row]) -> dict[str, list[Row]]:
        """Reads the rows of one kind; a small file of a batch that was compacted already says nothing new."""
        found = self._compacted(folder, kind)
        paths = [path for path in self.loose if path.startswith(f"{folder}/") and PurePosixPath(path).stem not in found]
        for start in range(0, len(paths), _AT_ONCE):
            contents = self.store.read_all(paths[start : start + _AT_ONCE])
            found |= {PurePosixPath(path).stem: decode_rows(each, kind, path) for path, each in contents.items()}
        return dict(sorted(found.items()))

    def _compacted(self, folder: str, kind: type[Row]) -> dict[str, list[Row]]:
        """Reads the rows of one kind that lie in a large file."""
        if self._compact_plan is None:
            return {}
        path, batches = layout.compact_path(folder), self._compact_plan.batches
        rows = decode_parquet(self.store.read(path), kind, path)
        counts = [getattr(batch, PurePosixPath(folder).name) for batch in batches]
        if sum(counts) != len(rows):
            raise _unlike(path, "rows")
        ends = accumulate(counts)
        return {batch.id: rows[end - count : end] for batch, count, end in zip(batches, counts, ends, strict=True)}


def compact(run: StoredRun) -> list[Operation]:
    """Returns what makes a few large files of a run's many small ones; nothing if that is done, or nothing is stored.

    All of it has to be one commit. Rows, their order and their batches stay what they are.

    Raises:
        RapportError: `data_error` if something of the run cannot be read.

    Example:
        >>> store.commit(compact(StoredRun(store, "s-20260101-0a1b2c3d.demo-v1")), "compacted")  # doctest: +SKIP
    """
    plan = run.plan() if run.loose or not run.is_compacted else None
    return [] if plan is None else large_files(run, plan)


def large_files(run: StoredRun, plan: Plan) -> list[Operation]:
    """Returns what puts a run's rows, as they are known to `run`, into a few large files; one commit, as of `compact`.

    Args:
        run: The run.
        plan: What it asked.
    """
    batches = [
        CompactBatch(
            id=name,
            generations=len(run.generations.get(name, ())),
            verdicts=len(run.verdicts.get(name, ())),
            reports=len(run.reports.get(name, ())),
        )
        for name in sorted(run.names)
    ]
    values = {name: getattr(plan, name) for name in Plan.model_fields if name != "items"}
    compact_plan = CompactPlan(**values, items_sha=digest_of(plan.items), batches=tuple(batches))
    rows, run_id = run.rows(), run.run_id
    return [
        *_shared_items(run.store, compact_plan.items_sha, plan.items),
        Write(layout.plan_path(run_id), compact_plan.model_dump_json().encode()),
        _whole(layout.generations_folder(run_id), rows.generations, Generation),
        _whole(layout.verdicts_folder(run_id), rows.verdicts, Verdict),
        _whole(layout.reports_folder(run_id), rows.reports, ShardReport),
        *(Delete(path) for path in run.loose),
    ]


def _shared_items(store: Store, items_sha: str, items: Iterable[AnyItem]) -> Iterator[Write]:
    """Yields the file of some items, unless it is there: another version of the library writes other bytes."""
    path = layout.items_path(items_sha)
    if path not in store.list(path.rpartition("/")[0]):
        yield Write(path, encode_items(items))


def _whole(folder: str, rows: Iterable[Row], kind: type[Row]) -> Write:
    """Returns the large file that takes the place of a folder."""
    return Write(layout.compact_path(folder), encode_parquet(rows, kind))


def _all(rows: dict[str, list[Row]]) -> list[Row]:
    """Returns the rows of all batches, in their order."""
    return [row for some in rows.values() for row in some]


def _unlike(path: str, what: str) -> RapportError:
    """Says that a file holds something else than the plan says."""
    return RapportError(
        Cause.DATA_ERROR,
        f"What is stored as {path} are not the {what} that the plan of the run names.",
        "Restore the file from a backup.",
    )
