"""Routes of the maintainers' pages, behind the session of the login and the limits by user."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping

from fastapi.responses import Response
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.routing import Route, Router

from leaderboard.guard.rates import UserLimits
from leaderboard.pages.answering import in_session
from leaderboard.pages.identity import profile_in
from leaderboard.pages.maintain import (
    judges,
    log,
    objections,
    overview,
    reports,
    rescore,
    site,
    submission,
    submissions,
)
from leaderboard.pages.maintain.pages import Answer, MaintainPages, Visit

ANSWERS: Mapping[tuple[str, str], Answer] = {
    ("GET", "/maintain"): overview.overview,
    ("GET", "/maintain/submissions"): submissions.submissions,
    ("POST", "/maintain/submissions/retry"): submissions.retry_all,
    ("GET", "/maintain/submissions/{id}"): submission.submission,
    ("POST", "/maintain/submissions/{id}/answer"): submission.answer,
    ("GET", "/maintain/submissions/{id}/{act}"): submission.sure,
    ("POST", "/maintain/submissions/{id}/{act}"): submission.act,
    ("GET", "/maintain/disputes"): submission.disputes,
    ("GET", "/maintain/objections"): objections.objections,
    ("POST", "/maintain/objections/{id}"): objections.reply,
    ("GET", "/maintain/judges"): judges.judges,
    ("POST", "/maintain/previews"): reports.ask_preview,
    ("GET", "/maintain/reports/{id}"): reports.report,
    ("GET", "/maintain/reports/{id}/json"): reports.as_json,
    ("POST", "/maintain/reports/{id}/start"): reports.start,
    ("GET", "/maintain/rescores/{id}"): rescore.rescore,
    ("POST", "/maintain/rescores/{id}/compare"): reports.compare,
    ("GET", "/maintain/rescores/{id}/{act}"): rescore.sure,
    ("POST", "/maintain/rescores/{id}/{act}"): rescore.act,
    ("GET", "/maintain/site"): site.site_page,
    ("POST", "/maintain/site/pause"): site.pause,
    ("POST", "/maintain/site/resume"): site.resume,
    ("POST", "/maintain/site/quota"): site.set_quota,
    ("POST", "/maintain/site/quota/unset"): site.unset_quota,
    ("GET", "/maintain/log"): log.log_page,
}
"""Every page and every act, by method and path; of those that fit a path the first one answers."""


def maintain_routes(pages: MaintainPages, gradio_app: Starlette) -> list[Route]:
    """Returns the routes; they stand outside of Gradio's app and read the session that it keeps.

    Args:
        pages: What answers.
        gradio_app: Where people log in, if they can; it says how sessions are signed.
    """
    inner = Router([Route(path, _endpoint(pages, answer), methods=[way]) for (way, path), answer in ANSWERS.items()])
    app = in_session(UserLimits(inner), gradio_app)
    methods = {path: [way for way, each in ANSWERS if each == path] for _, path in ANSWERS}
    return [Route(path, app, methods=own) for path, own in methods.items()]


def _endpoint(pages: MaintainPages, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    """Returns the endpoint of an answer, which waits for Redis in a thread."""

    async def endpoint(request: Request) -> Response:
        body = await request.body() if request.method == "POST" else b""
        profile = profile_in(request.scope.get("session", {}), time.time())
        visit = Visit(profile, dict(request.path_params), dict(request.query_params))
        return await run_in_threadpool(pages.answered, answer, visit, body)

    return endpoint
