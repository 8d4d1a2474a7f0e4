"""What the test of planted secrets runs in fresh processes, with secrets in their environment."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from evaluator.errors import RapportError
from evaluator.logs import set_up_logging
from evaluator.models import PinnedModel, fetch
from leaderboard.connection import connect

log = logging.getLogger("rapport.planted")


def fetch_and_log(model: str, sha: str) -> str:
    """Fetches a model, logging everything; returns what it failed with."""
    set_up_logging(logging.DEBUG)
    try:
        fetch(PinnedModel(model, sha), Path("no-models-here"))
    except RapportError as error:
        log.exception("fetching failed, with %s in the environment", dict(os.environ))
        return str(error)
    return "it worked"


def reach_redis_and_log() -> str:
    """Connects to the Redis of the environment, logging everything; returns what it failed with."""
    set_up_logging(logging.DEBUG)
    url = os.environ["RAPPORT_REDIS_URL"]
    try:
        connect(url)
    except RapportError as error:
        log.exception("no Redis at %s", url)
        return str(error)
    return "it worked"
