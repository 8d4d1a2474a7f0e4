"""Routes of the server-rendered pages: the board, the queue, a submission, a scorecard.

Whatever stands in an address is text: what cannot be meant gives the nearest page or a plain 404, never an error.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable, Mapping, Sequence

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from markupsafe import Markup

from evaluator.errors import RapportError
from leaderboard.board.build import Board, scorecard_of
from leaderboard.board.human_gaps import without_gap
from leaderboard.etags import is_known
from leaderboard.pages.asking import page_number
from leaderboard.pages.board.columns import TIPS
from leaderboard.pages.board.page import BoardPage, validator
from leaderboard.pages.board.state import read_state
from leaderboard.pages.judges.pages import as_stored, judge_page, judges_page, versions_of
from leaderboard.pages.news import NO_NEWS, NO_PAGE, LatestNews, News, changes_page
from leaderboard.pages.reader import Found, Listing, Reader
from leaderboard.pages.render import render
from leaderboard.records import State, now
from leaderboard.submissions.states import ENDED
from leaderboard.submissions.views import SubmissionView

log = logging.getLogger("rapport.pages")

_FAILURES_SHOWN_FOR = datetime.timedelta(hours=1)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


class Pages:
    """Answers page requests."""

    def __init__(self, reader: Reader, protocols: Sequence[str] = (), store: str = "") -> None:
        """Shows what a reader finds, and of each of these protocols at least that there is nothing yet.

        Args:
            reader: Finds what is shown.
            protocols: Their ids.
            store: The name of the stores on the Hub, as RAPPORT_STORE tells it; empty where they are in folders.
        """
        self._reader, self._store = reader, store
        self._board = BoardPage(protocols)
        reader.prepare_board(self._board.prepare)
        self._latest_news = LatestNews()

    def board(self, request: Request) -> Response:
        """The front page: one table of the board, as its address asks for it."""
        board, problems = self._reader.board()
        news = self._news()
        shown = self._board.shown(board, read_state(request.query_params.multi_items()))
        listed = {**_listed(news), "problems": (*_lag(board), *problems, *news.problems)}
        live = Markup(render("live.html", **listed))  # noqa: S704 - it comes from a template
        etag = validator(board, shown.view.state, live, str(shown.unknown_judge))
        if is_known(etag, request.headers.get("if-none-match", "")) and not shown.unknown_judge:
            return Response(status_code=304, headers=_of_a_state(etag))
        told = {**shown.values, **listed, "live": live, "revision": board.revision, "news": self._changed()}
        page = shown_page("board.html", here="/", tips=TIPS, unknown_judge=shown.unknown_judge, **told)
        page.headers.update(_of_a_state(etag))
        page.status_code = 404 if shown.unknown_judge else 200
        return page

    def rows(self, request: Request) -> Response:
        """What changes of the front page when another state of it is asked for, for a page that is open."""
        board, problems = self._reader.board()
        if not board.revision:  # An open page keeps what it has.
            return shown_message(503, "The board cannot be read right now", " ".join(problems))
        shown = self._board.shown(board, read_state(request.query_params.multi_items()))
        if shown.unknown_judge:
            return shown_message(404, "There is no such judge", "No row of this board is by that judge.")
        etag = validator(board, shown.view.state)
        headers = {**_of_a_state(etag), "X-Revision": str(board.revision)}
        if is_known(etag, request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=headers)
        page = shown_page("results.html", **shown.values)
        page.headers.update(headers)
        return page

    def live(self, all: str = "", id: str = "", page: str = "") -> Response:
        """What is under way, for a page that is open; says at which revision the rest of that page would be now."""
        board, problems = self._reader.board()
        revision: str = board.revision
        if id:
            found = self._reader.submission(id)
            shown, revision = _one(found), self._revision(found)
        elif all:
            shown = _listed(self._reader.listing(page_number(page)))
        else:
            news = self._news()
            shown = {**_listed(news), "problems": (*_lag(board), *problems, *news.problems)}
        response = shown_page("live.html", **shown)
        response.headers["X-Revision"] = revision
        return response

    def queue(self, page: str = "") -> Response:
        """All submissions, newest first, page by page."""
        listing = self._reader.listing(page_number(page))
        return shown_page("queue.html", here="/queue", listing=listing, **_listed(listing))

    def submission(self, id: str = "") -> Response:
        """One submission with its history and scorecards."""
        return self._submission("submission.html", id)

    def details(self, id: str = "") -> Response:
        """What changes seldom of a submission's page, for a page that is open."""
        return self._submission("details.html", id)

    def _submission(self, template: str, id: str) -> Response:
        """Renders a submission, or says why there is nothing to show."""
        found = self._reader.submission(id)
        if found.about is None and not found.sure:
            return shown_message(503, "This submission cannot be looked up right now", " ".join(found.problems))
        if found.about is None:
            return shown_message(
                404, "There is no such submission", "Check the address; the queue lists all submissions."
            )
        shown = {
            "about": found.about,
            "rows": found.rows,
            "human": found.human,
            "revision": self._revision(found),
            "store": self._store,
        }
        return shown_page(template, here="/queue", **shown, **_one(found))

    def scorecard(self, id: str = "") -> Response:
        """A run's scorecard as JSON, as it is stored: without what is made of another run's too."""
        board, problems = self._reader.board()
        if (row := scorecard_of(board.rows, id)) is not None:
            return JSONResponse(row.model_dump(mode="json"), headers=HEADERS)
        for card in map(without_gap, board.human):
            if card.run_id == id:
                return JSONResponse(card.model_dump(mode="json"), headers=HEADERS)
        if problems:
            return JSONResponse({"error": problems[0]}, status_code=503, headers=HEADERS)
        return JSONResponse({"error": "There is no scorecard of this run."}, status_code=404, headers=HEADERS)

    def changes(self, week: str = "", page: str = "") -> Response:
        """What changed on the board, week by week."""
        changes, problems = self._reader.changes()
        try:
            shown = changes_page(changes, week, page_number(page))
        except RapportError as error:
            return shown_message(503, "What changed cannot be read right now", error.message)
        if shown is None and not problems:
            return shown_message(404, "Nothing changed in that week", "See /changes for the newest week with changes.")
        shown = shown or NO_PAGE
        return shown_page("changes.html", here="/changes", page=shown, begins=changes.begins, problems=problems)

    def judges(self) -> Response:
        """The board of judges."""
        judges, problems = self._reader.judges()
        rows = self._reader.board()[0].rows
        return shown_page("judges.html", here="/judges", problems=problems, **judges_page(judges, rows))

    def judge(self, id: str = "") -> Response:
        """One judge with all its versions."""
        judges, problems = self._reader.judges()
        shown = judge_page(judges, self._reader.board()[0].rows, id, self._store)
        if shown is None and problems:
            return shown_message(503, "This judge cannot be looked up right now", " ".join(problems))
        if shown is None:
            return shown_message(404, "There is no such judge", "Check the address; the page of judges lists all.")
        return shown_page("judge.html", here="/judges", problems=problems, **shown)

    def judge_figures(self, id: str = "") -> Response:
        """All that is public of one judge as JSON, as it is stored; without an id of all judges."""
        judges, problems = self._reader.judges()
        rows = versions_of(judges, id) if id else judges.rows
        if not rows and problems:
            return JSONResponse({"error": problems[0]}, status_code=503, headers=HEADERS)
        if not rows and id:
            return JSONResponse({"error": "There is no such judge."}, status_code=404, headers=HEADERS)
        return JSONResponse([as_stored(row) for row in rows], headers=HEADERS)

    def health(self) -> Response:
        """That this process serves, and from what; it asks nobody, so that no one else's fault is taken for its own."""
        store = "stale" if self._reader.stale else "current"
        return JSONResponse({"state": "serving", "store": store, "redis": self._reader.has_ledger}, headers=HEADERS)

    def _revision(self, found: Found) -> str:
        """Names the state of a submission's page: another one if anything has happened to it or to the board."""
        happened = len(found.view.events) if found.view else 0
        return f"{happened}-{self._reader.board()[0].revision}"

    def _changed(self) -> News:
        """What changed on the board this week; where that cannot be read, the page of all changes says so."""
        changes, _ = self._reader.changes()
        try:
            return self._latest_news.of(changes, now())
        except RapportError as error:
            log.error("what changed cannot be told: %s", error)
            return NO_NEWS

    def _news(self) -> Listing:
        """The submissions that belong on the front page, and why there may be none."""
        listing = self._reader.listing()
        return listing._replace(views=tuple(view for view in listing.views if _is_news(view)))


