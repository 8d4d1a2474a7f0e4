"""The page of comparisons in a real browser: wide and on a phone, by day and by night, without scripts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from leaderboard.store.local import LocalStore
from tests.answers.runs import made_up_run
from tests.browsing import ANSWERED as SITE
from tests.browsing import PHONE, WIDE, Watch, answer_by, open_all, sideways, stick_out
from tests.compare_page.sites import published, visitor


@pytest.mark.parametrize(("width", "colours"), [(WIDE, "light"), (PHONE, "dark")])
def test_a_third_model_is_added_a_slice_is_looked_at_and_nothing_sticks_out(
    open_page: Callable[..., Page], store: LocalStore, width: int, colours: str
) -> None:
    names = ("org/a", "org/" + "b" * 90, "org/c")
    published(store, {name: made_up_run(20, seed=seed, model=name) for seed, name in enumerate(names)})
    page = answer_by(open_page(width, scripts=False, color_scheme=colours), visitor(store))
    watch = Watch(page)
    page.goto(f"{SITE}/compare")
    page.get_by_label("First model").fill(names[0])
    page.get_by_label("Second model").fill(names[1])
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".said li")).to_have_count(1)
    page.get_by_label("Add a model").fill(names[2])
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".said li")).to_have_count(3)
    assert "ids=s-20260301-00000000.demo-v1@demo" not in page.url.partition(",")[2]
    open_all(page)
    assert (sideways(page), stick_out(page)) == (0, [])
    page.get_by_role("link", name="likes, persona").first.click()
    expect(page.locator("#items ~ p").first).to_contain_text("Of the slice likes alone")
    expect(page.locator(".item h3").first).to_contain_text("persona")
    page.get_by_role("link", name="They score the same").click()
    assert "slice=sentiment:likes&only=alike&type=persona" in page.url
    page.get_by_role("link", name="Remove org/c").click()
    expect(page.locator(".said li")).to_have_count(1)
    assert (sideways(page), stick_out(page), watch.seen) == (0, [], [])
