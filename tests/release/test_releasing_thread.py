"""Releasing beside the publisher: its share of the time, how it stops, and what is told of it."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from leaderboard.connection import web_client
from leaderboard.open_data import layout
from leaderboard.open_data.files import decode_request
from leaderboard.records import State
from leaderboard.release import release as release_module
from leaderboard.settings import Settings
from leaderboard.store.base import Condition, Revision, StoreBusy, StoreUnavailable, Write
from leaderboard.store.hub_budget import Budget
from leaderboard.store.local import LocalStore
from leaderboard.store.open import Stores
from leaderboard.submissions import keys
from tests.release.archives import FAILURE, Site, replay
from tests.release.conftest import Past, contents
from tests.release.driving import Clock, board, finish, releasing_of
from tests.release.stores import Watched
from tests.waiting import until
from worker import publishing, releasing
from worker.readings import Readings
from worker.releasing import go_on_releasing, released_meanwhile


def test_ranking_takes_a_small_share_of_the_time_and_is_right_in_the_end(
    past: Past, stores: Stores, file: Path, clock: Clock, monkeypatch
) -> None:
    real, ranked_at = release_module.work_out_places, list[float]()

    def take_time(*given: Any) -> Any:
        ranked_at.append(clock.now)
        clock.now += 10.0
        return real(*given)

    monkeypatch.setattr(release_module, "work_out_places", take_time)
    it = releasing_of(stores, file, clock)
    finish(it)
    for commit in past.commits:
        it.note(commit, stores.archive.commit(commit, "replayed"))
        finish(it)
        clock.now += 5.0
    clock.now += 200.0
    finish(it)
    pauses = [later - earlier for earlier, later in itertools.pairwise(ranked_at)]
    assert len(pauses) > 1
    assert min(pauses) >= 100.0
    assert contents(stores.results) == past.results


class Limited(LocalStore):
    """A store that takes no more commits than the Hub."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        super().__init__(folder)
        self.budget = Budget(clock=clock)
        while not self.budget.take_commit():
            pass  # All that may come at once has come.

    def commit(self, *given: Any) -> Revision:
        if wait := self.budget.take_commit():
            raise StoreBusy("the Hub", wait)
        return super().commit(*given)

    def condition(self) -> Condition:
        return super().condition()._replace(commit_in=self.budget.commit_in())


def test_the_board_is_written_though_submissions_never_cease(site: Site, tmp_path: Path, clock: Clock) -> None:
    clock.now = 0.0
    public = [Limited(tmp_path / name, clock) for name in ("results", "requests")]
    site.run(site.enter(1, "org/first"))
    it = releasing_of(Stores(site.archive, *public), tmp_path / ".released", clock)
    known = len(site.commits)
    for number in range(2, 62):
        site.enter(number, f"org/model-{number}")
        site.save()
        for commit in site.commits[known:]:
            it.note(commit, site.archive.head())
        known = len(site.commits)
        for _ in range(15):
            clock.now += 1.0
            with contextlib.suppress(StoreBusy):
                it.step()
        if layout.BOARD in public[0].list():
            break
    assert board(public[0]) == ["org/first"]
    assert clock.now < 600


def test_a_board_that_leaves_something_out_is_tried_again_without_any_news(
    site: Site, stores: Stores, file: Path, clock: Clock
) -> None:
    site.run(site.enter(1, "org/first"))
    it = releasing_of(Stores(site.archive, *stores[1:]), file, clock)
    finish(it)
    path = layout.scorecards_path("org/first")
    whole = stores.results.read(path)
    stores.results.commit([Write(path, b"PAR1")], "broken by hand")
    again = releasing_of(Stores(site.archive, *stores[1:]), file, clock)
    finish(again)
    assert board(stores.results) == []
    stores.results.commit([Write(path, whole)], "mended by hand")
    finish(again)
    assert board(stores.results) == []
    clock.now += 600.0
    finish(again)
    assert board(stores.results) == ["org/first"]


