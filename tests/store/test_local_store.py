"""What the local store promises beyond the contract: plain files, named damage, a full disk that harms nothing."""

import errno
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from leaderboard.store import (
    BadPath,
    Delete,
    LocalStore,
    NotFound,
    Operation,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreUnavailable,
    Write,
)

BEFORE = {"kept/b": b"old", "gone/c": b"old"}
OPERATIONS: list[Operation] = [
    Write("new/deep/a", b"new"),
    Write("kept/b", b"new"),
    Write("kept/d", b"new"),
    Delete("gone/c"),
]
AFTER = {"new/deep/a": b"new", "kept/b": b"new", "kept/d": b"new"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


def filled(folder: Path) -> LocalStore:
    store = LocalStore(folder)
    store.commit([Write(path, content) for path, content in BEFORE.items()], "before")
    return store


def everything(store: LocalStore) -> dict[str, bytes]:
    return {path: store.read(path) for path in store.list()}


def on_disk(folder: Path) -> dict[str, bytes | None]:
    """Return every file and folder, hidden ones included, but the lock files."""
    found = {str(path.relative_to(folder)): None if path.is_dir() else path.read_bytes() for path in folder.rglob("*")}
    return {path: content for path, content in found.items() if Path(path).name not in {"gate", "readers", "writers"}}


def test_files_lie_in_the_folder_as_they_were_written(folder: Path) -> None:
    LocalStore(folder).commit([Write("runs/1.json", b'{"a": 1}')], "one")
    assert (folder / "files/runs/1.json").read_bytes() == b'{"a": 1}'


def test_no_empty_folder_stays_behind(folder: Path) -> None:
    store = LocalStore(folder)
    store.commit([Write("a/b/c", b"1"), Write("a/d", b"1")], "two")
    store.commit([Delete("a/b/c")], "one")
    assert sorted(path.name for path in (folder / "files").rglob("*")) == ["a", "d"]


def test_commits_are_dated_by_the_clock_handed_in(folder: Path) -> None:
    noon = datetime(2025, 6, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    store = LocalStore(folder, now=lambda: noon)
    store.commit([Write("a", b"1")], "dated")
    assert store.history()[0].time.isoformat() == datetime(2025, 6, 1, 10, tzinfo=UTC).isoformat()


def test_equal_changes_on_equal_stores_give_equal_revisions(tmp_path: Path) -> None:
    one, other = LocalStore(tmp_path / "one"), LocalStore(tmp_path / "other")
    first = [Write("a", b"1"), Write("b", b"1")]
    assert one.commit(first, "forwards") == other.commit(first[::-1], "backwards")
    assert one.commit([Write("a", b"2")], "two") != other.commit([Write("a", b"3")], "three")


def test_opening_and_reading_look_at_no_other_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(folder)

    def refuse(*_: object) -> None:
        raise AssertionError("a folder was scanned")

    monkeypatch.setattr(os, "scandir", refuse)
    monkeypatch.setattr(os, "listdir", refuse)
    assert LocalStore(folder).read("kept/b") == b"old"


def test_a_long_log_is_read_from_its_end(folder: Path) -> None:
    store = LocalStore(folder)
    revisions = [store.commit([Write("a", str(n).encode())], f"{n} " + "x" * 3000) for n in range(60)]
    assert [info.revision for info in store.history(limit=1000)] == revisions[::-1]
    for limit in range(1, 61):
        assert [info.revision for info in store.history(limit)] == revisions[::-1][:limit]


def test_a_torn_last_line_of_the_log_is_ignored_and_then_removed(folder: Path) -> None:
    store = filled(folder)
    log = folder / ".rapport-store/log.jsonl"
    whole = log.read_bytes()
    log.write_bytes(whole + whole[:25])
    assert [info.message for info in LocalStore(folder).history()] == ["before"]
    store.commit([Write("a", b"1")], "after")
    assert [info.message for info in store.history()] == ["after", "before"]
    assert len(log.read_bytes().splitlines()) == 2


@pytest.mark.parametrize("damage", [b"", b"{}\n", None])
def test_a_log_that_lost_commits_is_named_while_the_files_stay_readable(folder: Path, damage: bytes | None) -> None:
    store = filled(folder)
    log = folder / ".rapport-store/log.jsonl"
    if damage is None:
        log.unlink()
    else:
        log.write_bytes(damage)
    with pytest.raises(StoreCorrupt) as caught:
        store.history()
    assert caught.value.file == str(log)
    with pytest.raises(StoreCorrupt):
        store.commit([Write("a", b"1")], "refused")
    assert everything(LocalStore(folder)) == BEFORE


@pytest.mark.parametrize("damage", [b"", b"junk", b'{"format": 2, "revision": "0", "log_bytes": 0}', None])
def test_a_damaged_head_is_named_and_never_taken_for_an_empty_store(folder: Path, damage: bytes | None) -> None:
    store = filled(folder)
    head = folder / ".rapport-store/HEAD"
    if damage is None:
        head.unlink()
    else:
        head.write_bytes(damage)
    with pytest.raises(StoreCorrupt) as caught:
        store.head()
    assert caught.value.file == str(head)
    with pytest.raises(StoreCorrupt):
        LocalStore(folder).commit([Write("a", b"1")], "refused")


def test_a_store_without_its_files_is_not_opened_as_an_empty_one(folder: Path) -> None:
    filled(folder)
    shutil.rmtree(folder / "files")
    with pytest.raises(StoreCorrupt, match="files is damaged"):
        LocalStore(folder)


def test_files_taken_away_under_a_running_store_are_named_and_not_begun_anew(folder: Path) -> None:
    store = filled(folder)
    (folder / "files").rename(folder / "elsewhere")
    operations: list[Callable[[], object]] = [
        store.head,
        store.list,
        store.hashes,
        lambda: store.read("kept/b"),
        lambda: store.commit([Write("a", b"1")], "refused"),
        lambda: store.squash("refused"),
    ]
    for operation in operations:
        with pytest.raises(StoreCorrupt, match="files is damaged: it is not a folder"):
            operation()
    assert not (folder / "files").exists()
    (folder / "elsewhere").rename(folder / "files")
    assert everything(store) == BEFORE


def test_a_folder_deleted_under_a_running_store_is_named_and_not_made_anew(folder: Path) -> None:
    store = filled(folder)
    shutil.rmtree(folder)
    operations: list[Callable[[], object]] = [
        store.head,
        lambda: store.read("kept/b"),
        lambda: store.commit([Write("a", b"1")], "refused"),
        lambda: store.squash("refused"),
    ]
    for operation in operations:
        with pytest.raises(StoreUnavailable, match="store cannot be used") as caught:
            operation()
        assert caught.value.remedy
    assert not folder.exists()


def test_a_store_full_of_half_written_files_is_read_and_written_as_if_they_were_not_there(folder: Path) -> None:
    store = filled(folder)
    hidden = folder / ".rapport-store"
    for number in range(200):
        (folder / f"files/kept/.tmp-{number}").write_bytes(b"half")
        (folder / f"files/.{number}.partial").write_bytes(b"half")
        (hidden / f"draft-{number}").write_bytes(b"half")
    (hidden / "HEAD.new").write_bytes(b"{")
    for name in ("staged", "commit"):
        (hidden / name / "contents").mkdir(parents=True)
        (hidden / name / "contents/0").write_bytes(b"half")
    (hidden / "staged/manifest.json").write_bytes(b'{"additions": [["half"')
    reopened = LocalStore(folder)
    for each in (store, reopened):
        assert each.read_all(BEFORE) == BEFORE
        assert list(each.hashes()) == each.list() == sorted(BEFORE)
    reopened.commit(OPERATIONS, "goes on")
    assert everything(store) == AFTER
    assert [info.paths for info in store.history(1)] == [tuple(sorted({*AFTER, "gone/c"}))]
    store.squash("forgotten")
    assert everything(LocalStore(folder)) == AFTER
    assert not {"staged", "commit"} & {path.name for path in hidden.iterdir()}


def test_a_squash_forgets_the_names_of_what_was_deleted(folder: Path) -> None:
    store = filled(folder)
    store.commit([Delete("gone/c")], "a reason that names somebody")
    store.squash("taken down")
    everywhere = b"".join(content for content in on_disk(folder).values() if content is not None)
    assert b"gone" not in everywhere
    assert b"somebody" not in everywhere


@pytest.mark.parametrize("for_good", [True, False])
def test_a_disk_that_fills_up_during_a_squash_leaves_the_store_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, for_good: bool
) -> None:
    for nth in range(1, 100):
        store = filled(tmp_path / str(nth))
        before = on_disk(tmp_path / str(nth))
        with monkeypatch.context() as patched:
            disk = FullDisk(patched, nth, float("inf") if for_good else nth)
            try:
                store.squash("perhaps")
            except StoreFull:
                assert on_disk(tmp_path / str(nth)) == before
            else:
                break
        store.squash("after some space was freed")
        assert [info.message for info in store.history()] == ["after some space was freed"]
    assert disk.calls == nth - 1 >= 5


def test_a_folder_that_cannot_be_made_is_told_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreUnavailable, match="file/store"):
        LocalStore(tmp_path / "file/store")


