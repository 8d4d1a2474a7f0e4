"""Columns of public rows as arrays: what a file holds is checked before anything is made of it."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from evaluator.errors import Cause, RapportError
from evaluator.parquet import opened, read_table
from leaderboard.open_data.records import OpenRecord
from leaderboard.store.parquet import schema_of

Codes: TypeAlias = NDArray[np.intp]
Mask: TypeAlias = NDArray[np.bool_]


class Words(NamedTuple):
    """A column of few words.

    Example:
        >>> words = Words.of(pa.array(["food", None, "art", "food"]))
        >>> words.names, words.code.tolist(), words.at(0), words.at(1)
        (('art', 'food'), [1, -1, 0, 1], 'food', None)
    """

    names: tuple[str, ...]
    """All words; of a file's column each that occurs, sorted."""
    code: Codes
    """(rows,): place of a row's word in `names`; -1 where it has none."""

    @classmethod
    def of(cls, column: Any) -> Words:
        """Returns the words of an Arrow column of strings."""
        names = pc.drop_null(pc.unique(column)).sort()
        place = pc.fill_null(pc.index_in(column, value_set=names), -1)
        return cls(tuple(names.to_pylist()), place.to_numpy(zero_copy_only=False).astype(np.intp))

    @classmethod
    def chosen(cls, names: Sequence[str], code: Codes) -> Words:
        """Returns words of a list that is given, without those that do not occur."""
        there = [number for number in range(len(names)) if (code == number).any()]
        there.sort(key=lambda number: names[number])
        place = np.full(len(names) + 1, -1, dtype=np.intp)
        place[there] = np.arange(len(there))
        return cls(tuple(names[number] for number in there), place[code])

    def at(self, row: int) -> str | None:
        """Returns the word of a row."""
        code = int(self.code[row])
        return None if code < 0 else self.names[code]

    def are(self, name: str) -> Mask:
        """Tells which rows have a word, (rows,)."""
        found: Mask = self.code == (self.names.index(name) if name in self.names else -2)
        return found

    def taken(self, rows: Codes | Mask) -> Words:
        """Returns the words of some rows; all names stay."""
        return Words(self.names, self.code[rows])


class Lists(NamedTuple):
    """A column of lists."""

    row: Codes
    """(values,): the row whose list a value stands in."""
    values: Any
    """(values,): an Arrow array."""

    @classmethod
    def of(cls, column: Any) -> Lists:
        """Returns what stands in the lists of an Arrow column."""
        whole = column.combine_chunks()
        return cls(pc.list_parent_indices(whole).to_numpy().astype(np.intp), pc.list_flatten(whole))


def read_columns(
    content: bytes, kind: type[OpenRecord], columns: Sequence[str], name: str, newer: Collection[str] = ()
) -> Any:
    """Returns some columns of a file of public rows, each once and of its type, as an Arrow table.

    Args:
        content: The file.
        kind: What it holds.
        columns: Which columns.
        name: What it is called in errors.
        newer: Those that files of older versions lack; all of their values are null, or empty lists.

    Raises:
        RapportError: `data_error` if it is no Parquet file, or a column is not there, of another type, or lacks values.
    """
    with _told(name):
        table = read_table(content, columns)
    return _checked(table, kind, columns, name, newer)


def read_rows(
    content: bytes, kind: type[OpenRecord], columns: Sequence[str], name: str, question_ids: Sequence[str]
) -> list[dict[str, Any]]:
    """Returns some columns of the rows on some questions that count; other rows' texts are not kept.

    Args:
        content: The file.
        kind: What it holds.
        columns: Which columns.
        name: What it is called in errors.
        question_ids: The questions.

    Raises:
        RapportError: As of `read_columns`.
    """
    wanted, found = pa.array(question_ids, type=pa.string()), []
    with _told(name), opened(io.BytesIO(content)) as file:
        for group in range(file.num_row_groups):
            keys = file.read_row_group(group, columns=["question_id", "counts"], use_threads=False)
            keys = _checked(keys, kind, ("question_id", "counts"), name)
            mine = pc.and_(keys.column("counts"), pc.is_in(keys.column("question_id"), value_set=wanted))
            if pc.any(mine).as_py():
                table = file.read_row_group(group, columns=list(columns), use_threads=False)
                found += _checked(table, kind, columns, name).filter(mine).to_pylist()
    return found


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Says of a file that cannot be read what it is."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise broken(f"{name} is no readable Parquet file: {str(error).splitlines()[0][:200]}.") from error


def _checked(table: Any, kind: type[OpenRecord], columns: Sequence[str], name: str, newer: Collection[str] = ()) -> Any:
    """Returns a table if it has some columns as rows of a kind have them."""
    schema = schema_of(kind)
    for column in columns:
        field = schema.field(column)
        if column in newer and column not in table.column_names:
            table = table.append_column(field, _nothing(field.type, len(table)))
        place = table.schema.get_field_index(column)
        if place < 0 or table.schema.field(place).type != field.type:
            raise broken(f"{name} lacks the column {column}, or it is of another type.")
        if not field.nullable and table.column(place).null_count:
            raise broken(f"{name} has rows without {column}.")
    return table


def the_one(table: Any, column: str, name: str) -> str:
    """Returns the value that all rows of a column share.

    Raises:
        RapportError: `data_error` if there are several, or none.
    """
    found = pc.unique(table.column(column)).to_pylist()
    if len(found) != 1:
        raise broken(f"{name} has rows of {len(found)} values of {column}, and not of one.")
    return str(found[0])


def broken(message: str) -> RapportError:
    """Returns what is said of a public file that cannot be what it is taken for."""
    return RapportError(
        Cause.DATA_ERROR, message, "`rapport store check --repair` makes public files anew from the archive."
    )


def _nothing(kind: Any, rows: int) -> Any:
    """Returns a column without values."""
    return pa.array([[]] * rows, type=kind) if pa.types.is_list(kind) else pa.nulls(rows, type=kind)
