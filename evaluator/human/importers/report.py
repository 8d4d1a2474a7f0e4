"""What an import came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pydantic import Field

from evaluator.human.importers.events import Missed, Noted, Reason, Remark
from evaluator.records import Record

MOST_PLACES = 1_000
"""Places that are listed for one reason; the count counts them all."""


class TableReport(Record):
    """What became of the rows for one table."""

    table: str
    read: int = Field(ge=0)
    """All that the source has for it, with what was not placed."""
    placed: int = Field(ge=0)
    """New rows."""
    completed: int = Field(ge=0)
    """Rows that were there and took over something that they lacked, such as evidence."""
    already_there: int = Field(ge=0)
    not_placed: int = Field(ge=0)


class NotPlaced(Record):
    """What was not placed for one reason."""

    reason: Reason
    table: str
    """Empty for what never came as far as a table."""
    count: int = Field(ge=1)
    places: tuple[str, ...]
    """The first `MOST_PLACES` of them, such as `labels.csv:17`, in the order of the source."""
    said: str
    """What was wrong at the first place; may be empty."""


class Remarked(Record):
    """What is worth knowing."""

    remark: Remark
    count: int = Field(ge=1)
    places: tuple[str, ...]
    said: str


class ImportReport(Record):
    """What an import read, placed and could not place."""

    kind: str
    source: str
    revision: str | None
    """Commit of a source on the Hub, or digest of the folder of a data set; None of other files."""
    changed: bool
    """Whether the data set on disk was changed."""
    tables: tuple[TableReport, ...]
    """Those that the source has anything for, in the order of the data set."""
    not_placed: tuple[NotPlaced, ...]
    remarks: tuple[Remarked, ...]
    annotators: int = Field(ge=0)
    """Whose labels were placed or already there."""
    new_annotators: int = Field(ge=0)
    """Those of them whom the data set did not know. With another salt everybody is new."""

    @property
    def is_any_there(self) -> bool:
        """Whether the data set has anything of the source now."""
        return any(each.placed or each.completed or each.already_there for each in self.tables)

    @property
    def lost(self) -> int:
        """How much was not placed, for whatever reason."""
        return sum(each.count for each in self.not_placed)

    def lines(self) -> Iterator[str]:
        """Yields the report as sentences for a person."""
        yield f"{self.kind} from {self.source}: {'the data set was changed' if self.changed else 'nothing to change'}"
        for each in self.tables:
            yield (
                f"  {each.table}: {each.read} read, {each.placed} placed, {each.completed} completed, "
                f"{each.already_there} already there, {each.not_placed} not placed"
            )
        if self.annotators:
            yield f"  annotators: {self.annotators}, {self.new_annotators} of them new to the data set"
        for lost in self.not_placed:
            of = f" {lost.table}" if lost.table else ""
            yield f"  not placed, {lost.reason}: {lost.count}{of} ({_some(lost)})"
        for remark in self.remarks:
            yield f"  remark, {remark.remark}: {remark.count} ({_some(remark)})"


def _some(counted: NotPlaced | Remarked, shown: int = 3) -> str:
    """Returns the first places and what was said of the first one."""
    places = ", ".join(counted.places[:shown]) + (", ..." if counted.count > shown else "")
    return f"{places}: {counted.said}" if counted.said else places


class Tally:
    """Counts what is missed and noted, in bounded memory."""

    def __init__(self) -> None:
        """Begins at zero."""
        self._counts: Counter[tuple[str, str]] = Counter()
        self._places: dict[tuple[str, str], list[str]] = {}
        self._said: dict[tuple[str, str], str] = {}

    def add(self, event: Missed | Noted) -> None:
        """Counts one event."""
        key = (event.reason, event.table) if isinstance(event, Missed) else (event.remark, "-")
        self._counts[key] += 1
        places = self._places.setdefault(key, [])
        if len(places) < MOST_PLACES:
            places.append(event.place)
        self._said.setdefault(key, event.said)

    def missed(self, table: str) -> int:
        """Returns how much was missed for one table."""
        return sum(count for (_, of), count in self._counts.items() if of == table)

    def not_placed(self) -> tuple[NotPlaced, ...]:
        """Returns what was missed, most first."""
        return tuple(
            NotPlaced(reason=Reason(reason), table=table, count=count, **self._rest((reason, table)))
            for (reason, table), count in self._sorted()
            if table != "-"
        )

    def remarks(self) -> tuple[Remarked, ...]:
        """Returns what was noted, most first."""
        return tuple(
            Remarked(remark=Remark(remark), count=count, **self._rest((remark, table)))
            for (remark, table), count in self._sorted()
            if table == "-"
        )

    def _sorted(self) -> list[tuple[tuple[str, str], int]]:
        return sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))

    def _rest(self, key: tuple[str, str]) -> dict[str, object]:
        return {"places": tuple(self._places[key]), "said": self._said[key]}
