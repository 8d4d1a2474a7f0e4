"""The public data sets on a Hub: anybody loads them by name, without a token."""

from __future__ import annotations

from pathlib import Path

from leaderboard.open_data.configs import REQUESTS, RESULTS
from tests.hub_server import Client, LocalHub
from tests.open_data.test_loading import ROWS, requests, results, written


def count(names: dict[str, str]) -> dict[str, int]:
    """Loads configs by the names of their data sets, and counts their rows."""
    from datasets import load_dataset

    return {config: load_dataset(name, config, split="train").num_rows for config, name in names.items()}


def test_anybody_loads_every_config_by_name(hub: LocalHub, tmp_path: Path) -> None:
    hub.repositories.commit_folder("dataset", "org/results", written(tmp_path / "results", results()))
    hub.repositories.commit_folder("dataset", "org/requests", written(tmp_path / "requests", requests()))
    names = dict.fromkeys((config.name for config in RESULTS), "org/results")
    names |= dict.fromkeys((config.name for config in REQUESTS), "org/requests")

    assert Client(hub.url, tmp_path / "home").run(count, names).value == ROWS
