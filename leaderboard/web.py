"""The web process: server-rendered pages at `/`, Gradio's pages mounted beside them.

It imports neither torch nor vllm and holds no store token; all it writes are submissions.
"""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.middleware.gzip import GZipMiddleware
from redis import Redis
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from leaderboard.api.endpoints import Endpoints
from leaderboard.api.refusals import refuse_wrong_calls
from leaderboard.exports.files import Exports
from leaderboard.exports.routes import export_router
from leaderboard.guard import guard, guard_users
from leaderboard.pages.about.pages import AboutPages, about_router
from leaderboard.pages.compare.pages import ComparePages, compare_router
from leaderboard.pages.human.index import HumanIndexes
from leaderboard.pages.human.pages import HumanPages, human_router
from leaderboard.pages.identity import check_login
from leaderboard.pages.label import LabelPages
from leaderboard.pages.label_routes import label_routes
from leaderboard.pages.maintain.pages import MaintainPages
from leaderboard.pages.maintain.routes import maintain_routes
from leaderboard.pages.model.pages import ModelPages, model_router
from leaderboard.pages.objections.pages import ObjectionPages
from leaderboard.pages.objections.routes import objection_routes
from leaderboard.pages.plots.pages import PlotPages, plot_router
from leaderboard.pages.reader import Reader
from leaderboard.pages.render import STATIC
from leaderboard.pages.site import Pages, router
from leaderboard.pages.submit import gradio_pages, theme
from leaderboard.pages.tables_of_items import ItemTables
from leaderboard.serving import serve as serve
from leaderboard.serving import server_config as server_config
from leaderboard.settings import Settings
from leaderboard.store.open import open_stores
from leaderboard.submissions.service import SubmissionService


def create_app(settings: Settings, redis: Redis | None) -> FastAPI:
    """Returns the whole site, behind its guard.

    Args:
        settings: Where the store lies and what submissions are run on.
        redis: Where the ledger lives, which need not answer yet; None serves the board read-only.

    Raises:
        RapportError: `infrastructure` if people could pass for somebody else here; see `check_login`.
    """
    import gradio as gr

    check_login(settings)
    service = SubmissionService(settings, redis) if redis else None
    app = FastAPI(title="Rapport", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(GZipMiddleware, minimum_size=1024)
    stores = open_stores(settings)
    reader = Reader(stores.results, stores.requests, service.ledger if service else None)
    app.include_router(router(Pages(reader, settings.protocols, settings.store)))
    people = HumanIndexes(settings.protocols)
    app.include_router(human_router(HumanPages(reader, people)))
    app.include_router(about_router(AboutPages(settings)))
    exports, tables = Exports(reader.board, settings.site_url), ItemTables(stores.results)
    models = ModelPages(reader, tables, exports, settings.store)
    app.include_router(model_router(models))
    app.include_router(compare_router(ComparePages(reader, tables)))
    app.include_router(plot_router(PlotPages(reader, people)))
    app.include_router(export_router(exports))
    app.mount("/site", StaticFiles(directory=STATIC), name="site")  # Gradio has a /static of its own.
    # Ours are routed first: Gradio answers what is left, its own page `/submit` and its API among it.
    gr.mount_gradio_app(
        app,
        gradio_pages(service, settings, redis, Endpoints(settings, reader, stores.results, service, redis)),
        path="/",
        show_error=False,
        run_history=False,
        enable_monitoring=False,
        mcp_server=False,
        theme=theme(),
        css_paths=STATIC / "gradio.css",
        favicon_path=str(STATIC / "icon.svg"),
    )
    # Before Gradio's mount, which takes all that is left: they read the session that its login keeps.
    app.router.routes[:0] = [
        *label_routes(LabelPages(settings, redis, stores.results), _gradio_app(app)),
        *maintain_routes(MaintainPages(settings, redis, reader), _gradio_app(app)),
        *objection_routes(ObjectionPages(settings, redis, models), _gradio_app(app)),
    ]
    guard_users(_gradio_app(app))
    refuse_wrong_calls(_gradio_app(app))
    guard(app, settings)
    return app


def _gradio_app(app: FastAPI) -> FastAPI:
    """Returns the app that Gradio has mounted."""
    (mounted,) = [route.app for route in app.routes if isinstance(route, Mount) and isinstance(route.app, FastAPI)]
    return mounted
