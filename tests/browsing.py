"""What browser tests share: Chromium, pages that notice what goes wrong in them, and sites to look at.

`browser` and `open_page` are fixtures of all tests (`tests/conftest.py`).
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import itsdangerous
import pytest

from evaluator.human.importers.pseudonyms import VARIABLE
from tests.browser import ARGUMENTS, chromium
from tests.e2e.site import free_port
from tests.private_redis import own_redis
from tests.waiting import until

if TYPE_CHECKING:  # All tests import this file: what takes seconds to import is imported where it is needed.
    from fastapi import FastAPI
    from fastapi.testclient import TestClient
    from playwright.sync_api import Browser, Page, Route

ROOT = Path(__file__).parents[1]
WIDE, PHONE = 1400, 360
"""Widths of windows, in pixels."""
HEIGHT = 900
ANSWERED = "http://board.test"
"""Address of a site that is answered by a test itself."""
MAINTAINER = "carol"
"""Who maintains a site where people log in."""
_SECRET = "secret-of-the-space"
_PATIENCE = 300.0


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, once a file: while Playwright runs no other test of the same thread can run a loop of its own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens pages, each in a context of its own: a width, whether scripts run, and what else a context takes."""
    contexts = []

    def opened(width: int = WIDE, scripts: bool = True, **options: Any) -> Page:
        values = {"viewport": {"width": width, "height": HEIGHT}, "java_script_enabled": scripts, **options}
        contexts.append(browser.new_context(**values))
        return contexts[-1].new_page()

    yield opened
    for context in contexts:
        context.close()


def answer_by(page: Page, site: TestClient) -> Page:
    """Has every request of a page to `ANSWERED` answered by a site in this process."""

    def answer(route: Route) -> None:
        response = site.get(route.request.url.removeprefix(ANSWERED))
        route.fulfill(status=response.status_code, headers=dict(response.headers), body=response.content)

    page.route("**/*", answer)
    return page


@contextlib.contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serves an app from a thread of this process, for sites that need little; yields its address."""
    import uvicorn

    from leaderboard.web import server_config

    port = free_port()
    server = uvicorn.Server(server_config(app, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started, what="the site is served")
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


class RealSite(NamedTuple):
    """The real app in a process of its own."""

    url: str
    folder: Path
    redis_url: str
    """Empty where it has no Redis."""


@contextlib.contextmanager
def real_site(folder: Path, *, redis: bool = True, login: Mapping[str, str] | None = None) -> Iterator[RealSite]:
    """Serves the whole app on the stores of a folder.

    Args:
        folder: Holds the stores; may be empty.
        redis: Whether there is a ledger.
        login: Environment of a Space where people log in, of whom `MAINTAINER` maintains; without it every visitor is
            the marked local user, who maintains.
    """
    port, log = free_port(), folder / "app.log"
    folder.mkdir(parents=True, exist_ok=True)
    with own_redis() if redis else contextlib.nullcontext("") as url, log.open("wb") as lines:
        command = [sys.executable, "-m", "leaderboard.processes", str(os.getpid())]
        command += [sys.executable, "-m", "benchmarks.site_app", str(folder), "--port", str(port)]
        command += [*(["--redis", url] if url else []), *(["--maintainer", MAINTAINER] if login else [])]
        env = {name: value for name, value in os.environ.items() if not name.startswith(("RAPPORT_", "OAUTH_"))}
        process = subprocess.Popen(command, cwd=ROOT, stdout=lines, stderr=lines, env={**env, **(login or {})})
        address = f"http://127.0.0.1:{port}"
        try:
            until(lambda: _answers(process, address, log), what="the site answers", within=_PATIENCE)
            yield RealSite(address, folder, url)
        finally:
            process.terminate()
            process.wait()


def login_of(provider_url: str = "http://127.0.0.1:1") -> Mapping[str, str]:
    """Returns the environment of a Space where people can log in.

    Args:
        provider_url: Where they do; nothing answers at the default one, for those who bring their session along.
    """
    return {
        "SYSTEM": "spaces",
        "SPACE_ID": "org/rapport",
        "OAUTH_CLIENT_ID": "client",
        "OAUTH_CLIENT_SECRET": _SECRET,
        "OAUTH_SCOPES": "openid profile",
        "OPENID_PROVIDER_URL": provider_url,
        VARIABLE: "a salt of sixteen bytes or more",
    }


def session_of(user: str) -> str:
    """Returns what a browser keeps as `session` after somebody has logged in to such a Space."""
    claims = {"sub": user, "name": user, "preferred_username": user, "profile": "", "picture": "", "orgs": []}
    session = {"oauth_info": {"userinfo": claims, "access_token": "t", "scope": "openid", "expires_at": 2**33}}
    key = hashlib.sha256(f"{_SECRET}-v4".encode()).hexdigest()
    return itsdangerous.TimestampSigner(key).sign(base64.b64encode(json.dumps(session).encode())).decode()


def _answers(process: subprocess.Popen[bytes], address: str, log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    try:
        return httpx.get(f"{address}/health", timeout=60).status_code < 500
    except httpx.TransportError:
        return False


class Watch:
    """Notes what must not happen on a page: errors of scripts, on the console, and dialogs."""

    def __init__(self, page: Page) -> None:
        self.seen: list[str] = []
        page.on("pageerror", lambda error: self.seen.append(f"error: {error}"))
        page.on("console", lambda said: self.seen.append(f"console: {said.text}") if said.type == "error" else None)
        page.on("dialog", self._dialog)

    def _dialog(self, dialog: Any) -> None:
        self.seen.append(f"dialog: {dialog.message}")
        dialog.dismiss()


def sideways(page: Page) -> int:
    """How many pixels of the page stick out to the right."""
    return int(page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth"))


def open_all(page: Page) -> None:
    """Opens everything that can be folded out."""
    page.evaluate("() => document.querySelectorAll('details').forEach(each => { each.open = true; })")


def stick_out(page: Page) -> list[str]:
    """Names the elements that reach beyond the window, apart from what scrolls in a box of its own."""
    return list(
        page.evaluate(
            """() => [...document.querySelectorAll('body *')].filter(each => {
  if (each.getBoundingClientRect().right <= window.innerWidth + 1) return false;
  for (let box = each.parentElement; box; box = box.parentElement) {
    if (box !== document.documentElement && box !== document.body && getComputedStyle(box).overflowX !== 'visible')
      return false;
  }
  return true;
}).slice(0, 5).map(each => each.outerHTML.slice(0, 120))"""
        )
    )
