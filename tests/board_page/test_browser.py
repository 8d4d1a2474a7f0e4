"""The board in a real browser: enhanced and plain, by mouse and by keyboard, wide and on a phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from playwright.sync_api import Page, expect
from starlette.staticfiles import StaticFiles

from evaluator.facts import ModelFacts
from leaderboard.pages.reader import Reader
from leaderboard.pages.render import STATIC
from leaderboard.pages.site import Pages, router
from leaderboard.store.local import LocalStore
from tests.board_page.boards import card_of, publish_all
from tests.browsing import ANSWERED, PHONE, WIDE, Watch, answer_by, sideways
from tests.released import publish

Open = Callable[..., Page]
MODELS = 60
NAMES = "tbody tr th > a bdi, tbody tr th > bdi"
HOSTILE = "org/<img src=x onerror=alert(1)>\"'‮" + "x" * 3000


@pytest.fixture
def site(store: LocalStore) -> TestClient:
    """Sixty models, of which every other one is small; one has a hostile name."""
    cards = []
    for number in range(MODELS):
        facts = ModelFacts(parameters=10**9 * (1 + 50 * (number % 2)), licence=("mit", "apache-2.0")[number % 2])
        cards.append(card_of(f"org/model-{number:02}", 80 - number, facts))
    publish_all(store, [*cards, card_of(HOSTILE, 1, id="hostile@demo")])
    app = FastAPI()
    app.include_router(router(Pages(Reader(store, store, None), ("demo-v1", "paper"))))
    app.mount("/site", StaticFiles(directory=STATIC))
    return TestClient(app)


@pytest.fixture
def opened(open_page: Open, site: TestClient) -> Page:
    """The board in a window that runs scripts."""
    page = answer_by(open_page(), site)
    page.goto(ANSWERED)
    page.evaluate("window.neverReloaded = true")
    return page


def shows(page: Page, count: str, *first: str) -> None:
    """Waits until so many models are counted, and some are first."""
    expect(page.locator("#count strong")).to_have_text(f"{count} of 61 models")
    if first:
        expect(page.locator(f":nth-match({NAMES}, 1)")).to_have_text(first[0])


def test_typing_finds_models_without_a_reload_and_leaves_the_cursor_where_it_is(opened: Page) -> None:
    watch = Watch(opened)
    opened.locator("#q").press_sequentially("MIT model-1", delay=5)
    shows(opened, "5", "org/model-10")
    expect(opened).to_have_url(f"{ANSWERED}/?q=MIT%20model-1")
    assert opened.evaluate("document.activeElement.id") == "q"
    assert opened.locator("#q").input_value() == "MIT model-1"
    expect(opened.locator("#said")).to_contain_text("5 of 61 models")
    opened.go_back()
    shows(opened, "61", "org/model-00")
    assert opened.evaluate("window.neverReloaded")
    assert watch.seen == []


def test_back_and_forward_walk_through_filters_sorts_pins_and_pages(opened: Page) -> None:
    steps: list[tuple[str, str, str]] = []

    def note(first: str, count: str) -> None:
        shows(opened, count, first)
        steps.append((opened.url, first, count))

    note("org/model-00", "61")
    opened.locator("#page-next").click()
    note("org/model-50", "61")
    opened.locator("#sort-size").click()
    note("org/model-00", "61")
    opened.locator("#field-licence").select_option("apache-2.0")
    note("org/model-01", "30")
    opened.locator('[id="pin-org-model-05@demo"]').click()
    note("org/model-05", "30")
    assert len({url for url, _, _ in steps}) == len(steps)
    for url, first, count in reversed(steps[:-1]):
        opened.go_back()
        shows(opened, count, first)
        expect(opened).to_have_url(url)
    for url, first, count in steps[1:]:
        opened.go_forward()
        shows(opened, count, first)
        expect(opened).to_have_url(url)
    expect(opened.locator("#field-licence")).to_have_value("apache-2.0")
    opened.reload()
    shows(opened, "30", "org/model-05")


def test_by_keyboard_alone_a_column_is_sorted_and_the_focus_stays(opened: Page) -> None:
    opened.locator("#sort-model").focus()
    expect(opened.locator("#tip-model")).to_be_visible()
    opened.keyboard.press("Escape")
    expect(opened.locator("#tip-model")).to_be_hidden()
    opened.keyboard.press("Enter")
    expect(opened.locator("th[aria-sort=ascending] #sort-model")).to_be_visible()
    assert opened.evaluate("document.activeElement.id") == "sort-model"
    opened.keyboard.press("Tab")
    assert opened.evaluate("document.activeElement.id") == "sort-total"
    expect(opened.locator("#tip-total")).to_be_visible()


def test_columns_are_chosen_and_what_is_open_stays_open(opened: Page) -> None:
    opened.locator("#columns summary").click()
    opened.locator("#field-columns-date").check()
    expect(opened.locator("#sort-date")).to_be_attached()
    assert opened.locator("#columns").get_attribute("open") is not None
    opened.locator("#field-columns-date").uncheck()
    expect(opened.locator("#sort-date")).to_have_count(0)
    expect(opened).to_have_url(f"{ANSWERED}/")


def test_an_answer_that_was_overtaken_is_not_shown(opened: Page, site: TestClient) -> None:
    """The first answer is held back until the second one is there."""
    held = []

    def hold(route) -> None:  # type: ignore[no-untyped-def]
        if "sort=-total" in route.request.url:
            held.append(route)
        else:
            route.fallback()

    opened.route("**/rows*", hold)
    opened.locator("#sort-total").click()
    expect(opened.locator("#board")).to_have_attribute("aria-busy", "true")
    opened.locator("#sort-size").click()
    expect(opened.locator("th[aria-sort] #sort-size")).to_be_visible()
    assert len(held) == 1
    with_it = site.get("/rows?sort=-total")
    held[0].fulfill(status=200, body=with_it.content, content_type="text/html")
    opened.wait_for_timeout(100)
    expect(opened.locator("th[aria-sort] #sort-size")).to_be_visible()
    expect(opened).to_have_url(f"{ANSWERED}/?sort=size")
    expect(opened.locator("#board")).not_to_have_attribute("aria-busy", "true")


def test_where_the_site_does_not_answer_the_page_says_so_and_tries_again_when_asked(opened: Page) -> None:
    opened.route("**/rows*", lambda route: route.abort())
    opened.locator("#sort-size").click()
    problem = opened.locator("#board-problem")
    expect(problem).to_contain_text("The board does not answer.")
    expect(opened).to_have_url(f"{ANSWERED}/")
    shows(opened, "61", "org/model-00")
    opened.unroute("**/rows*")
    problem.get_by_role("button", name="Try again").click()
    expect(opened.locator("th[aria-sort] #sort-size")).to_be_visible()
    expect(problem).to_have_count(0)


def test_a_new_row_comes_by_itself_and_what_was_asked_for_stays(opened: Page, store: LocalStore) -> None:
    opened.goto(f"{ANSWERED}/?q=model-0&sort=-model")
    expect(opened.locator("#count strong")).to_have_text("10 of 61 models")
    publish(store, card_of("org/model-0-late", 90))
    expect(opened.locator("#count strong")).to_have_text("11 of 62 models")
    expect(opened.locator(".fresh")).to_have_count(1)
    expect(opened).to_have_url(f"{ANSWERED}/?q=model-0&sort=-model")
    expect(opened.locator("th[aria-sort=descending] #sort-model")).to_be_visible()


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_without_scripts_a_form_and_links_do_all(open_page: Open, site: TestClient, width: int) -> None:
    page = answer_by(open_page(width, scripts=False), site)
    page.goto(ANSWERED)
    shows(page, "61", "org/model-00")
    if width == PHONE:
        page.locator("#fields summary").click()
    page.locator("#q").fill("model-1")
    page.locator("#field-licence").select_option("mit")
    page.locator("#field-sort").select_option("-date")
    page.get_by_role("button", name="Apply").click()
    shows(page, "5")
    assert "q=model-1" in page.url
    page.locator("#active-1").click()
    shows(page, "30")
    page.locator('[id="pin-org-model-04@demo"]').click()
    expect(page.locator(".pinned tr")).to_have_count(1)
    page.locator('[id="pin-org-model-04@demo"]').click()
    expect(page.locator(".pinned")).to_have_count(0)
    page.goto(ANSWERED)
    page.locator("#page-last").click()
    expect(page.locator("#count")).to_contain_text("page 2 of 2")
    page.get_by_role("link", name="paper").click()
    expect(page.locator("tbody tr", has_text="as published, not re-run")).to_have_count(4)
    assert sideways(page) <= 0


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_a_hostile_name_is_text_and_breaks_nothing(open_page: Open, site: TestClient, width: int) -> None:
    page = answer_by(open_page(width), site)
    watch = Watch(page)
    page.goto(f"{ANSWERED}/?q=onerror&pin=hostile@demo&pin=org-model-00@demo")
    expect(page.locator(".pinned tr").first).to_contain_text("<img src=x onerror=alert(1)>")
    assert page.locator("#board img").count() == 0
    assert sideways(page) <= 0
    box = page.locator(".pinned tr").first.bounding_box()
    assert box is not None
    assert box["height"] < 900
    assert watch.seen == []


def test_what_a_browser_has_is_not_sent_again(site: TestClient) -> None:
    for address in ("/", "/rows?sort=-total"):
        first = site.get(address)
        assert first.headers["ETag"].startswith('W/"')
        again = site.get(address, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
    assert site.get("/rows").headers["ETag"] != site.get("/rows?sort=-total").headers["ETag"]
    one, same = (site.get(address).headers["ETag"] for address in ("/rows?q=a&sort=size", "/rows?sort=size&q=a&page=0"))
    assert one == same


def test_a_new_result_changes_what_a_browser_has(site: TestClient, store: LocalStore) -> None:
    before = {address: site.get(address).headers["ETag"] for address in ("/", "/rows")}
    publish(store, card_of("org/late", 10))
    for address, etag in before.items():
        assert site.get(address, headers={"If-None-Match": etag}).status_code == 200, address


def test_what_is_worked_out_of_a_board_is_worked_out_once(site: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from leaderboard.pages.board import index

    made: list[object] = []
    real = index.sections
    monkeypatch.setattr(index, "sections", lambda *args: made.append(args) or real(*args))
    for address in ("/", "/rows?q=model", "/rows?sort=-size&page=2", "/"):
        assert site.get(address).status_code == 200
    assert len(made) == 1
