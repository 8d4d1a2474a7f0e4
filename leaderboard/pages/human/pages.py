"""Routes of the page of human agreement: its tasks, its rows alone, and all figures of one scorecard."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from leaderboard.board.build import Board
from leaderboard.pages.human.asked import PAGE, asked_of
from leaderboard.pages.human.index import HumanIndexes
from leaderboard.pages.human.page import HumanPage, human_page
from leaderboard.pages.model.asked import model_address
from leaderboard.pages.reader import Reader
from leaderboard.pages.site import shown_message, shown_page
from leaderboard.pages.unchanged import unless_known

_UNREADABLE = "The board cannot be read right now"


class HumanPages:
    """Answers requests of the page."""

    def __init__(self, reader: Reader, people: HumanIndexes) -> None:
        """Shows what a reader finds.

        Args:
            reader: Finds what is shown.
            people: Lays out agreement with people.
        """
        self._reader, self._people = reader, people

    def page(self, request: Request) -> Response:
        """One task with its rows, page by page."""
        board, problems = self._reader.board()
        page = self._page(board, request)
        if page is None and not board.revision:
            return shown_message(503, _UNREADABLE, " ".join(problems))
        if page is None:
            return shown_message(404, "There is no such task", "The page of human agreement lists all there are.")
        shown = {"page": page, "revision": board.revision, "problems": problems}
        return unless_known(request, shown_page("human/page.html", here=PAGE, **shown))

    def rows(self, request: Request) -> Response:
        """The rows alone, for a page that is open."""
        board, problems = self._reader.board()
        if not board.revision:  # An open page keeps what it has.
            return shown_message(503, _UNREADABLE, " ".join(problems))
        page = self._page(board, request)
        if page is None:
            return shown_message(404, "There is no such task", "It has no result any more.")
        return unless_known(request, shown_page("human/rows.html", page=page))

    def live(self, request: Request) -> Response:
        """What is wrong, for a page that is open; says at which revision its rows would be now."""
        board, problems = self._reader.board()
        response = unless_known(request, shown_page("human/problems.html", problems=problems))
        response.headers["X-Revision"] = str(board.revision)
        return response

    def figures(self, request: Request) -> Response:
        """All figures of one scorecard."""
        board, problems = self._reader.board()
        card = self._people.of(board).cards.get(request.query_params.get("id", ""))
        if card is None and problems:
            return shown_message(503, "This scorecard cannot be looked up right now", " ".join(problems))
        if card is None:
            return shown_message(404, "There is no such scorecard", "It may have been withdrawn.")
        return unless_known(
            request, shown_page("human/figures.html", here=PAGE, card=card, model=model_address(card.model))
        )

    def _page(self, board: Board, request: Request) -> HumanPage | None:
        """Lays out what a request asks for; None if there is no such task."""
        return human_page(self._people.of(board), asked_of(request.query_params.multi_items()))


def human_router(pages: HumanPages) -> APIRouter:
    """Returns the routes; they run in threads, since they may wait for the disk."""
    routes = APIRouter(include_in_schema=False)
    answers: dict[str, Callable[..., Response]] = {
        PAGE: pages.page,
        f"{PAGE}/rows": pages.rows,
        f"{PAGE}/live": pages.live,
        f"{PAGE}/figures": pages.figures,
    }
    for path, answer in answers.items():
        routes.add_api_route(path, answer, methods=["GET", "HEAD"], response_class=HTMLResponse)
    return routes
