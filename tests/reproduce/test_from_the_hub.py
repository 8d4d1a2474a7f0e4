"""A row is made again from a public data set on a Hub, without a token and without sight of any private one."""

from __future__ import annotations

import os
from pathlib import Path

from tests.hub_server import Client, LocalHub
from tests.hub_server.fixtures import hub
from tests.reproduce.conftest import Site
from worker.local.cli import run

__all__ = ["hub"]


def reproduce(arguments: list[str], environment: dict[str, str]) -> int:
    os.environ.update(environment)
    os.environ.pop("HF_TOKEN", None)
    return run(["reproduce", *arguments])


def test_the_public_results_are_enough(hub: LocalHub, site: Site, tmp_path: Path) -> None:
    hub.repositories.commit_folder("dataset", "org/site-results", site.path / "site" / "results" / "files")
    environment = {
        "RAPPORT_DATA": str(tmp_path / "data"),
        "RAPPORT_MODELS": str(site.path / "models"),
        "HF_DATASETS_CACHE": str(site.path / "cache"),
    }
    arguments = [site.card.id, "--store", "hub://org/site", "--limit", "3"]
    done = Client(hub.url, tmp_path / "home").run(reproduce, arguments, environment)
    assert done.value == 0, done
    assert (tmp_path / "data" / "evaluations").is_dir()
