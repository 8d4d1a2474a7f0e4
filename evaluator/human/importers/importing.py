"""Brings the rows of a source into a data set on disk: everything that can be placed, or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from evaluator.errors import Cause, RapportError
from evaluator.human.card import about_of, read_front
from evaluator.human.check import check
from evaluator.human.data import HumanData
from evaluator.human.findings import Severity
from evaluator.human.importers.events import Event
from evaluator.human.importers.merging import merge
from evaluator.human.importers.report import ImportReport
from evaluator.human.layout import About, HumanTables
from evaluator.human.writing import write_human_set


class Origin(NamedTuple):
    """Where rows come from."""

    kind: str
    source: str
    about: About
    """What the card says of a data set that is made for them; one that is there keeps its own."""
    revision: str | None = None


def import_events(folder: Path, events: Iterable[Event], origin: Origin) -> ImportReport:
    """Places the rows of a source in a data set, which is made if it is not there.

    Nothing is written if nothing is new, so that the same source a second time leaves every byte as it is.

    Args:
        folder: The data set.
        events: What an importer met in the source.
        origin: What the source is.

    Raises:
        RapportError: `data_error` if the folder holds something else or a broken data set, or if the source and it
            cannot stand together, such as simulated labels beside people's. Then nothing was written.
    """
    is_new = not folder.is_dir() or not any(folder.iterdir())
    # An absolute path is never taken for a name on the Hub.
    there = HumanTables() if is_new else HumanData.open(str(folder.resolve())).tables
    merged = merge(there, events)
    changed = merged.tables != there
    if changed:
        _check(merged.tables)
        _write(folder, merged.tables, origin.about if is_new else about_of(read_front(folder)))
    return ImportReport(
        kind=origin.kind,
        source=origin.source,
        revision=origin.revision,
        changed=changed,
        tables=merged.reports,
        not_placed=merged.tally.not_placed(),
        remarks=merged.tally.remarks(),
        annotators=len(merged.annotators),
        new_annotators=len(merged.new_annotators),
    )


def _check(tables: HumanTables) -> None:
    """Refuses tables that could not be opened afterwards."""
    errors = [finding for finding in check(tables) if finding.severity is Severity.ERROR]
    if errors:
        raise RapportError(
            Cause.DATA_ERROR,
            f"The data set would have {len(errors)} faults, such as {errors[0].table}: {errors[0].message}",
            "Mend the source, or import it into another data set. Nothing was written.",
        )


def _write(folder: Path, tables: HumanTables, about: About) -> None:
    try:
        write_human_set(folder, tables, about)
    except OSError as error:
        cause = Cause.DATA_ERROR if isinstance(error, FileExistsError) else Cause.DISK_FULL
        raise RapportError(
            cause, f"The data set cannot be written ({type(error).__name__}).", "Check the folder and its disk."
        ) from error
