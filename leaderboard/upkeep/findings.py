"""What is wrong with what is stored, as records, and what puts it right."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, NamedTuple

from evaluator.errors import RapportError
from evaluator.records import Record
from leaderboard.store.base import NotFound, Operation, StoreCorrupt

DataSet = Literal["archive", "results", "requests"]

ITS_OWN = (RapportError, NotFound, StoreCorrupt)
"""What is wrong with some file; all other errors are about a store as a whole."""
BACKUP = "Restore the file from a backup."
REPAIR = "Run `rapport store check --repair`."


class FindingKind(StrEnum):
    """What may be wrong."""

    FOREIGN = "foreign"
    """A file that nobody of ours writes."""
    HALF_WRITTEN = "half_written"
    """A file that somebody began to write and never finished."""
    UNREADABLE = "unreadable"
    """A file, or a row in it, is damaged."""
    NEWER = "newer"
    """It was written by a newer Rapport."""
    MISPLACED = "misplaced"
    """A file does not lie where its content belongs."""
    OLD_PLACE = "old_place"
    """A file lies where it lay in older versions, and in its present place too."""
    REFERENCE = "reference"
    """What it refers to is missing."""
    ORPHAN = "orphan"
    """A verdict on an answer that is nowhere."""
    DOUBLE = "double"
    """Two rows on one and the same thing."""
    SCORECARD = "scorecard"
    """A scorecard does not say what its rows say."""
    USER_SCORES = "user_scores"
    """Users' sums are missing, or do not say what the rows say."""
    WITHDRAWAL = "withdrawal"
    """History and tombstone contradict each other."""
    TAKEN_DOWN = "taken_down"
    """Something that was taken down is there."""
    PUBLIC = "public"
    """A public file does not say what follows from the archive."""


class Finding(Record):
    """One thing that is wrong."""

    data_set: DataSet
    kind: FindingKind
    path: str
    message: str
    remedy: str
    repairable: bool = False
    """Whether it can be derived again from what is sound."""
    repaired: bool = False
    """Whether that was done."""

    def line(self) -> str:
        """Returns all of it as one line; what could steer a terminal is left out.

        Example:
            >>> Finding(data_set="archive", kind="foreign", path="x", message="Who?", remedy="Remove it.").line()
            'foreign       archive: x: Who? Remove it.'
        """
        end = "Repaired." if self.repaired else self.remedy
        line = f"{self.kind:<12}  {self.data_set}: {self.path}: {self.message} {end}"
        return "".join(character for character in line if character.isprintable())


class Found(NamedTuple):
    """A finding with what puts it right: nothing unless it can be repaired."""

    finding: Finding
    repair: tuple[Operation, ...] = ()


def found(
    kind: FindingKind,
    path: str,
    message: str,
    remedy: str = BACKUP,
    *repair: Operation,
    data_set: DataSet = "archive",
) -> Found:
    """Returns a finding; it can be repaired if that takes some operations."""
    finding = Finding(
        data_set=data_set,
        kind=kind,
        path=path,
        message=message,
        remedy=REPAIR if repair else remedy,
        repairable=bool(repair),
    )
    return Found(finding, repair)


def unreadable(path: str, error: RapportError | NotFound | StoreCorrupt) -> Found:
    """Returns the finding of a file of the archive that cannot be read."""
    if not isinstance(error, RapportError):
        return found(FindingKind.UNREADABLE, path, f"{error}.", error.remedy)
    newer = "written by a newer Rapport" in error.message
    return found(FindingKind.NEWER if newer else FindingKind.UNREADABLE, path, error.message, error.remedy)
