"""Calls that tests make in the other process."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import evaluator.hub
from evaluator.hub import HubRepository, read_file, resolve
from evaluator.models import fetch, pin
from leaderboard.checks.findings import Surroundings
from leaderboard.checks.records import CheckReport, CheckRequest
from leaderboard.checks.run import report


def resolve_within(seconds: float, name: str) -> HubRepository:
    """Resolves a model with less patience than in earnest."""
    evaluator.hub._TIMEOUT_SECONDS = seconds  # type: ignore[assignment]
    return resolve(name, repo_type="model")


def pin_and_fetch(model: str, revision: str | None = None) -> dict[str, bytes]:
    """Returns the content of all files that a fetched model has."""
    models = Path("no-models-here")
    folder = fetch(pin(model, revision, models), models)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def looked_over(*models: str, **more: Any) -> dict[str, CheckReport]:
    """Looks several models over, one after the other; returns what was found by name."""
    return {model: report(CheckRequest(model, **more), Surroundings(Path("no-models-here"))) for model in models}


def looked_over_within(seconds: float, whole: float, *models: str) -> dict[str, CheckReport]:
    """Looks models over with less patience than in earnest, for each part of an answer and for the whole."""
    evaluator.hub._TIMEOUT_SECONDS = seconds  # type: ignore[assignment]
    evaluator.hub._MOST_SECONDS = whole  # type: ignore[assignment]
    return looked_over(*models)


def read_start(name: str, sha: str, path: str, most: int) -> bytes:
    """Reads the first bytes of a model's file."""
    return read_file(name, sha, path, most, repo_type="model")


def imported() -> list[str]:
    """Returns which of the large libraries looking a model over has brought along."""
    return [name for name in ("torch", "transformers", "vllm", "datasets", "safetensors") if name in sys.modules]


def about(name: str, revision: str) -> dict[str, Any]:
    """Asks the client for everything that it can say of a data set's revision."""
    from huggingface_hub import HfApi, get_hf_file_metadata, hf_hub_url

    api = HfApi()
    where = {"repo_type": "dataset", "revision": revision}
    metadata = get_hf_file_metadata(hf_hub_url(name, "qa/test.jsonl", **where))
    return {
        "info": api.dataset_info(name, revision=revision).sha,
        "top": sorted(entry.path for entry in api.list_repo_tree(name, **where)),
        "below": sorted(entry.path for entry in api.list_repo_tree(name, "qa", **where)),
        "files": api.list_repo_files(name, **where),
        "sizes": {entry.path: entry.size for entry in api.get_paths_info(name, ["README.md", "none"], **where)},
        "etag": metadata.etag,
        "commit": metadata.commit_hash,
        "branches": {
            branch.name: branch.target_commit for branch in api.list_repo_refs(name, repo_type="dataset").branches
        },
    }


def read_range(name: str, path: str, start: int, end: int) -> bytes:
    """Reads bytes of a file through the file system that `datasets` uses."""
    from huggingface_hub import HfFileSystem

    with HfFileSystem().open(f"datasets/{name}/{path}", block_size=16, cache_type="none") as file:
        file.seek(start)
        return file.read(end - start)


def file_of(name: str, path: str, revision: str | None = None) -> bytes:
    from huggingface_hub import hf_hub_download

    return Path(hf_hub_download(name, path, revision=revision)).read_bytes()


def user() -> tuple[str, list[str]]:
    from huggingface_hub import whoami

    account = whoami()
    return account["name"], [organisation["name"] for organisation in account["orgs"]]


def rows_of(name: str, config: str, split: str, revision: str) -> list[dict[str, Any]]:
    """Loads a split straight from the Hub."""
    from datasets import load_dataset

    return load_dataset(name, config, split=split, revision=revision).to_list()
