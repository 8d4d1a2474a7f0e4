"""Maintaining in a real browser: without JavaScript, on a phone, and with the keyboard alone."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from redis import Redis

from evaluator.errors import Cause
from leaderboard.maintaining.service import Maintenance
from leaderboard.people import LOCAL_USER, Person
from leaderboard.records import AmendmentKind, Failure, State, now
from leaderboard.rescoring.desk import RescoreDesk
from leaderboard.rescoring.records import Rescore, RescoreEvent, RescoreStep
from leaderboard.rescoring.reports import ReportDesk
from leaderboard.settings import Settings
from leaderboard.submissions.ledger import Ledger
from tests.browsing import PHONE, WIDE, served, sideways
from tests.builders import NOON
from tests.web.maintaining import HOSTILE, enter, fail, pages_app
from tests.worker.fleet import announce, make_worker

LONG = HOSTILE + "w" * 300
CAROL = Person("carol", maintainer=True)
RESCORE = "r-20260301-0a1b2c3d"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("site")


@pytest.fixture(scope="module")
def site(folder: Path, redis_url: str) -> Iterator[str]:
    with served(pages_app(Redis.from_url(redis_url), folder)) as address:
        yield address


@pytest.fixture
def open_site(open_page: Callable[..., Page], site: str, redis: Redis) -> Callable[..., Page]:
    """Opens a page of the site at some width; without JavaScript unless it is wanted."""
    return lambda width, scripts=False: open_page(width, scripts, base_url=site)


def fill(redis: Redis, ledger: Ledger, folder: Path) -> dict[str, str]:
    """A site on which everything that a maintainer may have to look after is there, in long and hostile words."""
    failed = fail(ledger, 1, message=LONG, model=f"org/{LONG}", submitter=LONG)
    published = enter(ledger, 2, State.PUBLISHED, created_at=now() - datetime.timedelta(hours=1)).id
    ledger.amend(ledger.history(published), AmendmentKind.DISPUTED, LONG, LONG, about=("q" * 150))
    ledger.amend(ledger.history(published), AmendmentKind.SUSPECTED, "publisher", LONG, about=f"{published}.demo-v1")
    announce(redis, make_worker("gpu-" + "1" * 80, run_id=f"{failed}.demo-v1"), make_worker("gpu-2"))
    failure = Failure(cause=Cause.JUDGE_ERROR, message=LONG, remedy=LONG, log=("l" * 300,))
    events = (
        RescoreEvent(sequence=1, step=RescoreStep.STARTED, at=NOON, actor=LONG, reason=LONG),
        RescoreEvent(
            sequence=2, step=RescoreStep.RUN_FAILED, at=NOON, actor="w", run_id=f"{published}.demo-v1", failure=failure
        ),
        RescoreEvent(sequence=3, step=RescoreStep.COMPLETED, at=NOON, actor="publisher"),
    )
    rescore = Rescore(
        id=RESCORE,
        judge="judge-" + "j" * 50,
        judge_revision="b" * 40,
        judge_config="c" * 64,
        prompt_pack="p" * 80,
        prompt_pack_status="builtin",
        runs=(f"{published}.demo-v1",),
        words=LONG,
        created_by=LONG,
        created_at=NOON,
        events=events,
    )
    RescoreDesk(redis).enter(rescore)
    report = ReportDesk(redis).ask_preview(CAROL, "j" * 60, models=("org/" + "m" * 150,), protocols=("p" * 100,))
    maintenance = Maintenance(Settings(data=folder), redis)
    maintenance.pause_submissions(CAROL, LONG)
    maintenance.set_quota(CAROL, "b" * 90, 7, LONG)
    return {"failed": failed, "published": published, "report": report.id}


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_no_page_is_wider_than_the_window_and_no_text_does_anything(
    open_site: Any, redis: Redis, ledger: Ledger, folder: Path, width: int
) -> None:
    made = fill(redis, ledger, folder)
    page = open_site(width, scripts=True)
    of_it, rescore = f"/maintain/submissions/{made['published']}", f"/maintain/rescores/{RESCORE}"
    for path in (
        *("/maintain", "/maintain/submissions?cause=crashed", "/maintain/disputes", "/maintain/judges"),
        *("/maintain/site", "/maintain/log", of_it, f"/maintain/submissions/{made['failed']}", f"{of_it}/hide"),
        *(rescore, f"{rescore}/promote", f"{rescore}/discard", f"/maintain/reports/{made['report']}"),
        *("/maintain/submissions/nothing", f"/maintain/site?name={HOSTILE}"),
    ):
        page.goto(path)
        assert page.locator("h1").count() == 1, path
        for summary in page.locator("summary").all():
            summary.click()
        assert sideways(page) <= 0, path
        assert page.title() != "owned", path
        for field in page.locator("input:not([type=hidden]), select, textarea").all():
            assert field.evaluate("each => each.labels.length") == 1, path


def test_a_maintainer_decides_without_javascript_on_a_phone(
    open_site: Any, redis: Redis, ledger: Ledger, folder: Path
) -> None:
    made = fill(redis, ledger, folder)
    page = open_site(PHONE)
    page.goto("/maintain")
    page.get_by_role("link", name="crashed").click()
    page.get_by_role("button", name="Re-run what failed of crashed").click()
    expect(page.get_by_role("status")).to_have_text("1 submission is queued again.")
    assert ledger.history(made["failed"]).state is State.QUEUED

    page.get_by_role("link", name="Disputes").click()
    page.get_by_label("Answer").fill("The gold answer is right.")
    page.get_by_role("button", name="Answer", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("The dispute is answered.")
    page.get_by_role("link", name="Flag, hide or withdraw it instead").click()
    page.get_by_role("link", name="Hide …").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Hide org/model-2")
    page.get_by_label("Reason").fill("It names <b>people</b>.")
    page.get_by_role("button", name="Hide it").click()
    expect(page.get_by_role("status")).to_contain_text("leave the board")
    expect(page.get_by_role("region", name="What was said")).to_contain_text("It names <b>people</b>.")
    last = ledger.history(made["published"]).events[-1]
    assert (last.kind, last.actor) == (AmendmentKind.HIDDEN, LOCAL_USER)

    page.get_by_role("link", name="Log").click()
    expect(page.get_by_role("row").nth(1)).to_contain_text("submission.hide")
    page.get_by_label("What").select_option("submission.answer")
    page.get_by_role("button", name="List them").click()
    assert page.url.endswith("kind=submission.answer")
    expect(page.get_by_role("row").nth(1)).to_contain_text("The gold answer is right.")


def test_it_takes_no_mouse(open_site: Any, ledger: Ledger) -> None:
    name = enter(ledger, 3).id
    page = open_site(WIDE)
    page.goto(f"/maintain/submissions/{name}")
    page.locator("#reason-pause").focus()
    page.keyboard.type("Not tonight.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("It is paused")
    assert ledger.history(name).events[-1].text == "Not tonight."


def test_a_form_without_its_reason_is_held_back_by_the_browser(open_site: Any, ledger: Ledger) -> None:
    name = enter(ledger, 3, State.PUBLISHED).id
    before = ledger.history(name)
    page = open_site(WIDE)
    page.goto(f"/maintain/submissions/{name}")
    page.get_by_role("button", name="Flag", exact=True).click()
    assert page.url.endswith(name)
    assert ledger.history(name) == before


def test_a_page_of_something_that_is_worked_out_tells_its_progress_by_itself(
    open_site: Any, redis: Redis, ledger: Ledger, folder: Path
) -> None:
    report = fill(redis, ledger, folder)["report"]
    page = open_site(WIDE, scripts=True)
    page.clock.install()
    page.goto(f"/maintain/reports/{report}")
    page.evaluate("() => { window.kept = true; }")
    ReportDesk(redis).tell(report, "3 of 7 <b>runs</b>")
    page.clock.fast_forward(3_000)
    expect(page.locator("main")).to_contain_text("3 of 7 <b>runs</b>")
    assert page.evaluate("() => window.kept"), "it is the same page"
