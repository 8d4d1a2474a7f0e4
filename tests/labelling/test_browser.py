"""Labelling in a real browser: with the keyboard alone, on a phone, and without JavaScript."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, expect
from redis import Redis
from starlette.staticfiles import StaticFiles

from evaluator.human.data import demo_set
from evaluator.human.layout import About
from evaluator.human.reading import read_tables
from evaluator.human.records import Conversation
from evaluator.human.writing import write_human_set
from leaderboard.guard import guard
from leaderboard.labelling.desk import Desk
from leaderboard.labelling.records import Task
from leaderboard.labelling.standing import standing_of
from leaderboard.pages.label import LOCAL_ANNOTATOR, LabelPages
from leaderboard.pages.label_routes import label_routes
from leaderboard.pages.render import STATIC
from leaderboard.settings import Settings
from leaderboard.store.local import LocalStore
from tests.browsing import served
from tests.labelling.people import Clock

PHONE = {"width": 360, "height": 740}
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>" + "w" * 400


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set in which users say hostile things at length."""
    folder, tables = tmp_path_factory.mktemp("site"), read_tables(demo_set()).tables
    said = [row.model_dump() for row in tables.conversations]
    for row in said:
        row["turns"][0]["text"] = f"{HOSTILE} {row['turns'][0]['text']}"
    conversations = tuple(Conversation.model_validate(row) for row in said)
    about = About(visibility="public", redistributable=True, personal_data="synthetic")
    write_human_set(folder / "set", tables._replace(conversations=conversations), about)
    return folder


@pytest.fixture(scope="module")
def site(folder: Path, redis_url: str) -> Iterator[str]:
    settings = Settings(data=folder / "data", allow_local_user=True, human_data_set=str(folder / "set"))
    app = FastAPI()
    app.mount("/site", StaticFiles(directory=STATIC))
    pages = LabelPages(settings, Redis.from_url(redis_url), LocalStore(folder / "results"), {}, Clock())
    app.router.routes[:0] = label_routes(pages, FastAPI())
    guard(app, settings)
    with served(app) as address:
        yield address


@pytest.fixture
def page(browser: Browser, redis: Redis) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.clock.install()
    yield context.new_page()
    context.close()


def words(redis: Redis, task: Task) -> list[str]:
    return [
        given.label.word
        for given in standing_of(Desk(redis).events(LOCAL_ANNOTATOR)).labels
        if given.label.asked.task is task
    ]


