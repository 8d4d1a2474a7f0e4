"""Engines' logs leave a worker's disk some days after their run has ended, and nothing else does."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

import pytest

from evaluator.errors import Cause
from leaderboard.records import Failure, State, now
from leaderboard.settings import Settings
from tests.builders import make_submission
from worker import listener, old_logs
from worker.listener import RapportWorker
from worker.old_logs import remove_old_logs

FAILURE = Failure(cause=Cause.TIMEOUT, message="Too slow.", remedy="Again.")
AT_ONCE, WEEK = datetime.timedelta(0), datetime.timedelta(days=7)


@pytest.fixture
def write(tmp_path: Path):
    """Writes a log of long ago."""

    def write_one(name: str) -> Path:
        path = tmp_path / name
        path.write_text("loaded\n")
        os.utime(path, (0, 0))
        return path

    return write_one


def test_the_logs_of_a_run_that_ended_long_ago_go_and_all_others_stay(redis, ledger, write, tmp_path, run_id):
    both = make_submission(2, protocols=("demo", "demo-v1"))
    ledger.create(both)
    going, over = both.run_ids()
    ledger.fail(over, "gpu-1", FAILURE)
    gone = [write(f"{over}{engine}.log") for engine in ("", "-judge", "-encoder")]
    stay = [write(name) for name in (f"{run_id}.log", f"{going}.log", "web.log", "s-20260301-0000000f.demo-v1.log")]
    assert remove_old_logs(tmp_path, redis, AT_ONCE) == 3
    assert sorted(tmp_path.iterdir()) == sorted(stay)
    assert not any(path.exists() for path in gone)


def test_a_run_that_has_just_ended_keeps_its_logs(redis, ledger, write, tmp_path, run_id):
    path = write(f"{run_id}.log")
    ledger.fail(run_id, "gpu-1", FAILURE)
    assert remove_old_logs(tmp_path, redis, WEEK) == 0
    assert path.exists()


def test_a_run_that_was_taken_up_again_keeps_its_logs(redis, ledger, write, tmp_path, run_id):
    path = write(f"{run_id}.log")
    ledger.fail(run_id, "gpu-1", FAILURE)
    ledger.advance(run_id, State.QUEUED, "alice")
    assert remove_old_logs(tmp_path, redis, AT_ONCE) == 0
    assert path.exists()


def test_where_nothing_was_written_nothing_is_removed(redis, tmp_path):
    assert remove_old_logs(tmp_path / "logs", redis, AT_ONCE) == 0


def test_a_worker_looks_for_them_now_and_then(redis, redis_url, ledger, tmp_path, run_id, monkeypatch):
    settings = Settings(data=tmp_path, redis_url=redis_url, keep_days=1)
    settings.logs.mkdir()
    path = settings.logs / f"{run_id}.log"
    ledger.fail(run_id, "gpu-1", FAILURE)
    monkeypatch.setattr(old_logs, "now", lambda: now() + datetime.timedelta(days=2))
    worker = RapportWorker(settings, redis)
    for seconds, stays in ((3600.0, False), (3600.0, True), (0.0, False)):
        path.write_text("loaded\n")
        os.utime(path, (0, 0))
        monkeypatch.setattr(listener, "_LOGS_SECONDS", seconds)
        worker.run_maintenance_tasks()
        assert path.exists() is stays
