"""Honest sites, made once; every test gets a copy of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from evaluator.human.tasks import Task
from leaderboard.store.local import LocalStore
from tests.audit.human_sites import WRITTEN, chosen, made_up
from tests.audit.sites import CLOSED, FAIR, MODELS, make_site
from tests.human_sites import write_human_run
from tests.released import released


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


@pytest.fixture(scope="session")
def human_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a site with one model that was run at HiCUPID and at human-grounded tasks."""
    folder = tmp_path_factory.mktemp("agreement")
    archive = make_site(folder, MODELS[1]).archive
    for run in (*WRITTEN.values(), chosen(Task.RELEVANCE, model=FAIR), made_up(Task.RELEVANCE, model=FAIR)):
        write_human_run(archive, run)
    shutil.rmtree(folder / "results")
    shutil.rmtree(folder / "requests")
    released(archive, folder)
    return folder


@pytest.fixture
def human_results(human_site: Path, tmp_path: Path) -> LocalStore:
    """A copy of that site's public results, in `site` below the temporary folder."""
    shutil.copytree(human_site / "results", tmp_path / "site" / "results")
    return LocalStore(tmp_path / "site" / "results")
