"""Brings a source of any kind into a data set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from evaluator.errors import Cause, RapportError
from evaluator.human.data import HumanData
from evaluator.human.importers.alpsbench import find_alpsbench, read_alpsbench
from evaluator.human.importers.column_map import load_column_map
from evaluator.human.importers.columns import ColumnOptions, read_columns
from evaluator.human.importers.events import Draft, Event
from evaluator.human.importers.importing import Origin, import_events
from evaluator.human.importers.moments import zone_of
from evaluator.human.importers.pseudonyms import load_salt, needed
from evaluator.human.importers.report import ImportReport
from evaluator.human.importers.tool import ToolOptions, read_tool
from evaluator.human.layout import KINDS, About, HumanTables

KINDS_OF_SOURCES = ("tool", "alpsbench", "columns", "set")


class ImportOptions(NamedTuple):
    """What a source does not say itself; each kind takes some of it."""

    items: tuple[tuple[str, Path], ...] = ()
    """`tool`: task and file of items."""
    evidence: Path | None = None
    """`tool`: file of evidence."""
    columns: Path | None = None
    """`columns`: the column map."""
    revision: str | None = None
    """`alpsbench`, `set`: branch, tag or commit on the Hub."""
    salt_file: Path | None = None
    """`tool`, `columns`: without it the environment's RAPPORT_PSEUDONYM_SECRET counts."""
    time_zone: str | None = None
    """`tool`, `columns`: of times that name none."""
    keep_notes: bool = False
    """`tool`, `columns`: whether annotators' own words are kept."""


def import_source(kind: str, source: str, folder: Path, options: ImportOptions = ImportOptions()) -> ImportReport:  # noqa: B008 It is frozen.
    """Brings a source into a data set and returns what came of it.

    Args:
        kind: One of `KINDS_OF_SOURCES`.
        source: A folder or a file; of `alpsbench` and `set` also an id on the Hub.
        folder: The data set; made if it is not there.
        options: What the source does not say itself.

    Raises:
        RapportError: `data_error`, `not_found` or another cause that says what to do; nothing was written then.
    """
    if kind == "tool":
        return _tool(Path(source), folder, options)
    if kind == "alpsbench":
        return _alpsbench(source, folder, options)
    if kind == "columns":
        return _columns(Path(source), folder, options)
    return _set(source, folder, options)


def _tool(source: Path, folder: Path, options: ImportOptions) -> ImportReport:
    given = dict(options.items)
    if len(given) < len(options.items):
        raise RapportError(Cause.DATA_ERROR, "There are two files with the items of one task.", "Name each task once.")
    read = ToolOptions(
        salt=needed(load_salt(options.salt_file, folder)),
        items=given,
        evidence=options.evidence,
        zone=zone_of(options.time_zone),
        keep_notes=options.keep_notes,
    )
    about = About(
        title=folder.name,
        source="Imported from the annotation tool of arXiv 2606.06614.",
        personal_data="pseudonymous",
    )
    return import_events(folder, read_tool(source, read), Origin("tool", source.name, about))


def _alpsbench(source: str, folder: Path, options: ImportOptions) -> ImportReport:
    found = find_alpsbench(source, options.revision)
    about = About(
        title=folder.name,
        source="AlpsBench, task 1 (arXiv 2603.26680), on dialogues of WildChat (Allen Institute for AI).",
        licence="odc-by",
        personal_data="pseudonymous",
    )
    origin = Origin("alpsbench", source, about, found.revision)
    return import_events(folder, read_alpsbench(found.files), origin)


def _columns(source: Path, folder: Path, options: ImportOptions) -> ImportReport:
    if options.columns is None:
        raise RapportError(Cause.DATA_ERROR, "There is no column map.", "Name one; docs/human.md shows how it looks.")
    if not source.is_dir():
        raise RapportError(Cause.NOT_FOUND, f"There is no folder {source.name}.", "Name the folder of the tables.")
    read = ColumnOptions(load_salt(options.salt_file, folder), zone_of(options.time_zone), options.keep_notes)
    events = read_columns(source, load_column_map(options.columns), read)
    return import_events(folder, events, Origin("columns", source.name, About(title=folder.name)))


def _set(source: str, folder: Path, options: ImportOptions) -> ImportReport:
    data = HumanData.open(source, options.revision)
    return import_events(folder, _rows(data.tables), Origin("set", source, data.about, data.sha))


def _rows(tables: HumanTables) -> Iterator[Event]:
    for table in KINDS:
        for number, row in enumerate(getattr(tables, table), start=1):
            yield Draft(table, row.model_dump(mode="json"), f"{table} row {number}")
