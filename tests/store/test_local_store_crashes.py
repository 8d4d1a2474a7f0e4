"""The local store among several processes, and when they are killed: real processes, real SIGKILL.

Each writer here is a forked process. A kill is aimed either at a random moment (seeded) or, one after the other, at
every single call to the operating system that a commit or a recovery makes.
"""

import fcntl
import hashlib
import os
import random
import shutil
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from leaderboard.store import Delete, LocalStore, Operation, StoreCorrupt, Write
from leaderboard.store.disk import locked
from leaderboard.store.local_log import EMPTY, LogEntry
from tests.store.counting import count_up

BEFORE = {"kept/b": b"old", "gone/c": b"old"}
OPERATIONS: list[Operation] = [Write("new/a", b"new"), Write("kept/b", b"new"), Delete("gone/c")]
AFTER = {"new/a": b"new", "kept/b": b"new"}
DISK_CALLS = ("open", "write", "fsync", "mkdir", "rename", "unlink", "rmdir", "truncate")

Hook = Callable[[str, tuple[Any, ...]], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


def in_child(task: Callable[[], object]) -> int:
    """Start a task in a forked process and return its id."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            task()
            status = 0
        finally:
            # Never back into the test run that this process is a copy of.
            if status:
                traceback.print_exc()
            os._exit(status)
    return child


def ended(child: int) -> int:
    """Wait for a child; return its exit status, or minus the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@contextmanager
def watched(hook: Hook) -> Iterator[None]:
    """Call a hook before every call to the operating system that can change the disk."""
    with pytest.MonkeyPatch.context() as patched:
        for name in DISK_CALLS:
            patched.setattr(os, name, hooked(name, getattr(os, name), hook))
        yield


def hooked(name: str, real: Callable[..., Any], hook: Hook) -> Callable[..., Any]:
    def call(*arguments: Any, **options: Any) -> Any:
        hook(name, arguments)
        return real(*arguments, **options)

    return call


def killed_before_call(nth: int, task: Callable[[], object]) -> bool:
    """Run a task in a process that is killed before its nth disk call; tell whether it came that far."""
    calls = 0

    def kill(_: str, __: tuple[Any, ...]) -> None:
        nonlocal calls
        calls += 1
        if calls == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    def killed() -> None:
        with watched(kill):
            task()

    status = ended(in_child(killed))
    assert status in (0, -signal.SIGKILL)
    return status != 0


def filled(folder: Path) -> LocalStore:
    store = LocalStore(folder)
    store.commit([Write(path, content) for path, content in BEFORE.items()], "before")
    return store


def everything(store: LocalStore) -> dict[str, bytes]:
    return {path: store.read(path) for path in store.list()}


def assert_sound(folder: Path) -> LocalStore:
    """Open the store and hold its files, its log and its head against each other."""
    store = LocalStore(folder)
    hidden = folder / ".rapport-store"
    assert {path.name for path in hidden.iterdir()} <= {"HEAD", "log.jsonl", "gate", "readers", "writers"}
    files: dict[str, str] = {}
    revision = EMPTY
    for line in (hidden / "log.jsonl").read_bytes().splitlines():
        entry = LogEntry.model_validate_json(line)
        assert entry.parent == revision
        revision = entry.revision
        for path, sha256 in entry.changes.items():
            if sha256 is None:
                del files[path]
            else:
                files[path] = sha256
    assert store.head() == revision
    assert {path: hashlib.sha256(content).hexdigest() for path, content in everything(store).items()} == files
    return store


def test_two_processes_that_count_in_one_file_lose_no_count(folder: Path) -> None:
    LocalStore(folder)
    children = [in_child(lambda: count_up(LocalStore(folder), 40)) for _ in range(2)]
    assert [ended(child) for child in children] == [0, 0]
    store = assert_sound(folder)
    assert (store.read("count"), len(store.history())) == (b"80", 80)


def test_two_processes_with_files_of_their_own_lose_none(folder: Path) -> None:
    def write(name: str) -> None:
        store = LocalStore(folder)
        for n in range(40):
            store.commit([Write(f"{name}/{n}", name.encode())], "mine")

    # The folder does not exist yet: making it is part of the race.
    children = [in_child(lambda name=name: write(name)) for name in ("a", "b")]  # type: ignore[misc]
    assert [ended(child) for child in children] == [0, 0]
    assert assert_sound(folder).list() == sorted(f"{name}/{n}" for name in "ab" for n in range(40))


def test_a_reader_never_sees_half_a_commit(folder: Path) -> None:
    store = LocalStore(folder)
    store.commit([Write("left", b"0"), Write("right", b"0")], "start")

    def write() -> None:
        for n in range(1, 120):
            content = str(n).encode()
            pair = [Write(f"pairs/{n}-left", b""), Write(f"pairs/{n}-right", b"")]
            store.commit([Write("left", content), Write("right", content), *pair], "both")

    child = in_child(write)
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        left = int(store.read("left"))
        assert left <= int(store.read("right"))
        assert len(store.list("pairs")) % 2 == 0
        before, *pair, after = store.head(), store.read("left"), store.read("right"), store.head()
        assert pair[0] == pair[1] or before != after
    assert assert_sound(folder).read("right") == b"119"


def test_new_readers_queue_behind_a_writer_that_waits(folder: Path) -> None:
    store = LocalStore(folder)
    with locked(folder / ".rapport-store/readers", shared=True):
        child = in_child(lambda: store.commit([Write("a", b"1")], "waits"))
        for _ in range(30_000):
            if not gate_is_open(folder):
                break
            assert os.waitpid(child, os.WNOHANG) == (0, 0), "the writer did not wait for the reader"
            time.sleep(0.001)
        else:
            pytest.fail("the writer never closed the gate")
    assert ended(child) == 0
    assert store.read("a") == b"1"


def test_a_process_forked_under_a_lock_does_not_keep_it_when_its_parent_is_killed(folder: Path) -> None:
    store = filled(folder)
    waiting, done = os.pipe()
    hearing, telling = os.pipe()

    def live_on() -> None:
        os.write(telling, b"!")
        os.read(waiting, 1)

    def hold_and_die() -> None:
        os.close(done)
        with locked(folder / ".rapport-store/readers"), locked(folder / ".rapport-store/gate"):
            in_child(live_on)
            os.kill(os.getpid(), signal.SIGKILL)

    assert ended(in_child(hold_and_die)) == -signal.SIGKILL
    os.close(telling)
    assert os.read(hearing, 1) == b"!"
    try:
        assert gate_is_open(folder)
        assert everything(store) == BEFORE
    finally:
        for end in (done, waiting, hearing):
            os.close(end)


def gate_is_open(folder: Path) -> bool:
    with (folder / ".rapport-store/gate").open("a") as gate:
        try:
            fcntl.flock(gate, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def write_pairs(folder: Path, told: int) -> None:
    """Commit pairs of files for ever, telling each revision through a pipe once it is safe."""
    store = LocalStore(folder)
    start = int(store.read("left")) if store.list() else 0
    for n in range(start + 1, 1_000_000):
        content = str(n).encode()
        operations: list[Operation] = [Write("left", content), Write("right", content), Write(f"runs/{n}/new", content)]
        operations += [Delete(f"runs/{n - 3}/new")]
        os.write(told, store.commit(operations, "pair").encode() + b"\n")


@pytest.mark.parametrize("seed", range(5))
def test_a_writer_killed_at_a_random_moment_leaves_whole_commits(folder: Path, seed: int) -> None:
    moments = random.Random(seed)
    for _ in range(10):
        reading, writing = os.pipe()
        child = in_child(lambda told=writing: write_pairs(folder, told))  # type: ignore[misc]
        os.close(writing)
        with os.fdopen(reading) as lines:
            told = [lines.readline()]
            time.sleep(moments.uniform(0, 0.02))
            os.kill(child, signal.SIGKILL)
            assert ended(child) == -signal.SIGKILL
            told += lines.readlines()
        store = assert_sound(folder)
        left = int(store.read("left"))
        assert store.read("right") == str(left).encode()
        assert sorted(store.list("runs")) == sorted(f"runs/{n}/new" for n in range(max(1, left - 2), left + 1))
        kept = {info.revision for info in store.history(limit=1_000_000)}
        assert {line.strip() for line in told if line.strip()} <= kept


def test_a_writer_killed_at_any_disk_call_has_committed_all_or_nothing(tmp_path: Path) -> None:
    outcomes: list[dict[str, bytes]] = []
    for nth in range(1, 1000):
        folder = tmp_path / str(nth)
        store = filled(folder)
        if not killed_before_call(nth, lambda store=store: store.commit(OPERATIONS, "perhaps")):  # type: ignore[misc]
            break
        outcomes.append(everything(assert_sound(folder)))
        assert not (folder / "files/new").exists() or outcomes[-1] == AFTER
        assert_sound(folder).commit(OPERATIONS, "sent again")
        assert everything(assert_sound(folder)) == AFTER
    # Nothing up to the commit point, everything from there on.
    assert [outcome == AFTER for outcome in outcomes] == sorted(outcome == AFTER for outcome in outcomes)
    assert BEFORE in outcomes
    assert AFTER in outcomes
    assert len(outcomes) > 30


def killed_before_moving(file: str, folder: Path) -> Path:
    """Fill a store and kill a writer after its commit point, just before it moves a file to its place."""
    store = filled(folder)

    def kill(call: str, arguments: tuple[Any, ...]) -> None:
        if call == "rename" and Path(arguments[1]) == folder / "files" / file:
            os.kill(os.getpid(), signal.SIGKILL)

    def commit() -> None:
        with watched(kill):
            store.commit(OPERATIONS, "half")

    assert ended(in_child(commit)) == -signal.SIGKILL
    assert (folder / ".rapport-store/commit/manifest.json").exists()
    return folder


@pytest.fixture
def half_applied(tmp_path: Path) -> Path:
    """A store whose writer was killed after its commit point, before it had moved the first file."""
    return killed_before_moving("new/a", tmp_path / "half")


def test_a_recovery_killed_at_any_disk_call_is_completed_by_the_next(half_applied: Path, tmp_path: Path) -> None:
    for nth in range(1, 1000):
        folder = shutil.copytree(half_applied, tmp_path / str(nth))
        if not killed_before_call(nth, lambda folder=folder: LocalStore(folder)):  # type: ignore[misc]
            break
        assert everything(assert_sound(folder)) == AFTER
    assert nth > 15


@pytest.mark.parametrize("look", [LocalStore.head, LocalStore.list, LocalStore.history, lambda s: s.read("kept/b")])
def test_a_store_opened_earlier_completes_the_commit_on_its_first_look(
    half_applied: Path, tmp_path: Path, look: Callable[[LocalStore], object]
) -> None:
    folder = tmp_path / "opened"
    store = LocalStore(folder)
    shutil.rmtree(folder)
    half_applied.rename(folder)
    look(store)
    assert (folder / "files/new/a").read_bytes() == b"new"
    assert everything(store) == AFTER


def test_a_file_that_a_stranger_changed_in_the_middle_of_a_commit_is_named(tmp_path: Path) -> None:
    folder = killed_before_moving("kept/b", tmp_path / "half")
    (folder / "files/new/a").write_bytes(b"changed by hand")
    with pytest.raises(StoreCorrupt) as caught:
        LocalStore(folder)
    assert caught.value.file == str(folder / "files/new/a")
    (folder / "files/new/a").write_bytes(b"new")
    assert everything(assert_sound(folder)) == AFTER


def test_nothing_counts_before_it_is_durable(folder: Path) -> None:
    """A power cut cannot be played here; the order of the calls it depends on can be looked at."""
    store = filled(folder)
    events: list[tuple[str, str]] = []

    def note(call: str, arguments: tuple[Any, ...]) -> None:
        if call == "fsync":
            events.append(("sync", os.readlink(f"/proc/self/fd/{arguments[0]}").removeprefix(f"{folder.resolve()}/")))
        elif call in ("rename", "unlink"):
            events.append((call, os.fspath(arguments[0]).removeprefix(f"{folder}/")))

    with watched(note):
        store.commit(OPERATIONS, "ordered")
    hidden = ".rapport-store"
    seal = events.index(("rename", f"{hidden}/staged"))
    sealed = events.index(("sync", hidden))
    first = events.index(("rename", f"{hidden}/commit/contents/0"))
    head = events.index(("rename", f"{hidden}/commit/HEAD"))
    finish = events.index(("unlink", f"{hidden}/commit/manifest.json"))
    staged = [f"staged/{name}" for name in ("contents/0", "contents/1", "contents", "HEAD", "manifest.json")]
    synced = {path for call, path in events[:seal] if call == "sync"}
    assert synced >= {f"{hidden}/{name}" for name in [*staged, "staged", "log.jsonl"]} | {"files"}
    assert seal < sealed < first < head < finish
    assert {path for call, path in events[first:head] if call == "sync"} == {"files", "files/new", "files/kept"}
    assert ("sync", hidden) in events[head:finish]
