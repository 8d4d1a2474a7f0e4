"""Every route of the whole site, Gradio's included: each is stated here to be limited, closed or harmless."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from redis import Redis
from starlette.routing import BaseRoute, Mount, Route

from leaderboard.guard.endpoints import Kind, kind_of
from leaderboard.guard.rates import BY_ADDRESS
from leaderboard.labelling.records import Task
from leaderboard.settings import Settings
from leaderboard.web import _gradio_app, create_app
from tests.web.login import SUBMISSION

PUBLIC_HANDLERS = {
    *("submit", "check"),
    *("cancel", "retry", "withdraw", "correct", "dispute"),
    *("answer", "lift", "pause", "resume"),  # Maintainers alone, which the server asks of the session.
    *("status", "logs", "submissions", "board", "agreement", "scorecard", "compare"),  # What pages show to everybody.
}
"""What the API reaches: exactly what the pages reach. Every other handler is private, those of the forms among them."""

ACT, ASSET, CLOSED, LABEL = Kind.ACT, Kind.ASSET, Kind.CLOSED, Kind.LABEL
LOGIN, PAGE, WATCH = Kind.LOGIN, Kind.PAGE, Kind.WATCH
_API = "/gradio_api"
EXPECTED = {
    # Ours: read-only pages.
    "GET /": PAGE,
    "GET /rows": WATCH,
    "GET /details": WATCH,
    "GET /live": WATCH,
    "GET /queue": PAGE,
    "GET /changes": PAGE,
    "GET /judges": PAGE,
    "GET /judge": PAGE,
    "GET /judge.json": PAGE,
    "GET /about": PAGE,
    "GET /human": PAGE,
    "GET /human/rows": WATCH,
    "GET /human/live": WATCH,
    "GET /human/figures": PAGE,
    "GET /plots": PAGE,
    "GET /plots/data": PAGE,
    "GET /plots/chart": PAGE,
    "GET /site/vendor/plotly-basic-4.1.1.min.js": ASSET,
    "GET /compare": PAGE,
    "GET /submission": PAGE,
    "GET /model": PAGE,
    "GET /answers": PAGE,
    "GET /answer": PAGE,
    "POST /answer": ACT,
    "GET /objections": PAGE,
    "GET /scorecard": PAGE,
    "GET /exports/{}": PAGE,
    "GET /exports/scorecard/{}": PAGE,
    "GET /health": PAGE,
    "GET /site/{}": ASSET,
    # The labelling page; its tasks are written out below, since a path of another name is none.
    "GET /label": PAGE,
    "GET /label/mine.json": PAGE,
    "POST /label/consent": ACT,
    "GET /label/withdraw": PAGE,
    "POST /label/withdraw": ACT,
    "GET /label/{}": PAGE,
    "POST /label/{}": ACT,
    "POST /label/{}/back": ACT,
    # The maintainers' pages: each asks first who asks.
    "GET /maintain": PAGE,
    "GET /maintain/submissions": PAGE,
    "POST /maintain/submissions/retry": ACT,
    "GET /maintain/submissions/{}": PAGE,
    "POST /maintain/submissions/{}/answer": ACT,
    "GET /maintain/submissions/{}/{}": PAGE,
    "POST /maintain/submissions/{}/{}": ACT,
    "GET /maintain/disputes": PAGE,
    "GET /maintain/objections": PAGE,
    "POST /maintain/objections/{}": ACT,
    "GET /maintain/judges": PAGE,
    "POST /maintain/previews": ACT,
    "GET /maintain/reports/{}": PAGE,
    "GET /maintain/reports/{}/json": PAGE,
    "POST /maintain/reports/{}/start": ACT,
    "GET /maintain/rescores/{}": PAGE,
    "POST /maintain/rescores/{}/compare": ACT,
    "GET /maintain/rescores/{}/{}": PAGE,
    "POST /maintain/rescores/{}/{}": ACT,
    "GET /maintain/site": PAGE,
    "POST /maintain/site/pause": ACT,
    "POST /maintain/site/resume": ACT,
    "POST /maintain/site/quota": ACT,
    "POST /maintain/site/quota/unset": ACT,
    "GET /maintain/log": PAGE,
    # Gradio's page, what it is made of, and what describes its API.
    "GET /submit": PAGE,
    "GET /manage": PAGE,
    "GET /config": PAGE,
    f"GET {_API}/info": PAGE,
    f"GET {_API}/openapi.json": PAGE,
    f"GET {_API}/app_id": PAGE,
    f"GET {_API}/login_check": PAGE,
    "GET /assets/{}": ASSET,
    "GET /static/{}": ASSET,
    "GET /svelte/{}": ASSET,
    "GET /theme.css": ASSET,
    f"GET {_API}/theme.css": ASSET,
    "GET /favicon.ico": ASSET,
    "GET /robots.txt": ASSET,
    "GET /manifest.json": ASSET,
    "GET /logout": LOGIN,
    # What calls a handler, and waiting for what comes of it.
    f"POST {_API}/queue/join": ACT,
    f"POST {_API}/call/{{}}": ACT,
    f"POST {_API}/call/v2/{{}}": ACT,
    f"POST {_API}/run/{{}}": ACT,
    f"POST {_API}/cancel": ACT,
    f"POST {_API}/reset": WATCH,
    f"GET {_API}/queue/data": WATCH,
    f"GET {_API}/call/{{}}/{{}}": WATCH,
    f"GET {_API}/call/v2/{{}}/{{}}": WATCH,
    f"GET {_API}/heartbeat/{{}}": WATCH,
    # Writes files of strangers, fetches what strangers name, runs what the site does not have.
    f"POST {_API}/upload": CLOSED,
    f"GET {_API}/upload_progress": CLOSED,
    f"POST {_API}/process_recording": CLOSED,
    f"GET {_API}/file={{}}": CLOSED,
    f"GET {_API}/file/{{}}": CLOSED,
    f"GET {_API}/proxy={{}}": CLOSED,
    f"GET {_API}/deep_link": CLOSED,
    f"GET {_API}/custom_component/{{}}/{{}}/{{}}/{{}}": CLOSED,
    f"POST {_API}/component_server": CLOSED,
    f"POST {_API}/api/{{}}": CLOSED,
    f"POST {_API}/stream/{{}}": CLOSED,
    f"POST {_API}/stream/{{}}/close": CLOSED,
    f"GET {_API}/stream/{{}}/{{}}/{{}}/playlist.m3u8": CLOSED,
    f"GET {_API}/stream/{{}}/{{}}/{{}}/{{}}.{{}}": CLOSED,
    f"GET {_API}/stream/{{}}/{{}}/{{}}/playlist-file": CLOSED,
    f"POST {_API}/vibe-edit": CLOSED,
    f"POST {_API}/undo-vibe-edit": CLOSED,
    f"GET {_API}/vibe-code": CLOSED,
    f"POST {_API}/vibe-code": CLOSED,
    f"POST {_API}/vibe-starter-queries": CLOSED,
    f"GET {_API}/runs": CLOSED,
    f"GET {_API}/dev/reload": CLOSED,
    # Tells of others, or of nobody.
    "GET /monitoring": CLOSED,
    "GET /monitoring/summary": CLOSED,
    "GET /monitoring/{}": CLOSED,
    f"GET {_API}/queue/status": CLOSED,
    f"GET {_API}/startup-events": CLOSED,
    f"GET {_API}/user": CLOSED,
    f"GET {_API}/token": CLOSED,
    "POST /login": CLOSED,
    "GET /pwa_icon": CLOSED,
    "GET /pwa_icon/{}": CLOSED,
    "GET /openapi.json": CLOSED,
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> FastAPI:
    """The whole site as a machine of one's own runs it."""
    settings = Settings(data=tmp_path_factory.mktemp("site"), allow_local_user=True)
    return create_app(settings, Redis.from_url(redis_url))


