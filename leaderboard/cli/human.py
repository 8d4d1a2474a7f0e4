"""`rapport human ...`: checks a data set of people's labels, reports on it, and brings labels into one."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evaluator.errors import Cause, RapportError
from evaluator.plurals import several
from leaderboard.cli.human_collect import attention_blocks, collect_labels
from leaderboard.cli.options import AsJson

if TYPE_CHECKING:
    from evaluator.human.findings import Finding
    from evaluator.human.importers.sources import ImportOptions

app = typer.Typer(no_args_is_help=True, help="Data sets of people's labels.")
app.command("collect")(collect_labels)

_SHOWN = 5
"""Notes of one problem that are printed; --json has all."""


class Kind(StrEnum):
    """Where labels come from."""

    TOOL = "tool"
    """The annotation tool of arXiv 2606.06614."""
    ALPSBENCH = "alpsbench"
    """Task 1 of AlpsBench."""
    COLUMNS = "columns"
    """Plain CSV or JSON Lines, with a map of their columns."""
    SET = "set"
    """Another data set in our own layout."""


@app.callback()
def _options() -> None:
    """Looks after data sets of people's labels."""


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the data set.")], as_json: AsJson = False
) -> None:
    """Names every fault of a data set of people's labels; exit code 1 if there is any, 0 if there are notes alone."""
    from evaluator.human.check import check_folder
    from evaluator.human.findings import Severity

    findings = check_folder(folder)
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    notes = [finding for finding in findings if finding.severity is Severity.NOTE]
    if as_json:
        listed = [{"severity": finding.severity, **finding.model_dump(mode="json")} for finding in findings]
        print(json.dumps({"errors": len(errors), "notes": len(notes), "findings": listed}, indent=2))
    else:
        for line in (*(f"error: {finding}" for finding in errors), *_folded(notes)):
            print(line)
        print(f"{folder}: {several(len(errors), 'error')}, {several(len(notes), 'note')}")
    if errors:
        raise typer.Exit(1)


def _folded(notes: Sequence[Finding]) -> Iterator[str]:
    """Yields the first notes of each problem of a table, and how many more there are."""
    seen: Counter[tuple[str, str]] = Counter()
    for note in notes:
        seen[note.table, note.problem] += 1
        if seen[note.table, note.problem] <= _SHOWN:
            yield f"note: {note}"
    for (table, problem), count in seen.items():
        if count > _SHOWN:
            yield f"note: {table}: {count - _SHOWN} more of {problem} (--json has all)"


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the data set.")],
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Save it there as well, with pictures; not within DIR.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Prints a data set's own report: how far its annotators agree, who stands out, what more labels would bring."""
    from evaluator.human.data import HumanData
    from evaluator.human.report import human_report
    from evaluator.human.report.saving import save_report
    from evaluator.human.report.text import blocks
    from leaderboard.cli.human_tables import print_blocks

    if not folder.is_dir():
        raise RapportError(Cause.NOT_FOUND, f"There is no folder {folder}.", "Check the spelling.")
    if out is not None and out.resolve().is_relative_to(folder.resolve()):
        raise typer.BadParameter("a report would change the data set that it is about", param_hint="--out")
    found = human_report(HumanData.open(str(folder)))
    saved = save_report(found, out) if out else ()
    if as_json:
        print(found.model_dump_json(indent=2))
    else:
        print_blocks([*blocks(found), *attention_blocks(folder)])
    for path in saved:
        print(f"saved {path}", file=sys.stderr)


@app.command("import")
def import_(
    kind: Annotated[Kind, typer.Argument(help="What the source is.")],
    source: Annotated[str, typer.Argument(help="Its folder or file; of alpsbench and set also owner/name on the Hub.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Data set that the labels are brought into.")],
    items: Annotated[
        list[str] | None, typer.Option(help="tool: TASK=FILE, the items of a task; once for each task.")
    ] = None,
    evidence: Annotated[Path | None, typer.Option(help="tool: its file of evidence.")] = None,
    columns: Annotated[Path | None, typer.Option(help="columns: the map of the columns, YAML.")] = None,
    revision: Annotated[str | None, typer.Option(help="alpsbench, set: branch, tag or commit on the Hub.")] = None,
    salt_file: Annotated[
        Path | None,
        typer.Option(help="Secret under which names become pseudonyms; RAPPORT_PSEUDONYM_SECRET if left out."),
    ] = None,
    time_zone: Annotated[
        str | None, typer.Option(help="tool, columns: zone of times that name none, such as UTC.")
    ] = None,
    notes: Annotated[bool, typer.Option("--notes", help="Keep what annotators wrote in their own words.")] = False,
    as_json: AsJson = False,
) -> None:
    """Brings labels into a data set and says what could not be placed; repeating it changes nothing.

    DIR is made if it is not there. Exit code 0, however much could not be placed: the report says so, and a warning if
    nothing could.
    """
    from evaluator.human.importers.sources import ImportOptions, import_source

    options = ImportOptions(
        items=tuple(map(_item, items or ())),
        evidence=evidence,
        columns=columns,
        revision=revision,
        salt_file=salt_file,
        time_zone=time_zone,
        keep_notes=notes,
    )
    _check_options(kind, options)
    report = import_source(kind, source, folder, options)
    if as_json:
        print(report.model_dump_json(indent=2))
    else:
        _print(report.lines())
    if not report.is_any_there:
        print(f"warning: nothing of {source} is in {folder}: 0 rows placed, {report.lost} not placed.", file=sys.stderr)


_TAKEN = {
    Kind.TOOL: {"items", "evidence", "salt_file", "time_zone", "keep_notes"},
    Kind.ALPSBENCH: {"revision"},
    Kind.COLUMNS: {"columns", "salt_file", "time_zone", "keep_notes"},
    Kind.SET: {"revision"},
}
"""Options that mean something for a kind."""


def _check_options(kind: Kind, options: ImportOptions) -> None:
    """Refuses options that would be passed over, and asks for those without which nothing can be read."""
    for name, value in options._asdict().items():
        if value and name not in _TAKEN[kind]:
            raise typer.BadParameter(f"means nothing for {kind}", param_hint=f"--{name.replace('keep_', '')}")
    if kind is Kind.TOOL and not options.items:
        raise typer.BadParameter("the tool's answers mean nothing without its items", param_hint="--items")
    if kind is Kind.COLUMNS and options.columns is None:
        raise typer.BadParameter("is needed for columns", param_hint="--columns")


def _item(text: str) -> tuple[str, Path]:
    """Reads TASK=FILE."""
    task, equals, path = text.partition("=")
    if not (equals and task.isdecimal() and path):
        raise typer.BadParameter("write it as TASK=FILE, such as 4=task4_items.jsonl", param_hint="--items")
    return task, Path(path)


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, file=sys.stdout)
