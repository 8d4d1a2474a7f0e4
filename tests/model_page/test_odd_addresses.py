"""Odd addresses on every page that anybody may open: answered in time, never an error, and text stays text."""

from __future__ import annotations

import random
from collections.abc import Iterator
from urllib.parse import quote_from_bytes

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from evaluator.human.tasks import Task
from leaderboard.exports.files import Exports
from leaderboard.exports.routes import export_router
from leaderboard.pages.compare.pages import ComparePages, compare_router
from leaderboard.pages.human.index import HumanIndexes
from leaderboard.pages.human.pages import HumanPages, human_router
from leaderboard.pages.model.pages import ModelPages, model_router
from leaderboard.pages.reader import Reader
from leaderboard.pages.site import Pages, router
from leaderboard.pages.tables_of_items import ItemTables
from leaderboard.store.local import LocalStore
from tests.answers.runs import made_up_run
from tests.builders import make_scorecard
from tests.human_runs import make_human_scorecard_of
from tests.model_page.sites import published
from tests.web.test_human import publish as publish_human

ASKED, SEED = 700, 9
EVIL = "<img src=x onerror=alert(7)>\"'`<script>alert(7)</script>{{7*7777}}"
TAKES = {
    "/": "protocol ranking judge q size licence family trained context complete show columns sort pin density page",
    "/rows": "protocol judge q show columns sort pin page",
    "/model": "id protocol judge",
    "/answers": "scorecard only type split category sentiment q page",
    "/compare": "ids slice only type page",
    "/human": "task q show sort page at",
    "/human/rows": "task q show sort page at",
    "/human/figures": "id",
    "/changes": "week page",
    "/queue": "page",
    "/submission": "id",
    "/details": "id",
    "/live": "all id page",
    "/judge": "id",
    "/judge.json": "id",
    "/scorecard": "id",
    "/exports/board.csv": "judge",
}
USUAL = (
    *(
        "org/model",
        "org/second",
        "s-20260301-00000001.demo-v1@demo",
        "second@demo",
        "demo-v1",
        "demo",
        "lost",
        "missing",
    ),
    *("persona", "schedule", "test_1", "food", "POS", "category:food", "position:oldest fifth", "alike", "-total"),
    *("references", "nothing", "1", "2", "human-relevance-v1", "-kappa", "org/model,org/second"),
)
ODD = (
    *("", "-1", "0", "9" * 400, "1e9", "٣", "²", "a" * 3000, "a b " * 900, ",".join(["x"] * 2000), "\0", "a\0b"),
    *(
        "\u202e\u2066",
        "é" * 400,
        "😀" * 300,
        EVIL,
        EVIL * 20,
        "../../etc/passwd",
        "%",
        "%00",
        "${7*7}",
        "\r\nX-Evil: 1",
    ),
    *("None", "nan", "[a-", "\\", "(a+)+$", "-", "--total", " ", "\u2028", "a=b&c=d", "//evil.example", "javascript:1"),
    *("\ud800", "\udfff\ud800"),
)


@pytest.fixture
def site(store: LocalStore) -> TestClient:
    """Every page that answers from the public data, with two models of equal questions."""
    second = make_scorecard("org/second", 40.0, id="second@demo")
    published(store, made_up_run(users=12), second)
    publish_human(store, make_human_scorecard_of("org/model", Task.RELEVANCE))
    reader, tables, app = Reader(store, store, None), ItemTables(store), FastAPI()
    exports = Exports(reader.board)
    app.include_router(router(Pages(reader)))
    app.include_router(model_router(ModelPages(reader, tables, exports)))
    app.include_router(compare_router(ComparePages(reader, tables)))
    app.include_router(human_router(HumanPages(reader, HumanIndexes())))
    app.include_router(export_router(exports))
    return TestClient(app, raise_server_exceptions=False)


def written(text: str) -> str:
    """A text as it stands in an address, half a character too."""
    return quote_from_bytes(text.encode("utf-8", "surrogatepass"))


def addresses(luck: random.Random) -> Iterator[str]:
    """Addresses with odd and usual values, some names several times, some that no page takes."""
    for _ in range(ASKED):
        path = luck.choice(list(TAKES))
        names = [*TAKES[path].split(), "__class__", EVIL]
        given = [
            f"{written(luck.choice(names))}={written(luck.choice(USUAL if luck.random() < 0.6 else ODD))}"
            for _ in range(luck.choice((0, 1, 1, 2, 3, 5, 12)))
        ]
        if path == "/answers":
            given.insert(0, f"scorecard={USUAL[2]}")
        yield f"{path}?{'&'.join(given)}"


def test_no_address_is_an_error_and_none_becomes_markup(site: TestClient) -> None:
    statuses = set()
    for address in addresses(random.Random(SEED)):
        answer = site.get(address, follow_redirects=False)
        statuses.add(answer.status_code)
        assert answer.status_code in (200, 302, 404), address
        assert "x-evil" not in answer.headers, address
        assert "54439" not in answer.text, address
        if "html" in answer.headers.get("content-type", ""):
            assert "<img src=x" not in answer.text, address
            assert "<script>alert" not in answer.text, address
    assert statuses == {200, 302, 404}
