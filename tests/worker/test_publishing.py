"""The publisher's loop: it keeps a reserve of disk, gives it up, and makes it again; it ends when it is told to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from evaluator.errors import Cause
from leaderboard.records import State
from leaderboard.settings import Settings
from leaderboard.submissions import keys
from tests.builders import make_submission
from tests.faults.disks import fill, free
from tests.small_disk import NO_SMALL_DISK, small_disk
from tests.waiting import until
from worker import publishing
from worker.publisher import Publisher


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A data folder on a disk of 64 MiB."""
    folder = tmp_path / "data"
    folder.mkdir()
    with small_disk(folder, "64m") as small:
        if not small:
            pytest.skip(NO_SMALL_DISK)
        yield folder


@pytest.fixture
def publishing_to(redis, monkeypatch):
    """Publishes in a thread, without patience, until the test ends."""
    monkeypatch.setattr(publishing, "_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(publishing, "_IDLE_SECONDS", 0.01)
    redis.delete(keys.EPOCH)
    stopping = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        started: list[Future[None]] = []
        try:
            yield lambda settings: started.append(pool.submit(publishing.publish, settings, redis, stopping))
        finally:
            stopping.set()
    for each in started:
        each.result()


def test_a_reserve_is_given_up_to_record_a_full_disk_and_made_again_when_there_is_room(
    disk, ledger, publishing_to, caplog
):
    settings = Settings(data=disk, journal_seconds=0.01)
    publishing_to(settings)
    until(lambda: settings.reserve.exists() and ledger.is_open(), what="it publishes and has a reserve")

    # Whatever it writes first on the full disk, be it a release or what is entered last, this run is open by then.
    submission = make_submission()
    ledger.create(submission)
    (run_id,) = submission.run_ids()
    fill(disk)
    ledger.create(make_submission(2))
    until(lambda: ledger.state(run_id) is State.FAILED, what="the full disk is recorded")
    assert ledger.transitions(submission.id)[-1].failure.cause is Cause.DISK_FULL
    assert not settings.reserve.exists()
    assert "giving up the reserve" in caplog.text

    free(disk)
    until(settings.reserve.exists, what="there is a reserve again")


def test_without_room_for_a_reserve_it_publishes_all_the_same_and_says_so(disk, ledger, publishing_to, caplog):
    (disk / "others").write_bytes(bytes(40 * 2**20))
    settings = Settings(data=disk)
    publishing_to(settings)

    until(ledger.is_open, what="it publishes")
    assert "there is no room for" in caplog.text
    assert not settings.reserve.exists()


def test_a_publisher_beside_another_ends_as_soon_as_it_is_told_to(redis, tmp_path, publishing_to):
    redis.set(keys.PUBLISHER, "another", ex=600)
    publishing_to(Settings(data=tmp_path))


def test_it_is_told_to_stop_between_two_steps(monkeypatch, tmp_path):
    stopping, steps = threading.Event(), []

    def step(self):
        steps.append(self)
        stopping.set()
        return True

    monkeypatch.setattr(Publisher, "step", step)
    publishing.go_on(Publisher.__new__(Publisher), stopping, tmp_path / ".reserve")
    assert len(steps) == 1
