"""What the page of human agreement shows of what is asked for: tabs, switches, and the rows of one page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from evaluator.human.records import RaterKind
from evaluator.human.tasks import AnyTask, JudgedTask, Task
from evaluator.plurals import several
from leaderboard.board.human import main_figures
from leaderboard.board.human_words import says
from leaderboard.open_data.human_figures import listed_under
from leaderboard.pages.dot_plots import Plot, Row, dot_plot
from leaderboard.pages.human.asked import INCOMPLETE_ROWS, REFERENCES, SIMULATED, SWITCHES, Asked, figures_address
from leaderboard.pages.human.index import Entry, Group, HumanIndex, TaskEntries
from leaderboard.pages.human.plot import Standing, drawn, drawn_figure, standing
from leaderboard.pages.human_cells import Cell, cells_of, heading, notes_of
from leaderboard.pages.human_tables import Links, anchor, labels_warning, who_decides, whose_labels
from leaderboard.pages.model.asked import model_address
from leaderboard.pages.tables import Link
from leaderboard.results import HumanScorecard, identity_of

PAGE_LENGTH = 50
_TASKS: Mapping[AnyTask, str] = {
    Task.VERIFICATION: "Verification",
    Task.RELEVANCE: "Relevance",
    Task.RATING: "Rating",
    JudgedTask.EXTRACTION: "Extraction",
    JudgedTask.COMPARISON: "Comparison",
    JudgedTask.UPLIFT: "Uplift",
}
_SWITCHES: Mapping[str, tuple[str, str]] = {
    REFERENCES: ("reference row", "answers that no model gave"),
    SIMULATED: ("row on simulated labels", "a program's, which say nothing of people"),
    INCOMPLETE_ROWS: ("incomplete row", "too little was answered or judged"),
}
"""What stands behind each, counted, and what that is."""
MODEL, DATE, ANSWERED, INVALID = "model", "date", "answered", "invalid"
_ALWAYS: Mapping[str, Callable[[HumanScorecard], float | str | None]] = {
    MODEL: lambda card: card.model.casefold(),
    DATE: lambda card: card.created_at.timestamp(),
    ANSWERED: lambda card: card.result.answered_share,
    INVALID: lambda card: sum(count for _, count in card.result.invalid),
}
"""The columns that every table has, and by what they sort."""
_RISING_FIRST = frozenset((MODEL,))


class Tab(NamedTuple):
    """A task that can be looked at."""

    label: str
    protocol: str
    rows: int
    address: str
    here: bool


class Switch(NamedTuple):
    """Rows that stand aside until they are asked for."""

    label: str
    why: str
    address: str
    on: bool


class Heading(NamedTuple):
    """The head of a column, by which rows can be sorted."""

    label: str
    says: str
    """What the figure is; empty where the label says it."""
    notes: tuple[str, ...]
    """What stands beside none of its figures, and why."""
    address: str
    """Of the page that is sorted by it, or the other way round if this one is."""
    order: str
    """`ascending` or `descending` where rows are sorted by it, and else empty."""


class HumanRow(NamedTuple):
    """One scorecard."""

    anchor: str
    """Name of the row within the page."""
    card: HumanScorecard
    address: str
    """Where the page of its model stands."""
    drawn: Row
    """Its line of the plot."""
    standing: Standing | None
    """How the figure that is drawn stands beside one more human."""
    cells: tuple[Cell, ...]
    links: tuple[Link, ...]
    """Where the same model's results of HiCUPID stand."""
    figures: str
    """Where all its figures stand."""
    sought: bool
    """Whether the address asks for it."""


class HumanTable(NamedTuple):
    """Rows about the same labels of the same items; their order claims no ranks."""

    id: str
    whose: str
    """Whose labels these are, where not single people's."""
    data: str
    """Data set and state of the labels."""
    warning: str
    """Why its figures say nothing of people; empty where they do."""
    drawn: str
    """Heading of the figure that is drawn."""
    plot: Plot
    """All that its rows have in common is on it."""
    headings: Mapping[str, Heading]
    """By column: the model, main figures in their order, and the others."""
    names: tuple[str, ...]
    """The main figures."""
    rows: tuple[HumanRow, ...]


