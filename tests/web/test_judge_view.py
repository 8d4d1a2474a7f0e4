"""The board under any judge: by its address alone, without JavaScript, and in a real browser, wide and on a phone."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright
from starlette.staticfiles import StaticFiles

from leaderboard.exports.files import Exports
from leaderboard.exports.routes import export_router
from leaderboard.pages.judge_view import judge_view
from leaderboard.pages.reader import Reader
from leaderboard.pages.render import STATIC
from leaderboard.pages.site import Pages, router
from leaderboard.release.release import Release
from leaderboard.rescoring.promotions import Promotion, Promotions
from leaderboard.results import Scorecard
from leaderboard.store import layout
from leaderboard.store.base import Revision, StoreCorrupt, Write
from leaderboard.store.local import LocalStore
from leaderboard.store.open import Stores
from tests.browser import ARGUMENTS, chromium
from tests.builders import NOON, make_scorecard, make_user_scores
from tests.ranked import rank
from tests.released import NAMES, put_card

SITE = "http://board.test"
OLD, NEW = "old-judge", 'new&judge "<b>2</b>"'
MODELS = ("org/first", "org/second", "org/third")
TOTALS = {OLD: (20, 40, 60), NEW: (60, 40, 20)}


def card_of(model: str, judge: str, total: float, **changes: object) -> Scorecard:
    """A scorecard by one of the two judges, in the status that it has by now."""
    status = "official" if judge == NEW else "retired"
    own = {"judge": judge, "judge_status": status, "unranked_because": () if judge == NEW else ("retired judge",)}
    card = make_scorecard(model, total, **{**own, **changes})
    return card.model_copy(update={"id": f"{card.run_id}@{card.judge}"})


def write_site(store: LocalStore, *cards: Scorecard) -> None:
    """Writes scorecards and the board, with the promotion that has retired the old judge."""
    promotion = Promotion(
        protocol="demo-v1",
        judge=NEW,
        judge_revision="r1",
        judge_config="c" * 64,
        rescore_id="r-20260301-0a1b2c3d",
        at=NOON,
        actor="carol",
        reason="Better.",
    )
    store.commit([Write(layout.PROMOTIONS, Promotions(promotions=(promotion,)).model_dump_json().encode())], "promoted")
    for card in cards:
        put_card(store, card, make_user_scores(card))
    release = Release(Stores(store, store, store), NAMES, frozenset())
    release.look_at_promotions()
    release.rank()


def serve(store: LocalStore, *protocols: str) -> TestClient:
    """The pages and exports of a store."""
    app, reader = FastAPI(), Reader(store, store, None)
    app.include_router(router(Pages(reader, protocols)))
    app.include_router(export_router(Exports(reader.board)))
    app.mount("/site", StaticFiles(directory=STATIC))
    return TestClient(app)


@pytest.fixture
def site(store: LocalStore) -> TestClient:
    """Three models that the two judges put in opposite orders, and one that only the old judge has judged."""
    both = [
        card_of(model, judge, total)
        for judge, totals in TOTALS.items()
        for model, total in zip(MODELS, totals, strict=True)
    ]
    write_site(store, *both, card_of("org/left-behind", OLD, 50))
    return serve(store, "demo-v1", "paper")


def ranks_on(page: str) -> list[tuple[str, str]]:
    """Rank and model of each row, from above."""
    rows = re.findall(r'<tr id="row-.+?</tr>', page, re.DOTALL)
    return [
        (
            re.findall(r'data-label="Rank"><span[^>]*>([^<]*)<', row)[0],
            re.findall(r"<bdi>([^<]*)</bdi>", row)[0],
        )
        for row in rows
    ]


OFFICIAL = [("1", "org/first"), ("2", "org/second"), ("3", "org/third")]
"""What the new judge has judged; what only the old one has is a ranking of its own."""
UNDER_OLD = [("1", "org/third"), ("2", "org/left-behind"), ("3", "org/second"), ("4", "org/first")]


@pytest.mark.parametrize("path", ["/", "/rows"])
def test_the_board_shows_the_judge_that_decides_and_what_it_has_not_judged(site: TestClient, path: str) -> None:
    page = site.get(path).text
    assert ranks_on(page) == OFFICIAL
    assert "Ranks under" not in page
    assert f'href="/?judge={OLD}"' in page
    (ranking,) = re.findall(rf'<option value="([^"]+)">judge {OLD} \(1\)</option>', page)
    assert ranks_on(site.get(path, params={"ranking": ranking}).text) == [("–", "org/left-behind")]


@pytest.mark.parametrize("path", ["/", "/rows"])
def test_a_judges_view_shows_its_rows_alone_ranked_under_it_and_says_so(site: TestClient, path: str) -> None:
    page = site.get(path, params={"judge": OLD}).text
    assert ranks_on(page) == UNDER_OLD
    text = unescape(re.sub(r"<[^>]+>", "", page))
    assert f"Ranks under {OLD}, which is retired since 2026-03-01. The official board is under {NEW}." in text
    assert '<a href="/">The official board</a>' in page
    assert "protocol=paper" not in page
    assert "retired judge" not in page.partition("<tbody>")[2].partition("</tbody>")[0]


def test_the_official_judges_view_has_the_official_ranks(site: TestClient) -> None:
    page = site.get("/", params={"judge": NEW})
    assert page.status_code == 200
    assert ranks_on(page.text) == OFFICIAL
    assert "which decides official ranks since 2026-03-01" in page.text
    assert '<a href="/">The official board</a> <bdi>is under it, too</bdi>.' in page.text


def test_where_a_judge_that_decides_ranks_nothing_it_says_so_and_not_that_it_ranks() -> None:
    card = make_scorecard("org/a", 60, judge_status="official", unranked_because=("incomplete",))
    view = judge_view(rank([card], {}), card.judge)
    assert view is not None
    assert (
        view.whose
        == f"Results under {card.judge}, which decides official ranks. None of them ranks; each row says why."
    )


def test_an_open_page_asks_for_the_rows_of_its_judge_and_offers_them_as_files(site: TestClient) -> None:
    page = site.get("/", params={"judge": OLD}).text
    (address,) = re.findall(r'id="board"[^>]* data-url="([^"]*)"', page)
    assert ranks_on(site.get(unescape(address)).text) == UNDER_OLD
    (file,) = re.findall(r'href="(/exports/board\.csv[^"]*)"', page)
    rows = list(csv.DictReader(io.StringIO(site.get(unescape(file)).text)))
    assert {row["judge"] for row in rows} == {OLD}
    assert {row["model"]: row["rank_under_judge"] for row in rows} == {name: rank for rank, name in UNDER_OLD}
    assert {row["judge_status_since"][:10] for row in rows} == {"2026-03-01"}
    everything = site.get("/exports/board.json").json()["rows"]
    assert len(everything) == 7


@pytest.mark.parametrize("wild", ["nobody", "<script>alert(1)</script>", "x" * 10_000, "\x00", "../../x", "\ud7ff"])
def test_a_judge_that_there_is_not_gives_the_board_and_a_sentence(site: TestClient, wild: str) -> None:
    page = site.get("/", params={"judge": wild})
    assert page.status_code == 404
    assert "No row of this board is by that judge" in page.text
    assert ranks_on(page.text) == OFFICIAL
    assert 'data-url="/rows"' in page.text
    assert "alert(1)" not in page.text
    assert site.get("/rows", params={"judge": wild}).status_code == 404
    assert site.get("/exports/board.csv", params={"judge": wild}).status_code == 404


def test_what_a_judge_is_called_is_text(site: TestClient) -> None:
    for address in ("/", f"/?judge={OLD}", "/?judge=new%26judge%20%22%3Cb%3E2%3C%2Fb%3E%22"):
        page = site.get(address).text
        assert "<b>2</b>" not in page
        assert "&lt;b&gt;2&lt;/b&gt;" in page


def test_a_protocol_that_no_judge_decides_shows_what_it_has(store: LocalStore) -> None:
    demo = [make_scorecard(name, total, judge_status="demo", unranked_because=("demo judge",)) for name, total in
            (("org/a", 20), ("org/b", 40))]  # fmt: skip
    write_site(store, *demo)
    site = serve(store)
    page = site.get("/").text
    assert ranks_on(page) == [("–", "org/b"), ("–", "org/a")]
    assert "View under" not in page, "there is but one judge"
    under = site.get("/", params={"judge": "demo"}).text
    assert ranks_on(under) == [("1", "org/b"), ("2", "org/a")]
    assert "which is a demo judge." in under
    assert "No judge decides ranks here." in under


def test_while_the_board_cannot_be_read_no_judge_is_called_unknown(tmp_path: Path) -> None:
    class Away(LocalStore):
        def head(self) -> Revision:
            raise StoreCorrupt("board", "away")

    page = serve(Away(tmp_path / "away")).get("/", params={"judge": OLD})
    assert page.status_code == 200
    assert "What is on the board cannot be read right now." in page.text
    assert "No results yet" not in page.text
    assert f'data-url="/rows?judge={OLD}"' in page.text


def test_a_submissions_page_lists_its_scorecards_under_all_judges(site: TestClient) -> None:
    card = card_of("org/first", OLD, 20)
    page = site.get("/submission", params={"id": card.submission_id}).text
    assert page.count("<h2>Scorecard") == 2
    assert "retired judge since 2026-03-01" in page
    assert "decides official ranks since 2026-03-01" in page
    assert "Rank under this judge alone</dt><dd>4<" in page
    addresses = [unescape(found) for found in re.findall(r'href="(/scorecard\?id=[^"]*)"', page)]
    assert {site.get(address).json()["judge"] for address in addresses} == {OLD, NEW}
    assert site.get("/scorecard", params={"id": card.run_id}).json()["judge"] == NEW, (
        "a run alone means its official one"
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def opened(browser: Browser, site: TestClient, width: int, scripted: bool) -> Iterator[Page]:
    """The board at some width; every request is answered by the site itself."""

    def answer(route: Route) -> None:
        response = site.get(route.request.url.removeprefix(SITE))
        route.fulfill(status=response.status_code, headers=dict(response.headers), body=response.content)

    context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=scripted)
    page = context.new_page()
    page.route("**/*", answer)
    page.goto(SITE)
    yield page
    context.close()


def expect_shown(page: Page, ranked: list[tuple[str, str]]) -> None:
    expect(page.locator("#board tbody tr th a bdi")).to_have_text([name for _, name in ranked])


def fits(page: Page) -> bool:
    return bool(page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize("width", [1400, 360])
@pytest.mark.parametrize("scripted", [True, False], ids=["script", "no script"])
def test_a_visitor_looks_at_the_board_under_another_judge_and_comes_back(opened: Page) -> None:
    expect_shown(opened, OFFICIAL)
    assert fits(opened)
    opened.locator("nav.judges").get_by_role("link", name=f"{OLD} (retired)").click()
    expect(opened.locator(".whose")).to_contain_text(f"Ranks under {OLD}, which is retired since 2026-03-01.")
    expect(opened).to_have_url(f"{SITE}/?judge={OLD}")
    expect_shown(opened, UNDER_OLD)
    expect(opened.locator("nav.judges [aria-current=page]")).to_have_text(f"{OLD} (retired)")
    assert fits(opened)
    opened.reload()
    expect_shown(opened, UNDER_OLD)
    opened.go_back()
    expect_shown(opened, OFFICIAL)
    expect(opened.locator(".whose")).to_have_count(0)
    opened.go_forward()
    opened.locator(".whose").get_by_role("link", name="The official board").click()
    expect(opened).to_have_url(f"{SITE}/")
    expect_shown(opened, OFFICIAL)


@pytest.mark.parametrize(("width", "scripted"), [(1400, True)])
def test_an_open_page_stays_with_its_judge_when_something_new_comes(opened: Page, store: LocalStore) -> None:
    opened.goto(f"{SITE}/?judge={OLD}")
    late = card_of("org/late", OLD, 70)
    write_site(store, late)
    expect(opened.locator("#board tbody tr")).to_have_count(5)
    expect(opened.locator("#board tbody tr th a bdi").first).to_have_text("org/late")
    expect(opened.locator(".whose")).to_contain_text(f"Ranks under {OLD}")
