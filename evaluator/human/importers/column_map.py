"""Which of a stranger's columns holds which of our fields: a small YAML that people write, read without guessing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, StringConstraints, ValidationError, field_validator, model_validator

from evaluator.errors import Cause, RapportError
from evaluator.human.layout import KINDS
from evaluator.records import Record

PEOPLE = {"annotator_id": "annotator", "user_id": "user", "user_ids": "user"}
"""Fields that name people, and as what."""
LISTS = ("evidence", "user_ids", "attribute_ids", "turns")
"""Fields that hold several things."""
_LARGEST = 100_000
_MOST_BRACKETS = 1_000
"""Opening brackets and braces: the time that a reader of YAML takes grows with the square of how deep they nest."""
_REMEDY = "docs/human.md shows a column map."
_Word = Annotated[str, StringConstraints(min_length=1, max_length=1_000)]


class Cell(Record):
    """Where a field comes from."""

    column: _Word | None = None
    value: _Word | None = None
    """The same for all rows."""
    values: Mapping[str, _Word] | None = None
    """Ours by theirs; any other value of theirs is told and not placed."""
    split: _Word | None = None
    """What stands between the parts of a list; without it a list is written as JSON."""
    pseudonym: bool = True
    """Of fields that name people: whether names are replaced. No says that these are pseudonyms already."""

    @model_validator(mode="after")
    def _comes_from_somewhere(self) -> Cell:
        if (self.column is None) == (self.value is None):
            raise ValueError("needs either `column` or `value`")
        return self


class TableMap(Record):
    """The columns of one of our tables."""

    file: _Word
    """Path inside the source's folder; .csv, .tsv or .jsonl."""
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] | None = None
    columns: Mapping[str, Cell]
    ignore: tuple[_Word, ...] = Field(default=())
    """Columns of theirs that are not wanted."""

    @field_validator("columns", mode="before")
    @classmethod
    def _short_form(cls, columns: Any) -> Any:
        """Takes a plain name for that of a column."""
        if not isinstance(columns, dict):
            return columns
        return {field: {"column": cell} if isinstance(cell, str) else cell for field, cell in columns.items()}

    def used(self) -> frozenset[str]:
        """Returns their columns that are used."""
        return frozenset(cell.column for cell in self.columns.values() if cell.column is not None)


def load_column_map(path: Path) -> dict[str, TableMap]:
    """Returns the columns of each table that a YAML file maps.

    Every plain value counts as the text that it is: `no` is the two letters, never the opposite of yes.

    Raises:
        RapportError: `not_found`, or `data_error` that names the table and field which is wrong.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST + 1)
    except OSError as error:
        raise RapportError(Cause.NOT_FOUND, f"{path.name} cannot be opened ({type(error).__name__}).", _REMEDY) from (
            error
        )
    if len(raw) > _LARGEST:
        raise _refused(f"The column map has more than {_LARGEST:,} bytes")
    tables = _parsed(raw)
    if not isinstance(tables, dict) or not tables or not all(isinstance(table, str) for table in tables):
        raise _refused("The column map names no table")
    return {table: _table(table, value) for table, value in tables.items()}


def _parsed(raw: bytes) -> Any:
    try:
        text = raw.decode("utf-8-sig")
        if text.count("[") + text.count("{") > _MOST_BRACKETS:
            raise _refused(f"The column map has more than {_MOST_BRACKETS:,} brackets and braces")
        # A few aliases of aliases stand for more than any machine holds.
        if any(isinstance(token, (yaml.AliasToken, yaml.AnchorToken)) for token in yaml.scan(text)):
            raise _refused("The column map uses anchors, which are not read")
        return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 It makes texts, lists and dicts alone.
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, TypeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise _refused(f"The column map is not YAML{where}") from error


def _table(table: str, value: Any) -> TableMap:
    if table not in KINDS:
        raise _refused(f"There is no table {table[:100]!r}; there are {', '.join(KINDS)}")
    try:
        found = TableMap.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, (table, *first["loc"])))
        raise _refused(f"In the column map, {place}: {first['msg']}") from error
    fields = KINDS[table].model_fields
    if strange := found.columns.keys() - fields.keys():
        raise _refused(f"{table} has no field {min(strange)[:100]!r}; it has {', '.join(fields)}")
    if lacking := [name for name, field in fields.items() if field.is_required() and name not in found.columns]:
        raise _refused(f"The column map says nothing of {table}.{lacking[0]}")
    if wrong := [name for name, cell in found.columns.items() if cell.split is not None and name not in LISTS]:
        raise _refused(f"{table}.{wrong[0]} is no list, so nothing can be split")
    return found


def _refused(fault: str) -> RapportError:
    return RapportError(Cause.DATA_ERROR, f"{fault}.", _REMEDY)
