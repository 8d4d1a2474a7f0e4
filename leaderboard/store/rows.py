"""Rows as files: one JSON line each, so that `datasets.load_dataset("json", ...)` and a text editor can read them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from pydantic import ValidationError

from evaluator.errors import Cause, RapportError
from evaluator.records import Record
from leaderboard.store.base import Store

Row = TypeVar("Row", bound=Record)


def encode_rows(rows: Iterable[Record]) -> bytes:
    """Returns the bytes of a rows file."""
    return "".join(f"{row.model_dump_json()}\n" for row in rows).encode()


def read_rows(store: Store, folder: str, kind: type[Row]) -> list[Row]:
    """Returns all rows of the files of a folder, in the order of file names.

    Raises:
        RapportError: `data_error` naming file and line if a line is not a row of this kind.
    """
    return [row for path in store.list(folder) for row in read_rows_file(store, path, kind)]


def read_rows_file(store: Store, path: str, kind: type[Row]) -> list[Row]:
    """Returns the rows of one file.

    Raises:
        RapportError: `data_error` naming file and line if a line is not a row of this kind.
    """
    lines = store.read(path).splitlines()
    return [read_record(line, kind, f"line {number} of {path}") for number, line in enumerate(lines, start=1)]


def read_record(value: bytes | str, kind: type[Row], name: str) -> Row:
    """Reads one record that was stored under a name.

    Raises:
        RapportError: `data_error` if it is not one of this kind.
    """
    try:
        return kind.model_validate_json(value)
    except ValidationError as error:
        first = error.errors()[0]
        reason = " ".join([".".join(map(str, first["loc"])), first["msg"]]).strip()
        raise RapportError(
            Cause.DATA_ERROR,
            f"What is stored as {name} is no {kind.__name__}: {reason}.",
            "Restore the file from a backup, or remove it.",
        ) from error
