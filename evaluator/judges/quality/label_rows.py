"""The rows of a labelled verdict file as they stand, one by one: nothing is read whole, and nothing stops it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from evaluator.judges.quality.labelled import COLUMNS, NEEDED, LabelFinding, LabelProblem
from evaluator.untrusted_json import parse_object

MOST_BYTES = 64 * 2**20
"""Of a file, and of what a Parquet file says that it holds once it is unpacked."""
MOST_BYTES_A_LINE = 16 * 2**10
"""Of a row: a note of 500 characters takes 6,000 bytes at most."""
MOST_ROWS = 200_000
_BATCH = 1_000
_NUMBER = "schema_version"
"""The one column that is no text."""
_LONGEST_SAID = 120


class RawRow(NamedTuple):
    """A row before it is understood."""

    place: str
    values: dict[str, Any]


Part: TypeAlias = RawRow | LabelFinding
"""A row, or what is wrong in its place."""


def raw_rows(path: Path) -> Iterator[Part]:
    """Yields the rows of a file, and what is wrong with the file or with a row that cannot be read.

    Args:
        path: A file that ends in `.jsonl` or `.parquet`.

    Raises:
        OSError: If it cannot be read.
    """
    name = said(path.name)
    if (size := path.stat().st_size) > MOST_BYTES:
        yield finding(LabelProblem.TOO_LARGE, name, f"It has {size:,} bytes; {MOST_BYTES:,} are read.")
    elif path.suffix == ".jsonl":
        yield from _lines(path, name)
    elif path.suffix == ".parquet":
        yield from _parquet(path, name)
    else:
        yield finding(LabelProblem.UNREADABLE, name, "Its name ends neither in .jsonl nor in .parquet.")


def finding(problem: LabelProblem, place: str, message: str) -> LabelFinding:
    """Returns a finding."""
    return LabelFinding(problem=problem, place=place, message=message)


def said(value: object) -> str:
    r"""Returns a stranger's value as it may be shown: on one line, in ASCII, and not too long.

    Example:
        >>> said("caf\u00e9\n")
        'caf\\xe9\\n'
    """
    text = ascii(value)[1:-1] if isinstance(value, str) else ascii(value)
    return text if len(text) <= _LONGEST_SAID else f"{text[:_LONGEST_SAID]}..."


def _lines(path: Path, name: str) -> Iterator[Part]:
    """Reads JSON lines; empty ones do not count."""
    rows = number = 0
    with path.open("rb") as file:
        while line := file.readline(MOST_BYTES_A_LINE + 1):
            number += 1
            place = f"{name}:{number}"
            if len(line) > MOST_BYTES_A_LINE:
                message = f"The line has more than {MOST_BYTES_A_LINE:,} bytes; nothing is read from here on."
                yield finding(LabelProblem.TOO_LARGE, place, message)
                return
            if not line.strip():
                continue
            rows += 1
            if rows > MOST_ROWS:
                yield _too_many(place)
                return
            yield _line(line, place)


def _line(line: bytes, place: str) -> Part:
    """Reads one line."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        return finding(LabelProblem.NOT_UTF8, place, f"It is not UTF-8 (byte {error.start + 1} of the line).")
    if text.startswith("\ufeff"):
        return finding(LabelProblem.UNREADABLE, place, "It begins with a byte order mark.")
    if "\0" in text:
        return finding(LabelProblem.CONTROL_CHARACTERS, place, "It holds a zero byte.")
    try:
        return RawRow(place, parse_object(line))
    except ValueError as error:
        return finding(LabelProblem.UNREADABLE, place, f"It cannot be read as JSON: {said(str(error))}.")


def _too_many(place: str) -> LabelFinding:
    message = f"There are more than {MOST_ROWS:,} rows; nothing is read from here on."
    return finding(LabelProblem.TOO_MANY_ROWS, place, message)


