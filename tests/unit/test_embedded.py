"""What runs beside the page on one machine: started again when it dies, ended in order, with room for bad news."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from evaluator.errors import Cause, RapportError
from leaderboard import embedded
from leaderboard.embedded import Service, Supervisor, embedded_services
from leaderboard.settings import Settings
from tests.waiting import until

TIDY = textwrap.dedent("""
    import os, pathlib, signal, sys, time

    def tidy_up(*_):
        time.sleep(0.3)  # As a worker does that gives its shard back.
        pathlib.Path(f"ended-{os.getpid()}").touch()
        sys.exit()

    signal.signal(signal.SIGTERM, tidy_up)
    pathlib.Path(f"started-{os.getpid()}").touch()
    while True:
        signal.pause()
""")


@pytest.fixture
def supervisor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Supervisor]:
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    monkeypatch.chdir(tmp_path)
    supervisor = Supervisor(environment)
    yield supervisor
    supervisor.stop()


def marked(folder: Path, mark: str) -> set[int]:
    return {int(path.name.removeprefix(f"{mark}-")) for path in folder.glob(f"{mark}-*")}


def test_a_service_that_was_started_again_can_still_end_in_order(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start(Service("tidy", (sys.executable, "-c", TIDY), tmp_path / "log"))
    until(lambda: marked(tmp_path, "started"), what="the service runs")
    (first,) = marked(tmp_path, "started")
    os.kill(first, signal.SIGKILL)
    until(lambda: len(marked(tmp_path, "started")) == 2, what="it is started again")
    (second,) = marked(tmp_path, "started") - {first}

    supervisor.stop()

    assert marked(tmp_path, "ended") == {second}


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """Settings of a machine on which no service really starts."""
    monkeypatch.setattr(Supervisor, "start", lambda *_: None)
    monkeypatch.setattr(embedded, "_wait_for", lambda *_: None)
    monkeypatch.setattr(embedded, "_wait_until_open", lambda *_: None)
    return Settings(data=tmp_path / "data", models=tmp_path / "models")


def test_nothing_starts_on_a_full_disk_unless_a_reserve_can_be_given_up(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = shutil.disk_usage(settings.data.parent)._replace(free=2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)

    with pytest.raises(RapportError, match="No space left") as refusal, embedded_services(settings):
        pytest.fail("it started")
    assert refusal.value.cause is Cause.DISK_FULL

    settings.reserve.write_bytes(b"reserve")
    with embedded_services(settings):
        assert settings.reserve.exists()


def test_redis_does_without_an_environment_in_which_secrets_stand(settings: Settings, tmp_path: Path) -> None:
    told = tmp_path / "told"
    supervisor = Supervisor({**os.environ, "HF_TOKEN": "canary"})
    for bare in (True, False):
        command = (sys.executable, "-c", f"import os; print('HF_TOKEN' in os.environ, file=open({str(told)!r}, 'w'))")
        process = supervisor._spawn(Service("any", command, tmp_path / "log", bare=bare))
        assert process.wait(60) == 0
        assert told.read_text() == f"{not bare}\n"
    assert embedded._redis_service(settings.data, tmp_path / "socket").bare


def test_services_run_on_the_settings_of_the_page(settings: Settings) -> None:
    chosen = settings.model_copy(update={"engine": "transformers", "redis_url": "unix:///socket"})

    environment = embedded._environment(chosen)

    assert (environment["RAPPORT_ENGINE"], environment["RAPPORT_REDIS_URL"]) == ("transformers", "unix:///socket")


def test_every_role_is_a_service_with_a_log_of_its_own(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Service] = []
    monkeypatch.setattr(Supervisor, "start", lambda _, service: started.append(service))

    with embedded_services(settings):
        assert [(service.name, service.log.name) for service in started] == [
            ("redis", "redis.log"),
            ("publish", "publish.log"),
            ("reap", "reap.log"),
            ("work", "work.log"),
        ]
