"""Rows as files: one JSON line each, so that `datasets.load_dataset("json", ...)` and a text editor can read them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from pydantic import ValidationError

from evaluator.errors import Cause, RapportError
from evaluator.records import Record

Row = TypeVar("Row", bound=Record)


def encode_rows(rows: Iterable[Record]) -> bytes:
    """Returns the bytes of a rows file."""
    return "".join(f"{row.model_dump_json()}\n" for row in rows).encode()


def decode_rows(content: bytes, kind: type[Row], name: str) -> list[Row]:
    """Returns the rows of a file's bytes.

    Raises:
        RapportError: `data_error` naming file and line if a line is not a row of this kind.
    """
    lines = content.splitlines()
    return [read_record(line, kind, f"line {number} of {name}") for number, line in enumerate(lines, start=1)]


def read_record(value: bytes | str, kind: type[Row], name: str) -> Row:
    """Reads one record that was stored under a name.

    Raises:
        RapportError: `data_error` if it is not one of this kind.
    """
    try:
        return kind.model_validate_json(value)
    except ValidationError as error:
        raise unreadable(f"What is stored as {name}", kind, error) from error


def unreadable(what: str, kind: type[Record], error: ValidationError) -> RapportError:
    """Says why something that is stored is no record of a kind: it is broken, or of a version to come.

    Args:
        what: What it is.
        kind: What it should be.
        error: What was found wrong with it.
    """
    found = error.errors()
    if newer := next((each["input"] for each in found if _is_newer(each["loc"], each["type"], each["input"])), None):
        return RapportError(
            Cause.DATA_ERROR,
            f"{what} was written by a newer Rapport: version {newer} of a {kind.__name__} or of something in it.",
            "Upgrade Rapport; nothing is wrong with the file.",
        )
    reason = " ".join([".".join(map(str, found[0]["loc"])), found[0]["msg"]]).strip()
    return RapportError(
        Cause.DATA_ERROR,
        f"{what} is no {kind.__name__}: {reason}.",
        "Restore the file from a backup, or remove it.",
    )


def _is_newer(place: tuple[int | str, ...], complaint: str, found: object) -> bool:
    """Says whether something wrong with a record is that its version is one to come."""
    is_version = place[-1:] == ("schema_version",) and complaint == "literal_error"
    return is_version and isinstance(found, int) and found > 0
