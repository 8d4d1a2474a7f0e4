"""Routes of the labelling page, behind the session of the login and limits by user."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from fastapi.responses import Response
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from leaderboard.guard.endpoints import Kind
from leaderboard.guard.rates import LABELS_BY_USER, UserLimits
from leaderboard.pages.answering import fields_in, in_session
from leaderboard.pages.identity import profile_in
from leaderboard.pages.label import LabelPages, Visit, answered

_MOST_FIELDS = 10
Answer = Callable[[Visit], Response]


def label_routes(pages: LabelPages, gradio_app: Starlette) -> list[Route]:
    """Returns the routes; they stand outside of Gradio's app and read the session that it keeps.

    Args:
        pages: What answers.
        gradio_app: Where people log in, if they can; it says how sessions are signed.
    """
    answers: dict[tuple[str, str], Answer] = {
        ("GET", "/label"): pages.overview,
        ("GET", "/label/mine.json"): pages.mine,
        ("POST", "/label/consent"): pages.agree,
        ("GET", "/label/withdraw"): pages.withdrawal,
        ("POST", "/label/withdraw"): pages.withdraw,
        ("GET", "/label/{task}"): pages.item,
        ("POST", "/label/{task}"): pages.answer,
        ("POST", "/label/{task}/back"): pages.back,
    }
    inner = Router([Route(path, _endpoint(answer), methods=[method]) for (method, path), answer in answers.items()])
    app: ASGIApp = in_session(UserLimits(UserLimits(inner), LABELS_BY_USER, Kind.LABEL), gradio_app)
    methods = {path: [method for method, each in answers if each == path] for _, path in answers}
    return [Route(path, app, methods=own) for path, own in methods.items()]


def _endpoint(answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    """Returns the endpoint of an answer, which waits for Redis in a thread."""

    async def endpoint(request: Request) -> Response:
        body = await request.body() if request.method == "POST" else b""
        profile = profile_in(request.scope.get("session", {}), time.time())

        def read_and_answer(visit: Visit) -> Response:
            return answer(visit._replace(form=dict(fields_in(body, _MOST_FIELDS))))

        return await run_in_threadpool(answered, read_and_answer, Visit(profile, request.path_params.get("task", "")))

    return endpoint