def test_a_board_that_cannot_be_written_takes_no_more_of_the_time(
    past: Past, stores: Stores, file: Path, clock: Clock
) -> None:
    """Working it out for minutes only to be refused must not become all that is done."""
    replay(past.commits, stores.archive)
    tries = list[float]()

    def tell(name: str, what: Any) -> None:
        if name == "commit" and what[0].path == layout.BOARD:
            tries.append(clock.now)
            clock.now += 10.0
            raise StoreUnavailable("the Hub", "it does not answer")

    it = releasing_of(Stores(stores.archive, Watched(stores.results, tell), stores.requests), file, clock)  # type: ignore[arg-type]
    for _ in range(300):
        with contextlib.suppress(StoreUnavailable):
            it.step()
        clock.now += 1.0
    assert len(tries) == 3
    assert it.backlog().seconds >= 300, "that the board waits is told"


def test_it_stops_before_the_next_submission_and_commits_nothing(past: Past, stores: Stores, file: Path) -> None:
    replay(past.commits, stores.archive)
    it, asked = releasing_of(stores, file), itertools.count()
    it.step(lambda: next(asked) >= 2)
    assert stores.requests.list(layout.REQUESTS) == []
    assert it.backlog().submissions > 5
    finish(it)
    assert contents(stores.results) == past.results


def test_the_thread_ends_with_its_block(past: Past, stores: Stores, file: Path) -> None:
    replay(past.commits, stores.archive)
    it = releasing_of(stores, file)
    with released_meanwhile(it):
        (thread,) = [each for each in threading.enumerate() if each.name == "release"]
        until(lambda: it.backlog() == (0, 0, 0) and file.exists(), what="all is released")
    assert not thread.is_alive()
    assert contents(stores.results) == past.results


def test_an_unexpected_error_is_told_and_does_not_end_the_thread(monkeypatch, caplog) -> None:
    monkeypatch.setattr(releasing, "_PAUSE_SECONDS", 0.01)
    stopping, steps = threading.Event(), itertools.count()

    class Unexpected:
        def step(self, stopped: Any) -> bool:
            if next(steps) == 2:
                stopping.set()
            raise MemoryError

    go_on_releasing(Unexpected(), stopping)  # type: ignore[arg-type]
    assert caplog.text.count("met an unexpected error") == 3


def test_what_waits_is_among_the_metrics(
    redis, redis_url: str, past: Past, stores: Stores, file: Path, clock: Clock
) -> None:
    it = releasing_of(stores, file, clock)
    finish(it)
    readings = Readings(web_client(redis_url), {}, it.backlog)

    def told() -> tuple[float, ...]:
        found = {sample.name: sample.value for sample in readings.read()}
        names = ("unreleased_submissions", "unreleased_seconds", "unreleasable_submissions")
        return tuple(found[f"rapport_{name}"] for name in names)

    assert told() == (0, 0, 0)
    it.note(past.commits[0], stores.archive.commit(past.commits[0], "first"))
    clock.now += 7.0
    it.note(past.commits[0], stores.archive.head())
    assert told() == (3, 7.0, 0)
    finish(it)
    assert told() == (0, 0, 0)


def test_the_publisher_releases_what_it_publishes(redis, ledger, tmp_path: Path, monkeypatch) -> None:
    from tests.builders import make_submission

    monkeypatch.setattr(publishing, "_IDLE_SECONDS", 0.01)
    monkeypatch.setattr(releasing, "_IDLE_SECONDS", 0.01)
    redis.delete(keys.EPOCH)
    settings, stopping = Settings(data=tmp_path, journal_seconds=0.01), threading.Event()
    publisher = threading.Thread(target=publishing.publish, args=(settings, redis, stopping))
    publisher.start()
    try:
        until(ledger.is_open, what="it publishes")
        submission = make_submission()
        ledger.create(submission)
        ledger.fail(submission.run_ids()[0], "gpu-1", FAILURE)
        path = layout.request_path(submission.id)
        requests = LocalStore(settings.requests_folder)

        def state() -> State | None:
            found: Sequence[str] = requests.list(layout.REQUESTS)
            return decode_request(requests.read(path), path).state if path in found else None

        until(lambda: state() is State.FAILED, what="its end is public")
        until(settings.released.exists, what="it is noted how far it came")
    finally:
        stopping.set()
        publisher.join()
    assert not [each for each in threading.enumerate() if each.name == "release"]
