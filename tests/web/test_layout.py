"""The pages in a real browser, wide and on a phone: nothing sticks out, whatever stands in a row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, Page, Route, sync_playwright
from starlette.staticfiles import StaticFiles

from evaluator.human.tasks import Task
from evaluator.results import Interval
from leaderboard.pages.reader import Reader
from leaderboard.pages.render import STATIC
from leaderboard.pages.site import Pages, router
from leaderboard.results import Scorecard
from leaderboard.store.local import LocalStore
from tests.browser import ARGUMENTS, chromium
from tests.browsing import open_all, sideways
from tests.builders import make_scorecard
from tests.human_runs import make_human_scorecard_of
from tests.released import publish
from tests.web.test_human import publish as publish_agreement

SITE = "http://board.test"
WIDE, PHONE = 1400, 360
NOT_PINNED = (("date", "not pinned"),)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield opened
        opened.close()


def full_size(card: Scorecard) -> Scorecard:
    """A scorecard with the longest figures that a run of 10,000 items can have."""
    wide = {"judged": 9_999, "items": 10_000, "interval": Interval(low=41.25, high=100.0, users=250)}
    result = card.result
    pairwise = {
        name: result.persona.model_copy(
            update={
                part: replace(getattr(result.persona, part), **{**wide, "value": 33.3})
                for part in ("win", "tie", "loss", "score")
            }
        )
        for name in ("persona", "profile")
    }
    rates = {"schedule": replace(result.schedule, **wide), "total": replace(result.total, **wide)}
    counted = {"users": 250, "missing": 123, "missing_because": (("judge_timeout", 100), ("unparsed", 23))}
    splits = tuple(
        result.by_split[0].model_copy(update={"split": split, **pairwise, **rates}) for split in ("test_1", "test_2")
    )
    changes = {"by_split": splits, "defects": (("empty", 2),), **counted, **pairwise, **rates}
    return card.model_copy(update={"result": result.model_copy(update=changes)})


@pytest.fixture
def agreeing() -> bool:
    """Whether there are figures of agreement beside."""
    return False


@pytest.fixture
def site(store: LocalStore, agreeing: bool) -> TestClient:
    """A site with rows of every width, one protocol without any, and figures of others."""
    odd = {"adapter": "org/" + "adapter" * 12, "adapter_revision": "b" * 40, "chat_template_arguments": NOT_PINNED}
    publish(
        store,
        full_size(make_scorecard("some-organisation/A-Model-With-A-Rather-Long-Name-70B-Instruct", 60, **odd)),
        make_scorecard("org/" + "x" * 90, 40, unranked_because=("demo judge", "20 of 10,000 items")),
        make_scorecard("org/other-judge", 50, judge_revision="9" * 40, judge_status="candidate", judge="j" * 40),
        make_scorecard("reference/gold", 50, unranked_because=("reference",)),
        make_scorecard("org/nothing", None),
    )
    if agreeing:
        publish_agreement(store, *(make_human_scorecard_of("org/nothing", task) for task in Task))
    app = FastAPI()
    app.include_router(router(Pages(Reader(store, store, None), ("demo-v1", "paper"))))
    app.mount("/site", StaticFiles(directory=STATIC))
    return TestClient(app)


@pytest.fixture
def opened(browser: Browser, site: TestClient, width: int) -> Iterator[Page]:
    """The board at some width, with every row's details open; every request is answered by the site itself."""

    def answer(route: Route) -> None:
        response = site.get(route.request.url.removeprefix(SITE))
        route.fulfill(status=response.status_code, headers=dict(response.headers), body=response.content)

    context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=False)
    page = context.new_page()
    page.route("**/*", answer)
    page.goto(SITE)
    yield page
    context.close()


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_no_page_is_wider_than_the_window(opened: Page) -> None:
    assert sideways(opened) <= 0
    open_all(opened)
    assert sideways(opened) <= 0
    opened.locator("tbody th .small a").first.click()
    opened.locator("h2", has_text="Scorecard").first.wait_for()
    assert sideways(opened) <= 0


@pytest.mark.parametrize("width", [WIDE])
def test_wherever_a_table_is_scrolled_its_head_and_the_name_of_a_row_stay_in_sight(opened: Page) -> None:
    opened.set_viewport_size({"width": WIDE, "height": 420})
    box = opened.locator(".board-box")
    box.evaluate("box => box.scrollTo(box.scrollWidth, box.scrollHeight)")
    there, last = box.bounding_box(), opened.locator("tbody tr").last
    assert there is not None
    for name in (last.locator("th"), opened.locator("thead #sort-model")):
        seen = name.bounding_box()
        assert seen is not None
        assert there["x"] <= seen["x"] < there["x"] + 200
    head = opened.locator("thead #sort-trained").bounding_box()
    assert head is not None
    assert there["y"] <= head["y"] < there["y"] + 60
    assert box.evaluate("box => box.scrollTop") > 0


@pytest.mark.parametrize(("width", "agreeing"), [(WIDE, True)])
def test_with_columns_of_agreement_a_table_scrolls_in_its_own_box(opened: Page) -> None:
    assert opened.locator("td.agrees a").count() == len(Task)
    open_all(opened)
    assert sideways(opened) <= 0
    wide = opened.locator(".board-box")
    wide.evaluate("box => { box.scrollLeft = box.scrollWidth; }")
    last, box = wide.locator("tbody td").last.bounding_box(), wide.bounding_box()
    assert last is not None
    assert box is not None
    assert last["x"] + last["width"] <= box["x"] + box["width"]


@pytest.mark.parametrize(("width", "agreeing"), [(PHONE, False), (PHONE, True)])
def test_on_a_phone_every_cell_of_a_row_is_there_without_scrolling_sideways(opened: Page) -> None:
    open_all(opened)
    for cell in opened.locator("tbody td, tbody th").all():
        box = cell.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE
        assert cell.evaluate("cell => cell.scrollWidth <= cell.clientWidth"), cell.inner_text()


@pytest.mark.parametrize("width", [PHONE])
def test_on_a_phone_every_cell_says_what_it_is(opened: Page) -> None:
    labels = "cells => cells.map(cell => getComputedStyle(cell, '::before').content)"
    named = opened.locator("#board tbody tr").first.locator("td").evaluate_all(labels)
    headings = opened.locator("#board thead th a").all_text_contents()
    told = [label.strip('"').split(",")[0] for label in named]
    assert told == [heading for heading in headings if heading != "Model"] + ["Pin"]
