"""Which ranking of the board a plot is about: one judge's view, one protocol, one table, as on the board itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from evaluator.protocol import is_reference
from leaderboard.board.build import BoardRow
from leaderboard.pages.judge_view import judge_view
from leaderboard.pages.plots.asked import Asked
from leaderboard.pages.plots.plotted import Choice
from leaderboard.pages.tables import Section, Table, sections
from leaderboard.results import INCOMPLETE


class Place(NamedTuple):
    """The ranking that is drawn."""

    asked: Asked
    """What names it, without what is the default or cannot be meant."""
    section: Section | None
    """None where there is no result at all."""
    table: Table | None
    notes: tuple[str, ...]
    """What of the address could not be meant."""
    choices: tuple[Choice, ...]
    whose: str
    """Whose ranks these are, in a sentence; empty where they are the official ones."""

    @property
    def models(self) -> tuple[BoardRow, ...]:
        """The rows of models, in the order of the ranking."""
        return tuple(row for row in self.table.rows if not is_reference(row.model)) if self.table else ()

    @property
    def of(self) -> str:
        """Names it in words."""
        if self.section is None or self.table is None:
            return ""
        heading = f", {self.table.heading}" if self.table.heading else ""
        return f"{self.section.protocol}{heading}"


class Chosen(NamedTuple):
    """The rows of a ranking that are drawn."""

    rows: tuple[BoardRow, ...]
    left_out: tuple[tuple[int, str], ...]
    """How many are not, and what is so of them."""
    unranked: bool
    """Whether none of the rows ranks, so that those are drawn that do not."""


def place_of(rows: Sequence[BoardRow], asked: Asked) -> Place:
    """Returns the ranking that is asked for, or the first there is.

    Args:
        rows: All rows of the board, in its order.
        asked: What an address asks for.
    """
    notes = []
    view = judge_view(rows, asked.judge)
    if view is None:
        notes.append(f"There is no result by the judge {asked.judge}.")
        asked, view = asked._replace(judge=""), judge_view(rows)
    found = sections(view.rows) if view else []
    if view is None or not found:
        asked = asked._replace(protocol="", ranking="")
        return Place(asked, None, None, tuple(notes), (), "")
    section = next((each for each in found if each.protocol == asked.protocol), found[0])
    if asked.protocol not in ("", section.protocol):
        notes.append(f"There is no result under {asked.protocol}.")
    table = next((each for each in section.tables if each.id == asked.ranking), section.tables[0])
    elsewhere = {each.id for other in found for each in other.tables}
    if asked.ranking and asked.ranking not in elsewhere:
        notes.append(f"There is no ranking {asked.ranking} of {section.protocol}.")
    asked = asked._replace(
        protocol="" if section is found[0] else section.protocol,
        ranking="" if table is section.tables[0] else table.id,
    )
    choices = (
        Choice("protocol", "Protocol", tuple(_protocols(found, section))),
        Choice("ranking", "Ranking", tuple(_rankings(section, table))),
        Choice("judge", "Judge", tuple((each.judge, each.label, each.here) for each in view.choices)),
    )
    return Place(
        asked, section, table, tuple(notes), tuple(each for each in choices if len(each.options) > 1), view.whose
    )


def ranked_of(place: Place) -> Chosen:
    """Returns the rows that rank; where none does, all that have a Total."""
    models = place.models
    ranked = tuple(row for row in models if row.rank is not None)
    if ranked:
        others = [row for row in models if row.rank is None]
        incomplete = sum(INCOMPLETE in row.unranked_because for row in others)
        left_out = ((incomplete, "incomplete"), (len(others) - incomplete, "not ranked for another reason"))
        return Chosen(ranked, left_out, False)
    scored = tuple(row for row in models if row.total.value is not None)
    return Chosen(scored, ((len(models) - len(scored), "without a Total"),), True)


def _protocols(found: Sequence[Section], here: Section) -> Iterator[tuple[str, str, bool]]:
    """Yields the protocols that have results."""
    for place, each in enumerate(found):
        yield each.protocol if place else "", each.protocol, each is here


def _rankings(section: Section, here: Table) -> Iterator[tuple[str, str, bool]]:
    """Yields the tables of a protocol."""
    for place, each in enumerate(section.tables):
        yield each.id if place else "", each.heading or section.protocol, each is here
