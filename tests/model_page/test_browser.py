"""The pages in a real browser: three clicks to a lost answer, nothing sticks out, a reader's own copy stays there."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from evaluator.hicupid.data import demo_set
from leaderboard.answers.sources import read_demo_set
from leaderboard.store.local import LocalStore
from tests.answers.runs import Run
from tests.browsing import ANSWERED as SITE
from tests.browsing import PHONE, WIDE, Watch, answer_by, sideways, stick_out
from tests.model_page.sites import CLOSED, MODEL, by_hand, published, visitor


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_a_lost_answer_is_three_clicks_away_without_scripts(
    open_page: Callable[..., Page], store: LocalStore, demo_run: Run, width: int
) -> None:
    published(store, demo_run)
    page = answer_by(open_page(width, scripts=False), visitor(store))
    page.goto(f"{SITE}/")
    lost = sorted(by_hand(demo_run)["lost"])
    for link in (MODEL, f"Lost answers ({len(lost)})", lost[0]):
        with page.expect_navigation():  # Until it is loaded: before that its style sheets may not be there.
            page.get_by_role("link", name=link, exact=True).first.click()
        assert (sideways(page), stick_out(page)) == (0, [])
    expect(page.locator("h1")).to_have_text(f"Question {lost[0]}")
    expect(page.locator("main")).to_contain_text("The dialogues that the question needs")


def test_a_readers_own_copy_is_shown_and_nothing_is_sent(
    open_page: Callable[..., Page], store: LocalStore, demo_run: Run
) -> None:
    card = published(store, demo_run, terms=CLOSED, data_source="12kimih/HiCUPID")
    page = answer_by(open_page(), visitor(store))
    watch, sent = Watch(page), list[str]()
    demo = read_demo_set()
    asked = next(each for each in demo.questions("test_2") if each.evidence)
    page.goto(f"{SITE}/answer?scorecard={card.id}&question={asked.question_id}")
    page.on("request", lambda request: sent.append(request.url))
    folder = demo_set()
    page.set_input_files("#own-files", [folder / "qa/test_2.jsonl", folder / "dialogue/test.jsonl"])
    expect(page.locator("#own-told")).to_have_text("1 of 1 found in 2 files.")
    own = page.locator(".own").inner_text()
    dialogues = {each.dialogue_id: each for each in demo.history("test_2", asked.user_id).dialogues}
    for words in (asked.question, asked.gold, dialogues[asked.evidence[0]].turns[0].user):
        assert words in own
    page.set_input_files("#own-files", [folder / "qa/test_1.jsonl", folder / "dialogue/train.jsonl"])
    expect(page.locator("#own-told")).to_have_text("0 of 1 found in 2 files.")
    assert asked.gold not in page.locator("body").inner_text()
    other = {"question_id": asked.question_id.partition("/")[2], "user_id": asked.user_id + 1, "type": asked.type}
    line = json.dumps({**other, "question": "Another's?", "personalized_answer": "Yes."})
    for text, said in ((line, "0 of 1 found in 1 file."), ('"personalized_answer" {', "A file could not be read")):
        page.set_input_files("#own-files", {"name": "test_2.jsonl", "mimeType": "text/plain", "buffer": text.encode()})
        expect(page.locator("#own-told")).to_contain_text(said)
    assert ([each for each in sent if "/site/" not in each], watch.seen) == ([], [])
