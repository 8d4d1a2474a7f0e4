"""The web process: server-rendered pages at `/`, Gradio's pages mounted beside them.

It imports neither torch nor vllm and holds no store token; all it writes are submissions.
"""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.middleware.gzip import GZipMiddleware
from redis import Redis
from starlette.staticfiles import StaticFiles

from leaderboard.pages.reader import Reader
from leaderboard.pages.render import STATIC
from leaderboard.pages.site import Pages, router
from leaderboard.pages.submit import submit_page, theme
from leaderboard.settings import Settings
from leaderboard.store.local import LocalStore
from leaderboard.submissions.service import SubmissionService


def create_app(settings: Settings, redis: Redis | None) -> FastAPI:
    """Returns the whole site.

    Args:
        settings: Where the store lies and what submissions are run on.
        redis: Where the ledger lives, which need not answer yet; None serves the board read-only.
    """
    import gradio as gr

    service = SubmissionService(settings, redis) if redis else None
    app = FastAPI(title="Rapport", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(GZipMiddleware, minimum_size=1024)
    reader = Reader(LocalStore(settings.store_folder), service.ledger if service else None)
    app.include_router(router(Pages(reader, settings.protocols)))
    app.mount("/site", StaticFiles(directory=STATIC), name="site")  # Gradio has a /static of its own.
    # Ours are routed first: Gradio answers what is left, its own page `/submit` and its API among it.
    gr.mount_gradio_app(
        app,
        submit_page(service, settings),
        path="/",
        show_error=False,
        theme=theme(),
        css_paths=STATIC / "gradio.css",
        favicon_path=str(STATIC / "icon.svg"),
    )
    return app
