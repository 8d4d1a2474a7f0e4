"""What changed on the board, and when, as the public record tells it: read once for each state of the store."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from evaluator.errors import RapportError
from leaderboard.board.public import told
from leaderboard.open_data import layout
from leaderboard.open_data.changes import OpenChange, changes_in, read_changes, table_of
from leaderboard.results import JudgeStatus
from leaderboard.store.base import NotFound, Revision, Store, StoreError

Ends: TypeAlias = tuple[int, int]
"""A rank, which is the best that the data leave open, and the worst one."""
WEEK = datetime.timedelta(days=7)
_TOLD = (
    "scorecard_id",
    "model",
    "protocol",
    "judge",
    "judge_status",
    "rank_after_low",
    "rank_after_high",
    "total_after",
    "reason",
)


class Told(NamedTuple):
    """What the last row of a scorecard says of it."""

    model: str
    protocol: str
    judge: str
    judge_status: JudgeStatus
    rank: Ends | None
    """Under its judge; None where it does not rank."""
    total: float | None
    reason: str | None


class Span(NamedTuple):
    """What changed within a span of time."""

    table: Any
    """Its rows in the order in which they were written, without those that a re-score brought."""
    rescored: Mapping[tuple[str, str], int]
    """How many results re-scores brought to the board, by protocol and judge."""

    @property
    def size(self) -> int:
        """How many rows there are."""
        return int(self.table.num_rows)

    def rows(self, start: int = 0, length: int | None = None) -> tuple[OpenChange, ...]:
        """Returns some of the rows, the newest first.

        Raises:
            RapportError: `data_error` if one is no change.
        """
        end = max(0, self.size - start)
        begin = 0 if length is None else max(0, end - length)
        return changes_in(self.table.slice(begin, end - begin))[::-1]


class Week(NamedTuple):
    """A week in which something changed."""

    begins: datetime.date
    """Its Monday, in UTC."""
    rows: int
    """How many changes it had, those that re-scores brought among them."""


class Changes(NamedTuple):
    """All changes of the board that are told of, at one state of the store.

    Example:
        >>> NO_CHANGES.since(datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)).size, NO_CHANGES.of("org/model")
        (0, ())
    """

    revision: Revision
    table: Any
    """An Arrow table of `OpenChange`, in the order in which it was written."""
    problems: tuple[str, ...] = ()
    """A sentence if it could not be read."""

    @property
    def begins(self) -> datetime.datetime | None:
        """Since when changes are recorded as they happen; None if none is."""
        return pc.min(self.table["recorded_at"]).as_py() if self.table.num_rows else None

    def since(self, moment: datetime.datetime) -> Span:
        """Returns what happened from some moment on."""
        return _span(self.table.filter(pc.greater_equal(self.table["at"], _scalar(moment))))

    def between(self, begin: datetime.datetime, end: datetime.datetime) -> Span:
        """Returns what happened from some moment on, and before another."""
        at = self.table["at"]
        return _span(self.table.filter(pc.and_(pc.greater_equal(at, _scalar(begin)), pc.less(at, _scalar(end)))))

    def of(self, name: str) -> tuple[OpenChange, ...]:
        """Returns what is told of a model or a scorecard, and of the judges of the protocols that it is under.

        A rank of its last row may have moved by less than a tenth since: the board has the present one.

        Args:
            name: The model as `owner/name`, or the scorecard's id.

        Raises:
            RapportError: `data_error` if a row is no change.

        Example:
            >>> [row.rank_after for row in changes.of("org/model")]  # doctest: +SKIP
            [3, 4, 6]
        """
        table = self.table
        own = pc.or_kleene(pc.equal(table["model"], name), pc.equal(table["scorecard_id"], name))
        own = pc.fill_null(own, False)
        protocols = pc.unique(table["protocol"].filter(own))
        judges = pc.and_(pc.equal(table["kind"], "judge"), pc.is_in(table["protocol"], value_set=protocols))
        return changes_in(table.filter(pc.or_(own, judges)))

    def weeks(self) -> tuple[Week, ...]:
        """Returns the weeks in which something changed, the newest first."""
        days = pc.floor_temporal(self.table["at"], unit="week")
        found = Counter(day.date() for day in days.to_pylist())
        return tuple(Week(begins, rows) for begins, rows in sorted(found.items(), reverse=True))


NO_CHANGES = Changes(Revision(""), table_of(()))
"""Nothing is told of."""


def build_changes(results: Store) -> Changes:
    """Reads the record of changes; none where there is none yet.

    Args:
        results: The public data set of results.

    Raises:
        StoreError: If the store as a whole cannot be read.
    """
    revision = results.head()
    try:
        table = read_changes(results.read(layout.CHANGES), layout.CHANGES)
    except NotFound:
        return NO_CHANGES._replace(revision=revision)
    except (RapportError, StoreError) as error:
        return NO_CHANGES._replace(revision=revision, problems=(told(layout.CHANGES, error),))
    return Changes(revision, table)


def last_told(table: Any) -> dict[str, Told]:
    """Returns what the last row of each scorecard says of it, by scorecard, in the order in which they came.

    Args:
        table: The record of changes.

    Example:
        >>> last_told(NO_CHANGES.table)
        {}
    """
    found: dict[str, Told] = {}
    for scorecard_id, model, protocol, judge, status, low, high, total, reason in _values(table, _TOLD):
        if scorecard_id is not None:
            rank = None if low is None or high is None else (low, high)
            found[scorecard_id] = Told(model, protocol, judge, status, rank, total, reason)
    return found


def _values(table: Any, columns: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    """Yields some columns row by row."""
    yield from zip(*(table[name].to_pylist() for name in columns), strict=True)


def _span(table: Any) -> Span:
    """Parts what a re-score brought from all else."""
    brought = pc.and_kleene(pc.equal(table["kind"], "entered"), pc.equal(table["reason"], "rescored"))
    brought = pc.fill_null(brought, False)
    by_judge = Counter(_values(table.filter(brought), ("protocol", "judge")))
    return Span(table.filter(pc.invert(brought)), by_judge)


def _scalar(moment: datetime.datetime) -> Any:
    """Returns a moment as Arrow compares it."""
    return pa.scalar(moment, pa.timestamp("us", tz="UTC"))
