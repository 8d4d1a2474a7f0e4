"""Plain tables of labels, CSV or JSON Lines, by a map of their columns."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from evaluator.errors import Cause, RapportError
from evaluator.human.importers.column_map import LISTS, PEOPLE, Cell, TableMap
from evaluator.human.importers.events import Draft, Event, Missed, Noted, Reason, Remark
from evaluator.human.importers.moments import read_moment
from evaluator.human.importers.pseudonyms import Salt, needed
from evaluator.human.importers.reading import Row, header, read_jsonl, read_table
from evaluator.untrusted_json import parse_object

_MOMENTS = ("labelled_at", "started_at")
_TRUTH = {"true": True, "false": False}
_MOST_UNMAPPED = 1_000
"""Columns of one file that are told of."""


class ColumnOptions(NamedTuple):
    """What the tables do not say themselves."""

    salt: Salt | None
    """May be left out where the map says that all people are pseudonyms already."""
    zone: datetime.tzinfo | None = None
    keep_notes: bool = False


class _Unknown(ValueError):
    """A value that stands for nothing of ours; its text says so without the value."""


def read_columns(folder: Path, tables: Mapping[str, TableMap], options: ColumnOptions) -> Iterator[Event]:
    """Yields the rows of the mapped tables.

    Args:
        folder: Where the files lie; none outside it is read.
        tables: The map, see `load_column_map`.
        options: Salt, time zone, and whether notes are kept.

    Raises:
        RapportError: `not_found` for a file that is not there, `data_error` for one that lacks a mapped column, or if
            people are named and there is no salt.
    """
    for table, mapped in tables.items():
        if any(field in PEOPLE and cell.pseudonym for field, cell in mapped.columns.items()):
            needed(options.salt)
        yield from _Table(table, mapped, options).read(_inside(folder, mapped.file))


def _inside(folder: Path, name: str) -> Path:
    """Returns a file of the folder; links and dots may not lead out of it."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise RapportError(
            Cause.FORBIDDEN_PATH, f"The column map names {name[:200]!r}, outside the source.", "Put it into the folder."
        )
    return path


class _Table:
    """Turns the rows of one file into rows of one table."""

    def __init__(self, table: str, mapped: TableMap, options: ColumnOptions) -> None:
        self._table, self._map, self._options = table, mapped, options
        self._unmapped: set[str] = set()

    def read(self, path: Path) -> Iterator[Event]:
        if path.suffix.lower() == ".jsonl":
            rows = read_jsonl(path)
        else:
            self._check_header(header(path, self._map.delimiter))
            rows = read_table(path, self._map.delimiter)
        for row in rows:
            if isinstance(row, Missed):
                yield row._replace(table=self._table)
            else:
                yield from self._unmapped_of(path.name, row)
                yield from self._row(row)

    def _check_header(self, names: tuple[str, ...]) -> None:
        if lacking := sorted({*self._map.used(), *self._map.ignore} - {*names}):
            raise RapportError(
                Cause.DATA_ERROR,
                f"{self._map.file} has no column {lacking[0][:100]!r}, which the column map names.",
                "Correct the map, or the file's header.",
            )

    def _unmapped_of(self, file: str, row: Row) -> Iterator[Noted]:
        """Yields each column once that the map says nothing of."""
        new = row.fields.keys() - self._map.used() - {*self._map.ignore} - self._unmapped
        for name in sorted(new)[: _MOST_UNMAPPED - len(self._unmapped)]:
            self._unmapped.add(name)
            yield Noted(Remark.UNMAPPED_COLUMN, f"{file} column {name[:100]!r}")

    def _row(self, row: Row) -> Iterator[Event]:
        fields: dict[str, Any] = {}
        for field, cell in self._map.columns.items():
            try:
                value = self._value(field, cell, row)
            except _Unknown as error:
                yield Missed(Reason.UNKNOWN_VALUE, row.place, self._table, f"{field}: {error}")
                return
            if field in _MOMENTS and isinstance(value, str):
                moment = read_moment(value, self._options.zone)
                value = moment.moment
                if moment.dropped:
                    yield Noted(Remark.MOMENT_DROPPED, row.place, "It is no time, or names no zone.")
            elif field == "note" and value is not None and not self._options.keep_notes:
                value = None
                yield Noted(Remark.NOTE_DROPPED, row.place)
            if value is not None:
                fields[field] = value
        yield Draft(self._table, fields, row.place)

    def _value(self, field: str, cell: Cell, row: Row) -> Any:
        """Returns a field's JSON value; None where there is nothing."""
        value = cell.value if cell.column is None else row.fields.get(cell.column)
        if value is None or (isinstance(value, str) and not value.strip()):
            return [] if field in LISTS else None
        if cell.values is not None and cell.column is not None:
            value = cell.values.get(_text(value))
            if value is None:
                raise _Unknown("the column map does not name its value.")
        if isinstance(value, str):
            value = _converted(field, cell, value.strip())
        if field in PEOPLE and cell.pseudonym:
            value = self._hidden(PEOPLE[field], value)
        return value

    def _hidden(self, kind: str, value: Any) -> Any:
        """Returns pseudonyms in place of names; a number is a name too."""
        if isinstance(value, list):
            return [self._hidden(kind, each) for each in value]
        is_name = isinstance(value, (str, int)) and not isinstance(value, bool)
        return needed(self._options.salt).pseudonym(kind, str(value)) if is_name else value


def _text(value: Any) -> str:
    """Returns a value as a column map writes it."""
    return value.strip() if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _converted(field: str, cell: Cell, text: str) -> Any:
    """Turns a cell's text into what the field holds, in the one way of writing it."""
    if field in LISTS:
        return _listed(field, cell, text)
    if field == "relevant":
        if text not in _TRUTH:
            raise _Unknown("it is neither true nor false; map its values.")
        return _TRUTH[text]
    if field == "rating":
        if not re.fullmatch(r"-?[0-9]{1,9}", text):
            raise _Unknown("it is no whole number; map its values.")
        return int(text)
    if field == "confidence":
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,30})?", text):
            raise _Unknown("it is no number.")
        return float(text)
    return text


def _listed(field: str, cell: Cell, text: str) -> list[Any]:
    if cell.split is not None:
        parts = [part.strip() for part in text.split(cell.split) if part.strip()]
        return [{"conversation_id": part} for part in parts] if field == "evidence" else list(parts)
    try:
        value = parse_object(b'{"list": ' + text.encode() + b"}")["list"]
    except (ValueError, KeyError):
        raise _Unknown("it is no JSON list; say how to `split` it.") from None
    if not isinstance(value, list):
        raise _Unknown("it is no JSON list; say how to `split` it.")
    return value