def _parquet(path: Path, name: str) -> Iterator[Part]:
    """Reads Parquet, some rows at a time.

    Texts are read as dictionaries, so that a long one that stands in every row is found before it is multiplied. What
    a page says of its own size is left to Arrow: read a stranger's file in a process with a limit of memory.
    """
    import pyarrow as pa

    from evaluator.parquet import opened

    try:
        with opened(path) as file:
            if wrong := [*_wrong_size(file.metadata, name), *_wrong_columns(file.schema, name)]:
                yield from wrong
                return
            texts = [column for column in file.schema.names if column != _NUMBER]
        with opened(path, texts) as file:
            yield from _batches(file, name)
    except (pa.ArrowException, OSError, ValueError) as error:
        yield finding(LabelProblem.UNREADABLE, name, f"It cannot be read as Parquet: {said(str(error))}.")


def _wrong_size(metadata: Any, name: str) -> Iterator[LabelFinding]:
    """Yields what a Parquet file says that it holds and no label file does."""
    groups = [metadata.row_group(place) for place in range(metadata.num_row_groups)]
    if sum(group.num_rows for group in groups) > MOST_ROWS:
        yield _too_many(name)
    unpacked = sum(group.total_byte_size for group in groups)
    if unpacked > MOST_BYTES:
        yield finding(LabelProblem.TOO_LARGE, name, f"It unpacks to {unpacked:,} bytes; {MOST_BYTES:,} are read.")


def _wrong_columns(schema: Any, name: str) -> Iterator[LabelFinding]:
    """Yields the columns of a Parquet file that are no columns of labels: only flat texts and whole numbers are."""
    columns = [schema.column(place) for place in range(len(schema))]
    names = [column.path for column in columns]
    for column in columns:
        if column.path not in COLUMNS:
            yield finding(LabelProblem.FOREIGN_COLUMN, name, f"The format has no column {said(column.path)!r}.")
        elif not _fits(column):
            wanted = "whole numbers" if column.path == _NUMBER else "text"
            message = f"Column {column.path} holds {said(str(column.logical_type))} and not {wanted}."
            yield finding(LabelProblem.COLUMN_TYPE, name, message)
    for twice in sorted({each for each in names if names.count(each) > 1}):
        yield finding(LabelProblem.FOREIGN_COLUMN, name, f"Column {said(twice)!r} stands there twice.")
    for lacking in (each for each in NEEDED if each not in names):
        yield finding(LabelProblem.MISSING_COLUMN, name, f"Column {lacking} is missing.")


def _fits(column: Any) -> bool:
    """Says whether a column of Parquet holds what its name says."""
    if column.max_repetition_level:
        return False
    if column.path == _NUMBER:
        return column.physical_type in ("INT32", "INT64") and column.logical_type.type in ("NONE", "INT")
    return bool(column.physical_type == "BYTE_ARRAY" and column.logical_type.type in ("STRING", "ENUM"))


def _batches(file: Any, name: str) -> Iterator[Part]:
    """Yields the rows of a Parquet file whose columns are right."""
    number = 0
    for batch in file.iter_batches(batch_size=_BATCH, use_threads=False):
        if (longest := max(map(_longest, batch.columns))) > MOST_BYTES_A_LINE:
            message = f"A value has {longest:,} bytes; nothing is read from here on."
            yield finding(LabelProblem.TOO_LARGE, f"{name}:{number + 1}", message)
            return
        try:
            rows = batch.to_pylist()
        except UnicodeDecodeError:
            message = f"A text within {batch.num_rows} rows from here is not UTF-8; nothing is read from here on."
            yield finding(LabelProblem.NOT_UTF8, f"{name}:{number + 1}", message)
            return
        for values in rows:
            number += 1
            yield RawRow(f"{name}:{number}", {key: value for key, value in values.items() if value is not None})


def _longest(column: Any) -> int:
    """The bytes of the longest text of a column; none of numbers."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_dictionary(column.type):
        return 0
    lengths = pc.max(pc.binary_length(column.dictionary)).as_py()
    return int(lengths or 0)
