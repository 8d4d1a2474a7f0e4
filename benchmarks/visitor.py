"""`make bench-visit`: somebody who has never been here, in a browser, on the real app with login, Redis and a Hub.

From the front page to an answer that a model has lost, and from it to a submitted model. Only what a visitor sees is
used: links, buttons and fields by their names. Every click on the site counts, those of the login too; what the login's
provider asks for on its own pages does not: the one here asks for nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Locator, Page, expect

from benchmarks.report import report
from benchmarks.site_browser import chromium_browser
from benchmarks.site_store import write_site
from tests.browsing import HEIGHT, WIDE, login_of, real_site
from tests.hub_server import LocalHub
from tests.model_folders import CONFIG, WEIGHTS
from tests.web.provider import running_provider

MODEL = "org/tiny"
"""What is handed in: a model on the Hub that passes the checks."""
NEWCOMER = "alice"
_MODELS, _USERS = 24, 12
_PATIENCE_MS = 60_000
_FILES: Mapping[str, str] = {
    "README.md": "---\nlicense: apache-2.0\n---\nA model.",
    "config.json": json.dumps(CONFIG),
    "model.safetensors": WEIGHTS,
    "tokenizer.json": '{"version": "1.0"}',
    "tokenizer_config.json": '{"chat_template": "{{ messages }}"}',
}


class Visit(NamedTuple):
    """One way through the site."""

    clicks: int
    seconds: float
    """From the moment that the front page was asked for."""


class Visitor:
    """Somebody at the front page, who counts clicks."""

    def __init__(self, page: Page, url: str) -> None:
        """Opens the front page."""
        self.page, self._clicks, self._start = page, 0, time.perf_counter()
        page.set_default_timeout(_PATIENCE_MS)
        page.goto(url)

    def click(self, what: Locator) -> None:
        """Clicks on something that is seen."""
        what.click()
        self._clicks += 1

    def done(self) -> Visit:
        """Ends the way."""
        return Visit(self._clicks, time.perf_counter() - self._start)


def to_lost_answers(page: Page, url: str) -> Visit:
    """Goes from the front page to one answer that the best model has lost.

    Args:
        page: A window.
        url: The site; the best model's rows are public.
    """
    visitor = Visitor(page, url)
    board, answers = (page.get_by_role("region", name=name) for name in ("The board", "Answers"))
    visitor.click(board.get_by_role("rowheader").get_by_role("link").first)
    visitor.click(page.get_by_role("link", name="Lost answers"))
    visitor.click(answers.get_by_role("rowheader").get_by_role("link").first)
    expect(page.get_by_role("heading", name="The model's answer")).to_be_visible()
    expect(page.locator(".verdict-line")).to_contain_text("lost")
    return visitor.done()


def to_submission(page: Page, url: str) -> Visit:
    """Goes from the front page to a model that is handed in, with nothing but its name filled in.

    Args:
        page: A window whose user the provider of the login knows.
        url: The site.
    """
    visitor = Visitor(page, url)
    visitor.click(page.get_by_role("navigation", name="Pages").get_by_role("link", name="Submit"))
    visitor.click(page.get_by_role("link", name="Log in with Hugging Face"))
    page.get_by_label("Model", exact=True).fill(MODEL)
    visitor.click(page.get_by_role("button", name="Submit"))
    expect(page.get_by_role("link", name="Watch its progress")).to_be_visible(timeout=_PATIENCE_MS)
    return visitor.done()


@contextlib.contextmanager
def surroundings(folder: Path) -> Iterator[Mapping[str, str]]:
    """Runs what a site needs around it, a login and a Hub with the model; yields the environment that leads there.

    Args:
        folder: Where the Hub keeps its files.
    """
    with running_provider() as provider, LocalHub(folder) as hub:
        provider.user = NEWCOMER
        hub.repositories.create("model", MODEL)
        hub.repositories.commit("model", MODEL, dict(_FILES))
        yield {**login_of(provider.url), "HF_ENDPOINT": hub.url}


def main() -> None:
    """Walks both ways on a site of its own and reports clicks and seconds."""
    argparse.ArgumentParser(description=main.__doc__).parse_args()
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as name:
        folder = Path(name)
        write_site(folder / "site", _MODELS, users=_USERS, detailed=_MODELS, known_order=True)
        with (
            surroundings(folder / "hub") as around,
            real_site(folder / "site", login=around) as site,
            chromium_browser() as browser,
        ):
            lost, handed_in = (
                walk(browser.new_page(viewport={"width": WIDE, "height": HEIGHT}), site.url)
                for walk in (to_lost_answers, to_submission)
            )
    figures = {
        "lost_answers_clicks": lost.clicks,
        "lost_answers_s": round(lost.seconds, 1),
        "submission_clicks": handed_in.clicks,
        "submission_s": round(handed_in.seconds, 1),
        "models": _MODELS,
    }
    report("visitor", figures)


if __name__ == "__main__":
    main()
