"""Stands before the whole site, Gradio's own endpoints included: what is not needed is closed, the rest is limited.

From the outside in: security headers on every answer; closed endpoints, strange hosts and requests from other sites;
rate limits by address; the size of a body and the time it may take. The limit by user stands inside Gradio's app,
behind the session that says who is logged in.
"""

from __future__ import annotations

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from leaderboard.guard.body import BodyLimits
from leaderboard.guard.client import Clients
from leaderboard.guard.gate import Gate, known_hosts
from leaderboard.guard.headers import SecurityHeaders
from leaderboard.guard.rates import AddressLimits, UserLimits
from leaderboard.settings import Settings


def guard(app: FastAPI, settings: Settings) -> None:
    """Puts the guard around an app; call it last, since what is added last stands outermost."""
    # An empty list, not none: without this Gradio lets every site read its answers with the visitor's cookies.
    app.add_middleware(CORSMiddleware, allow_origins=[])
    app.add_middleware(BodyLimits, most_bytes=settings.request_bytes)
    app.add_middleware(AddressLimits, clients=Clients(settings.trusted_proxies))
    app.add_middleware(Gate, hosts=known_hosts(settings), behind_proxy=settings.trusted_proxies > 0)
    app.add_middleware(SecurityHeaders, on_space=settings.on_space)


def guard_users(gradio_app: FastAPI) -> None:
    """Limits logged-in users inside Gradio's app: innermost, where the session has been read."""
    gradio_app.user_middleware.append(Middleware(UserLimits))
