"""The reaper as a process of its own: it waits until the ledger is known to be whole, and ends when it is told to."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from leaderboard.records import State
from leaderboard.settings import Settings
from leaderboard.submissions import keys
from leaderboard.submissions.order import read_order
from leaderboard.submissions.reading import NotInLedger
from tests.builders import make_submission
from tests.waiting import until
from tests.worker.fleet import announce, make_worker
from worker.__main__ import reap
from worker.invite import queue
from worker.reaper import Reaper

ROOT = Path(__file__).parents[2]


@pytest.fixture
def reaper(redis, redis_url, tmp_path):
    """Starts a reaper."""
    started = []

    def start() -> subprocess.Popen[bytes]:
        environment = {**os.environ, "RAPPORT_REDIS_URL": redis_url, "RAPPORT_DATA": str(tmp_path)}
        started.append(subprocess.Popen([sys.executable, "-m", "worker", "reap"], cwd=ROOT, env=environment))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_a_reaper_invites_once_the_ledger_is_whole_and_ends_in_order(redis, ledger, reaper):
    submission = make_submission()
    ledger.create(submission)
    announce(redis)
    redis.delete(keys.EPOCH)
    process = reaper()
    looks = redis.info("commandstats").get("cmdstat_exists", {"calls": 0})["calls"]
    until(
        lambda: redis.info("commandstats").get("cmdstat_exists", {"calls": 0})["calls"] > looks + 1,
        what="it looks whether the ledger is whole",
        within=60,
    )
    assert ledger.state(submission.run_ids()[0]) is State.CHECKING

    redis.set(keys.EPOCH, "tests:1")

    until(lambda: len(queue(redis, make_worker().kind)) == 1, what="it invites", within=60)
    assert ledger.state(submission.run_ids()[0]) is State.QUEUED
    order = read_order(redis)
    assert order is not None
    assert order.position(submission.run_ids()[0]) == 1
    process.terminate()
    assert process.wait(30) == 0


def test_a_reaper_outlives_a_redis_that_forgets_what_it_is_about_to_queue(monkeypatch, caplog, redis):
    stopping = threading.Event()

    def step(self):
        stopping.set()
        raise NotInLedger("s-20260101-00000000.demo-v1")

    monkeypatch.setattr(Reaper, "step", step)
    monkeypatch.setattr("worker.__main__._stopping", lambda: stopping)
    reap(Settings(), redis)
    assert "no longer holds 's-20260101-00000000.demo-v1'" in caplog.text