class HumanPage(NamedTuple):
    """Everything that is shown."""

    asked: Asked
    """What is shown, as it is best asked for."""
    task: TaskEntries | None
    """None where there is no task at all."""
    tabs: tuple[Tab, ...]
    switches: tuple[Switch, ...]
    tables: tuple[HumanTable, ...]
    """With the rows of this page alone."""
    found: int
    """Rows on all pages."""
    total: int
    """Rows of the task, those aside too."""
    last: int
    """How many pages there are, at least 1."""

    @property
    def first(self) -> int:
        """Number of the page's first row, from 1."""
        return (self.asked.page - 1) * PAGE_LENGTH + 1

    @property
    def counted(self) -> str:
        """How many rows there are, in words."""
        if not self.total:
            return "No results yet"
        every = several(self.found, "row") if self.found == self.total else f"{self.found:,} of {self.total:,} rows"
        here = f", {self.first:,} to {min(self.found, self.first + PAGE_LENGTH - 1):,} on this page"
        return every + (" match the search" if self.asked.q else "") + (here if self.last > 1 else "")


def task_name(task: AnyTask) -> str:
    """Names a task.

    Example:
        >>> task_name(Task.RELEVANCE)
        'Relevance, stage 2'
    """
    return f"{_TASKS[task]}, stage {task.stage}"


