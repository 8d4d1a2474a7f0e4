"""Sites in folders and on a Hub."""

from __future__ import annotations

from pathlib import Path

import pytest

from leaderboard.store import LocalStore
from leaderboard.store.open import Stores
from tests.hub_server import LocalHub
from tests.store.conftest import hub, named_hub, opener, plain_uploads, shared_hub
from tests.upkeep.sites import Run, fill

__all__ = ["hub", "named_hub", "plain_uploads", "shared_hub"]


@pytest.fixture
def local_stores(tmp_path: Path) -> Stores:
    return Stores(*(LocalStore(tmp_path / name) for name in ("store", "results", "requests")))


@pytest.fixture(params=["local", "hub"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Stores:
    """Three empty stores, in folders and on a Hub."""
    if request.param == "local":
        return Stores(*(LocalStore(tmp_path / name) for name in ("store", "results", "requests")))
    hub: LocalHub = request.getfixturevalue("shared_hub")
    return Stores(*(opener(hub, tmp_path / name)() for name in ("archive", "results", "requests")))


@pytest.fixture
def runs(stores: Stores) -> list[Run]:
    """Two published runs, in the archive and in public."""
    return fill(stores)
