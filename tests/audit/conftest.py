"""Honest sites, made once; every test gets a copy of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from leaderboard.store.local import LocalStore
from tests.audit.sites import CLOSED, MODELS, make_site


@pytest.fixture(scope="session")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a site, laid out as RAPPORT_DATA is."""
    folder = tmp_path_factory.mktemp("honest")
    make_site(folder, *MODELS)
    return folder


@pytest.fixture(scope="session")
def half_private(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a site that has a model more, asked from private data."""
    folder = tmp_path_factory.mktemp("half-private")
    make_site(folder, *MODELS, CLOSED)
    return folder


@pytest.fixture
def data(honest: Path, tmp_path: Path) -> Path:
    """A copy of the honest site's public results, laid out as RAPPORT_DATA is."""
    shutil.copytree(honest / "results", tmp_path / "site" / "results")
    return tmp_path / "site"


@pytest.fixture
def results(data: Path) -> LocalStore:
    """The public results of that copy."""
    return LocalStore(data / "results")
