"""The guard around the whole site, Gradio's pages included, over a real server."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi.testclient import TestClient
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import Page, sync_playwright
from redis import Redis
from starlette.websockets import WebSocketDisconnect

from leaderboard.guard.rates import BY_ADDRESS, Kind
from leaderboard.settings import Settings
from leaderboard.web import create_app, server_config
from tests.browser import ARGUMENTS, chromium
from tests.waiting import until
from tests.web.login import SUBMISSION

MOST = Settings().request_bytes
HOSTILE = "${window.ran = 1}{{window.ran = 1}}<img src=x onerror='window.ran = 1'>"


@contextlib.contextmanager
def serving(settings: Settings, redis_url: str) -> Iterator[str]:
    """Serves the site as `app.py` does, in a thread."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(server_config(create_app(settings, Redis.from_url(redis_url)), log_level="info"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        until(lambda: server.started, what="the site serves")
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[str]:
    settings = Settings(data=tmp_path_factory.mktemp("site"), allow_local_user=True)
    with serving(settings, redis_url) as address:
        yield address


@pytest.fixture
def visitor(tmp_path: Path, redis_url: str) -> TestClient:
    """A visitor of a site of his own, whose limits nobody else has used up; one proxy stands before it."""
    settings = Settings(data=tmp_path, allow_local_user=True, proxies=1)
    app = create_app(settings, Redis.from_url(redis_url))
    return TestClient(app, base_url="http://127.0.0.1")


def test_a_body_that_is_too_large_is_refused_with_a_sentence_declared_or_streamed(site: str) -> None:
    large = b'{"data": ["' + b"x" * MOST + b'"]}'
    for content in (large, (large[start : start + 4096] for start in range(0, len(large), 4096))):
        answer = httpx.post(f"{site}/gradio_api/call/submit", content=content)
        assert answer.status_code == 413
        assert "larger than 65,536 bytes" in answer.json()["detail"]
    assert httpx.get(site).status_code == 200


def test_a_form_of_ordinary_size_is_heard(site: str) -> None:
    asked = httpx.post(f"{site}/gradio_api/call/submit", json={"data": SUBMISSION})
    outcome = httpx.get(f"{site}/gradio_api/call/submit/{asked.json()['event_id']}", timeout=60)
    assert '"title": "malformed_id"' in outcome.text


@pytest.mark.parametrize("path", ["/", "/queue", "/scorecard?id=x", "/submit", "/config", "/site/site.css", "/nothing",
                                  "/gradio_api/info", "/gradio_api/upload", "/theme.css"])  # fmt: skip
