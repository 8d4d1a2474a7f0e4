"""The page of a site that cannot be served yet: it says what is missing, and what helps.

It answers with 200 whatever is asked for: a Space whose page answers with a fault counts as one that never started.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.staticfiles import StaticFiles

from leaderboard.guard.headers import SecurityHeaders
from leaderboard.missing import Missing
from leaderboard.pages.render import STATIC, render

log = logging.getLogger("rapport.pages")

_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}


def setup_app(missing: Sequence[Missing], hints: Sequence[Missing] = (), *, on_space: bool) -> FastAPI:
    """Returns a site of that one page.

    Args:
        missing: What keeps the site from being served.
        hints: What else it would have to have, for all that it can do.
        on_space: Whether the Hub shows it in a frame.
    """
    for each in missing:
        log.error("not served yet: %s: %s %s", *each)
    app = FastAPI(title="Rapport", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(SecurityHeaders, on_space=on_space)
    app.mount("/site", StaticFiles(directory=STATIC), name="site")

    @app.get("/health", include_in_schema=False)
    def health() -> Response:
        """Says that this process is well, and waits for its settings."""
        return JSONResponse({"state": "not set up", "missing": [each.name for each in missing]}, headers=_HEADERS)

    @app.api_route("/{path:path}", methods=["GET", "HEAD"], include_in_schema=False)
    def page(path: str) -> Response:
        """Says what is missing, whatever was asked for."""
        return HTMLResponse(render("setup.html", here="", missing=missing, hints=hints), headers=_HEADERS)

    return app
