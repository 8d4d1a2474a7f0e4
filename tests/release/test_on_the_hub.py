"""A burst of submissions is public soon, within what the Hub takes of commits."""

from __future__ import annotations

from pathlib import Path

from leaderboard.open_data import layout
from leaderboard.records import State
from leaderboard.release.release import Release
from leaderboard.store import layout as archive_layout
from leaderboard.store.base import Write
from leaderboard.store.hub_budget import Budget
from leaderboard.store.local import LocalStore
from leaderboard.store.open import Stores
from tests.hub_server import Limits
from tests.open_data.rows import make_history, make_step
from tests.released import NAMES
from tests.store.conftest import opener
from worker.releasing import Releasing

BURST, A_COMMIT = 300, 60


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def ended(number: int) -> Write:
    """A submission that has failed, as the archive keeps it."""
    run_id = make_history(number).submission.run_ids()[0]
    history = make_history(number, make_step(run_id, 3, State.QUEUED, State.CANCELLED))
    return Write(archive_layout.submission_path(history.submission.id), history.model_dump_json().encode())


def test_a_burst_of_ended_submissions_takes_few_commits_and_is_never_refused(hub, tmp_path: Path) -> None:
    clock = Clock()
    hub.limits = Limits(clock=clock)
    public = [
        opener(hub, tmp_path / name)(budget=Budget(clock=clock), fresh_seconds=5.0, clock=clock, pause=lambda _: None)
        for name in ("results", "requests")
    ]
    stores = Stores(LocalStore(tmp_path / "archive"), *public)
    it = Releasing(stores.archive, Release(stores, NAMES, frozenset()), tmp_path / ".released", clock)
    while it.step():
        pass
    before, began = [len(store.history(1000)) for store in public], clock.now
    for start in range(0, BURST, A_COMMIT):
        writes = [ended(number) for number in range(start + 1, start + A_COMMIT + 1)]
        it.note(writes, stores.archive.commit(writes, "burst"))
    while it.backlog() != (0, 0, 0):
        if not it.step():
            clock.now += 1.0
    made = [len(store.history(1000)) - old for store, old in zip(public, before, strict=True)]
    assert made == [0, 4], "300 files in commits of 80, and results have no news"
    assert clock.now - began <= 60
    assert len(stores.requests.list(layout.REQUESTS)) == BURST
