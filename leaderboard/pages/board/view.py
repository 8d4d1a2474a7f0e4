"""What the templates of the board are told: a pure function of what there is and of what is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from evaluator.plurals import several
from leaderboard.pages.board.cells import joined
from leaderboard.pages.board.columns import COLUMNS, Column
from leaderboard.pages.board.entries import Entry
from leaderboard.pages.board.filters import FACETS, Found, find, kinds_of, names_of, ordered, search
from leaderboard.pages.board.index import BoardIndex, TableIndex
from leaderboard.pages.board.places import Place, Tab, judges_of, modes_of, place_of, rankings_of, tabs_of
from leaderboard.pages.board.state import COMPACT, SHOWN, BoardState
from leaderboard.pages.board.words import first_figure
from leaderboard.pages.judge_view import JudgeView

PAGE_LENGTH = 50
_MOST_OPTIONS = 40
"""Values of a facet that are offered; the search finds all."""
KINDS = {
    "references": "References",
    "published": "Published figures",
    "demo": "Demo rows",
    "incomplete": "Incomplete rows",
}


class Option(NamedTuple):
    """Something that can be chosen."""

    value: str
    label: str
    here: bool


class Choice(NamedTuple):
    """A list of options, of which one holds."""

    name: str
    label: str
    options: tuple[Option, ...]
    note: str = ""
    """What the list leaves out; empty where it is whole."""


class Head(NamedTuple):
    """The heading of a column."""

    name: str
    column: Column
    unit: str
    address: str
    """Where the table is sorted by it."""
    sorted: str
    """How it is sorted by it now, in ARIA's word; empty where it is not."""


class Group(NamedTuple):
    """Columns that are about one thing, to choose from."""

    label: str
    columns: tuple[Option, ...]


class Line(NamedTuple):
    """One line of the table."""

    entry: Entry
    cells: Markup
    pin: str
    """Where it is pinned, or no longer pinned where it is; empty for what cannot be pinned."""
    outside: bool = False
    """Whether it is here for its pin alone."""


class Paging(NamedTuple):
    """Which page of how many this is."""

    number: int
    last: int
    first_address: str
    before: str
    after: str
    last_address: str


class BoardView(NamedTuple):
    """The board as it is shown."""

    state: BoardState
    """In its one form: what is asked for unasked is left out."""
    whole: JudgeView
    place: Place
    tabs: tuple[Tab, ...]
    judges: tuple[Tab, ...]
    rankings: tuple[Option, ...]
    modes: tuple[Option, ...]
    facets: tuple[Choice, ...]
    kinds: tuple[Option, ...]
    note: str
    """Why rows are shown that are behind a switch elsewhere; empty otherwise."""
    groups: tuple[Group, ...]
    sorts: tuple[Option, ...]
    sentence: str
    heads: tuple[Head, ...]
    pinned: tuple[Line, ...]
    lines: tuple[Line, ...]
    elsewhere: tuple[Tab, ...]
    """Where pinned rows stand that are not in this table."""
    counted: str
    paging: Paging
    active: tuple[Tab, ...]
    """What is filtered by, and where it is no longer."""
    has_people: bool

    @property
    def compared(self) -> tuple[str, ...]:
        """The scorecards that can be compared: two to four pinned ones."""
        keys = tuple(line.entry.key for line in self.pinned)
        return keys if 2 <= len(keys) <= 4 else ()

    @property
    def has_models(self) -> bool:
        """Whether there is any row under this protocol."""
        return self.place.table is not None


