"""Rows of a stranger's files, one at a time: JSON Lines and tables of separated values.

A row that cannot be read is an event of its own and the next one is read; a file that cannot be read any further is an
error, for nobody could say what is missing. No more than one row is held in memory, and no row beyond a limit.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from evaluator.errors import Cause, RapportError
from evaluator.human.importers.events import Missed, Reason
from evaluator.untrusted_json import parse_object

LONGEST_ROW = 16 * 2**20
"""Bytes of a line of JSON, or of a cell."""
_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_BLOCK = 2**20


class Row(NamedTuple):
    """One row of a file."""

    place: str
    """File and line, from 1."""
    fields: dict[str, Any]


def read_jsonl(path: Path) -> Iterator[Row | Missed]:
    """Yields the objects of a JSON Lines file; empty lines do not count.

    Raises:
        RapportError: `not_found` if the file cannot be opened.
    """
    with _opened(path) as file:
        number = 0
        while line := file.readline(LONGEST_ROW + 1):
            number += 1
            place = f"{path.name}:{number}"
            if len(line) > LONGEST_ROW:
                _skip_line(file, line)
                yield Missed(Reason.UNREADABLE, place, said=f"The line has more than {LONGEST_ROW:,} bytes.")
            elif line.strip():
                yield _object(place, line)


def read_table(path: Path, delimiter: str | None = None) -> Iterator[Row | Missed]:
    """Yields the rows of a table of separated values (RFC 4180), UTF-8 with a header; every cell is text.

    Nothing in a cell is ever computed: `=1+1` are four characters.

    Args:
        path: The file.
        delimiter: One character; by the ending of the file's name if left out.

    Raises:
        RapportError: `not_found`, or `data_error` if the header is unusable or a quotation never ends.
    """
    with _opened(path) as file:
        yield from _table_rows(path, file, delimiter or _DELIMITERS.get(path.suffix.lower(), ","))


def header(path: Path, delimiter: str | None = None) -> tuple[str, ...]:
    """Returns the names of a table's columns.

    Raises:
        RapportError: As `read_table`.
    """
    with _opened(path) as file:
        return _header(path, _reader(file, delimiter or _DELIMITERS.get(path.suffix.lower(), ",")))


def _table_rows(path: Path, file: BinaryIO, delimiter: str) -> Iterator[Row | Missed]:
    reader = _reader(file, delimiter)
    names = _header(path, reader)
    while True:
        place = f"{path.name}:{reader.line_num + 1}"
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise RapportError(
                Cause.DATA_ERROR, f"{path.name} cannot be read from line {reader.line_num} on ({error}).", "Mend it."
            ) from error
        if cells is None:
            return
        if cells:
            yield _cells(place, names, cells)


def _reader(file: BinaryIO, delimiter: str) -> Any:
    """Reads cells; bytes that are not UTF-8 are marked, so that they spoil their own row alone."""
    csv.field_size_limit(LONGEST_ROW)
    return csv.reader(_lines(file), delimiter=delimiter, strict=True)


def _lines(file: BinaryIO) -> Iterator[str]:
    """Yields lines of bounded length."""
    while line := file.readline(LONGEST_ROW):
        if len(line) == LONGEST_ROW and not line.endswith(b"\n"):
            raise csv.Error(f"it has more than {LONGEST_ROW:,} bytes")
        yield line.decode("utf-8", errors="surrogateescape")


def _header(path: Path, reader: Any) -> tuple[str, ...]:
    try:
        names = tuple(name.strip().removeprefix("\ufeff") for name in next(reader, ()))
    except csv.Error as error:
        raise RapportError(Cause.DATA_ERROR, f"The header of {path.name} cannot be read ({error}).", "Mend it.") from (
            error
        )
    if not names or not all(names) or len(set(names)) < len(names) or not _is_unicode("".join(names)):
        raise RapportError(
            Cause.DATA_ERROR,
            f"{path.name} has no header that names each of its columns once.",
            "Name every column in its first line, in UTF-8.",
        )
    return names


def _cells(place: str, names: tuple[str, ...], cells: list[str]) -> Row | Missed:
    if len(cells) != len(names):
        return Missed(Reason.UNREADABLE, place, said=f"It has {len(cells)} cells for {len(names)} columns.")
    if not all(map(_is_unicode, cells)):
        return Missed(Reason.UNREADABLE, place, said="It is not UTF-8 text.")
    return Row(place, dict(zip(names, cells, strict=True)))


def _object(place: str, line: bytes) -> Row | Missed:
    try:
        fields = parse_object(line)
    except UnicodeDecodeError:
        return Missed(Reason.UNREADABLE, place, said="It is not UTF-8 text.")
    except json.JSONDecodeError as error:
        return Missed(Reason.UNREADABLE, place, said=f"It is not JSON: {error.msg}, at character {error.pos + 1}.")
    except ValueError:
        # What is said of the other faults quotes the line.
        return Missed(Reason.UNREADABLE, place, said="It is no JSON object within the limits.")
    if b"\\u" in line and not _is_unicode(json.dumps(fields, ensure_ascii=False)):
        return Missed(Reason.UNREADABLE, place, said="It holds half a character.")
    return Row(place, fields)


def _is_unicode(text: str) -> bool:
    """Tells texts from those with lone surrogates, which no file can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _skip_line(file: BinaryIO, line: bytes) -> None:
    """Reads on to the end of a line, and keeps nothing of it."""
    while line and not line.endswith(b"\n"):
        line = file.readline(_BLOCK)


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise RapportError(
            Cause.NOT_FOUND, f"{path.name} cannot be opened ({type(error).__name__}).", "Check its path and its rights."
        ) from error
