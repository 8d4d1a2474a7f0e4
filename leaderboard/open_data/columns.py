"""Which columns a public record has: its fields, and in place of a record within it that record's fields.

The column of a figure's value is called as the figure; its other parts are called after it: `total`, `total_low`.
"""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar, get_args

from pydantic import create_model
from pydantic.fields import FieldInfo

from evaluator.records import UpgradedRecord
from leaderboard.open_data.records import OpenRecord

Row = TypeVar("Row", bound=OpenRecord)

_VALUE = "value"


@cache
def columns_of(kind: type[OpenRecord]) -> type[OpenRecord]:
    """Returns the record that has one plain field for each column, with its description; a flat record is its own.

    Raises:
        ValueError: If a field has no docstring, or two columns have one name.

    Example:
        >>> from leaderboard.open_data.board import OpenScorecard
        >>> list(columns_of(OpenScorecard).model_fields)[5:10]
        ['total', 'total_low', 'total_high', 'total_users', 'total_worst_case']
    """
    columns: dict[str, Any] = {}
    for field_name, field in kind.model_fields.items():
        if not field.description:
            raise ValueError(f"{kind.__name__}.{field_name} has no docstring")
        for name, column in _columns_of_field(field_name, field).items():
            if name in columns:
                raise ValueError(f"{kind.__name__} has two columns {name}")
            columns[name] = column
    if columns.keys() == kind.model_fields.keys():
        return kind
    if not issubclass(kind, UpgradedRecord):
        return create_model(f"{kind.__name__}Columns", __base__=OpenRecord, **columns)
    # An upgrade of a row with figures in it adds or changes plain columns, so that it is one of these columns too.
    upgraded = create_model(f"{kind.__name__}Columns", __base__=(OpenRecord, UpgradedRecord), **columns)
    upgraded.upgrades = kind.upgrades
    return upgraded


def to_columns(row: OpenRecord) -> OpenRecord:
    """Lays a row out flat, as a record of `columns_of` its kind."""
    flat = columns_of(type(row))
    return row if flat is type(row) else flat.model_validate(_flatten(row))


def from_columns(columns: OpenRecord, kind: type[Row]) -> Row:
    """Returns the row that was laid out as these columns.

    Example:
        >>> from leaderboard.open_data.records import OpenWithdrawal
        >>> row = OpenWithdrawal(submission_id="s-20260101-0a1b2c3d", at="2026-01-01T00:00:00Z")
        >>> from_columns(to_columns(row), OpenWithdrawal) == row
        True
    """
    if isinstance(columns, kind):
        return columns
    flat = dict(columns)
    values: dict[str, Any] = {}
    for name, field in kind.model_fields.items():
        inner = _inner(field)
        if inner is None:
            values[name] = flat[name]
            continue
        parts = {part: flat[_name(name, part)] for part in inner.model_fields}
        values[name] = None if all(part is None for part in parts.values()) else parts
    return kind.model_validate(values)


def _columns_of_field(name: str, field: FieldInfo) -> dict[str, tuple[Any, FieldInfo]]:
    """Returns type and description of each column of a field."""
    inner = _inner(field)
    if inner is None:
        return {name: (field.annotation, field)}
    may_miss = type(None) in get_args(field.annotation)
    columns = {}
    for part in inner.model_fields:
        kind, about = _plain(inner, part)
        description = (
            f"{field.description} {about}" if part == _VALUE else f"Of `{name}`: {about[0].lower()}{about[1:]}"
        )
        columns[_name(name, part)] = (kind | None if may_miss else kind, FieldInfo(description=description))
    return columns


def _plain(inner: type[OpenRecord], part: str) -> tuple[Any, str]:
    """Returns type and description of a part of a figure."""
    field = inner.model_fields[part]
    if not field.description:
        raise ValueError(f"{inner.__name__}.{part} has no docstring")
    return field.annotation, field.description


def _flatten(row: OpenRecord) -> dict[str, Any]:
    """Returns the values of a row by column."""
    values: dict[str, Any] = {}
    for name, field in type(row).model_fields.items():
        inner, value = _inner(field), getattr(row, name)
        if inner is None:
            values[name] = value
        else:
            values |= {_name(name, part): value and getattr(value, part) for part in inner.model_fields}
    return values


def _inner(field: FieldInfo) -> type[OpenRecord] | None:
    """Returns the record that a field holds, None if it holds something plain."""
    kinds = get_args(field.annotation) or (field.annotation,)
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, OpenRecord)), None)


def _name(name: str, part: str) -> str:
    """Names the column of a part."""
    return name if part == _VALUE else f"{name}_{part}"
