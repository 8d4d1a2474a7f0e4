"""`python -m leaderboard.local_hub FOLDER PORT`: serves repositories below a folder until it is ended."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from leaderboard.local_hub import Account, LocalHub
from leaderboard.local_hub.demo import OWNER, TOKEN


def main(folder: Path, port: int) -> None:
    """Serves until it is ended."""
    with LocalHub(folder, port) as hub:
        hub.tokens[os.environ[TOKEN]] = Account(OWNER, role="write")
        threading.Event().wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
