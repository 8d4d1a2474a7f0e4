"""What the store holds of one run, read back: what is scored is what is stored, and what was stored can come back."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import PurePosixPath

from evaluator.records import Generation, Verdict
from leaderboard.records import Batch, Plan, ShardReport
from leaderboard.scorecards import RunRows
from leaderboard.store import layout
from leaderboard.store.base import NotFound, Store
from leaderboard.store.rows import Row, read_record, read_rows, read_rows_file


class StoredRun:
    """Reads a run's plan and rows.

    Example:
        >>> StoredRun(store, "s-20260101-0a1b2c3d.demo-v1").plan()  # doctest: +SKIP
    """

    def __init__(self, store: Store, run_id: str) -> None:
        """Reads when it is asked."""
        self._store, self._run_id = store, run_id

    def plan(self) -> Plan | None:
        """Returns the run's plan; None if nothing of the run was stored.

        Raises:
            RapportError: `data_error` if it cannot be read.
        """
        path = layout.plan_path(self._run_id)
        try:
            return read_record(self._store.read(path), Plan, path)
        except NotFound:
            return None

    @cached_property
    def _paths(self) -> frozenset[str]:
        """The files of its rows."""
        folders = (layout.generations_folder, layout.verdicts_folder, layout.reports_folder)
        return frozenset(path for folder in folders for path in self._store.list(folder(self._run_id)))

    @property
    def names(self) -> set[str]:
        """The ids of its batches."""
        return {PurePosixPath(path).stem for path in self._paths}

    def rows(self) -> RunRows:
        """Reads all of its rows.

        Raises:
            RapportError: `data_error` naming file and line if one cannot be read.
        """
        return RunRows(
            read_rows(self._store, layout.generations_folder(self._run_id), Generation),
            read_rows(self._store, layout.verdicts_folder(self._run_id), Verdict),
            read_rows(self._store, layout.reports_folder(self._run_id), ShardReport),
        )

    def batch(self, name: str) -> Batch:
        """Reads one of its batches.

        Raises:
            RapportError: `data_error` naming file and line if it cannot be read.
        """
        reports = self._rows_of(name, layout.reports_folder, ShardReport)
        return Batch(
            id=name,
            run_id=self._run_id,
            shard_id=f"{self._run_id}.{name.split('-', 1)[0]}",
            generations=tuple(self._rows_of(name, layout.generations_folder, Generation)),
            verdicts=tuple(self._rows_of(name, layout.verdicts_folder, Verdict)),
            report=reports[0] if reports else None,
        )

    def _rows_of(self, name: str, folder: Callable[[str], str], kind: type[Row]) -> list[Row]:
        """Reads the rows of one kind of a batch; it may have none."""
        path = layout.batch_path(folder(self._run_id), name)
        return read_rows_file(self._store, path, kind) if path in self._paths else []
