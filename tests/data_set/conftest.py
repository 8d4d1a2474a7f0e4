"""Brings in the local Hub, and keeps what `datasets` unpacks inside each test's own folder."""

from pathlib import Path

import datasets
import pytest

from tests.hub_server.fixtures import client, hub

__all__ = ["client", "hub"]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
