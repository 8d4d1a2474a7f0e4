"""The page of human agreement in a real browser: wide and on a phone, by day and by night, with and without scripts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright
from starlette.staticfiles import StaticFiles

from evaluator.human.tasks import JudgedTask, Task
from leaderboard.pages.human.index import HumanIndexes
from leaderboard.pages.human.pages import HumanPages, human_router
from leaderboard.pages.human_tables import human_address, human_figures
from leaderboard.pages.reader import Reader
from leaderboard.pages.render import STATIC
from leaderboard.results import HumanScorecard
from leaderboard.store.local import LocalStore
from tests.browser import ARGUMENTS, chromium
from tests.human_boards import of_many_models
from tests.human_runs import make_human_run
from tests.web.test_human import publish
from tests.web.test_human_page import HOSTILE
from tests.written_runs import make_written_run

SITE = "http://board.test"
WIDE, PHONE = 1400, 360
MANY = 53
SIDEWAYS = "() => document.documentElement.scrollWidth - window.innerWidth"


def cards() -> list[HumanScorecard]:
    """Rows of every kind of task; some are called what nobody should be called."""
    many = of_many_models(MANY)
    for place, text in enumerate(HOSTILE):
        many[place] = many[place].model_copy(update={"model": text, "adapter": text, "unranked_because": (text,)})
    written = [make_written_run(task).card for task in JudgedTask]
    return [*many, *of_many_models(3, Task.RATING), make_human_run(Task.RELEVANCE, 90).card, *written]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def site(store: LocalStore) -> TestClient:
    publish(store, *cards())
    app = FastAPI()
    app.include_router(human_router(HumanPages(Reader(store, store, None), HumanIndexes(("human-extraction-v1",)))))
    app.mount("/site", StaticFiles(directory=STATIC))
    return TestClient(app)


@pytest.fixture
def scripts() -> bool:
    """Whether pages may run any."""
    return False


@pytest.fixture
def opened(browser: Browser, site: TestClient, width: int, scripts: bool) -> Iterator[Page]:
    """A page at some width, whose every request is answered by the site itself; a fault of a script fails the test."""

    def answer(route: Route) -> None:
        response = site.get(route.request.url.removeprefix(SITE))
        route.fulfill(status=response.status_code, headers=dict(response.headers), body=response.content)

    context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=scripts)
    page, faults = context.new_page(), list[str]()
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    page.route("**/*", answer)
    yield page
    context.close()
    assert faults == []


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_nothing_sticks_out_whatever_a_model_is_called_and_every_task_can_be_reached(opened: Page) -> None:
    opened.goto(f"{SITE}/human")
    tabs = opened.locator(".tabs a")
    for place in range(tabs.count()):
        tabs.nth(place).click()
        assert opened.locator(".tabs a[aria-current]").count() == 1
        assert opened.evaluate(SIDEWAYS) <= 0
        for summary in opened.locator("#human summary").all()[:9]:
            summary.click()
        assert opened.evaluate(SIDEWAYS) <= 0


@pytest.mark.parametrize("width", [PHONE])
def test_on_a_phone_every_cell_is_there_and_says_what_it_is(opened: Page) -> None:
    opened.goto(f"{SITE}/human?task=human-rating-v1")
    row = opened.locator("#human tbody tr").first
    for cell in row.locator("td, th").all():
        box = cell.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE
    labels = "cells => cells.map(cell => getComputedStyle(cell, '::before').content)"
    assert row.locator("td").evaluate_all(labels)[:2] == [
        '"Spearman, within annotators, drawn"',
        '"Spearman, within annotators"',
    ]
    assert row.locator(".ends").is_visible(), "the axis is told in each row where no heading is seen"


@pytest.mark.parametrize("width", [WIDE])
def test_without_scripts_rows_are_searched_sorted_and_turned_over_by_links_and_a_form(opened: Page) -> None:
    opened.goto(f"{SITE}/human?task=human-relevance-v1")
    assert opened.locator("#human tbody tr").count() == 50
    opened.get_by_role("link", name="Next").click()
    assert opened.locator("#human tbody tr").count() == MANY - 50
    opened.get_by_label("Search models").fill("model-001")
    opened.get_by_label("Search models").press("Enter")
    expect(opened.locator("#count")).to_have_text("10 of 54 rows match the search")
    opened.get_by_role("link", name="Model", exact=True).click()
    assert opened.locator("#human tbody th a").first.inner_text() == "org/model-0010"
    assert opened.url.endswith("?task=human-relevance-v1&q=model-001&sort=model")
    opened.go_back()
    assert opened.url.endswith("&q=model-001")


@pytest.mark.parametrize("width", [WIDE])
def test_a_row_that_is_asked_for_is_in_sight_on_its_page(opened: Page) -> None:
    card = cards()[51]
    opened.goto(SITE + human_address(card))
    row = opened.locator("tr.sought")
    expect(row).to_be_in_viewport()
    assert row.get_attribute("id") == f"human-{card.id}"


@pytest.mark.parametrize(("width", "scripts"), [(WIDE, True), (PHONE, True)])
def test_all_figures_of_a_row_open_in_place(opened: Page) -> None:
    card = cards()[20]
    opened.goto(SITE + human_address(card))
    row = opened.locator("tr.sought")
    row.get_by_text("All figures", exact=True).click()
    name = human_figures(card)[0][0]
    expect(row.get_by_text(name)).to_be_visible()
    assert row.locator("dt").count() == len(human_figures(card))
    assert opened.evaluate(SIDEWAYS) <= 0


@pytest.mark.parametrize(("width", "scripts"), [(WIDE, True)])
def test_an_open_page_gets_new_rows_keeps_what_is_open_and_tells_how_many_there_are(
    opened: Page, store: LocalStore
) -> None:
    opened.goto(f"{SITE}/human?task=human-rating-v1")
    expect(opened.locator("#count")).to_have_text("3 rows")
    first = opened.locator("#human tbody tr").first
    first.get_by_text("All figures", exact=True).click()
    expect(first.locator("dl")).to_be_visible()
    publish(store, *of_many_models(4, Task.RATING), *cards()[3:MANY])
    expect(opened.locator("#human tbody tr")).to_have_count(4)
    expect(opened.locator("#count")).to_have_text("4 rows")
    expect(first.locator("dl")).to_be_visible()


@pytest.mark.parametrize("width", [WIDE])
def test_how_a_row_stands_is_said_in_words_and_by_shape(opened: Page) -> None:
    opened.goto(f"{SITE}/human?task=human-relevance-v1")
    row = opened.locator("#human tbody tr").nth(20)
    drawn = row.locator("td.drawn")
    assert "about as much as one more human" in drawn.inner_text()
    assert drawn.locator(".diamond").count() == 1
    assert drawn.locator("svg.strip desc").text_content()
    assert opened.get_by_role("img", name="org/model-0020").count() == 1
