"""Routes of the page of plots: the page, what it draws, its data as files, and what draws it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from evaluator.errors import RapportError
from leaderboard.board.build import Board
from leaderboard.board.changes import Changes
from leaderboard.exports.files import File, file_of
from leaderboard.exports.routes import sent
from leaderboard.pages.human.index import HumanIndexes
from leaderboard.pages.plots.asked import CHART, DATA, PAGE, PLOTS, RANKS, Asked, asked_of
from leaderboard.pages.plots.library import ADDRESS, library
from leaderboard.pages.plots.page import page_of, plotted
from leaderboard.pages.plots.plotted import Plotted, chart_of, csv_of, json_of
from leaderboard.pages.reader import Reader
from leaderboard.pages.site import HEADERS, shown_message, shown_page
from leaderboard.pages.unchanged import unless_known

log = logging.getLogger("rapport.pages")

_KEPT = 6
"""Plots that are kept of one state of the board; a plot of 10,000 models takes some 20 MB."""
_POLICY = f"{HEADERS['Content-Security-Policy']}; img-src 'self' blob:"
"""A drawing becomes a picture by way of an image of its own."""
_NO_PLOT = "There is no such plot"
_UNREADABLE = "This plot cannot be drawn right now"
_FORMS: dict[str, tuple[str, Callable[[Plotted], bytes]]] = {
    "csv": ("text/csv; charset=utf-8", csv_of),
    "json": ("application/json", json_of),
    "chart": ("application/json", chart_of),
}


class _Made:
    """A plot, and the files of it that somebody has asked for."""

    def __init__(self, plot: Plotted) -> None:
        """Keeps a plot."""
        self.plot = plot
        self._files: dict[str, File] = {}

    def file(self, form: str) -> File:
        """Returns one of the files, made when it is first asked for."""
        found = self._files.get(form)
        if found is None:
            media_type, content = _FORMS[form]
            name = f"rapport-{self.plot.asked.plot}.{'json' if form == 'chart' else form}"
            found = self._files[form] = file_of(name, media_type, content(self.plot))
        return found


class PlotPages:
    """Answers requests of the page."""

    def __init__(self, reader: Reader, people: HumanIndexes) -> None:
        """Draws what a reader finds.

        Args:
            reader: Finds what is drawn.
            people: Lays out agreement with people.
        """
        self._reader, self._people = reader, people
        self._lock = threading.Lock()
        self._of: tuple[Board, Changes] | None = None
        self._made: dict[Asked, _Made] = {}

    def page(self, request: Request) -> Response:
        """One plot: what it says, its drawing, and its table page by page."""
        asked = asked_of(request.query_params.multi_items())
        found = self._found(asked)
        if isinstance(found, Response):
            return found
        made, problems = found
        values = {"page": page_of(made.plot, asked.page), "problems": problems, "library": ADDRESS}
        shown = shown_page("plot_page/page.html", here=PAGE, **values)
        shown.headers["Content-Security-Policy"] = _POLICY
        return unless_known(request, shown)

    def data(self, request: Request) -> Response:
        """All rows of a plot as a file."""
        form = request.query_params.get("format", "json")
        if form not in ("csv", "json"):
            return PlainTextResponse("The data of a plot are there as csv and json.\n", 404, HEADERS)
        return self._file(request, form)

    def chart(self, request: Request) -> Response:
        """What is drawn of a plot, for a page that is open."""
        return self._file(request, "chart")

    def _file(self, request: Request, form: str) -> Response:
        """Returns a file of a plot; of an address that cannot be meant none, since no program reads what was meant."""
        found = self._found(asked_of(request.query_params.multi_items()))
        if isinstance(found, Response):
            return found
        if found[0].plot.notes:
            return PlainTextResponse("\n".join((*found[0].plot.notes, "")), 404, HEADERS)
        return sent(found[0].file(form), request)

    def _found(self, asked: Asked) -> tuple[_Made, tuple[str, ...]] | Response:
        """Returns the plot that is asked for and what is wrong with it, or says why there is none."""
        if asked.plot not in PLOTS:
            names = ", ".join(PLOTS)
            return shown_message(404, _NO_PLOT, f"There are: {names}. The address {PAGE} leads to the first.")
        board, problems = self._reader.board()
        if not board.revision:
            return shown_message(503, _UNREADABLE, " ".join(problems))
        changes, of_changes = self._reader.changes()
        try:
            made = self._kept(board, changes, asked._replace(page=1))
        except RapportError as error:
            log.error("what changed cannot be drawn: %s", error)
            return shown_message(503, _UNREADABLE, error.message)
        every = (*problems, *of_changes) if asked.plot == RANKS else problems
        return made, tuple(dict.fromkeys(every))

    def _kept(self, board: Board, changes: Changes, asked: Asked) -> _Made:
        """Returns a plot of this state of the board, made once however many ask."""
        with self._lock:  # Whoever waits here finds what the first one made.
            if self._of is None or self._of[0] is not board or self._of[1].table is not changes.table:
                self._of, self._made = (board, changes), {}
            found = self._made.get(asked)
            if found is None:
                found = _Made(plotted(board, changes, self._people.of(board), asked))
                if found.plot.notes:  # An address that names what is not there drives out nothing that others look at.
                    return found
                while len(self._made) >= _KEPT:
                    del self._made[next(iter(self._made))]
                self._made[asked] = found
            return found


def plot_router(pages: PlotPages) -> APIRouter:
    """Returns the routes; they run in threads, since they may wait for the disk."""
    routes = APIRouter(include_in_schema=False)
    answers: dict[str, Callable[..., Response]] = {
        PAGE: pages.page,
        DATA: pages.data,
        CHART: pages.chart,
        ADDRESS: library,
    }
    for path, answer in answers.items():
        routes.add_api_route(path, answer, methods=["GET", "HEAD"], response_class=HTMLResponse)
    return routes
