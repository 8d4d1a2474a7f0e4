"""The rehearsal of a lost site: all that is left is the archive on the Hub."""

from __future__ import annotations

from pathlib import Path

from redis import Redis

from leaderboard.board.build import build_board
from leaderboard.release.derive import all_submissions
from leaderboard.release.release import Release
from leaderboard.store import LocalStore
from leaderboard.store.copying import copy_store
from leaderboard.store.open import Stores
from leaderboard.submissions import journal
from leaderboard.submissions.ledger import Ledger
from tests.hub_server import LocalHub
from tests.released import derived
from tests.store.conftest import opener
from tests.upkeep.sites import NAMES, fill


def test_a_site_that_is_made_again_from_the_hub_shows_the_same_board_and_queue(
    local_stores: Stores, shared_hub: LocalHub, tmp_path: Path, redis: Redis
) -> None:
    runs = fill(local_stores)
    journal.restore(redis, local_stores.archive)
    queue = Ledger(redis).histories(sorted(run.submission.id for run in runs))
    on_the_hub = opener(shared_hub, tmp_path / "hub")
    copy_store(local_stores.archive, on_the_hub("sender"), "the site")

    redis.flushdb()
    stores = Stores(*(LocalStore(tmp_path / "again" / name) for name in ("store", "results", "requests")))
    copy_store(on_the_hub("receiver"), stores.archive, "the Hub")
    release = Release(stores, NAMES, frozenset())
    assert release.bring(all_submissions(stores.archive)) == frozenset()
    release.describe()
    release.rank()

    assert build_board(stores.results).rows == build_board(local_stores.results).rows
    assert len(build_board(stores.results).rows) == len(runs)
    for before, after in ((local_stores.results, stores.results), (local_stores.requests, stores.requests)):
        assert before.list() == after.list()
        assert derived(before) == derived(after)
    assert journal.restore(redis, stores.archive) == len(runs)
    assert Ledger(redis).histories(sorted(run.submission.id for run in runs)) == queue