def test_every_answer_carries_security_headers(site: str, path: str) -> None:
    headers = httpx.get(site + path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "huggingface.co" not in headers["Content-Security-Policy"]
    assert "server" not in headers


def test_on_a_space_only_the_hub_may_frame_the_pages(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SYSTEM", "spaces")
    answer = TestClient(create_app(Settings(data=tmp_path), None), base_url="http://127.0.0.1").get("/submit")
    assert "frame-ancestors 'self' https://huggingface.co" in answer.headers["Content-Security-Policy"].split("; ")


@pytest.mark.parametrize("path", ["/", "/config", "/gradio_api/info", "/gradio_api/queue/data?session_hash=x"])
def test_no_other_site_may_read_an_answer_with_a_visitors_cookies(visitor: TestClient, path: str) -> None:
    there = {"Host": "board.example", "Origin": "https://evil.example"}
    asked = visitor.options(path, headers={**there, "Access-Control-Request-Method": "POST"})
    assert "access-control-allow-origin" not in asked.headers
    if "queue" not in path:
        assert "access-control-allow-origin" not in visitor.get(path, headers=there).headers


def test_a_name_that_somebody_points_at_this_machine_can_write_nothing(visitor: TestClient) -> None:
    rebound = {"Host": "evil.example", "Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"}
    answer = visitor.post("/gradio_api/call/submit", json={"data": SUBMISSION}, headers=rebound)
    assert answer.status_code == 421
    assert "RAPPORT_HOSTS" in answer.json()["detail"]


def test_too_many_requests_are_refused_until_a_time_that_is_told_and_reading_goes_on(visitor: TestClient) -> None:
    most = BY_ADDRESS[Kind.ACT][0].events
    ordinary = {"X-Forwarded-For": "203.0.113.5"}
    answers = [visitor.post("/gradio_api/reset", headers=ordinary)] + [
        visitor.post("/gradio_api/cancel", content=b"{}", headers={"X-Forwarded-For": f"{n}.9.9.9, 203.0.113.5"})
        for n in range(most + 1)
    ]
    assert {answer.status_code for answer in answers[1:-1]} == {422}
    assert answers[-1].status_code == 429
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    assert "Try again in" in answers[-1].json()["detail"]
    assert visitor.get("/queue", headers=ordinary).status_code == 200
    other = visitor.post("/gradio_api/cancel", content=b"{}", headers={"X-Forwarded-For": "203.0.113.5, 203.0.113.6"})
    assert other.status_code == 422, "another visitor of the same proxy"


def test_an_address_that_is_too_long_is_refused(visitor: TestClient) -> None:
    assert visitor.get("/submission?id=" + "x" * 9000).status_code == 414


def test_there_are_no_websockets(visitor: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect), visitor.websocket_connect("/gradio_api/queue/join"):
        pass


def test_a_visitor_cannot_make_the_site_name_a_strange_host(visitor: TestClient) -> None:
    spoofed = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    for path in ("/config", "/gradio_api/info", "/submit"):
        assert "evil.example" not in visitor.get(path, headers=spoofed).text


def test_only_a_proxy_of_ours_says_by_which_protocol_the_site_was_asked(
    visitor: TestClient, tmp_path: Path, redis_url: str
) -> None:
    said = {"X-Forwarded-Proto": "https"}
    assert visitor.get("/config", headers=said).json()["root"].startswith("https://")
    app = create_app(Settings(data=tmp_path, allow_local_user=True), Redis.from_url(redis_url))
    alone = TestClient(app, base_url="http://127.0.0.1")
    assert alone.get("/config", headers=said).json()["root"].startswith("http://")


def test_nothing_about_addresses_is_logged(site: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for path in ("/", "/submit", "/nothing", "/gradio_api/upload"):
            httpx.get(site + path, headers={"X-Forwarded-For": "203.0.113.99"})
        httpx.post(f"{site}/gradio_api/cancel", content=b"{}")
    ours = [record for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    assert not [record for record in ours if "203.0.113.99" in record.getMessage() or record.name == "uvicorn.access"]


def test_the_api_is_reached_by_gradios_own_client(site: str) -> None:
    client = Client(site, verbose=False, analytics_enabled=False)
    with pytest.raises(AppError) as refused:
        client.predict(*SUBMISSION, api_name="/submit")
    assert refused.value.title == "malformed_id"
    assert client.predict(*SUBMISSION[:4], False, api_name="/check")["allowed"] is False
    with pytest.raises(ValueError, match="api_name"):
        client.predict("x", api_name="/look")


def test_the_form_works_in_a_browser_runs_nothing_that_was_typed_and_asks_for_nothing_closed_or_elsewhere(
    site: str,
) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        answers: dict[str, int] = {}
        complaints: list[str] = []

        def new_page() -> Page:
            opened = browser.new_page()
            opened.on("response", lambda answer: answers.__setitem__(answer.url, answer.status))
            opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
            return opened

        for path in ("/", "/queue", "/manage"):
            # A page each: one of Gradio's that is left complains of the streams that it has to give up.
            with new_page() as left:
                left.goto(f"{site}{path}")
                left.get_by_role("link", name="Rapport").wait_for()
        opened = new_page()
        opened.goto(f"{site}/submit")
        opened.get_by_label("Model", exact=True).fill(HOSTILE)
        opened.get_by_label("Model", exact=True).blur()
        opened.locator("#submit-checks", has_text="It cannot be submitted").wait_for()
        assert opened.locator("#submit-checks img").count() == 0
        opened.locator("#submit-button").click()
        opened.locator("#submit-answer", has_text="malformed_id").wait_for()
        assert opened.locator("#submit-answer img").count() == 0
        assert not opened.evaluate("window.ran")
        browser.close()
    assert {url: status for url, status in answers.items() if status >= 400} == {}
    assert [url for url in answers if not url.startswith((site, "data:", "blob:"))] == []
    assert complaints == []
