"""Sites with one run whose rows are public, and what a reader sees of them."""

from __future__ import annotations

import html
import re
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from redis import Redis
from starlette.staticfiles import StaticFiles

from leaderboard.exports.files import Exports
from leaderboard.open_data import layout
from leaderboard.pages.model.pages import ModelPages, model_router
from leaderboard.pages.objections.pages import ObjectionPages
from leaderboard.pages.objections.routes import objection_routes
from leaderboard.pages.reader import Reader
from leaderboard.pages.render import STATIC
from leaderboard.pages.site import Pages, router
from leaderboard.pages.tables_of_items import ItemTables
from leaderboard.results import Scorecard
from leaderboard.settings import Settings
from leaderboard.store.base import Write
from leaderboard.store.local import LocalStore
from leaderboard.submissions.ledger import Ledger
from tests.answers.runs import Run
from tests.builders import LOSS, NO, TERMS, TIE, make_scorecard
from tests.released import publish

CLOSED = TERMS.model_copy(update={"redistributable": False, "licence": None})
MODEL = "org/model"


def published(store: LocalStore, run: Run, *others: Scorecard, rows: bool = True, **changes: Any) -> Scorecard:
    """Publishes a run and other scorecards; returns the run's."""
    table = run.table
    values = {"run_id": table.run_id, "result": run.result, "data_sha": table.data_sha, "id": f"{table.run_id}@demo"}
    card = make_scorecard(MODEL, 50.0).model_copy(update=values | changes)
    if rows:
        paths = layout.row_paths(card.model, card.run_id, card.judge)
        store.commit([Write(path, content) for path, content in zip(paths, run.files, strict=True)], "rows")
    publish(store, card, *others)
    return card


def visitor(store: LocalStore, ledger: Ledger | None = None) -> TestClient:
    """The site as a browser asks it."""
    return TestClient(pages_app(store, ledger))


def pages_app(
    store: LocalStore,
    ledger: Ledger | None = None,
    *,
    redis: Redis | None = None,
    gradio_app: FastAPI | None = None,
    **settings: Any,
) -> FastAPI:
    """The pages of a site; with a Redis people object on them, the marked local user unless settings say otherwise."""
    reader, app = Reader(store, store, ledger), FastAPI()
    app.include_router(router(Pages(reader)))
    models = ModelPages(reader, ItemTables(store), Exports(reader.board))
    app.include_router(model_router(models))
    objections = ObjectionPages(Settings(**{"allow_local_user": True} | settings), redis, models)
    app.router.routes[:0] = objection_routes(objections, gradio_app or FastAPI())
    app.mount("/site", StaticFiles(directory=STATIC))
    return app


def seen(page: str) -> str:
    """What a reader sees of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def links(page: str, path: str) -> list[str]:
    """The addresses on a page that lead to some path, in order."""
    return [html.unescape(found) for found in re.findall(rf'href="({re.escape(path)}\?[^"]*)"', page)]


def listed(page: str) -> list[str]:
    """The questions of a list of answers."""
    return re.findall(r'<tr><th scope="row"><a href="[^"]*"><bdi>([^<]*)</bdi>', page)


def by_hand(run: Run) -> dict[str, set[str]]:
    """Which questions each filter finds, from the rows themselves."""
    found: dict[str, set[str]] = {name: set() for name in ("lost", "tied", "won", "missing", "flipped", "defect")}
    answers = {row.key.question_id: row for row in run.generations}
    said = {(row.key.question_id, row.key.slot_order): row.outcome for row in run.verdicts}
    for item in run.items:
        name, answer = item.question_id, answers.get(item.question_id)
        if answer is not None and answer.defect is not None:
            found["defect"].add(name)
            found["lost"].add(name)
            continue
        outcomes = [said.get((name, order)) for order in item.orders]
        if None in outcomes:
            found["missing"].add(name)
            continue
        points = sum({LOSS: 0, NO: 0, TIE: 1}.get(each, 2) for each in outcomes if each is not None)
        found["lost" if points < len(outcomes) else "won" if points > len(outcomes) else "tied"].add(name)
        if len(set(outcomes)) > 1:
            found["flipped"].add(name)
    return found
