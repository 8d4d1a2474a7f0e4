"""The validator of a data set of people's labels: names every row that is wrong, and what is worth knowing of the rest.

What a row refers to is looked for among all rows that are there, even those that could not be read, so that one broken
row is one finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from evaluator.errors import Cause, RapportError
from evaluator.human.card import about_of, kinds_of, labels_in, read_front
from evaluator.human.check_items import item_findings
from evaluator.human.check_rows import Checked, row_findings
from evaluator.human.findings import Finding, Problem
from evaluator.human.layout import CARD, KINDS, HumanTables
from evaluator.human.reading import Reading, read_tables
from evaluator.human.records import RaterKind
from evaluator.human.writing import files_of

_ORDER = {table: place for place, table in enumerate([CARD, *KINDS])}


def check_folder(folder: Path) -> tuple[Finding, ...]:
    """Returns all that is wrong with a data set in a folder, or worth knowing of it, in the order of its tables.

    Raises:
        RapportError: `not_found` if there is no such folder.

    Example:
        >>> from evaluator.human.data import demo_set
        >>> check_folder(demo_set())
        ()
    """
    if not folder.is_dir():
        raise RapportError(Cause.NOT_FOUND, f"There is no folder {folder}.", "Check the spelling.")
    return check_reading(folder, read_tables(folder))


def check_reading(folder: Path, reading: Reading) -> tuple[Finding, ...]:
    """Returns the findings of `check_folder` on what was read of a folder."""
    return _sorted([*_card_findings(folder, reading.tables), *reading.findings, *_row_findings(reading)])


def check(tables: HumanTables) -> tuple[Finding, ...]:
    """Returns the findings on rows in memory, such as those that are about to be written; places are their numbers.

    Example:
        >>> from evaluator.human.records import Prompt
        >>> [str(each) for each in check(HumanTables(prompts=(Prompt(prompt_id="p1", text="Hello?", user_ids=()),)))]
        ['prompts:1 (p1): Nobody has labelled what is relevant for it.']
    """
    places = {table: tuple(f"{table}:{row}" for row in range(1, 1 + len(getattr(tables, table)))) for table in KINDS}
    unread = dict.fromkeys(KINDS, frozenset[tuple[str, ...]]())
    return _sorted(_row_findings(Reading(tables, places, (), unread, frozenset(), bool(tables.annotators))))


def _row_findings(reading: Reading) -> list[Finding]:
    checked = Checked.of(reading)
    return [*row_findings(checked), *item_findings(checked)]


def _sorted(findings: list[Finding]) -> tuple[Finding, ...]:
    """Sorts findings by table, and else leaves them as they came."""
    return tuple(sorted(findings, key=lambda each: _ORDER[each.table]))


def _card_findings(folder: Path, tables: HumanTables) -> Iterator[Finding]:
    """Yields where the card does not say what the data set is."""
    if not (folder / CARD).is_file():
        yield _of_card(Problem.MISSING_FILE, "It is missing: it declares tables and terms.")
        return
    try:
        front = read_front(folder)
        about_of(front)
    except RapportError as error:
        yield _of_card(Problem.CARD, error.message)
        return
    if kinds_of(tables)[RaterKind.SIMULATED] and RaterKind.SIMULATED not in labels_in(front):
        yield _of_card(Problem.CARD, "Labels are simulated, and `rapport.labels` does not list `simulated`.")
    declared = _declared(front)
    for table in KINDS:
        names = [path.relative_to(folder).as_posix() for path in files_of(folder, table)]
        if left_out := [name for name in names if not any(fnmatchcase(name, one) for one in declared.get(table, []))]:
            yield _of_card(Problem.CARD, f"`configs` does not declare {left_out[0]} as data files of {table}.")


def _of_card(problem: Problem, message: str) -> Finding:
    return Finding(problem=problem, table=CARD, place=CARD, message=message)


def _declared(front: Mapping[str, Any]) -> dict[str, list[str]]:
    """Returns the patterns of files by config; whatever makes no sense declares nothing."""
    configs = front.get("configs")
    found: dict[str, list[str]] = {}
    for config in configs if isinstance(configs, list) else []:
        if isinstance(config, dict):
            found.setdefault(str(config.get("config_name")), []).extend(_patterns(config.get("data_files")))
    return found


def _patterns(files: Any) -> Iterator[str]:
    """Yields patterns in all forms in which a card may state them: one, several, or by split."""
    if isinstance(files, str):
        yield files
    elif isinstance(files, dict):
        yield from _patterns(files.get("path"))
    elif isinstance(files, list):
        for each in files:
            yield from _patterns(each)
