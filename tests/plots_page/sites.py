"""Boards and sites whose plots are known, and what a reader sees of them."""

from __future__ import annotations

import csv
import datetime
import html
import io
import itertools
import re
import zlib
from collections.abc import Iterable

from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.staticfiles import StaticFiles

from evaluator.facts import ModelFacts
from evaluator.results import Interval, Total
from leaderboard.open_data import layout
from leaderboard.open_data.changes import encode_changes, table_of
from leaderboard.pages.human.index import HumanIndexes
from leaderboard.pages.plots.asked import asked_of
from leaderboard.pages.plots.pages import PlotPages, plot_router
from leaderboard.pages.plots.places import Place, place_of
from leaderboard.pages.plots.plotted import Plotted
from leaderboard.pages.reader import Reader
from leaderboard.pages.render import STATIC
from leaderboard.results import HumanScorecard, Scorecard
from leaderboard.store.base import Write
from leaderboard.store.local import LocalStore
from tests.board_page.boards import board_of, card_of, publish_all
from tests.web.test_changes_page import DAY, NOON, change, moved
from tests.web.test_human import publish as publish_human

HALF_WIDTH = 3.0
"""Of every Total's interval, in points."""


def sized(name: str, total: float | None, parameters: int | None, **changes: object) -> Scorecard:
    """A scorecard of a model of some size, its Total with an interval."""
    card = card_of(name, total, ModelFacts(parameters=parameters) if parameters else None, **changes)
    if total is None:
        return card
    own = card.result.total
    within = Interval(low=total - HALF_WIDTH, high=total + HALF_WIDTH, users=12)
    with_interval = Total(value=total, worst_case=total, judged=own.judged, items=own.items, interval=within)
    return card.model_copy(update={"result": card.result.model_copy(update={"total": with_interval})})


def judged(name: str, totals: dict[str, float], **changes: object) -> list[Scorecard]:
    """The scorecards of one run under several judges, of which the first decides ranks."""
    cards = []
    for place, (judge, total) in enumerate(totals.items()):
        run = f"s-20260301-{zlib.crc32(name.encode()):08x}.demo-v1"
        own = {"id": f"{run}@{judge}", "run_id": run, "judge": judge}
        status = {} if place == 0 else {"judge_status": "candidate", "unranked_because": ("candidate judge",)}
        cards.append(sized(name, total, 10**9, **{**own, **status, **changes}))
    return cards


def placed(*cards: Scorecard, **asked: str) -> Place:
    """The ranking that an address asks for."""
    return place_of(board_of(*cards).rows, asked_of(asked.items()))


def column(plot: Plotted, field: str) -> list[object]:
    """What stands in one field of all rows."""
    return [row.values[plot.fields.index(field)] for row in plot.rows]


def by_model(plot: Plotted, field: str) -> dict[object, object]:
    """What stands in one field, by model."""
    return dict(zip(column(plot, "model"), column(plot, field), strict=True))


def site_of(store: LocalStore, cards: Iterable[Scorecard] = (), human: Iterable[HumanScorecard] = ()) -> TestClient:
    """A site with the page alone, as a browser asks it."""
    if every := list(cards):
        publish_all(store, every)
    if people := list(human):
        publish_human(store, *people)
    app = FastAPI()
    app.include_router(
        plot_router(PlotPages(Reader(store, store, None), HumanIndexes(("demo-v1", "human-relevance-v1"))))
    )
    app.mount("/site", StaticFiles(directory=STATIC))
    return TestClient(app)


def record(store: LocalStore, card: Scorecard, *ranks: int) -> datetime.datetime:
    """Writes a record of changes by which a result had some ranks, a day apart; returns when the last one was told."""
    own = {"scorecard_id": card.id, "model": card.model, "judge": card.judge, "protocol": card.protocol}
    rows = [change(rank_after=(ranks[0], ranks[0] + 1), **own)]
    for day, (before, after) in enumerate(itertools.pairwise(ranks), start=1):
        rows.append(moved((before, before + 1), (after, after + 1), at=NOON + day * DAY, **own))
    store.commit([Write(layout.CHANGES, encode_changes(table_of(rows)))], "changes")
    return rows[-1].at


def seen(page: str) -> str:
    """What a reader sees of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def parsed(content: str) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    return list(csv.DictReader(io.StringIO(content)))
