"""`python app.py` as a Space runs it, with this or that missing: it always serves, and always says what is missing."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import psutil
import pytest

from leaderboard.cli.findings import Mark, Role
from leaderboard.cli.health import health_findings
from leaderboard.fleet import Fleet
from leaderboard.missing import missing_on_space, read_settings
from leaderboard.settings import Settings
from leaderboard.submissions import keys
from tests.e2e.site import free_port
from tests.hub_server.faults import Drop
from tests.waiting import until
from tests.web.space_hub import hub_with_stores, settings_for
from tests.worker.fleet import make_worker
from worker.announce import name_of

ROOT = Path(__file__).parents[2]
CANARY = "canary-of-a-secret"


class Site(NamedTuple):
    """A running `app.py`."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def get(self, path: str = "/") -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=60)

    def answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.get("/health").status_code == 200
        except httpx.TransportError:
            return False


@contextlib.contextmanager
def space(folder: Path, port: int | None = None, **settings: str) -> Iterator[Site]:
    """Runs the entry point of a Space and nothing else."""
    folder.mkdir(exist_ok=True)
    port = port or free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RAPPORT_", "OAUTH_", "HF_"))}
    base = {"SYSTEM": "spaces", "SPACE_ID": "org/rapport", "RAPPORT_PORT": str(port), "RAPPORT_DATA": str(folder)}
    log = folder / "log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, env={**kept, **base, **settings}, stdout=written, stderr=written
        )
    site = Site(port, process, log)
    try:
        until(site.answers, what="it answers", within=120)
        yield site
    finally:
        process.terminate()
        assert process.wait(60) in (0, -15)


def test_without_a_store_a_space_says_what_is_missing_and_stays_up(tmp_path: Path) -> None:
    with space(tmp_path / "site", RAPPORT_REDIS_URL=f"redis://:{CANARY}@127.0.0.1:1/0") as site:
        for path in ("/", "/submit", "/queue", "/whatever?id=1"):
            answer = site.get(path)
            assert answer.status_code == 200
            assert "RAPPORT_STORE" in answer.text
            assert "rapport store create" in answer.text
            assert "RAPPORT_REDIS_URL" not in answer.text
            assert answer.headers["X-Robots-Tag"] == "noindex"
            assert "frame-ancestors" in answer.headers["Content-Security-Policy"]
        assert site.get("/health").json() == {"state": "not set up", "missing": ["RAPPORT_STORE"]}
        assert psutil.Process(site.process.pid).children(recursive=True) == [], "nothing embedded starts"
        assert site.process.poll() is None
    assert CANARY not in site.log.read_text()
    assert "Traceback" not in site.log.read_text()


def test_without_anything_it_names_redis_as_well(tmp_path: Path) -> None:
    with space(tmp_path / "site") as site:
        page = site.get().text
        assert "RAPPORT_REDIS_URL" in page
        assert "nothing can be submitted" in page


def test_a_setting_that_cannot_be_used_is_named_without_its_value(tmp_path: Path) -> None:
    with space(tmp_path / "site", RAPPORT_STORE="hub://org/rapport", RAPPORT_QUOTA_DAYS=CANARY) as site:
        page = site.get().text
        assert "RAPPORT_QUOTA_DAYS" in page
        assert CANARY not in page
    assert CANARY not in site.log.read_text()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("RAPPORT_MAINTAINERS", CANARY, "A setting that holds a list is no JSON"),
        ("RAPPORT_STORE", f"hub://org/{'x' * 95}", "The Hub can have no data sets by the name"),
        ("HF_TOKEN", f"hf_one\n{CANARY}", "HF_TOKEN"),
        ("RAPPORT_PSEUDONYM_SECRET", CANARY[:15], "The salt is shorter than 16 bytes"),
    ],
)
def test_what_such_a_page_says_names_no_value(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str, said: str
) -> None:
    given = {
        "SYSTEM": "spaces",
        "SPACE_ID": "org/rapport",
        "RAPPORT_STORE": "hub://org/rapport",
        "RAPPORT_DATA": str(tmp_path),
    }
    for each, setting in {**given, name: value}.items():
        monkeypatch.setenv(each, setting)
    settings, faults = read_settings()
    words = str(faults or missing_on_space(settings or Settings()))
    assert said in words
    assert CANARY not in words


