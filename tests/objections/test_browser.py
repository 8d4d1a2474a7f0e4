"""Objecting in a real browser, with JavaScript and without, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from redis import Redis

from leaderboard.guard import guard
from leaderboard.objections.desk import ObjectionDesk
from leaderboard.objections.records import Decision
from leaderboard.objections.service import Objections
from leaderboard.settings import Settings
from leaderboard.store.local import LocalStore
from tests.answers.runs import made_up_run
from tests.browsing import PHONE, WIDE, Watch, served, sideways
from tests.model_page.sites import pages_app, published
from tests.objections.sites import CAROL
from tests.web.maintaining import HOSTILE

RUN = made_up_run(2)
QUESTION = RUN.items[0].question_id


@pytest.mark.parametrize(("width", "scripts"), [(WIDE, True), (PHONE, False)])
def test_a_reader_objects_and_reads_the_reply(
    open_page: Callable[..., Page], store: LocalStore, redis: Redis, width: int, scripts: bool
) -> None:
    card, app = published(store, RUN), pages_app(store, redis=redis)
    guard(app, Settings(allow_local_user=True))
    with served(app) as address:
        page = open_page(width, scripts, base_url=address)
        watch = Watch(page)
        page.goto(f"/answer?scorecard={card.id}&question={QUESTION}")
        page.get_by_role("link", name="I disagree").click()
        page.get_by_role("radio", name="The gold answer is wrong").check()
        page.get_by_label("Why, in at most 1000 characters").fill(f"{HOSTILE}\n{'w' * 500}")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("#disagree").get_by_role("status")).to_contain_text("Maintainers have your objection")
        assert sideways(page) <= 0
        (objection,) = ObjectionDesk(redis).waiting().objections
        assert objection.text == f"{HOSTILE}\n{'w' * 500}"
        page.reload()
        assert ObjectionDesk(redis).all().total == 1, "a reload sends nothing"
        Objections(Settings(), redis).reply(CAROL, objection.id, Decision.DECLINED, "Dialogue 3 says so.")
        page.get_by_role("link", name="your objections", exact=True).click()
        expect(page.get_by_text("Dialogue 3 says so.")).to_be_visible()
        expect(page.get_by_text("Declined")).to_be_visible()
        assert sideways(page) <= 0
        assert page.title() == "Objections · Rapport"
        assert watch.seen == []
