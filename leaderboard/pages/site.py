"""Routes of the server-rendered pages: the board, the queue, a submission, a scorecard."""

from __future__ import annotations

import datetime
import logging
import re
from collections.abc import Callable

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, JSONResponse, Response
from redis.exceptions import RedisError

from evaluator.errors import RapportError
from leaderboard.board.build import Board, BoardRow
from leaderboard.board.snapshot import Snapshot
from leaderboard.connection import unreachable
from leaderboard.pages.render import render
from leaderboard.records import State, now
from leaderboard.store.base import Revision, StoreError
from leaderboard.submissions.ledger import Ledger, SubmissionView
from leaderboard.submissions.states import ENDED

log = logging.getLogger("rapport.pages")

SHOWN_SUBMISSIONS = 50
_FAILURES_SHOWN_FOR = datetime.timedelta(hours=1)
_SUBMISSION_ID = re.compile(r"s-\d{8}-[0-9a-f]{8}")
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


class Pages:
    """Answers page requests from a snapshot of the board and the ledger."""

    def __init__(self, snapshot: Snapshot, ledger: Ledger | None) -> None:
        """Reads, never writes; without a ledger the board is all there is."""
        self._snapshot, self._ledger = snapshot, ledger

    def board(self) -> Response:
        """The front page."""
        board, active, problem = self._present(_is_news)
        return _page("board.html", here="/", rows=board.rows, revision=board.revision, active=active, problem=problem)

    def rows(self) -> Response:
        """The board's rows alone, for a page that is open."""
        return _page("rows.html", rows=self._board()[0].rows)

    def live(self, all: bool = False, id: str = "") -> Response:
        """What is under way, for a page that is open; says at which revision the board is."""
        if id:
            view = self._view(id)
            board, shown, problem = self._board()[0], [view] if view else [], ""
        else:
            board, shown, problem = self._present((lambda _: True) if all else _is_news)
        response = _page("live.html", active=shown, problem=problem)
        response.headers["X-Board-Revision"] = board.revision
        return response

    def queue(self) -> Response:
        """All submissions, newest first."""
        _, shown, problem = self._present(lambda _: True)
        return _page("queue.html", here="/queue", active=shown, problem=problem)

    def submission(self, id: str = "") -> Response:
        """One submission with its history and scorecards."""
        view = self._view(id)
        if view is None:
            return _missing("There is no such submission", "Check the address; the queue lists all submissions.")
        return _page(
            "submission.html",
            here="/queue",
            view=view,
            active=[view],
            problem="",
            rows=self._rows_of(view.submission.id),
        )

    def scorecard(self, id: str = "") -> Response:
        """A run's scorecard as JSON."""
        for row in self._board()[0].rows:
            if row.run_id == id:
                return JSONResponse(row.model_dump(mode="json"), headers=_HEADERS)
        return JSONResponse({"error": "There is no scorecard of this run."}, status_code=404, headers=_HEADERS)

    def _view(self, submission_id: str) -> SubmissionView | None:
        """Finds a submission by what stood in an address."""
        if self._ledger is None or not _SUBMISSION_ID.fullmatch(submission_id):
            return None
        try:
            return self._ledger.view(submission_id)
        except KeyError:
            return None

    def _rows_of(self, submission_id: str) -> list[BoardRow]:
        """The board's rows of one submission."""
        return [row for row in self._board()[0].rows if row.submission_id == submission_id]

    def _board(self) -> tuple[Board, str]:
        """The board, and what is wrong if it cannot be read."""
        try:
            return self._snapshot.board(), ""
        except (StoreError, RapportError) as error:
            log.exception("the board could not be built")
            return Board(Revision(""), ()), f"The board cannot be read right now: {error}"

    def _present(self, wanted: Callable[[SubmissionView], bool]) -> tuple[Board, list[SubmissionView], str]:
        """The board, the submissions to show, and what is wrong if something is."""
        board, problem = self._board()
        if self._ledger is None:
            return board, [], problem or "Submissions are closed: this site has no Redis. Results stay readable."
        try:
            views = [self._ledger.view(name) for name in self._ledger.newest(SHOWN_SUBMISSIONS)]
        except RedisError as error:
            return board, [], f"{unreachable(error).message} Results stay readable; submissions come back with it."
        return board, [view for view in views if wanted(view)], problem


def router(pages: Pages) -> APIRouter:
    """Returns the routes; they run in threads, since they wait for Redis and the disk."""
    routes = APIRouter(include_in_schema=False)
    for path, answer in {
        "/": pages.board,
        "/rows": pages.rows,
        "/live": pages.live,
        "/queue": pages.queue,
        "/submission": pages.submission,
        "/scorecard": pages.scorecard,
    }.items():
        routes.add_api_route(path, answer, methods=["GET", "HEAD"], response_class=HTMLResponse)
    return routes


def _is_news(view: SubmissionView) -> bool:
    """Says whether a submission belongs on the front page: it is under way, or has just failed."""
    if view.state not in ENDED:
        return True
    ended = max(step.at for run in view.runs for step in run.transitions)
    return view.state is State.FAILED and now() - ended < _FAILURES_SHOWN_FOR


def _page(template: str, **values: object) -> HTMLResponse:
    """Renders a page that is never kept by a browser."""
    return HTMLResponse(render(template, **values), headers={**_HEADERS, "Cache-Control": "no-cache"})


def _missing(title: str, message: str) -> HTMLResponse:
    """Says that something is not there."""
    page = render("message.html", here="", title=title, message=message)
    return HTMLResponse(page, status_code=404, headers=_HEADERS)
