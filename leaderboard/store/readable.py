"""Records of Redis as the publisher reads them: one that cannot be read is told once and holds up no other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Generic

from evaluator.errors import Cause, RapportError
from leaderboard.connection import text
from leaderboard.store.rows import Row, read_record


class Readable(Generic[Row]):
    """Reads records of one kind again and again; remembers which of them it has complained about.

    Example:
        >>> from evaluator.judges.canaries import Bound
        >>> bounds = Readable(Bound, logging.getLogger("example"), "bound")
        >>> bounds.of({b"low": b'{"at_least": 5.0}', b"broken": b"{"})
        {'low': Bound(at_least=5.0, at_most=None)}
    """

    def __init__(
        self, kind: type[Row], log: logging.Logger, what: str, named: Callable[[Row], str] | None = None
    ) -> None:
        """Reads records of `kind`, and names each `what` in `log`.

        `named` says under which name a record belongs: one that lies under another name counts as one that cannot be
        read. None where a record does not tell.
        """
        self._kind, self._log, self._what, self._named = kind, log, what, named
        self._told: dict[str, object] = {}
        """What cannot be read, as it was when that was told."""

    def of(self, values: Mapping[Any, Any]) -> dict[str, Row]:
        """Returns those of some records that can be read, by name, in their order."""
        found: dict[str, Row] = {}
        for name, value in values.items():
            if (record := self._read(text(name), value)) is not None:
                found[text(name)] = record
        return found

    def _read(self, name: str, value: bytes | str) -> Row | None:
        """Returns a record; None if it cannot be read, which is told unless it was."""
        try:
            record = read_record(value, self._kind, f"{self._what} {name}")
            if self._named is not None and (own := self._named(record)) != name:
                raise RapportError(
                    Cause.DATA_ERROR,
                    f"What is stored as {self._what} {name} is {own}.",
                    "Remove it, or put it where it belongs.",
                )
        except RapportError as error:
            if self._told.get(name) != value:
                self._told[name] = value
                self._log.error("left out until it can be read: %s", error)
            return None
        self._told.pop(name, None)
        return record
