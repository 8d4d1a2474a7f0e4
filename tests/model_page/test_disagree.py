"""Who disagrees with a verdict finds the question filled in where disputes are raised."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from leaderboard.people import LOCAL_USER
from leaderboard.records import Amendment, AmendmentKind, State
from leaderboard.settings import Settings
from leaderboard.submissions.history import amendments_of
from leaderboard.submissions.ledger import Ledger
from tests.builders import make_submission
from tests.waiting import until
from tests.web.test_guard import serving

_PATIENCE_MS = 60_000


@pytest.fixture
def site(tmp_path: Path, redis_url: str) -> Iterator[str]:
    with serving(Settings(data=tmp_path, allow_local_user=True), redis_url) as address:
        yield address


def test_a_question_is_filled_in_and_disputed(open_page: Callable[..., Page], ledger: Ledger, site: str) -> None:
    mine = make_submission(9, submitter=LOCAL_USER)
    ledger.create(mine)
    (run_id,) = mine.run_ids()
    for state in (State.QUEUED, State.GENERATING, State.JUDGING, State.SCORING, State.PUBLISHING, State.PUBLISHED):
        ledger.advance(run_id, state, "worker")
    page = open_page()
    page.set_default_timeout(_PATIENCE_MS)
    expect.set_options(timeout=_PATIENCE_MS)
    page.goto(f"{site}/manage?id={mine.id}&about=test_1/7")
    expect(page.locator("#manage-subject textarea, #manage-subject input")).to_have_value("test_1/7")
    page.get_by_label("Reason").fill("The answer names the ramen.")
    page.click("#do-dispute")

    def disputes() -> list[Amendment]:
        return amendments_of(ledger.history(mine.id).events, AmendmentKind.DISPUTED)

    until(lambda: bool(disputes()), what="the dispute is entered")
    (dispute,) = disputes()
    assert (dispute.about, dispute.text) == ("test_1/7", "The answer names the ramen.")
