"""What is public follows from the archive alone, however it came there and whatever happened on the way."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.release.derive import all_submissions
from leaderboard.release.release import Release
from leaderboard.store.base import Operation, Revision
from leaderboard.store.local import LocalStore
from leaderboard.store.open import Stores
from tests.release.conftest import Past, contents
from tests.released import NAMES
from worker.releasing import Releasing


class Killed(BaseException):
    """The process has ended here."""


class Mortal:
    """Three stores, and a process that publishes them and may be killed beside any of its commits."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / ".released"
        self.kill_at: tuple[int, bool] | None = None
        self.start()

    def start(self) -> None:
        """A new process on the same folders."""
        self.stores = Stores(*(LocalStore(self.folder / name) for name in Stores._fields))
        for store in (self.stores.results, self.stores.requests):
            store.commit = self._mortal(store.commit)  # type: ignore[method-assign]
        release = Release(self.stores, NAMES, frozenset())
        self.releasing = Releasing(self.stores.archive, release, self.file, clock=lambda: 0.0)

    def _mortal(self, commit: Callable[..., Revision]) -> Callable[..., Revision]:
        def commit_or_die(operations: Sequence[Operation], *rest: Any) -> Revision:
            number, after = self.kill_at or (0, False)
            self.kill_at = self.kill_at and (number - 1, after)
            if self.kill_at and number == 0 and not after:
                raise Killed
            revision = commit(operations, *rest)
            if self.kill_at and number == 0 and after:
                raise Killed
            return revision

        return commit_or_die

    def commit(self, operations: tuple[Operation, ...], *, noted: bool) -> None:
        """What the publisher writes to the archive; unnoted if it is killed right after."""
        revision = self.stores.archive.commit(operations, "replayed")
        if noted:
            self.releasing.note(operations, revision)
        else:
            self.start()

    def step(self, kill_at: tuple[int, bool] | None = None) -> None:
        """A step that may be the process' last; it is started again then."""
        self.kill_at = kill_at
        try:
            self.releasing.step()
        except Killed:
            self.start()
        self.kill_at = None

    def finish(self) -> None:
        while self.releasing.step():
            pass


Move = st.one_of(
    st.tuples(st.just("commit"), st.integers(1, 6)),
    st.tuples(st.just("step"), st.none() | st.tuples(st.integers(0, 3), st.booleans())),
    st.tuples(st.just("restart"), st.sampled_from(["kept", "lost", "stale", "garbage"])),
    st.tuples(st.just("die noting"), st.none()),
)


@settings(max_examples=15)
@given(moves=st.lists(Move, max_size=25))
def test_whatever_happens_on_the_way_the_same_bytes_are_public(past: Past, moves: list[tuple[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        mortal, left, stale = Mortal(Path(folder)), list(past.commits), b""
        for move, how in moves:
            if move == "commit":
                for commit in left[:how]:
                    mortal.commit(commit, noted=True)
                left = left[how:]
            elif move == "step":
                mortal.step(how)
                stale = stale or (mortal.file.read_bytes() if mortal.file.exists() else b"")
            elif move == "restart":
                _spoil(mortal.file, how, stale)
                mortal.start()
            elif left:
                mortal.commit(left.pop(0), noted=False)
        for commit in left:
            mortal.commit(commit, noted=True)
        mortal.finish()
        assert _unlike(contents(mortal.stores.results), past.results) == []
        assert _unlike(contents(mortal.stores.requests), past.requests) == []
        assert mortal.releasing.backlog() == (0, 0, 0)


def _spoil(file: Path, how: str, stale: bytes) -> None:
    if how == "lost":
        file.unlink(missing_ok=True)
    elif how == "stale" and stale:
        file.write_bytes(stale)
    elif how == "garbage":
        file.write_bytes(b"\xff\x00\n")


def _unlike(found: dict[str, bytes], wanted: dict[str, bytes]) -> list[str]:
    return sorted(path for path in {*found, *wanted} if found.get(path) != wanted.get(path))


@pytest.mark.parametrize("size", [1, 3])
def test_chunks_and_order_do_not_matter(past: Past, stores: Stores, size: int) -> None:
    ids = all_submissions(past.archive)[::-1]
    release = Release(Stores(past.archive, *stores[1:]), NAMES, frozenset())
    for start in range(0, len(ids), size):
        assert release.bring(ids[start : start + size]) == frozenset()
    release.bring(ids[::2])
    release.describe()
    release.rank()
    assert (contents(stores.results), contents(stores.requests)) == (past.results, past.requests)


def test_what_is_brought_again_changes_nothing(past: Past, tmp_path: Path) -> None:
    stores = Stores(past.archive, LocalStore(tmp_path / "results"), LocalStore(tmp_path / "requests"))
    release = Release(stores, NAMES, frozenset())
    release.bring(all_submissions(past.archive))
    release.rank()
    heads = release.heads
    release.bring(all_submissions(past.archive))
    assert release.ranked, "nothing has changed"
    release.rank()
    assert release.heads == heads


def test_a_publisher_with_new_public_data_sets_fills_them(past: Past, tmp_path: Path) -> None:
    mortal = Mortal(tmp_path)
    for commit in past.commits:
        mortal.commit(commit, noted=True)
    mortal.finish()
    (tmp_path / "results").rename(tmp_path / "gone")
    mortal.start()
    mortal.finish()
    assert contents(mortal.stores.results) == past.results
