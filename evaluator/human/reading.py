"""Reads the raw files of a data set of people's labels: every row that can be read, and what is wrong with each other.

Values are taken as they stand: "4" is no rating and "yes" is no truth value.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from pydantic import ValidationError

from evaluator.human.findings import Finding, Problem
from evaluator.human.layout import KEYS, KINDS, ROSTER, HumanTables
from evaluator.human.records import Row
from evaluator.human.writing import files_of
from evaluator.untrusted_json import parse_object

_LONGEST_NAME = 200

_Note: TypeAlias = Callable[[str, object], None]
"""Takes the place of something that cannot be read, and the reason."""


class Reading(NamedTuple):
    """What a folder holds."""

    tables: HumanTables
    """The rows that could be read."""
    places: Mapping[str, tuple[str, ...]]
    """For each table, where each of its rows stands: `FILE:LINE`."""
    findings: tuple[Finding, ...]
    """What could not be read, and what does not belong there."""
    unread: Mapping[str, frozenset[tuple[str, ...]]]
    """For each table, the names of rows that are there but could not be read; of labels, the items."""
    unread_users: frozenset[str]
    """Users of such rows."""
    has_roster: bool
    """Whether a table of annotators stands there, though it may be empty."""


class _Raw(NamedTuple):
    """A row before it is understood."""

    place: str
    values: dict[str, Any]


class _Table(NamedTuple):
    """What the files of one table hold."""

    rows: list[Row]
    places: list[str]
    findings: list[Finding]
    unread: set[tuple[str, ...]]
    users: set[str]


def read_tables(folder: Path) -> Reading:
    """Reads all tables of a folder; nothing that stands in a file stops it.

    Example:
        >>> from evaluator.human.data import demo_set
        >>> reading = read_tables(demo_set())
        >>> reading.places["prompts"][0], reading.findings
        ('prompts/part-0000.jsonl:1', ())
    """
    tables = {table: _read_table(folder, table) for table in KINDS}
    return Reading(
        HumanTables._make(tuple(found.rows) for found in tables.values()),
        {table: tuple(found.places) for table, found in tables.items()},
        tuple(finding for found in tables.values() for finding in found.findings),
        {table: frozenset(found.unread) for table, found in tables.items()},
        frozenset(user for found in tables.values() for user in found.users),
        bool(files_of(folder, ROSTER)),
    )


def row_name(table: str, values: Mapping[str, Any]) -> str | None:
    """Names a row for people; None if it has no name.

    Example:
        >>> row_name("relevance_labels", {"prompt_id": "p1", "attribute_id": "a2", "annotator_id": "ann-3"})
        'p1, a2 by ann-3'
    """
    parts = [values.get(column) for column in KEYS[table]]
    if not all(isinstance(part, str) and part.isprintable() for part in parts):
        return None
    *item, last = (str(part)[:_LONGEST_NAME] for part in parts)
    return f"{', '.join(item)} by {last}" if item else last


def _read_table(folder: Path, table: str) -> _Table:
    """Reads all files of a table."""
    found = _Table([], [], [], set(), set())
    columns = KINDS[table].model_fields.keys()
    foreign: dict[str, list[str]] = {}

    def note(place: str, reason: object) -> None:
        message = f"It cannot be read: {_one_line(str(reason))}."
        found.findings.append(Finding(problem=Problem.UNREADABLE, table=table, place=place, message=message))

    paths = files_of(folder, table)
    for path in paths:
        read = _lines if path.suffix == ".jsonl" else _parquet_rows
        for raw in read(path, path.relative_to(folder).as_posix(), note):
            for column in raw.values.keys() - columns:
                foreign.setdefault(column, []).append(raw.place)
            _understand(raw, table, found)
    found.findings.extend(_foreign(table, foreign))
    if not paths and table != ROSTER:
        message = "It has no file; an empty one will do."
        found.findings.append(Finding(problem=Problem.MISSING_FILE, table=table, place=table, message=message))
    return found


def _foreign(table: str, places: Mapping[str, list[str]]) -> Iterator[Finding]:
    """Yields each column that a table should not have, at the first row that has it."""
    for column, rows in sorted(places.items()):
        message = f"The layout has no column {_one_line(repr(column))}; {len(rows)} of its rows have it."
        yield Finding(problem=Problem.FOREIGN_COLUMN, table=table, place=rows[0], message=message)


def _understand(raw: _Raw, table: str, found: _Table) -> None:
    """Makes a record of a row, or says why it is none."""
    kind = KINDS[table]
    values = {name: value for name, value in raw.values.items() if name in kind.model_fields}
    try:
        row = kind.model_validate_json(json.dumps(values), strict=True)
    except ValidationError as error:
        name = row_name(table, values)
        found.findings.append(
            Finding(problem=Problem.INVALID, table=table, place=raw.place, row=name, message=_said(error))
        )
        key = KEYS[table]
        found.unread.add(tuple(str(values.get(column)) for column in (key[:-1] or key)))
        found.users.add(str(values.get("user_id")))
        return
    found.rows.append(row)
    found.places.append(raw.place)


def _said(error: ValidationError) -> str:
    """Says in a sentence what is wrong with a row."""
    first, *others = error.errors(include_url=False)
    field = ".".join(map(str, first["loc"])) or "the row"
    more = f", and {len(others)} more" if others else ""
    return f"{field}: {_one_line(first['msg'])}{more}."


def _one_line(text: str) -> str:
    """Returns the beginning of a text on one line that is safe to print."""
    return "".join(each if each.isprintable() else "?" for each in " ".join(text.split()))[:_LONGEST_NAME]


def _lines(path: Path, name: str, note: _Note) -> Iterator[_Raw]:
    """Reads JSON lines; empty ones do not count."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                try:
                    yield _Raw(f"{name}:{number}", parse_object(line))
                except ValueError as error:
                    note(f"{name}:{number}", error)
    except OSError as error:
        note(name, error.strerror)


def _parquet_rows(path: Path, name: str, note: _Note) -> Iterator[_Raw]:
    """Reads Parquet."""
    import pyarrow as pa

    from evaluator.parquet import read_table

    try:
        values = read_table(path).to_pylist()
    except (pa.ArrowException, OSError, ValueError) as error:
        note(name, error)
        return
    for number, row in enumerate(values, start=1):
        try:
            yield _Raw(f"{name}:{number}", json.loads(json.dumps(row, default=_moment, allow_nan=False)))
        except (TypeError, ValueError) as error:
            note(f"{name}:{number}", error)


def _moment(value: object) -> str:
    """Writes what JSON has no type for."""
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    raise TypeError(f"a {type(value).__name__} has no place in a row")
