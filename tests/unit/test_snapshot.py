"""The snapshot that pages read: built once however many ask, swapped whole, renewed behind the visitors' backs."""

import threading

import pytest

from leaderboard.board import build, snapshot
from leaderboard.board.snapshot import Snapshot
from leaderboard.store.base import StoreError
from tests.builders import make_scorecard
from tests.released import publish
from tests.waiting import at_once, until


def test_a_file_that_was_mended_by_hand_comes_back_although_the_store_has_not_moved_on(monkeypatch, store):
    publish(store, make_scorecard("org/a", 10))
    whole, moments = store.read, iter([0.0, 5.0, 11.0, 11.0, 11.0])
    monkeypatch.setattr(store, "read", lambda path: whole(path)[:9])
    board = Snapshot(store, clock=lambda: next(moments))
    assert board.board().rows == ()
    monkeypatch.setattr(store, "read", whole)
    assert board.board().rows == (), "not at once: a broken board is built again now and then, not for every visitor"
    assert [row.model for row in board.board().rows] == ["org/a"]


class CountedBuilds:
    """Builds boards and counts them; the first one is not done before so many visitors are there."""

    def __init__(self, store, visitors: int = 1) -> None:
        self.number, self._visitors = 0, visitors
        self._arrived: set[int] = set()
        self._head, store.head = store.head, self._arrive

    def _arrive(self):
        self._arrived.add(threading.get_ident())
        return self._head()

    def __call__(self, store, last=None):
        self.number += 1
        until(lambda: len(self._arrived) >= self._visitors, what="all visitors are there")
        return build.build_board(store, last)


def test_a_snapshot_is_built_anew_only_when_the_store_has_moved_on(monkeypatch, store):
    builds = CountedBuilds(store)
    monkeypatch.setattr(snapshot, "build_board", builds)
    board = Snapshot(store)
    publish(store, make_scorecard("org/a", 10))
    first = board.board()
    assert board.board() is first
    publish(store, make_scorecard("org/b", 20))
    second = board.board()
    assert [row.model for row in second.rows] == ["org/b", "org/a"]
    assert len(first.rows) == 1, "a page that is being written keeps the board it began with"
    assert builds.number == 2


def test_many_visitors_at_once_wait_for_one_build(monkeypatch, store):
    publish(store, make_scorecard("org/a", 10))
    builds = CountedBuilds(store, visitors=12)
    monkeypatch.setattr(snapshot, "build_board", builds)
    board = Snapshot(store)
    boards = at_once(*[board.board] * 12)
    assert builds.number == 1
    assert all(seen is boards[0] for seen in boards)


@pytest.fixture
def long_builds(monkeypatch):
    """Every build counts as one that nobody shall wait for."""
    monkeypatch.setattr(snapshot, "_SHORT_SECONDS", -1.0)
    monkeypatch.setattr(snapshot, "never_walked", lambda: None)  # The tests' own garbage is to be collected.


class HeldBuilds:
    """Builds boards, each when it is let go."""

    def __init__(self) -> None:
        self.number, self.go, self.error = 0, threading.Event(), None

    def __call__(self, store, last=None):
        self.number += 1
        assert self.go.wait(30)
        if self.error:
            raise self.error
        return build.build_board(store, last)


@pytest.fixture
def held(monkeypatch, store, long_builds):
    """A snapshot whose first board is there, and whose second one is held back."""
    builds = HeldBuilds()
    monkeypatch.setattr(snapshot, "build_board", builds)
    board = Snapshot(store)
    builds.go.set()
    publish(store, make_scorecard("org/a", 10))
    assert len(board.board().rows) == 1
    builds.go.clear()
    publish(store, make_scorecard("org/b", 20))
    return board, builds


def test_nobody_waits_for_a_long_build_and_there_is_one_at_a_time(held):
    board, builds = held
    seen = [board.board(), *at_once(*[board.board] * 12)]
    assert [len(each.rows) for each in seen] == [1] * 13, "the last board is served while the next one is built"
    until(lambda: builds.number == 2, what="the second build has begun")
    builds.go.set()
    until(lambda: len(board.board().rows) == 2, what="the new board is served")
    assert builds.number == 2


def test_a_store_that_moves_on_amid_a_build_is_built_once_more(held, store):
    board, builds = held
    board.board()
    publish(store, make_scorecard("org/c", 30))
    builds.go.set()
    until(lambda: len(board.board().rows) == 3, what="the newest board is served")


@pytest.mark.parametrize("error", [StoreError("away"), ValueError("a fault of ours")])
def test_a_build_that_failed_behind_the_visitors_is_told_to_the_next_one(held, error, caplog):
    board, builds = held
    builds.error = error
    assert len(board.board().rows) == 1
    builds.go.set()
    until(lambda: "cannot be read" in caplog.text, what="the failure is logged")

    def told():
        try:
            board.board()
        except type(error):
            return True
        return False

    until(told, what="whoever asks is told")
    builds.error = None
    until(lambda: len(board.board().rows) == 2, what="the board is there again")


def test_rows_are_taken_over_where_nothing_about_them_is_new(store):
    publish(store, make_scorecard("org/a", 10), make_scorecard("org/b", 20))
    board = Snapshot(store)
    first = {row.model: row for row in board.board().rows}
    publish(store, make_scorecard("org/c", 15))
    second = {row.model: row for row in board.board().rows}
    assert second["org/b"] is first["org/b"]
    assert second["org/a"] is not first["org/a"], "its rank is another one"
    assert list(second.values()) == list(build.build_board(store).rows)


def test_without_a_thread_to_be_had_the_next_visitor_tries_again(held, monkeypatch, caplog):
    board, builds = held
    builds.go.set()

    def none_left(thread):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", none_left)
        assert len(board.board().rows) == 1, "the last board is served"
    assert "not read yet" in caplog.text
    until(lambda: len(board.board().rows) == 2, what="the new board is served")


def test_only_the_first_large_board_is_kept_from_the_collector(monkeypatch, store, long_builds):
    walked = []
    monkeypatch.setattr(snapshot, "never_walked", lambda: walked.append(1))
    board = Snapshot(store)
    for number in range(3):
        publish(store, make_scorecard(f"org/{number}", 10))
        until(lambda number=number: len(board.board().rows) == number + 1, what="the board is renewed")
    assert walked == [1]
