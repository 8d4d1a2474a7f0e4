"""An append-only file of rows, one JSON line each, that loses nothing which was acknowledged and repeats nothing.

A row is written as soon as it is finished, and acknowledged once a group of rows has been forced onto the disk. Whoever
is killed leaves whole lines, and at most one torn line at the end, which the next writer cuts off.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Generic, NoReturn, Self, TypeVar

from pydantic import ValidationError

from evaluator.errors import Cause, RapportError
from evaluator.records import Record

log = logging.getLogger("rapport.journal")

Row = TypeVar("Row", bound=Record)

GROUP_ROWS = 8
"""Rows are forced onto the disk when so many are written,"""
GROUP_SECONDS = 2.0
"""or when the first of them has waited so long."""


class Journal(Generic[Row]):
    """The one writer's hold on a file of rows.

    Attributes:
        rows: What was in the file when it was opened and what has been acknowledged since, in the file's order.

    Example:
        >>> with Journal(path, Generation, lambda row: row.input_key, ours) as journal:  # doctest: +SKIP
        ...     for group in journal.append(answers):
        ...         print(len(group), "rows are on disk")
    """

    def __init__(
        self, path: Path, kind: type[Row], name: Callable[[Row], str], belongs: Callable[[Row], bool] = lambda _: True
    ) -> None:
        """Opens the file, or begins it, and reads what is in it.

        Args:
            path: The file; its folder must exist.
            kind: What its rows are.
            name: By what rows are told apart.
            belongs: Whether a row was made under the conditions of the present writer.

        Raises:
            RapportError: `data_error`, naming line and file, if a line is broken, stands there twice or does not belong
                here; `infrastructure` if another process writes to the file, or it cannot be opened.
        """
        self.rows: list[Row] = []
        self._path, self._name = path, name
        self._names: set[str] = set()
        try:
            self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise _disk_error(path, error) from error
        try:
            hold_alone(self._file, path)
            self._read(kind, belongs)
            _force_folder(path.parent)  # A file that was only just made must not be gone after a power cut.
        except BaseException:
            os.close(self._file)
            raise

    def append(self, rows: Iterable[Row]) -> Iterator[list[Row]]:
        """Writes rows as they come; yields them in groups, each as soon as it is on disk.

        Raises:
            ValueError: For a row whose name stands in the file already.
            RapportError: `disk_full` or `infrastructure`; the file then ends with its last whole line.
        """
        group: list[Row] = []
        begun = time.monotonic()
        try:
            for row in rows:
                begun = begun if group else time.monotonic()
                self._write(row)
                group.append(row)
                if len(group) >= GROUP_ROWS or time.monotonic() - begun >= GROUP_SECONDS:
                    full, group = group, []
                    yield self._acknowledge(full)
        finally:  # Also where the source of rows breaks off: what it gave is kept.
            rest = self._acknowledge(group)
        if rest:
            yield rest

    def close(self) -> None:
        """Lets another writer in; safe to call twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        """Returns the journal itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Closes the file."""
        self.close()

    def _read(self, kind: type[Row], belongs: Callable[[Row], bool]) -> None:
        """Reads all rows and cuts off a torn last line."""
        content = self._path.read_bytes()
        *lines, rest = content.split(b"\n")
        torn = len(rest)
        if not rest and lines and not _is_json(lines[-1]):  # After a power cut a whole line may be other bytes.
            torn = len(lines.pop()) + 1
        for number, line in enumerate(lines, start=1):
            self._take(self._parse(kind, line, number), number, belongs)
        if torn:
            log.warning("cut %d bytes of an unfinished row off the end of %s", torn, self._path)
            os.ftruncate(self._file, len(content) - torn)
            os.fsync(self._file)
        self._size = len(content) - torn

    def _parse(self, kind: type[Row], line: bytes, number: int) -> Row:
        """Reads one row."""
        try:
            return kind.model_validate_json(line)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            reason = " ".join([".".join(map(str, first["loc"])), first["msg"]]).strip()
            self._refuse(number, f"is no {kind.__name__}: {reason}", "Restore the file from a copy, or remove it.")

    def _take(self, row: Row, number: int, belongs: Callable[[Row], bool]) -> None:
        """Accepts a row that was read."""
        if not belongs(row):
            self._refuse(number, "was made under other conditions", "Name another folder for this evaluation.")
        name = self._name(row)
        if name in self._names:
            self._refuse(number, "repeats an earlier row", "Restore the file from a copy, or remove it.")
        self._names.add(name)
        self.rows.append(row)

    def _refuse(self, number: int, fault: str, remedy: str) -> NoReturn:
        """Says which line cannot stay."""
        raise RapportError(Cause.DATA_ERROR, f"Line {number} of {self._path} {fault}.", remedy)

    def _write(self, row: Row) -> None:
        """Writes one line, or nothing of it."""
        name = self._name(row)
        if name in self._names:
            raise ValueError(f"{self._path} holds a row {name} already")
        line = row.model_dump_json().encode() + b"\n"
        try:
            written = 0
            while written < len(line):
                written += os.write(self._file, line[written:])
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._size)
            raise _disk_error(self._path, error) from error
        self._size += len(line)
        self._names.add(name)

    def _acknowledge(self, group: list[Row]) -> list[Row]:
        """Forces what was written onto the disk."""
        if group:
            try:
                os.fsync(self._file)
            except OSError as error:
                raise _disk_error(self._path, error) from error
            self.rows += group
        return group


def hold_alone(file: int, path: Path) -> None:
    """Takes an open file or folder for this process, until it closes it or dies.

    Raises:
        RapportError: `infrastructure` if another process holds it.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise RapportError(
            Cause.INFRASTRUCTURE, f"Another process is writing to {path}.", "Wait until it has ended, or end it."
        ) from error


def _is_json(line: bytes) -> bool:
    """Says whether a line is whole JSON, if perhaps no row."""
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _force_folder(folder: Path) -> None:
    """Forces a folder's list of files onto the disk."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _disk_error(path: Path, error: OSError) -> RapportError:
    """Tells a full disk from another failure."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return RapportError(
            Cause.DISK_FULL, f"There is no disk left to write {path}.", "Free some disk, then start it again."
        )
    return RapportError(
        Cause.INFRASTRUCTURE,
        f"{path} cannot be written: {error.strerror}.",
        "Check that the folder exists and may be written to, then start it again.",
    )
