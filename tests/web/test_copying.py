"""The line that makes a row again, copied in a real browser from the whole site, guard and policy included."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from leaderboard.results import Scorecard
from leaderboard.settings import Settings
from leaderboard.store.local import LocalStore
from tests.browser import ARGUMENTS, chromium
from tests.builders import make_scorecard
from tests.released import publish
from tests.web.test_guard import serving

PATIENCE_MS = 60_000
MOST_TABS = 50
CARD = make_scorecard("org/model", 60.0)
LINE = f"rapport reproduce {CARD.id}"


class Site(NamedTuple):
    """Where it is, and what is public of it."""

    url: str
    results: LocalStore

    def page_of(self, card: Scorecard, host: str = "127.0.0.1") -> str:
        return f"{self.url.replace('127.0.0.1', host)}/submission?id={card.submission_id}"


@pytest.fixture
def site(tmp_path: Path, redis_url: str) -> Iterator[Site]:
    settings = Settings(data=tmp_path)
    results = LocalStore(settings.results_folder)
    other_judge = CARD.model_copy(update={"id": f"{CARD.run_id}@second", "judge": "second"})
    publish(results, CARD, other_judge)
    with serving(settings, redis_url) as url:
        yield Site(url, results)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser that finds the site under another name too, which it does not trust with its clipboard."""
    names = "--host-resolver-rules=MAP board.test 127.0.0.1"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=[*ARGUMENTS, names])
        expect.set_options(timeout=PATIENCE_MS)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page whose every complaint fails the test: what a policy forbids is one of them."""
    complaints: list[str] = []
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    opened = context.new_page()
    opened.on("console", lambda told: complaints.append(told.text) if told.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    assert complaints == []


def beside(page: Page, line: str) -> Locator:
    """The place where a line stands."""
    return page.locator("dd", has=page.get_by_text(line, exact=True))


def tab_to(page: Page, button: Locator) -> None:
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if button.evaluate("button => button === document.activeElement"):
            return
    pytest.fail("the button cannot be reached with the keyboard")


def test_a_line_is_copied_with_the_keyboard_and_that_is_said_once(site: Site, page: Page) -> None:
    page.goto(site.page_of(CARD))
    details = page.locator("#details")
    was = details.get_attribute("data-revision") or ""
    publish(site.results, make_scorecard("org/other", 40.0))
    expect(details).not_to_have_attribute("data-revision", was)  # The page has replaced what was there, button and all.

    first = page.get_by_role("button", name="Copy the line that makes demo-v1, judge demo again", exact=True)
    told = beside(page, LINE).get_by_role("status")
    expect(told).to_have_text("")
    tab_to(page, first)
    page.keyboard.press("Enter")
    expect(told).to_have_text("Copied")
    assert told.get_attribute("aria-live") == "polite"
    assert page.evaluate("navigator.clipboard.readText()") == LINE

    tab_to(page, page.get_by_role("button", name="judge second"))
    page.keyboard.press("Space")
    expect(beside(page, f"rapport reproduce {CARD.run_id}@second").get_by_role("status")).to_have_text("Copied")
    expect(told).to_have_text("")
    assert page.evaluate("navigator.clipboard.readText()") == f"rapport reproduce {CARD.run_id}@second"


def test_where_the_clipboard_is_closed_the_line_is_selected_and_that_is_said(site: Site, page: Page) -> None:
    page.goto(site.page_of(CARD, "board.test"))
    assert not page.evaluate("window.isSecureContext")
    beside(page, LINE).get_by_role("button").click()
    expect(beside(page, LINE).get_by_role("status")).to_contain_text("the line is selected")
    assert page.evaluate("getSelection().toString()") == LINE


def test_without_scripts_the_line_is_there_and_no_button_that_does_nothing(site: Site, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site.page_of(CARD))
    expect(page.get_by_text(LINE, exact=True)).to_be_visible()
    expect(page.locator(".copy")).to_have_count(2)
    for button in page.locator(".copy").all():
        expect(button).to_be_hidden()
    page.get_by_text(LINE, exact=True).click(click_count=3)
    assert page.evaluate("getSelection().toString().trim()") == LINE
    context.close()