def tab_to(page: Page, name: str) -> None:
    """Moves the focus by the keyboard until something of this name has it."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if re.search(name, str(page.evaluate("document.activeElement.textContent"))):
            return
    raise AssertionError(f"no way leads to {name}")


def look(page: Page) -> None:
    """Lets the time pass after which keys are listened to."""
    page.clock.fast_forward(500)


def label_by_keys(page: Page, keys: str) -> None:
    """Looks at an item for a while and presses one key; waits until it has counted, and so on."""
    for key in keys:
        before = page.locator("input[name=token]").get_attribute("value")
        look(page)
        page.keyboard.press(key)
        expect(page.locator("input[name=token]")).not_to_have_attribute("value", str(before))


def agree(page: Page) -> None:
    """Gives consent; whoever leaves before the answer is there has not agreed."""
    with page.expect_navigation():
        page.get_by_role("button", name="I agree").click()


def test_somebody_agrees_labels_pauses_and_goes_on_with_the_keyboard_alone(page: Page, site: str, redis: Redis) -> None:
    page.goto(f"{site}/label")
    tab_to(page, "I agree to this")
    page.keyboard.press("Enter")
    expect(page.locator("#consent")).to_have_count(0)
    tab_to(page, "^Relevance$")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Relevance")
    label_by_keys(page, "yn")
    assert words(redis, Task.RELEVANCE) == ["YES", "NO"]
    look(page)
    page.keyboard.press("z")
    expect(page.locator("[role=status]")).to_contain_text("1 of ")
    label_by_keys(page, "ysz")
    assert words(redis, Task.RELEVANCE) == ["YES", "YES"]
    token = page.locator("input[name=token]").get_attribute("value")
    look(page)
    page.keyboard.press("p")
    expect(page.locator("h1")).to_have_text("Label what models are measured by")
    tab_to(page, "^Relevance$")
    page.keyboard.press("Enter")
    expect(page.locator("input[name=token]")).to_have_attribute("value", str(token))


def test_every_task_has_its_keys_and_others_do_nothing(page: Page, site: str, redis: Redis) -> None:
    page.goto(f"{site}/label")
    agree(page)
    page.goto(f"{site}/label/rating")
    page.keyboard.press("3")
    look(page)
    for key in ("0", "6", "y", "Enter", "Control+3", "Alt+4"):
        page.keyboard.press(key)
    assert words(redis, Task.RATING) == []
    label_by_keys(page, "51")
    assert words(redis, Task.RATING) == ["5", "1"]
    assert page.evaluate("document.activeElement.className") == "item"
    page.get_by_label("Single keys answer").uncheck()
    look(page)
    page.keyboard.press("3")
    page.goto(f"{site}/label/verification")
    look(page)
    page.keyboard.press("a")
    assert (words(redis, Task.RATING), words(redis, Task.VERIFICATION)) == (["5", "1"], [])
    page.get_by_label("Single keys answer").check()
    label_by_keys(page, "u")
    assert words(redis, Task.VERIFICATION) == ["uncertain"]


def test_a_key_that_is_held_down_labels_one_item(page: Page, site: str, redis: Redis) -> None:
    page.goto(f"{site}/label")
    agree(page)
    page.goto(f"{site}/label/relevance")
    token = page.locator("input[name=token]").get_attribute("value")
    look(page)
    for _ in range(5):
        page.keyboard.down("y")
    expect(page.locator("input[name=token]")).not_to_have_attribute("value", str(token))
    look(page)
    page.keyboard.down("y")
    page.keyboard.up("y")
    assert words(redis, Task.RELEVANCE) == ["YES"]


@pytest.mark.parametrize("scripted", [True, False])
def test_on_a_phone_nothing_sticks_out_and_every_button_can_be_touched(
    browser: Browser, site: str, redis: Redis, scripted: bool
) -> None:
    context = browser.new_context(viewport=PHONE, java_script_enabled=scripted, color_scheme="dark")
    phone = context.new_page()
    phone.goto(f"{site}/label")
    agree(phone)
    for task in ("verification", "rating"):
        for path in ("/label", f"/label/{task}"):
            phone.goto(site + path)
            assert phone.locator("html").evaluate("page => page.scrollWidth") <= PHONE["width"]
        for button in phone.locator(".choices button").all():
            box = button.bounding_box()
            assert box is not None
            assert box["height"] >= 44
        phone.locator(".choices button").first.click()
        expect(phone.locator("[role=status]")).to_contain_text("1 of ")
    assert words(redis, Task.RATING) == ["1"]
    context.close()


def test_hostile_texts_do_nothing_in_a_browser(page: Page, site: str) -> None:
    page.goto(f"{site}/label")
    agree(page)
    page.goto(f"{site}/label/verification")
    if "<script>" not in page.locator("article").inner_text():  # An attention item, which is ours: never two in a row.
        with page.expect_navigation():
            page.get_by_role("button", name="Skip").click()
    expect(page.locator(".quoted").first).to_contain_text("<script>")
    assert page.locator("article img, article script").count() == 0
    assert "owned" not in page.title()


def test_everything_has_a_name_for_those_who_do_not_see_it(page: Page, site: str) -> None:
    page.goto(f"{site}/label")
    agree(page)
    page.goto(f"{site}/label/rating")
    for button in page.locator("button").all():
        assert button.inner_text().strip()
    for bar in page.locator("progress").all():
        assert bar.get_attribute("aria-label")
    assert page.locator("h1").count() == 1
    assert page.locator("html").get_attribute("lang") == "en"
    levels = page.locator("h1, h2, h3").evaluate_all("all => all.map(each => Number(each.tagName[1]))")
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