def test_without_a_redis_the_board_is_read_only_with_a_banner_where_the_form_would_be(tmp_path: Path) -> None:
    with hub_with_stores(tmp_path / "hub") as hub, space(tmp_path / "site", **settings_for(hub)) as site:
        assert "Submissions are closed: this site has no Redis" in site.get("/").text
        assert "Submissions are closed" in site.get("/submit").text
        assert site.get("/health").json() == {"state": "serving", "store": "current", "redis": False}
        assert psutil.Process(site.process.pid).children(recursive=True) == []


def test_while_the_hub_is_away_the_board_says_since_when_it_is_shown_from_a_copy(tmp_path: Path) -> None:
    with hub_with_stores(tmp_path / "hub") as hub, space(tmp_path / "site", **settings_for(hub)) as site:
        assert "The Hub does not answer" not in site.get("/").text
        hub.faults.add("", Drop(), times=100_000)
        until(lambda: "The Hub does not answer: results are shown as they were at" in site.get("/").text, what="banner")
        assert site.get("/health").json()["store"] == "stale"
        hub.faults.clear()
        until(lambda: "The Hub does not answer" not in site.get("/").text, what="it comes back", within=120)


def marks(settings: Settings, role: Role) -> dict[str, Mark]:
    return {finding.name: finding.mark for finding in health_findings(settings, role)}


def test_the_health_check_of_a_page_asks_the_page(tmp_path: Path) -> None:
    with space(tmp_path / "site") as site:
        assert marks(Settings(port=site.port), Role.WEB)["page"] is Mark.FINE
    assert marks(Settings(port=site.port), Role.WEB)["page"] is Mark.BROKEN


@pytest.mark.parametrize(("role", "key"), [(Role.PUBLISHER, keys.PUBLISHER), (Role.REAPER, keys.ORDER)])
def test_the_health_check_of_a_role_looks_for_its_sign_of_life_and_no_other(redis, redis_url, role, key) -> None:
    settings = Settings(redis_url=redis_url)
    assert marks(settings, role) == {"redis": Mark.FINE, role: Mark.BROKEN, "disk": marks(settings, role)["disk"]}
    redis.set(key, "alive")
    assert marks(settings, role)[role] is Mark.FINE
    assert Mark.BROKEN not in marks(settings, role).values()


def test_the_health_check_of_a_worker_looks_for_one_of_this_machine(redis, redis_url) -> None:
    settings = Settings(redis_url=redis_url)
    Fleet(redis).announce(make_worker("elsewhere-7"), 60)
    assert marks(settings, Role.WORKER)["worker"] is Mark.BROKEN
    Fleet(redis).announce(make_worker(name_of(7)), 60)
    assert marks(settings, Role.WORKER)["worker"] is Mark.FINE


def test_without_its_redis_a_role_is_not_healthy_and_a_page_is(tmp_path: Path) -> None:
    away = Settings(redis_url=f"unix:///{CANARY}")
    assert [marks(each, Role.WORKER)["redis"] for each in (away, Settings())] == [Mark.BROKEN, Mark.BROKEN]
    assert "redis" not in marks(away, Role.WEB)


def test_the_command_says_so_by_its_exit_code(redis, redis_url) -> None:
    command = [sys.executable, "-m", "leaderboard.cli", "doctor", "--health", "--role", "publisher"]
    environment = {**os.environ, "RAPPORT_REDIS_URL": redis_url}

    def code() -> int:
        return subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True).returncode

    assert code() == 1
    redis.set(keys.PUBLISHER, "alive")
    assert code() == 0