def board_view(index: BoardIndex, asked: BoardState) -> BoardView:
    """Lays out what is asked for.

    Args:
        index: What there is.
        asked: What is asked for; what there is not of it gives the nearest there is.
    """
    place = place_of(index, asked)
    table = index.table(place.section, place.table)
    state = _in_its_form(place.normal(asked), table)
    found = find(table.masks, state, search(table.texts, state.terms))
    pins = [table.places[key] for key in state.pin if key in table.places]
    rest = found.lines
    for each in pins:
        rest &= ~(1 << each)
    places = ordered(rest, table.order(state.sort or "rank"))
    state = state._replace(page=min(state.page, _pages(places)))
    names = _columns(table, state)
    start = (state.page - 1) * PAGE_LENGTH
    return BoardView(
        state=state,
        whole=index.view,
        place=place,
        tabs=tabs_of(index, state, place),
        judges=judges_of(index, state),
        rankings=tuple(Option(*each) for each in rankings_of(index, place)),
        modes=tuple(Option(*each) for each in modes_of(index, state)),
        facets=tuple(_facet(name, table, state, found) for name in FACETS),
        kinds=tuple(_kinds(table, found)),
        note=_note(table, found),
        groups=_groups(table, names),
        sorts=tuple(_sorts(table, state)),
        sentence=first_figure(table.entries),
        heads=tuple(_head(name, table, state) for name in names),
        pinned=tuple(_line(table, each, names, state, outside=not found.lines >> each & 1) for each in pins),
        lines=tuple(_line(table, each, names, state) for each in places[start : start + PAGE_LENGTH]),
        elsewhere=_elsewhere(index, table, state),
        counted=_counted(table, found),
        paging=_paging(state, _pages(places)),
        active=tuple(_active(state)),
        has_people=index.has_people,
    )


def _in_its_form(state: BoardState, table: TableIndex) -> BoardState:
    """Returns a state without what holds unasked."""
    columns, show, (kinds, _) = state.columns, state.show, kinds_of(table.masks, None)
    if show is not None:
        # A form has no box for what there is not: that stays as it is unasked.
        there = {kind: table.masks.kinds[kind] > 0 for kind in SHOWN}
        show = tuple(kind for kind in SHOWN if kind in (show if there[kind] else kinds))
    if columns is not None:
        columns = tuple(name for name in columns if name in table.columns)
    return state._replace(
        show=None if show == kinds else show,
        columns=None if columns == table.shown_unasked else columns,
    )


def _columns(table: TableIndex, state: BoardState) -> tuple[str, ...]:
    """Returns the columns that are shown, those that are always there first."""
    chosen = table.shown_unasked if state.columns is None else state.columns
    return tuple(name for name in table.columns if COLUMNS[name].always or name in chosen)


def _facet(name: str, table: TableIndex, state: BoardState, found: Found) -> Choice:
    """Lays out what can be chosen of a facet, with how many models each value would show."""
    facet, counts, here = FACETS[name], found.counts[name], getattr(state, name)
    values = list(names_of(table.masks.facets[name], counts, facet))
    offered = values[:_MOST_OPTIONS]
    if here and here not in offered:
        offered.append(here)
    options = (
        Option("", facet.whatever, not here),
        *(Option(value, f"{facet.words(value)} ({counts.get(value, 0):,})", value == here) for value in offered),
    )
    left = len(values) - _MOST_OPTIONS
    note = f"The {_MOST_OPTIONS} most frequent of {len(values):,}; the search finds all." if left > 0 else ""
    return Choice(name, facet.label, options, note)


def _kinds(table: TableIndex, found: Found) -> Iterator[Option]:
    """Yields the kinds of rows that can be shown or left out, as far as there are any."""
    for kind in SHOWN:
        if count := table.masks.kinds[kind].bit_count():
            yield Option(kind, f"{KINDS[kind]} ({count:,})", kind in found.kinds)


def _note(table: TableIndex, found: Found) -> str:
    """Says why rows are shown that are otherwise left out."""
    if not found.unasked:
        return ""
    kinds = [word for kind, word in (("demo", "a demo"), ("incomplete", "incomplete")) if table.masks.kinds[kind]]
    return f"All results here are {' or '.join(kinds)}: they are shown until there are others, and none of them ranks."


def _groups(table: TableIndex, shown: Sequence[str]) -> tuple[Group, ...]:
    """Returns the columns that can be chosen, by what they are about."""
    groups: dict[str, list[Option]] = {}
    for name in table.columns:
        column = COLUMNS[name]
        if not column.always:
            groups.setdefault(column.group, []).append(Option(name, column.heading, name in shown))
    return tuple(Group(label, tuple(columns)) for label, columns in groups.items())