@pytest.fixture
def visitor(app: FastAPI) -> TestClient:
    return TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)


def routes_of(routes: list[BaseRoute], before: str = "") -> Iterator[tuple[str, str]]:
    """Yields method and path of every route, parameters as `{}`, without a slash at the end."""
    for route in routes:
        if isinstance(route, Mount):
            inner = route.app.routes if isinstance(route.app, FastAPI) else [Route("/{path}", lambda: None)]
            yield from routes_of(inner, before + route.path)
        else:
            assert isinstance(route, Route), f"{route} is neither a page nor a mounted app"
            path = re.sub(r"\{[^}]*\}", "{}", before + route.path)
            for method in route.methods or ():
                yield method, path.rstrip("/") or "/"


def test_every_route_is_known(app: FastAPI) -> None:
    found = {f"{'GET' if method == 'HEAD' else method} {path}" for method, path in routes_of(app.routes)}
    assert found == set(EXPECTED)


@pytest.mark.parametrize(("route", "kind"), EXPECTED.items())
def test_every_route_is_of_its_kind_with_or_without_a_slash_and_for_head(route: str, kind: Kind) -> None:
    method, _, path = route.partition(" ")
    filled = path.replace("{}", "x")
    assert kind_of(method, filled) is kind
    if method == "POST":
        assert kind_of("POST", f"{filled}/") is kind
        assert kind_of("PUT", filled) is kind, "another method opens nothing"
    else:
        assert kind_of("HEAD", filled) is kind


