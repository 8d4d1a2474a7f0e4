"""Habits of the board in a browser: all of it by keyboard alone, every state in its address, no flash by night."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

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
from tests.browsing import ANSWERED, PHONE, WIDE, answer_by
from tests.waiting import until

Open = Callable[..., Page]
_MOST_STOPS = 150
_CONTROLS = ("fields", "kinds", "columns")
"""What folds out to show fields."""

# Where the focus stands, whether it can be seen there, and whether what marks it is drawn.
_FOCUSED = """() => {
  const on = document.activeElement, box = on.getBoundingClientRect(), style = getComputedStyle(on);
  return {
    name: on.id || on.closest('[id]')?.id || '',
    words: on === document.body ? null : (on.getAttribute('aria-label') || on.innerText || '').trim(),
    inside: box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    marked: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
  };
}"""


@pytest.fixture
def site(store: LocalStore) -> TestClient:
    """Twelve models, half of them small, one of which was judged by somebody else too, and a row of a reference."""
    cards = []
    for number in range(12):
        facts = ModelFacts(parameters=10**9 * (1 + 50 * (number % 2)), licence=("mit", "apache-2.0")[number % 2])
        cards.append(card_of(f"org/model-{number:02}", 80 - number, facts))
    other = {"judge": "other", "judge_status": "candidate", "id": "other@demo"}
    gold = card_of("reference/gold", 50, unranked_because=("reference",))
    publish_all(store, [*cards, card_of("org/model-00", 50, **other), gold])
    app = FastAPI()
    app.include_router(router(Pages(Reader(store, store, None), ("demo-v1", "paper"))))
    app.mount("/site", StaticFiles(directory=STATIC))
    return TestClient(app)


def _stops(page: Page) -> Iterator[dict[str, Any]]:
    """Presses Tab until the focus has been everywhere; yields where it stands."""
    for _ in range(_MOST_STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate(_FOCUSED)
        if stop["words"] is None:
            return
        yield stop


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_all_of_the_board_is_reached_by_keyboard_and_the_focus_is_always_seen(
    open_page: Open, site: TestClient, width: int
) -> None:
    page = answer_by(open_page(width), site)
    page.goto(ANSWERED)
    page.keyboard.press("Tab")
    first = page.evaluate(_FOCUSED)
    assert (first["words"], first["inside"]) == ("Skip to content", True)
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")
    page.goto(ANSWERED)
    for name in _CONTROLS:
        page.locator(f"#{name}").evaluate("each => { each.open = true; }")
    stops = list(_stops(page))
    assert [stop for stop in stops if not (stop["inside"] and stop["marked"])] == []
    reached = {stop["name"] for stop in stops}
    wanted = page.locator("#board :is(input:not([type=hidden]), select, a[id])").evaluate_all(
        "all => all.filter(each => each.getClientRects().length).map(each => each.id)"
    )
    assert len(wanted) > 40
    assert set(wanted) - reached == set()


def test_a_model_is_pinned_and_the_board_sorted_and_filtered_by_keyboard(open_page: Open, site: TestClient) -> None:
    page = answer_by(open_page(), site)
    page.goto(ANSWERED)
    page.locator('[id="pin-org-model-03@demo"]').focus()
    page.keyboard.press("Enter")
    expect(page.locator(".pinned tr")).to_have_count(1)
    assert page.evaluate("document.activeElement.id") == "pin-org-model-03@demo"
    page.locator("#sort-size").focus()
    page.keyboard.press("Enter")
    expect(page.locator("th[aria-sort] #sort-size")).to_be_visible()
    page.locator("#field-licence").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#count strong")).to_have_text("6 of 12 models")
    expect(page).to_have_url(f"{ANSWERED}/?licence=apache-2.0&sort=size&pin=org-model-03@demo")


# A field of each kind: all boxes of one name work alike.
_FIELDS = """() => [...new Map([...document.querySelectorAll('#filters select, #filters input[type=checkbox]')]
  .filter(each => each.type === 'checkbox' || each.options.length > 1).map(each => [each.name, each.id])).values()]"""
_VALUES = """() => Object.fromEntries([...document.querySelectorAll('#filters select, #filters input')]
  .filter(each => each.id).map(each => [each.id, each.type === 'checkbox' ? each.checked : each.value]))"""


def test_every_filter_column_and_order_is_kept_by_reload_and_by_going_back(open_page: Open, site: TestClient) -> None:
    page = answer_by(open_page(), site)
    page.goto(ANSWERED)
    fields = page.evaluate(_FIELDS)
    assert {"field-size", "field-licence", "field-trained", "field-complete-1", "field-sort"} < set(fields)
    assert len(fields) > 6
    for name in fields:
        before, field = page.evaluate(_VALUES), page.locator(f"#{name}")
        page.evaluate("() => document.querySelectorAll('#board details').forEach(each => { each.open = true; })")
        if field.get_attribute("type") == "checkbox":
            field.click()
        else:
            field.select_option(index=1)
        page.wait_for_url(lambda url: url.rstrip("/") != ANSWERED)
        address, after = page.url, page.evaluate(_VALUES)
        assert after[name] != before[name], name
        page.reload()
        assert (page.url, page.evaluate(_VALUES)) == (address, after), name
        page.go_back()
        until(lambda: page.evaluate(_VALUES) == before, what=f"{name} is as it was")  # noqa: B023 - It is waited for.
        expect(page).to_have_url(f"{ANSWERED}/")


def test_a_judge_a_tab_a_pin_and_an_order_are_kept_as_well(open_page: Open, site: TestClient) -> None:
    page = answer_by(open_page(), site)
    page.goto(ANSWERED)
    board = page.locator("#board")
    before = board.inner_text()
    for link in ("judge-2", "tab-2", "density-2", "pin-org-model-03@demo", "sort-size"):
        page.locator(f'[id="{link}"]').click()
        page.wait_for_url(lambda url: url.rstrip("/") != ANSWERED)
        page.mouse.move(0, 0)
        page.evaluate("document.activeElement.blur()")  # What is said of a column beside it is no state.
        address, after = page.url, board.inner_text()
        assert after != before, link
        page.reload()
        assert (page.url, board.inner_text()) == (address, after), link
        page.go_back()
        expect(page).to_have_url(f"{ANSWERED}/")
        expect(board).to_have_text(before, use_inner_text=True)
