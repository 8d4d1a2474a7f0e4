"""Routes of a single answer, where people object, and of their objections: behind the session and limits by user."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from fastapi.responses import Response
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.routing import Route, Router

from leaderboard.guard.rates import UserLimits
from leaderboard.pages.answering import in_session
from leaderboard.pages.identity import profile_in
from leaderboard.pages.model.asked import ANSWER
from leaderboard.pages.objections.pages import MINE, ObjectionPages


def objection_routes(pages: ObjectionPages, gradio_app: Starlette) -> list[Route]:
    """Returns the routes; they stand outside of Gradio's app and read the session that it keeps.

    Args:
        pages: What answers.
        gradio_app: Where people log in, if they can; it says how sessions are signed.
    """

    async def answer(request: Request) -> Response:
        return await run_in_threadpool(pages.answer, request, _profile(request))

    async def objected(request: Request) -> Response:
        return await run_in_threadpool(pages.objected, request, _profile(request), await request.body())

    async def mine(request: Request) -> Response:
        return await run_in_threadpool(pages.mine, dict(request.query_params), _profile(request))

    ways: dict[tuple[str, str], Callable[[Request], Awaitable[Response]]] = {
        ("GET", ANSWER): answer,
        ("POST", ANSWER): objected,
        ("GET", MINE): mine,
    }
    inner = Router([Route(path, endpoint, methods=[way]) for (way, path), endpoint in ways.items()])
    app = in_session(UserLimits(inner), gradio_app)
    return [Route(ANSWER, app, methods=["GET", "POST"]), Route(MINE, app, methods=["GET"])]


def _profile(request: Request) -> dict[str, object] | None:
    """Returns the claims of whoever is logged in; None if nobody is."""
    found = profile_in(request.scope.get("session", {}), time.time())
    return None if found is None else dict(found)
