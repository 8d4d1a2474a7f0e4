"""What a browser sees of a page: when its first rows stand there, what came over the wire, how long a filter takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser import ARGUMENTS, chromium

_WIDTH, _HEIGHT = 1400, 900
_PATIENCE_MS = 120_000
_SETTLED_MS = 2_000
"""After the first rows: what a page goes on loading by itself has come by then."""
# Looks once a frame, so what it notes has been laid out and is about to be painted.
_NOTE_FIRST = """selector => {
  const look = () => {
    const found = document.querySelector(selector);
    if (found && found.getBoundingClientRect().height > 0) window.__first = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""
# From the event to the frame after the one in which the table is another one: by then it is painted.
_CHANGE = """([name, value]) => new Promise(done => {
  const before = document.getElementById('part-table');
  const start = performance.now();
  const look = () => document.getElementById('part-table') === before
    ? requestAnimationFrame(look)
    : requestAnimationFrame(() => done(performance.now() - start));
  if (name === 'sort') document.getElementById('sort-' + value).click();
  else {
    const field = document.getElementById(name === 'q' ? 'q' : 'field-' + name);
    field.value = value;
    field.dispatchEvent(new Event(name === 'q' ? 'input' : 'change', { bubbles: true }));
  }
  requestAnimationFrame(look);
})"""


class Loaded(NamedTuple):
    """One load of a page with nothing in the browser's cache."""

    first_s: float
    """From the start of the navigation to the frame that holds what was waited for."""
    first_kb: float
    """Over the wire until then, headers included; the document counts in full."""
    total_kb: float
    """With all that the page loaded by itself in the seconds after."""


@contextmanager
def chromium_browser() -> Iterator[Browser]:
    """Starts Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield browser
        browser.close()


def load(browser: Browser, url: str, selector: str) -> Loaded:
    """Loads a page in a context of its own.

    Args:
        browser: Chromium.
        url: Address of the page.
        selector: What must stand there.
    """
    context = browser.new_context(viewport={"width": _WIDTH, "height": _HEIGHT})
    page = context.new_page()
    wire, started, documents = list[tuple[float, str, float]](), list[float](), set[str]()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.requestWillBeSent", lambda sent: _note_sent(sent, started, documents))
    session.on(
        "Network.loadingFinished",
        lambda done: wire.append((done["timestamp"], done["requestId"], done["encodedDataLength"])),
    )
    page.add_init_script(f"({_NOTE_FIRST})({selector!r})")
    page.goto(url, wait_until="commit", timeout=_PATIENCE_MS)
    page.wait_for_selector(selector, timeout=_PATIENCE_MS)
    while (noted := page.evaluate("window.__first")) is None:  # Waiting for a function needs what our pages forbid.
        page.wait_for_timeout(20)
    first = float(noted) / 1000
    page.wait_for_timeout(_SETTLED_MS)
    by_then = sum(size for at, name, size in wire if name in documents or at - started[0] <= first)
    context.close()
    return Loaded(first, by_then / 1000, sum(size for _, _, size in wire) / 1000)


def _note_sent(sent: dict[str, Any], started: list[float], documents: set[str]) -> None:
    """Notes when a request was sent, and which one asks for the page itself."""
    started.append(sent["timestamp"])
    if sent.get("type") == "Document":
        documents.add(sent["requestId"])


@contextmanager
def opened(browser: Browser, url: str) -> Iterator[Page]:
    """Opens the board and waits until its script has taken over."""
    context = browser.new_context(viewport={"width": _WIDTH, "height": _HEIGHT})
    page = context.new_page()
    page.goto(url, wait_until="load", timeout=_PATIENCE_MS)
    yield page
    context.close()


def change_ms(page: Page, name: str, value: str) -> float:
    """Returns how long a change takes until it is painted, from the event on.

    Args:
        page: An open board.
        name: `sort`, `q` or the name of a filter.
        value: The column, the words or the filter's value; another one than now.
    """
    return float(page.evaluate(_CHANGE, [name, value]))