def test_symbolic_links_lead_neither_readers_nor_writers_out_of_the_store(folder: Path, tmp_path: Path) -> None:
    store = filled(folder)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    (folder / "files/door").symlink_to(outside)
    (folder / "files/window").symlink_to(outside / "secret")
    assert everything(store) == BEFORE
    assert store.list("door") == []
    for path in ("door/secret", "window"):
        with pytest.raises(NotFound):
            store.read(path)
        with pytest.raises(BadPath):
            store.commit([Write(path, b"changed")], "refused")
    head = store.head()
    assert store.commit([Delete("door/secret"), Delete("window")], "nothing to delete") == head
    assert {path.name: path.read_bytes() for path in outside.iterdir()} == {"secret": b"secret"}


def test_names_that_no_commit_could_have_written_are_not_listed(folder: Path) -> None:
    store = filled(folder)
    (folder / "files/.DS_Store").write_bytes(b"")
    (folder / "files/kept/copy of b").write_bytes(b"")
    assert everything(store) == BEFORE


class FullDisk:
    """A disk that fills up, played at the operating system's border: calls that need room fail from the nth on.

    What needs room: writing, making a file or folder, and giving a file a name that the folder does not have yet.
    Moving a file back to a name it just left does not: its entry is free again.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, first: int, last: float) -> None:
        self.calls = 0
        self.first, self.last = first, last
        for name in ("open", "write", "mkdir", "rename"):
            monkeypatch.setattr(os, name, self._guarded(getattr(os, name), getattr(self, f"_{name}_needs_room")))

    def _guarded(self, call: Any, needs_room: Any) -> Any:
        def guarded(*arguments: Any, **options: Any) -> Any:
            if needs_room(*arguments):
                self.calls += 1
                if self.first <= self.calls <= self.last:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return call(*arguments, **options)

        return guarded

    @staticmethod
    def _open_needs_room(path: str | Path, flags: int = 0, *_: object) -> bool:
        return bool(flags & os.O_CREAT) and not os.path.lexists(path)

    @staticmethod
    def _write_needs_room(*_: object) -> bool:
        return True

    @staticmethod
    def _mkdir_needs_room(*_: object) -> bool:
        return True

    @staticmethod
    def _rename_needs_room(source: Path, target: Path) -> bool:
        moved_back = "files" in Path(source).parts[-4:] or Path(target).name == "staged"
        return not (os.path.lexists(target) or moved_back)


@pytest.mark.parametrize("for_good", [True, False])
def test_a_disk_that_fills_up_at_any_moment_leaves_the_store_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, for_good: bool
) -> None:
    failures = 0
    told: set[tuple[str, str]] = set()
    while True:
        store = filled(tmp_path / str(failures))
        before = on_disk(tmp_path / str(failures))
        with monkeypatch.context() as patched:
            nth = failures + 1
            disk = FullDisk(patched, nth, float("inf") if for_good else nth)
            try:
                store.commit(OPERATIONS, "perhaps")
            except StoreFull as error:
                failures += 1
                told.add((str(error), error.remedy))
            else:
                break
        assert on_disk(tmp_path / str(nth - 1)) == before
        store.commit(OPERATIONS, "after some space was freed")
        assert everything(store) == AFTER
    assert everything(store) == AFTER
    assert failures == disk.calls >= 12
    assert all("no free disk space" in cause for cause, _ in told)
    assert {remedy for _, remedy in told} == {"Free some space and start again; nothing stored was changed."}


def test_a_disk_that_is_really_full_leaves_the_store_as_it_was(tiny_disk: Path) -> None:
    ballast = tiny_disk / "ballast"
    ballast.write_bytes(b"x" * 100_000)
    store = filled(tiny_disk / "store")
    before = on_disk(tiny_disk / "store")
    operations: list[Operation] = [Write("a", b"a" * 100_000), Write("kept/b", b"b" * 100_000), Delete("gone/c")]
    with pytest.raises(StoreFull):
        store.commit(operations, "too much")
    assert on_disk(tiny_disk / "store") == before
    ballast.unlink()
    store.commit(operations, "fits now")
    assert {path: len(content) for path, content in everything(store).items()} == {"a": 100_000, "kept/b": 100_000}


def test_a_disk_that_fails_in_another_way_is_told_as_it_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = filled(folder)

    def fail(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        with pytest.raises(StoreUnavailable, match="Input/output error") as caught:
            store.commit(OPERATIONS, "on a broken disk")
    assert isinstance(caught.value, StoreError)
    assert everything(store) == BEFORE