def _sorts(table: TableIndex, state: BoardState) -> Iterator[Option]:
    """Yields what the table can be sorted by, each the way that a first click sorts it, and how it is sorted now."""
    values = ["" if name == "rank" else f"{COLUMNS[name].first}{name}" for name in table.columns]
    if state.sort not in values:
        values.append(state.sort)
    for value in values:
        heading = COLUMNS[value.removeprefix("-") or "rank"].heading
        way = "" if not value else ", down" if value.startswith("-") else ", up"
        yield Option(value, heading + way, value == state.sort)


def _head(name: str, table: TableIndex, state: BoardState) -> Head:
    """Lays out the heading of a column."""
    column, sort = COLUMNS[name], state.sort or "rank"
    here = sort.removeprefix("-") == name
    turned = name if sort.startswith("-") else f"-{name}"
    wanted = turned if here else f"{column.first}{name}"
    of = f"{table.agreement.title}: {column.unit}" if table.agreement and column.stage is not None else column.unit
    way = "descending" if sort.startswith("-") else "ascending"
    return Head(name, column, of, _address(state, sort="" if wanted == "rank" else wanted), way if here else "")


def _line(table: TableIndex, place: int, names: Iterable[str], state: BoardState, *, outside: bool = False) -> Line:
    """Lays out a line."""
    entry = table.entries[place]
    cells = joined(table.cell(place, name) for name in names)
    return Line(entry, cells, f"/{state.pinned(entry.key)}" if entry.row else "", outside)


def _elsewhere(index: BoardIndex, table: TableIndex, state: BoardState) -> tuple[Tab, ...]:
    """Returns where pinned rows stand that are not in a table."""
    found: dict[tuple[str, str], int] = {}
    for key in state.pin:
        if key not in table.places and key in index.homes:
            found[index.homes[key]] = found.get(index.homes[key], 0) + 1
    return tuple(
        Tab(f"{several(count, 'pinned row')} under {protocol}", _address(state, protocol=protocol, ranking=ranking))
        for (protocol, ranking), count in found.items()
    )


def _counted(table: TableIndex, found: Found) -> str:
    """Says how many models are shown of how many, pinned ones that are outside not counted.

    References and published figures are no models; how many of them there are stands beside their switches.
    """
    return f"{(found.lines & table.masks.models).bit_count():,} of {several(table.masks.models.bit_count(), 'model')}"


def _pages(places: Sequence[int]) -> int:
    return max(1, -(-len(places) // PAGE_LENGTH))


def _paging(state: BoardState, last: int) -> Paging:
    """Returns where other pages are; nothing where there is none."""
    number = state.page

    def to(page: int) -> str:
        return _address(state, page=page) if 1 <= page <= last and page != number else ""

    return Paging(number, last, to(1), to(number - 1), to(number + 1), to(last))


def _active(state: BoardState) -> Iterator[Tab]:
    """Yields what is filtered by, each with the address where it is not."""
    if state.q:
        yield Tab(f"search: {state.q}", _address(state, q=""))
    for name, facet in FACETS.items():
        if value := getattr(state, name):
            yield Tab(f"{facet.label.lower()}: {facet.words(value)}", _address(state, **{name: ""}))
    if state.context:
        yield Tab(f"protocols with context {state.context}", _address(state, context=""))
    if state.complete:
        yield Tab("complete only", _address(state, complete=False))


def _address(state: BoardState, **changes: object) -> str:
    """Returns the address of another state."""
    return f"/{state.query(**changes)}"


def form_fields(view: BoardView) -> Mapping[str, Sequence[str]]:
    """Returns what a form sends along unseen: what it has no field for."""
    state = view.state
    told = {"protocol": state.protocol, "judge": state.judge, "density": state.density}
    found: dict[str, Sequence[str]] = {name: (value,) for name, value in told.items() if value}
    return {**found, "pin": state.pin}


def densities(view: BoardView) -> tuple[Tab, ...]:
    """Returns how dense the table can be."""
    compact = view.state.density == COMPACT
    return (
        Tab("comfortable", _address(view.state, density=""), not compact),
        Tab("compact", _address(view.state, density=COMPACT), compact),
    )
