"""Records as Parquet: each field a typed column, nested records and pairs as structs, so that any tool can read them.

The columns are derived from the record's own annotations, so a field cannot be forgotten, and what was written reads
back as an equal record.
"""

from __future__ import annotations

import datetime
import io
import types
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import is_dataclass
from enum import Enum
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ValidationError

from evaluator.errors import Cause, RapportError
from evaluator.parquet import read_table
from evaluator.records import Record
from leaderboard.store.rows import unreadable

Row = TypeVar("Row", bound=Record)

_ROWS_A_GROUP = 16_384
_PAIR = ("name", "value")
"""Names of the two parts of a pair; those of other fixed tuples are numbers."""


class Column(NamedTuple):
    """How the values of one annotation stand in Parquet."""

    type: Any
    """Arrow's type."""
    write: Callable[[Any], Any]
    """From a record's value to Arrow's."""
    read: Callable[[Any], Any]
    """Back again, as far as pydantic does not do it by itself."""


@cache
def schema_of(kind: type[Record]) -> Any:
    """Returns the Arrow schema of a record, its columns in the order of the fields.

    Raises:
        TypeError: If a field's annotation has no column, such as a union of records.

    Example:
        >>> from evaluator.records import Terms
        >>> schema_of(Terms).field("licence").type, schema_of(Terms).field("licence").nullable
        (DataType(string), True)
    """
    return pa.schema(list(_column(kind).type))


def encode_parquet(rows: Iterable[Row], kind: type[Row]) -> bytes:
    """Returns a Parquet file of some rows, compressed with Zstandard and with checksums; equal rows give equal bytes.

    Example:
        >>> from evaluator.records import Terms
        >>> terms = Terms(visibility="public", season="1", licence=None, redistributable=False, personal_data="none")
        >>> decode_parquet(encode_parquet([terms], Terms), Terms, "terms.parquet") == [terms]
        True
    """
    write = _column(kind).write
    table = pa.Table.from_pylist([write(row) for row in rows], schema=schema_of(kind))
    buffer = io.BytesIO()
    with pq.ParquetWriter(buffer, table.schema, compression="zstd", write_page_checksum=True) as file:
        if table.num_rows:  # `datasets` fails on a group without rows, and with it on all files beside that one.
            file.write_table(table, row_group_size=_ROWS_A_GROUP)
    return buffer.getvalue()


def decode_parquet(content: bytes, kind: type[Row], name: str, only_its_columns: bool = False) -> list[Row]:
    """Returns the rows of a Parquet file.

    Args:
        content: The file.
        kind: What it holds.
        name: What it is called in errors.
        only_its_columns: Whether the file may have others, which are not read then.

    Raises:
        RapportError: `data_error` if it is no Parquet file, or holds something else.
    """
    columns = list(kind.model_fields) if only_its_columns else None
    try:
        values = read_table(content, columns).to_pylist()
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise _unreadable(f"{name} is no readable Parquet file: {str(error).splitlines()[0][:200]}.") from error
    read = _column(kind).read
    rows: list[Row] = []
    for value in values:
        try:
            rows.append(kind.model_validate(read(value)))
        except ValidationError as error:
            raise unreadable(f"Row {len(rows) + 1} of {name}", kind, error) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            reason = f"Row {len(rows) + 1} of {name} is no {kind.__name__}: a column holds something else."
            raise _unreadable(reason) from error
    return rows


def _unreadable(message: str) -> RapportError:
    return RapportError(Cause.DATA_ERROR, message, "Restore the file from a backup, or remove it.")


@cache
def _column(annotation: Hashable) -> Column:
    """Returns the column of an annotation."""
    if get_origin(annotation) is Annotated:
        return _column(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return _optional(annotation)
    if get_origin(annotation) is Literal:
        return _plain(type(get_args(annotation)[0]))
    if get_origin(annotation) is tuple:
        return _tuple(get_args(annotation))
    if get_origin(annotation) is dict:
        return _mapping(get_args(annotation))
    if isinstance(annotation, type):
        return _plain(annotation)
    raise TypeError(f"{annotation} has no column")


def _plain(kind: type) -> Column:
    """Returns the column of a class."""
    if issubclass(kind, BaseModel):
        return _struct({name: field.annotation for name, field in kind.model_fields.items()}, _attribute, dict)
    if is_dataclass(kind):
        return _struct(get_type_hints(kind), _attribute, dict)
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return _struct(get_type_hints(kind), _attribute, lambda value: kind(**value))
    if issubclass(kind, Enum):
        return Column(pa.string(), lambda value: value.value, _same)
    simple = {str: pa.string(), bool: pa.bool_(), int: pa.int64(), float: pa.float64()}
    if kind in simple:
        return Column(simple[kind], _same, _same)
    if kind is datetime.datetime:
        return Column(pa.timestamp("us", tz="UTC"), _same, _same)
    raise TypeError(f"{kind.__name__} has no column")


def _optional(annotation: Any) -> Column:
    """Returns the column of a value that may be missing, or may be a word of several lists."""
    kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
    words = all(isinstance(kind, type) and issubclass(kind, Enum) for kind in kinds)
    if len(kinds) != 1 and not words:
        raise TypeError(f"{annotation} has no column")
    inner = _column(kinds[0])
    return Column(
        inner.type,
        lambda value: None if value is None else inner.write(value),
        lambda value: None if value is None else inner.read(value),
    )


def _tuple(kinds: Sequence[Any]) -> Column:
    """Returns the column of a tuple: a list if it may have any length, else a struct."""
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        inner = _column(kinds[0])
        return Column(
            pa.list_(inner.type),
            lambda value: [inner.write(one) for one in value],
            lambda value: tuple(inner.read(one) for one in value),
        )
    names = _PAIR if len(kinds) == 2 else tuple(map(str, range(len(kinds))))
    place = {name: number for number, name in enumerate(names)}
    return _struct(
        dict(zip(names, kinds, strict=True)),
        lambda value, name: value[place[name]],
        lambda value: tuple(value[name] for name in names),
    )


def _mapping(kinds: Sequence[Any]) -> Column:
    """Returns the column of a mapping: the list of its pairs, in their order."""
    pairs = _tuple((tuple[kinds[0], kinds[1]], Ellipsis))  # type: ignore[valid-type]
    return Column(pairs.type, lambda value: pairs.write(tuple(value.items())), lambda value: dict(pairs.read(value)))


def _struct(fields: dict[str, Any], get: Callable[[Any, str], Any], make: Callable[[dict[str, Any]], Any]) -> Column:
    """Returns the column of something with named parts."""
    columns = {name: _column(annotation) for name, annotation in fields.items()}
    parts = [pa.field(name, one.type, nullable=_may_miss(fields[name])) for name, one in columns.items()]
    return Column(
        pa.struct(parts),
        lambda value: {name: one.write(get(value, name)) for name, one in columns.items()},
        lambda value: make({name: columns[name].read(one) if name in columns else one for name, one in value.items()}),
    )


def _may_miss(annotation: Any) -> bool:
    """Says whether a field may be None."""
    return type(None) in get_args(annotation)


def _attribute(value: Any, name: str) -> Any:
    return getattr(value, name)


def _same(value: Any) -> Any:
    return value