@pytest.mark.parametrize("path", ["/login/huggingface", "/login/callback", "/logout"])
def test_the_steps_of_a_login_are_limited_where_there_is_one(path: str) -> None:
    assert kind_of("GET", path) is LOGIN


@pytest.mark.parametrize("task", list(Task))
def test_labels_have_limits_of_their_own(task: Task) -> None:
    assert kind_of("GET", f"/label/{task}") is PAGE
    assert kind_of("POST", f"/label/{task}") is LABEL
    assert kind_of("POST", f"/label/{task}/back") is LABEL


def test_every_kind_that_is_not_closed_is_limited() -> None:
    assert set(BY_ADDRESS) == set(Kind) - {CLOSED}


@pytest.mark.parametrize("route", [route for route, kind in EXPECTED.items() if kind is CLOSED])
def test_what_is_closed_never_reaches_gradio(app: FastAPI, visitor: TestClient, route: str) -> None:
    method, _, path = route.partition(" ")
    for variant in (path, f"{path}/", path.replace("/gradio_api", "/gradio%5fapi")):
        answer = visitor.request(method, variant.replace("{}", "x"))
        assert answer.status_code == 404, variant
        assert "There is nothing here" in answer.text


@pytest.mark.parametrize(
    "path", ["//gradio_api/upload", "/Gradio_api/upload", "/gradio_api//upload", "/x/../gradio_api"]
)
def test_no_other_spelling_leads_to_what_is_closed(visitor: TestClient, path: str) -> None:
    answer = visitor.post(f"http://127.0.0.1{path}", files={"files": b"x"})
    assert answer.status_code in (404, 405)


def test_an_endpoint_that_a_later_gradio_brings_is_closed() -> None:
    for method in ("GET", "POST", "DELETE"):
        assert kind_of(method, "/gradio_api/brand-new") is CLOSED
        assert kind_of(method, "/gradio_api") is CLOSED


def handlers(app: FastAPI) -> dict[str, Any]:
    """Gradio's handlers that run on the server, by what they are called in the API."""
    blocks = _gradio_app(app).get_blocks()  # type: ignore[attr-defined]
    return {str(function.api_name): function for function in blocks.fns.values() if function.fn is not None}


def test_the_api_reaches_exactly_what_the_pages_reach(app: FastAPI, visitor: TestClient) -> None:
    shown = {name for name, handler in handlers(app).items() if handler.api_visibility != "private"}
    assert shown == PUBLIC_HANDLERS, "state in PUBLIC_HANDLERS that it is meant to be public, or make it private"
    info = visitor.get("/gradio_api/info?all_endpoints=true").json()
    assert set(info["named_endpoints"]) == {f"/{name}" for name in PUBLIC_HANDLERS}
    assert info["unnamed_endpoints"] == {}
    dependencies = visitor.get("/config").json()["dependencies"]
    by_config = {
        each["api_name"] for each in dependencies if each["api_visibility"] != "private" and each["backend_fn"]
    }
    assert by_config == PUBLIC_HANDLERS


def test_no_handler_takes_a_token_and_none_stays_outside_the_queue(app: FastAPI) -> None:
    from gradio.utils import oauth_token_requirement

    for name, handler in handlers(app).items():
        assert oauth_token_requirement(handler.fn) is None, name
        assert handler.queue is not False, f"{name}: the queue is what bounds how much runs at the same time"


def test_no_call_runs_beside_the_queue(app: FastAPI, visitor: TestClient) -> None:
    blocks = _gradio_app(app).get_blocks()  # type: ignore[attr-defined]
    assert blocks._queue.max_size is not None
    answer = visitor.post("/gradio_api/run/submit", json={"data": SUBMISSION})
    assert answer.status_code == 404
    assert "queue" in answer.json()["detail"]
