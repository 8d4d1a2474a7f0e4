"""From the form to the end of a submission, as its submitter does it in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright
from redis import Redis

from leaderboard.maintaining.service import Maintenance
from leaderboard.people import LOCAL_USER, Person
from leaderboard.records import AmendmentKind, State
from leaderboard.settings import Settings
from leaderboard.submissions.ledger import Ledger
from tests.browser import ARGUMENTS, chromium
from tests.builders import make_submission
from tests.model_folders import make_model_folder
from tests.web.test_guard import serving

PATIENCE_MS = 60_000


@pytest.fixture
def site(request: pytest.FixtureRequest, tmp_path: Path, redis: Redis, redis_url: str) -> Iterator[str]:
    """A site with one local model, whose visitor is the local user; nobody maintains it unless that is asked for."""
    maintainers = getattr(request, "param", ())
    settings = Settings(data=tmp_path, models=tmp_path / "models", allow_local_user=True, maintainers=maintainers)
    make_model_folder(settings.models, "tiny")
    with serving(settings, redis_url) as address:
        yield address


@pytest.fixture
def page(site: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        page = browser.new_page(base_url=site)
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        yield page
        browser.close()


def look_over(page: Page, model: str) -> None:
    """Writes a model into the form and leaves the field."""
    page.goto("/submit")
    page.get_by_label("Model", exact=True).fill(model)
    page.keyboard.press("Tab")


def test_a_model_is_looked_over_submitted_cancelled_taken_up_and_withdrawn(page: Page, ledger: Ledger) -> None:
    look_over(page, "local/tiny")
    expect(page.locator("#submit-checks")).to_contain_text("It can be submitted.")
    expect(page.locator("#submit-checks li")).to_have_count(15)

    page.click("#submit-button")
    page.click("#watch")
    expect(page.locator("h1")).to_have_text("local/tiny")
    (name,) = ledger.newest(2)
    page.click("a[href^='/manage']")
    page.click("#do-cancel")
    expect(page.locator("#manage-answer")).to_contain_text("is cancelled")
    assert ledger.view(name).state is State.CANCELLED

    page.click("#do-retry")
    expect(page.locator("#manage-answer")).to_contain_text("is queued")
    page.click("#do-withdraw")
    expect(page.locator("#manage-answer")).to_contain_text("A reason is needed.")
    page.get_by_label("Reason").fill("<b>Wrong</b> weights.")
    page.click("#do-withdraw")
    expect(page.locator("#manage-answer")).to_contain_text("is cancelled")
    expect(page.locator("#manage-about")).to_contain_text("nothing that you may do")

    page.goto(f"/submission?id={name}")  # What was read a moment ago may be shown at first; the page mends itself.
    expect(page.locator("table.history")).to_contain_text("<b>Wrong</b> weights.")
    assert [step.actor for step in ledger.history(name).events][-1] == LOCAL_USER


def test_what_cannot_be_run_is_said_in_the_list_before_anybody_presses_a_button(page: Page) -> None:
    look_over(page, "local/nosuch")
    checks = page.locator("#submit-checks")
    expect(checks).to_contain_text("It cannot be submitted as it is.")
    expect(checks.locator(".check-failed")).to_contain_text("Repository")
    assert checks.locator(".check-skipped").count() > 5


def test_what_is_somebody_elses_offers_nothing_and_refuses_what_is_asked_for_all_the_same(
    page: Page, ledger: Ledger
) -> None:
    theirs = make_submission(7, submitter="bob")
    ledger.create(theirs)
    page.goto(f"/manage?id={theirs.id}")
    expect(page.locator("#manage-about")).to_contain_text("nothing that you may do")
    for action in ("cancel", "retry", "withdraw", "lift"):
        assert not page.locator(f"#do-{action}").is_visible()
    assert not page.locator("#manage-reason").is_visible()
    assert not page.get_by_text("Correct what was declared").is_visible()

    asked = page.request.post("/gradio_api/call/cancel", data={"data": [theirs.id, ""]})
    outcome = page.request.get(f"/gradio_api/call/cancel/{asked.json()['event_id']}")
    assert '"title": "forbidden"' in outcome.text()
    assert ledger.view(theirs.id).state is State.CHECKING


def test_the_form_says_that_submissions_are_paused_and_why(page: Page, redis: Redis) -> None:
    Maintenance(Settings(), redis).pause_submissions(Person("keeper", maintainer=True), "A <b>new</b> judge.")
    look_over(page, "local/tiny")
    expect(page.locator("#submit-paused")).to_contain_text("A <b>new</b> judge.")
    expect(page.locator("#submit-checks")).to_contain_text("It cannot be submitted as it is.")
    expect(page.locator("#submit-checks .check-failed")).to_contain_text("A <b>new</b> judge.")
    page.click("#submit-button")
    expect(page.locator("#submit-answer")).to_contain_text("No submission is accepted since")
    assert Ledger(redis).count() == 0


@pytest.mark.parametrize("site", [(LOCAL_USER,)], indirect=True)
def test_a_maintainer_flags_a_result_for_all_to_see(page: Page, ledger: Ledger) -> None:
    theirs = make_submission(7, submitter="bob")
    ledger.create(theirs)
    (run_id,) = theirs.run_ids()
    for state in (State.QUEUED, State.GENERATING, State.JUDGING, State.SCORING, State.PUBLISHING, State.PUBLISHED):
        ledger.advance(run_id, state, "worker")
    page.goto(f"/manage?id={theirs.id}")
    page.get_by_label("Reason").fill("Nearly constant.")
    page.click("#do-flag")
    expect(page.locator("#do-clear")).to_be_visible()
    expect(page.locator("#do-flag")).not_to_be_visible()
    page.goto(f"/submission?id={theirs.id}")
    expect(page.locator("#live")).to_contain_text("Flagged by a maintainer; its results do not rank: Nearly constant.")


def test_what_was_declared_is_corrected_and_thinking_stays(page: Page, ledger: Ledger) -> None:
    mine = make_submission(8, submitter=LOCAL_USER)
    ledger.create(mine)
    page.goto(f"/manage?id={mine.id}")
    expect(page.locator("#do-correct")).to_be_visible()
    page.get_by_text("Correct what was declared").click()
    page.get_by_label("Base model, if it is derived from one").fill("org/base")
    page.click("#do-correct")
    expect(page.locator("#manage-answer")).to_contain_text("Done.")
    declared = ledger.view(mine.id).declaration
    assert (declared.base_model, declared.thinking) == ("org/base", mine.declaration.thinking)


def test_a_page_that_is_open_shows_what_happens_by_itself(page: Page, ledger: Ledger) -> None:
    watched = make_submission(9, submitter=LOCAL_USER)
    ledger.create(watched)
    page.goto(f"/submission?id={watched.id}")
    history = page.locator("table.history tbody tr")
    expect(history).to_have_count(1)
    ledger.amend(ledger.history(watched.id), AmendmentKind.PAUSED, LOCAL_USER, "A look at it first.")
    expect(history).to_have_count(2)
    expect(history.last).to_contain_text("A look at it first.")
