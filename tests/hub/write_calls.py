"""Calls of writers that tests make in the other process."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def dataset_file(name: str, path: str) -> bytes:
    from huggingface_hub import hf_hub_download

    return Path(hf_hub_download(name, path, repo_type="dataset")).read_bytes()


def push_rows(name: str, config: str, rows: list[dict[str, Any]]) -> None:
    """Stores rows as `datasets` does."""
    from datasets import Dataset

    Dataset.from_list(rows).push_to_hub(name, config)
