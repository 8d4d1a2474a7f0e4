"""The demo page in a real browser: from submission to row, without a reload, and nothing left after Ctrl-C.

One model goes the whole way through vLLM; all else is looked at on a site whose engine takes seconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from evaluator.hicupid.demo_data import DemoSize, write_demo_set
from evaluator.protocol import Reference
from leaderboard.board.build import build_board
from leaderboard.store.local import LocalStore
from tests.browser import ARGUMENTS, chromium
from tests.e2e.site import PATIENCE_SECONDS, Demo, eventually, free_port, page, running_demo

PATIENCE_MS = 1000 * PATIENCE_SECONDS


@pytest.fixture(scope="module")
def browser_page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        opened = browser.new_page(viewport={"width": 1400, "height": 900})
        opened.set_default_timeout(PATIENCE_MS)
        yield opened
        browser.close()


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


def keep_one_question_of_each_type(folder: Path) -> None:
    """A few questions of two users are enough for a page."""
    for path in folder.glob("qa/*"):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        first = {(row["user_id"], row["type"]): row for row in reversed(rows)}
        kept = [row for row in rows if row in first.values()]
        path.write_text("".join(json.dumps(row) + "\n" for row in kept), encoding="utf-8")


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set for a page."""
    folder = tmp_path_factory.mktemp("set") / "few"
    write_demo_set(folder, DemoSize(users=1, seen_users=1, persona_turns=4))
    keep_one_question_of_each_type(folder)
    return folder


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, models: Path, few: Path, port: int) -> Iterator[Demo]:
    arguments = ("--port", str(port), "--model", "local/tiny")
    folder = tmp_path_factory.mktemp("site")
    with running_demo(folder, models, *arguments, data_set=str(few), engine="deterministic") as running:
        eventually(lambda: page(port), "the page")
        yield running


def submit(browser_page: Page, port: int, model: str) -> None:
    """Hands a model in as a person does."""
    browser_page.goto(f"http://127.0.0.1:{port}/submit")
    browser_page.get_by_label("Model", exact=True).fill(model)
    browser_page.get_by_role("button", name="Submit").click()


def assert_nothing_is_left(demo: Demo) -> None:
    """Presses Ctrl-C."""
    assert demo.interrupt() in (0, 130)
    eventually(lambda: True if not demo.survivors() else None, "all processes to end", 30)


def test_the_row_of_a_model_from_the_form_appears_without_a_reload(
    tmp_path: Path, models: Path, few: Path, browser_page: Page
) -> None:
    port = free_port()
    # What a demo is told to begin with is refused here: every engine that is loaded is this model's.
    with running_demo(tmp_path, models, "--port", str(port), "--model", "local/none", data_set=str(few)) as site:
        eventually(lambda: page(port), "the page")
        submit(browser_page, port, "local/second")
        expect(browser_page.locator("#watch")).to_be_visible()
        browser_page.goto(f"http://127.0.0.1:{port}/")
        browser_page.evaluate("window.neverReloaded = true")
        strip = browser_page.locator("#live article", has_text="local/second")
        expect(strip).to_have_count(1)
        expect(strip.locator("progress")).to_be_visible()
        expect(strip.locator(".state")).to_have_text("generating", timeout=PATIENCE_MS)
        eventually(lambda: site.find("evaluator.engines.host"), "an engine of its own")

        row = browser_page.locator("#board tbody tr", has_text="local/second")
        expect(row).to_have_count(1, timeout=PATIENCE_MS)

        expect(row).to_contain_text("demo judge")
        expect(row.locator("td").first).to_have_text("–")
        expect(strip).to_have_count(0)
        assert browser_page.evaluate("window.neverReloaded")
        assert "the demo could not submit" in site.log(), "and its page is there all the same"
        assert [each.engine for each in build_board(LocalStore(tmp_path / "data" / "results")).rows] == ["vllm"]
        assert_nothing_is_left(site)


def test_the_demo_model_and_the_references_get_their_rows_without_a_reload(
    demo: Demo, browser_page: Page, port: int
) -> None:
    browser_page.goto(f"http://127.0.0.1:{port}/")
    browser_page.evaluate("window.neverReloaded = true")
    row = browser_page.locator("#board tbody tr", has_text="local/tiny")
    expect(row).to_have_count(1, timeout=PATIENCE_MS)
    for reference in Reference:
        row = browser_page.locator("#board tbody tr", has_text=f"reference/{reference}")
        expect(row).to_have_count(1, timeout=PATIENCE_MS)
    assert browser_page.evaluate("window.neverReloaded")


def test_a_model_submitted_in_the_form_reaches_the_board(demo: Demo, browser_page: Page, port: int) -> None:
    submit(browser_page, port, "local/second")
    browser_page.locator("#watch").click()
    expect(browser_page.locator("h1")).to_have_text("local/second")
    expect(browser_page.locator("#live .state")).to_have_text("published", timeout=PATIENCE_MS)

    browser_page.goto(f"http://127.0.0.1:{port}/")

    expect(browser_page.locator("#board tbody tr", has_text="local/second")).to_have_count(1, timeout=PATIENCE_MS)


def test_a_refused_model_is_told_in_the_form_as_text(demo: Demo, browser_page: Page, port: int) -> None:
    submit(browser_page, port, "<img src=x onerror=alert(1)>")

    answer = browser_page.locator("#submit-answer")
    expect(answer).to_contain_text("malformed_id")
    expect(answer).to_contain_text("<img src=x onerror=alert(1)>")
    assert answer.locator("img").count() == 0


def test_the_board_reads_on_a_phone_and_without_javascript(demo: Demo, browser_page: Page, port: int) -> None:
    assert browser_page.context.browser is not None
    context = browser_page.context.browser.new_context(
        java_script_enabled=False, viewport={"width": 360, "height": 800}, color_scheme="dark"
    )
    phone = context.new_page()
    phone.goto(f"http://127.0.0.1:{port}/")

    expect(phone.locator("#board tbody tr")).to_have_count(2 + len(Reference))
    assert phone.locator("body").evaluate("element => element.scrollWidth") <= 360
    context.close()


def test_every_figure_of_a_row_leads_to_its_scorecard(demo: Demo, browser_page: Page, port: int) -> None:
    browser_page.goto(f"http://127.0.0.1:{port}/")
    browser_page.locator("#board tbody tr", has_text="local/second").locator("th .small a").click()
    browser_page.get_by_role("link", name="The whole scorecard as JSON").click()

    expect(browser_page.locator("body")).to_contain_text('"rows_sha"')


def test_a_second_demo_on_the_same_folder_is_refused(demo: Demo, models: Path, port: int) -> None:
    said = len(demo.log())
    with running_demo(demo.folder, models, "--once") as second:
        second.process.communicate()

    assert second.process.returncode == 1
    assert "Another Rapport is running on the data folder" in second.log()[said:]
    assert page(port) is not None, "the first one goes on"


def test_ctrl_c_leaves_no_process_behind(demo: Demo) -> None:
    assert_nothing_is_left(demo)
