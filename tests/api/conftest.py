"""A site with results and one local model, served as `app.py` serves it, whose visitor is the local user."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from gradio_client import Client
from redis import Redis

from leaderboard.cli.main import main
from leaderboard.settings import Settings
from leaderboard.store import LocalStore
from tests.builders import make_scorecard
from tests.hub_server.fixtures import hub
from tests.model_folders import make_model_folder
from tests.released import publish
from tests.web.test_guard import serving

__all__ = ["hub"]

Rapport = Callable[..., tuple[int, str, str]]


class Site(NamedTuple):
    """Where it is, and what it runs on."""

    url: str
    settings: Settings
    store: LocalStore


@pytest.fixture
def site(tmp_path: Path, redis: Redis, redis_url: str) -> Iterator[Site]:
    settings = Settings(data=tmp_path / "data", models=tmp_path / "models", allow_local_user=True)
    make_model_folder(settings.models, "tiny")
    store = LocalStore(settings.results_folder)
    publish(store, make_scorecard("org/better", 60.0), make_scorecard("org/worse", 40.0))
    with serving(settings, redis_url) as url:
        yield Site(url, settings, store)


@pytest.fixture
def client(site: Site) -> Client:
    return Client(site.url, token=False, verbose=False, analytics_enabled=False)


@pytest.fixture
def rapport(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Rapport:
    """Runs a command that knows no Redis; returns its exit code, output and complaints."""
    monkeypatch.setenv("RAPPORT_REDIS_URL", "")
    monkeypatch.delenv("RAPPORT_TOKEN", raising=False)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["rapport", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run
