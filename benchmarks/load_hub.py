"""A Hub of small model repositories in a process of its own: `python -m benchmarks.load_hub FOLDER COUNT`."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

from tests.hub_server import LocalHub
from tests.model_folders import CONFIG, WEIGHTS

ADDRESS = "address"
"""File in the folder that holds the Hub's address once it answers."""
_FILES = {
    "config.json": json.dumps(CONFIG),
    "model.safetensors": WEIGHTS,
    "tokenizer_config.json": json.dumps({"chat_template": "{{ messages }}"}),
}


def model_of(number: int) -> str:
    """Returns the name of a repository.

    Example:
        >>> model_of(7)
        'load/model-0007'
    """
    return f"load/model-{number:04}"


def main(folder: Path, count: int) -> None:
    """Serves until it is killed."""
    with LocalHub(folder / "repositories") as hub:
        for number in range(count):
            card = f"---\nlicense: apache-2.0\n---\nModel {number}\n"
            hub.repositories.commit("model", model_of(number), {**_FILES, "README.md": card})
        draft = folder / f"{ADDRESS}.draft"
        draft.write_text(hub.url)
        draft.rename(folder / ADDRESS)
        threading.Event().wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
