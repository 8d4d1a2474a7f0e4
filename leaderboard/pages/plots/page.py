"""What the page of plots shows of one plot: its table page by page, and where its drawing and its files are."""

from __future__ import annotations

from typing import NamedTuple

from leaderboard.board.build import Board
from leaderboard.board.changes import Changes
from leaderboard.pages.human.index import HumanIndex
from leaderboard.pages.plots.asked import HUMAN, JUDGES, PLOTS, RANKS, SIZE, Asked
from leaderboard.pages.plots.human import human_plot
from leaderboard.pages.plots.judges import judges_plot
from leaderboard.pages.plots.places import place_of
from leaderboard.pages.plots.plotted import Plotted, Row
from leaderboard.pages.plots.ranks import ranks_plot
from leaderboard.pages.plots.size import size_plot

PAGE_LENGTH = 50
NAMES = {
    SIZE: "Score against size",
    RANKS: "Rank history",
    JUDGES: "Judge against judge",
    HUMAN: "Human agreement",
}
"""What the plots are called where one is chosen."""


class Tab(NamedTuple):
    """A plot that can be looked at."""

    label: str
    address: str
    here: bool


class PlotPage(NamedTuple):
    """Everything that is shown."""

    plot: Plotted
    asked: Asked
    """What is shown, as it is best asked for."""
    tabs: tuple[Tab, ...]
    rows: tuple[Row, ...]
    """Those of this page."""
    last: int
    """How many pages the table has, at least 1."""

    @property
    def counted(self) -> str:
        """Which rows of the table these are; empty where they are all."""
        if self.last == 1:
            return ""
        first = (self.asked.page - 1) * PAGE_LENGTH + 1
        return f"Rows {first:,} to {first + len(self.rows) - 1:,} of {len(self.plot.rows):,}; the files have all."

    def on(self, page: int) -> str:
        """Returns the address of another page of the table."""
        return f"{self.asked._replace(page=page).address}#table"


def plotted(board: Board, changes: Changes, people: HumanIndex, asked: Asked) -> Plotted:
    """Returns the plot that is asked for.

    Args:
        board: As it is now.
        changes: The record of what changed on it.
        people: Its scorecards of human-grounded tasks, laid out.
        asked: What an address asks for; its plot is one of `PLOTS`.

    Raises:
        RapportError: `data_error` if a row of the record of changes is none.
    """
    if asked.plot == HUMAN:
        return human_plot(people, asked)
    if asked.plot == JUDGES:
        return judges_plot(board.rows, asked)
    place = place_of(board.rows, asked)
    return ranks_plot(place, changes) if asked.plot == RANKS else size_plot(place)


def page_of(plot: Plotted, number: int) -> PlotPage:
    """Returns a page of a plot's table; a number that is too high gives the last one."""
    last = max(1, -(-len(plot.rows) // PAGE_LENGTH))
    asked = plot.asked._replace(page=min(number, last))
    begin = (asked.page - 1) * PAGE_LENGTH
    tabs = tuple(Tab(NAMES[name], Asked(name).address, name == asked.plot) for name in PLOTS)
    return PlotPage(plot, asked, tabs, plot.rows[begin : begin + PAGE_LENGTH], last)
