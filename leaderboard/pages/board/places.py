"""Which table of the board is shown, and where the others are: protocols, rankings, judges, context modes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from leaderboard.pages.board.index import BoardIndex
from leaderboard.pages.board.state import BoardState
from leaderboard.pages.tables import Section, Table, known

_NOTHING = Section("", "", "", [], ())
_MODES = {
    "full": "whole history",
    "gold": "needed dialogues alone",
    "window": "newest dialogues",
    "bm25": "found by BM25",
    "dense": "found by an encoder",
}
"""What a model is shown of a history, by the mode of its protocol's context."""


class Tab(NamedTuple):
    """A link to another state of the board."""

    label: str
    address: str
    here: bool = False
    models: int | None = None
    """Models there; None where that is not told."""


class Place(NamedTuple):
    """The table that is shown."""

    section: Section
    table: Table | None
    """None while the protocol has no result."""
    protocol: str
    """As it stands in an address; empty for the first."""
    ranking: str
    """Likewise."""
    context: str

    def normal(self, state: BoardState) -> BoardState:
        """Returns a state that names this table as an address does."""
        return state._replace(protocol=self.protocol, ranking=self.ranking, context=self.context)


def place_of(index: BoardIndex, state: BoardState) -> Place:
    """Returns the table that is asked for, or the nearest there is.

    The first protocol is that of the board's first row; the first table of a protocol is that with ranked rows.
    """
    fit = [section for section in index.sections if not state.context or _mode(section) == state.context]
    context = state.context if fit else ""
    offered = fit or list(index.sections) or [_NOTHING]
    section = next((each for each in offered if each.protocol == state.protocol), offered[0])
    first = section.tables[0] if section.tables else None
    table = next((each for each in section.tables[1:] if each.id == state.ranking), first)
    protocol = "" if section is offered[0] else section.protocol
    return Place(section, table, protocol, "" if table is first or table is None else table.id, context)


def tabs_of(index: BoardIndex, state: BoardState, place: Place) -> tuple[Tab, ...]:
    """Returns the protocols that are offered, each with the models that have a row of it."""
    offered = [section for section in index.sections if not place.context or _mode(section) == place.context]
    tabs = []
    for position, section in enumerate(offered):
        name = section.protocol if position else ""
        address = f"/{state.query(protocol=name, ranking='')}"
        models = sum(index.models[section.protocol, table.id] for table in section.tables)
        tabs.append(Tab(section.protocol, address, section is place.section, models))
    return tuple(tabs)


def rankings_of(index: BoardIndex, place: Place) -> Iterator[tuple[str, str, bool]]:
    """Yields the tables of a protocol where it has several: value, heading, whether it is shown."""
    tables = place.section.tables
    for position, table in enumerate(tables if len(tables) > 1 else ()):
        models = index.models[place.section.protocol, table.id]
        yield table.id if position else "", f"{table.heading} ({models:,})", table is place.table


def judges_of(index: BoardIndex, state: BoardState) -> tuple[Tab, ...]:
    """Returns the judges under whom the board can be looked at."""
    return tuple(
        Tab(choice.label, f"/{state.query(judge=choice.judge, ranking='', pin=())}", choice.here)
        for choice in index.view.choices
    )


def modes_of(index: BoardIndex, state: BoardState) -> Iterator[tuple[str, str, bool]]:
    """Yields the context modes of the protocols, where there are several."""
    counts = Counter(mode for section in index.sections if (mode := _mode(section)))
    if len(counts) < 2:
        return
    yield "", "any context", not state.context
    for mode, count in sorted(counts.items(), key=lambda found: list(_MODES).index(found[0])):
        yield mode, f"{_MODES[mode]} ({count})", mode == state.context


def _mode(section: Section) -> str:
    """Returns the context mode of a protocol; nothing of one that is no longer shipped."""
    protocol = known(section.protocol)
    return protocol.context.mode if protocol else ""