def _of_a_state(etag: str) -> Mapping[str, str]:
    """Returns the headers of what a browser keeps and asks about each time."""
    return {**HEADERS, "Cache-Control": "no-cache", "ETag": etag, "Vary": "Accept-Encoding"}


def _lag(board: Board) -> tuple[str, ...]:
    """Says that ranks will change without anything new."""
    return ("Ranks do not take in the latest results yet.",) if board.lags else ()


def _listed(listing: Listing) -> dict[str, object]:
    """What the template of submissions is told of a list."""
    return {"active": listing.views, "outlooks": listing.outlooks, "logs": {}, "problems": listing.problems}


def _one(found: Found) -> dict[str, object]:
    """What the template of submissions is told of one."""
    return {"active": found.active, "outlooks": found.outlooks, "logs": found.logs, "problems": found.problems}


def router(pages: Pages) -> APIRouter:
    """Returns the routes; they run in threads, since they wait for Redis and the disk."""
    routes = APIRouter(include_in_schema=False)
    answers: Mapping[str, Callable[..., Response]] = {
        "/": pages.board,
        "/rows": pages.rows,
        "/live": pages.live,
        "/queue": pages.queue,
        "/submission": pages.submission,
        "/details": pages.details,
        "/scorecard": pages.scorecard,
        "/changes": pages.changes,
        "/judges": pages.judges,
        "/judge": pages.judge,
        "/judge.json": pages.judge_figures,
        "/health": pages.health,
    }
    for path, answer in answers.items():
        routes.add_api_route(path, answer, methods=["GET", "HEAD"], response_class=HTMLResponse)
    return routes


def _is_news(view: SubmissionView) -> bool:
    """Says whether a submission belongs on the front page: it is under way, or has just failed."""
    if view.state not in ENDED:
        return True
    ended = max(step.at for run in view.runs for step in run.transitions)
    return view.state is State.FAILED and now() - ended < _FAILURES_SHOWN_FOR


def shown_page(template: str, **values: object) -> HTMLResponse:
    """Renders a page that is never kept by a browser."""
    return HTMLResponse(render(template, **values), headers={**HEADERS, "Cache-Control": "no-cache"})


def shown_message(status: int, title: str, message: str) -> HTMLResponse:
    """Says why there is nothing to show."""
    page = render("message.html", here="", title=title, message=message)
    return HTMLResponse(page, status_code=status, headers=HEADERS)