def human_page(index: HumanIndex, asked: Asked) -> HumanPage | None:
    """Lays out what is asked for; None if there is no such task.

    Args:
        index: All there is.
        asked: What an address asks for; what cannot be meant of it is left out of the page's own state.
    """
    sought = index.cards.get(asked.at)
    if sought is not None:
        asked = asked._replace(task=sought.protocol, q="")
    task = index.tasks.get(asked.task or next(iter(index.tasks), ""))
    if task is None:
        return None if asked.task else HumanPage(Asked(), None, (), (), (), 0, 0, 1)
    aside = _aside(task)
    asked = _meant(asked, task, aside, sought)
    groups = [(group, _found(group, asked, aside)) for group in task.groups]
    found = sum(len(entries) for _, entries in groups)
    last = max(1, -(-found // PAGE_LENGTH))
    page = _page_of(groups, sought) if sought else min(asked.page, last)
    asked = asked._replace(page=page, at="")
    tables = tuple(_tables(groups, asked, index.homes, sought))
    switches = tuple(_switch(name, task, asked) for name in aside)
    return HumanPage(asked, task, tuple(_tabs(index, task)), switches, tables, found, len(task.entries), last)


def _aside(task: TaskEntries) -> tuple[str, ...]:
    """Names the switches of a task; what holds of all its rows is no reason to hide them."""
    every = [entry.aside for entry in task.entries]
    return tuple(
        name for name in SWITCHES if any(name in each for each in every) and any(name not in each for each in every)
    )


def _meant(asked: Asked, task: TaskEntries, aside: Sequence[str], sought: HumanScorecard | None) -> Asked:
    """Returns what is asked for without what is the default or cannot be meant."""
    wanted = set(asked.show)
    if sought is not None:
        wanted |= next(entry.aside for entry in task.entries if entry.card is sought)
    default = next((f"-{main_figures(*_of(group))[0]}" for group in task.groups), "")
    columns = {name for group in task.groups for name in main_figures(*_of(group))} | _ALWAYS.keys()
    is_meant = asked.sort.removeprefix("-") in columns and asked.sort != default
    return asked._replace(
        task=task.protocol,
        show=tuple(name for name in aside if name in wanted),
        sort=asked.sort if is_meant else "",
    )


def _found(group: Group, asked: Asked, aside: Iterable[str]) -> list[Entry]:
    """Returns what is asked for of one table, in the order that is asked for."""
    hidden = set(aside) - set(asked.show)
    found = [
        entry for entry in group.entries if not entry.aside & hidden and all(term in entry.text for term in asked.terms)
    ]
    return _sorted(found, asked.sort) if asked.sort else found


def _sorted(entries: Iterable[Entry], sort: str) -> list[Entry]:
    """Sorts by a column; what it lacks comes last either way, and what is equal in the board's order."""
    name = sort.removeprefix("-")
    values = [(entry, _value(entry.card, name)) for entry in entries]
    there = [(entry, value) for entry, value in values if value is not None]
    there.sort(key=lambda pair: pair[1], reverse=sort.startswith("-"))
    return [entry for entry, _ in there] + [entry for entry, value in values if value is None]


def _value(card: HumanScorecard, name: str) -> float | str | None:
    """Returns what a column sorts a scorecard by; None where that is missing."""
    if name in _ALWAYS:
        return _ALWAYS[name](card)
    figure = card.result.figure(name)
    return figure.value if figure else None


def _page_of(groups: Iterable[tuple[Group, Sequence[Entry]]], sought: HumanScorecard) -> int:
    """Returns the page that a scorecard stands on."""
    rows = [entry.card.id for _, entries in groups for entry in entries]
    return rows.index(sought.id) // PAGE_LENGTH + 1


def _tables(
    groups: Iterable[tuple[Group, Sequence[Entry]]], asked: Asked, homes: Links, sought: HumanScorecard | None
) -> Iterator[HumanTable]:
    """Yields the tables of a page, each with those of its rows that stand on it."""
    begin, end = (asked.page - 1) * PAGE_LENGTH, asked.page * PAGE_LENGTH
    before = 0
    for group, entries in groups:
        here = entries[max(0, begin - before) : max(0, end - before)]
        before += len(entries)
        if here:
            yield _table(group, [entry.card for entry in here], asked, homes, sought)


def _table(
    group: Group, cards: Sequence[HumanScorecard], asked: Asked, homes: Links, sought: HumanScorecard | None
) -> HumanTable:
    """Lays out rows that are about the same labels."""
    first, (task, kind) = group.card, _of(group)
    main, name = main_figures(task, kind), drawn_figure(task, kind, asked.sort)
    plot = dot_plot((drawn(card, name) for card in cards), group.axis(name))
    return HumanTable(
        group.id,
        whose_labels(first),
        f"data {first.data_source} at {first.data_sha[:8]}, {who_decides(first)} at {first.judge_revision[:8]}",
        labels_warning(kind),
        heading(name, kind),
        plot,
        {
            **{each: _of_figure(each, task, kind, asked) for each in main},
            **{each: _heading(each, each.capitalize(), asked, main[0]) for each in _ALWAYS},
        },
        main,
        tuple(
            HumanRow(
                anchor(card),
                card,
                model_address(card.model),
                row,
                standing(card, name),
                cells_of(card, main),
                homes.get(identity_of(card), ()),
                figures_address(card.id),
                card is sought,
            )
            for card, row in zip(cards, plot.rows, strict=True)
        ),
    )


def _of_figure(name: str, task: AnyTask, kind: RaterKind, asked: Asked) -> Heading:
    """Returns the head of the column of a main figure."""
    told = _heading(name, heading(name, kind), asked, main_figures(task, kind)[0])
    return told._replace(says=says(listed_under(task), name, kind), notes=notes_of(task, kind, name))


def _heading(name: str, label: str, asked: Asked, first: str) -> Heading:
    """Returns the head of a column of a table whose usual order is by the figure `first`."""
    current = asked.sort or f"-{first}"
    order = {name: "ascending", f"-{name}": "descending"}.get(current, "")
    usual, other = (name, f"-{name}") if name in _RISING_FIRST else (f"-{name}", name)
    sort = other if current == usual else usual
    sort = "" if sort == f"-{first}" else sort
    return Heading(label, "", (), asked._replace(sort=sort, page=1).address, order)


def _switch(name: str, task: TaskEntries, asked: Asked) -> Switch:
    """Lays out a switch."""
    what, why = _SWITCHES[name]
    count = sum(name in entry.aside for entry in task.entries)
    on = name in asked.show
    shown = tuple(each for each in SWITCHES if (each in asked.show) != (each == name))
    counted = several(count, what) if what.endswith("row") else several(count, "row") + what.removeprefix("row")
    return Switch(f"{'Hide' if on else 'Show'} {counted}", why, asked._replace(show=shown, page=1).address, on)


def _tabs(index: HumanIndex, here: TaskEntries) -> Iterator[Tab]:
    """Yields a tab for each task."""
    for name, task in index.tasks.items():
        label = task_name(task.task) if task.task else name
        yield Tab(label, name, len(task.entries), Asked(name).address, task is here)


def _of(group: Group) -> tuple[AnyTask, RaterKind]:
    """Returns what a table is about."""
    return group.card.result.task, group.card.result.kind
