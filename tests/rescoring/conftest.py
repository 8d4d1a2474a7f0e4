"""A site with published runs, and a judge that has judged none of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis

from leaderboard.rescoring.records import Rescore
from leaderboard.settings import Settings
from leaderboard.store import LocalStore
from leaderboard.store.open import open_stores
from leaderboard.submissions.ledger import Ledger
from tests.rescoring.other_judge import write_judge
from tests.rescoring.rescores import Bench, publish_runs
from worker import judging
from worker.publisher import Publisher


@pytest.fixture
def settings(redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """As a worker reads them from its environment; models are made up by the deterministic engine."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    judges = write_judge(tmp_path / "judges")
    told = {
        "REDIS_URL": redis_url,
        "DATA": tmp_path / "data",
        "MODELS": tmp_path / "models",
        "JUDGES": judges,
        "ENGINE": "deterministic",
    }
    for name, value in told.items():
        monkeypatch.setenv(f"RAPPORT_{name}", str(value))
    monkeypatch.setattr(judging, "LINGER_SECONDS", 0.0)
    return Settings()


@pytest.fixture
def store(settings: Settings) -> LocalStore:
    """The archive that the settings lead to."""
    archive = open_stores(settings).archive
    assert isinstance(archive, LocalStore)
    return archive


@pytest.fixture
def publisher(settings: Settings, redis: Redis, ledger: Ledger, store: LocalStore) -> Publisher:
    return Publisher(redis, ledger, store, journal_seconds=0, judges=settings.judges)


@pytest.fixture
def bench(settings: Settings, redis: Redis, store: LocalStore, publisher: Publisher) -> Bench:
    """With three published runs."""
    return Bench(settings, redis, store, publisher, publish_runs(settings, redis, publisher))


@pytest.fixture
def rescore(bench: Bench) -> Rescore:
    """A re-score of all of them, laid out for workers."""
    return bench.begin()
