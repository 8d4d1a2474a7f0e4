"""Sites with several runs whose rows are public, and what a reader sees of their comparison."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.staticfiles import StaticFiles

from leaderboard.open_data import layout
from leaderboard.pages.compare.pages import ComparePages, compare_router
from leaderboard.pages.reader import Reader
from leaderboard.pages.render import STATIC
from leaderboard.pages.tables_of_items import ItemTables
from leaderboard.results import Scorecard
from leaderboard.store.base import Write
from leaderboard.store.local import LocalStore
from tests.answers.runs import Run
from tests.builders import make_scorecard
from tests.released import publish


def published(store: LocalStore, runs: Mapping[str, Run], without: str = "", **changes: Any) -> list[Scorecard]:
    """Publishes runs by the names of their models; returns their scorecards. Of `without` there are no rows."""
    cards = []
    for number, (model, run) in enumerate(runs.items()):
        table = run.table
        submission = f"s-20260301-{number:08x}"
        values = {
            "submission_id": submission,
            "run_id": table.run_id,
            "id": f"{submission}.demo-v1@demo",
            "result": run.result,
            "data_sha": table.data_sha,
        }
        card = make_scorecard("org/model").model_copy(update={**values, "model": model, **changes})
        if model != without:
            paths = layout.row_paths(card.model, card.run_id, card.judge)
            store.commit([Write(path, file) for path, file in zip(paths, run.files, strict=True)], "rows")
        cards.append(card)
    publish(store, *cards)
    return cards


def visitor(store: LocalStore) -> TestClient:
    """The page as a browser asks for it."""
    app = FastAPI()
    app.include_router(compare_router(ComparePages(Reader(store, store, None), ItemTables(store))))
    app.mount("/site", StaticFiles(directory=STATIC))
    return TestClient(app)


def seen(page: str) -> str:
    """What a reader sees of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def told(page: str) -> list[str]:
    """What the page says of each pair."""
    return [seen(each) for each in re.findall(r'<li class="(?:apart|alike)">(.*?)</li>', page, re.S)]


def listed(page: str) -> list[str]:
    """The questions that are shown."""
    return [html.unescape(each) for each in re.findall(r'aria-label="Question ([^"]*)"', page)]


def links(page: str, path: str) -> list[str]:
    """The addresses on a page that lead to some path, in order."""
    return [html.unescape(found) for found in re.findall(rf'href="({re.escape(path)}\?[^"]*)"', page)]
