"""Copies between stores: whole, gone on with after an interruption, and never over something else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evaluator.errors import Cause, RapportError
from leaderboard.cli.store import backup, create, restore
from leaderboard.settings import Settings
from leaderboard.store import Delete, LocalStore, Store, StoreFull, StoreGone, Write
from leaderboard.store.copying import MOST_BYTES, MOST_FILES, Copied, Progress, copy_store
from leaderboard.store.hub_budget import Bucket, Budget
from leaderboard.store.open import Stores, open_stores, settings_at
from tests.hub_server import Hold, LocalHub
from tests.store.conftest import WRITER, OpenHub, boundless
from tests.store.test_hub_store_writing import commits_answered
from tests.waiting import until

ROWS = {f"runs/{n % 7}/{n:03}.jsonl": f"row {n}".encode() for n in range(230)}
LARGE = {"runs/0/generations.parquet": b"PAR1" * 1000}
NAME = "hub://org/site-archive"


def fill(store: Store, contents: dict[str, bytes] = ROWS) -> Store:
    store.commit([Write(path, content) for path, content in contents.items()], "rows")
    return store


def everything(store: Store) -> dict[str, bytes]:
    return store.read_all(store.list())


@pytest.fixture
def local(tmp_path: Path) -> Callable[[str], LocalStore]:
    return lambda name: LocalStore(tmp_path / name)


OpenLocal = Callable[[str], LocalStore]


def test_a_folder_is_copied_to_the_hub_and_back(hub: LocalHub, open_hub: OpenHub, local: OpenLocal) -> None:
    source, there, back = fill(local("source"), ROWS | LARGE), open_hub(), local("back")
    sent = sum(map(len, (ROWS | LARGE).values()))
    assert copy_store(source, there, "a folder") == Copied(231, 231, 0, sent)
    assert len(commits_answered(hub)) == 3
    assert there.history(1)[0].message == f"copy of a folder at {source.head()}"
    assert copy_store(open_hub(), back, NAME) == Copied(231, 231, 0, sent)
    assert everything(back) == ROWS | LARGE


def test_a_commit_has_no_more_than_the_hub_takes(open_hub: OpenHub, local: OpenLocal) -> None:
    big = {f"{n}.bin": bytes([n]) * (MOST_BYTES // 2) for n in range(4)} | {"huge.bin": b"x" * (MOST_BYTES + 1)}
    target = local("target")
    copy_store(fill(local("source"), big | ROWS), target, "a folder")
    sizes = [[len(target.read(path)) for path in info.paths] for info in target.history()]
    assert all(len(size) <= MOST_FILES for size in sizes)
    assert all(sum(size) <= MOST_BYTES or len(size) == 1 for size in sizes)
    assert len(sizes) == 6


def test_a_second_copy_sends_what_changed_and_deletes_what_is_gone(
    hub: LocalHub, open_hub: OpenHub, local: OpenLocal
) -> None:
    source, target = fill(local("source")), open_hub()
    copy_store(source, target, "a folder")
    gone = [path for path in ROWS if path.startswith("runs/3/")]
    source.commit([Delete(path) for path in gone], "a folder goes")
    source.commit([Write("runs/3", b"now a file"), Write("runs/4/new/x", b"1"), Delete("runs/0/000.jsonl")], "others")
    copied = copy_store(source, target, "a folder")
    assert copied == Copied(len(source.list()), 2, len(gone) + 1, 11)
    assert everything(open_hub()) == everything(source)
    before = target.head()
    assert copy_store(source, target, "a folder").written == 0
    assert target.head() == before


def test_an_empty_store_is_copied_too(local: OpenLocal) -> None:
    assert copy_store(local("source"), local("target"), "a folder") == Copied(0, 0, 0, 0)


def test_what_is_no_copy_of_the_source_is_not_overwritten_unless_told(local: OpenLocal) -> None:
    source, other = fill(local("source")), fill(local("other"), {"theirs": b"1"})
    copy = local("copy")
    copy_store(source, copy, "a folder")
    for target, name in ((other, "a folder"), (copy, "another folder")):
        held = everything(target)
        with pytest.raises(RapportError, match=f"holds something that is no copy of {name}"):
            copy_store(source, target, name)
        assert everything(target) == held
    copy.commit([Write("written", b"by a publisher")], "a batch (0123456789abcdef:41)")
    with pytest.raises(RapportError, match="no copy of a folder"):
        copy_store(source, copy, "a folder")
    copy_store(source, other, "a folder", replace=True)
    assert everything(other) == ROWS


class Stopping(LocalStore):
    """A store whose disk is full after so many commits."""

    def __init__(self, folder: Path, commits: int) -> None:
        super().__init__(folder)
        self.left = commits

    def commit(self, *arguments: Any, **options: Any) -> Any:
        if not self.left:
            raise StoreFull("here")
        self.left -= 1
        return super().commit(*arguments, **options)


def test_an_interrupted_copy_goes_on_and_is_taken_for_a_whole_one_only_then(tmp_path: Path, local: OpenLocal) -> None:
    source, target = fill(local("source")), local("target")
    with pytest.raises(StoreFull):
        copy_store(source, Stopping(tmp_path / "target", 2), "a folder")
    assert len(target.list()) == 200
    with pytest.raises(RapportError, match="unfinished copy") as caught:
        copy_store(target, local("third"), "a copy")
    assert "goes on where it stopped" in caught.value.remedy
    assert copy_store(source, target, "a folder") == Copied(230, 30, 0, sum(len(ROWS[p]) for p in sorted(ROWS)[200:]))
    copy_store(target, local("third"), "a copy")
    assert everything(local("third")) == ROWS


def test_an_unfinished_copy_that_lacks_nothing_any_more_is_said_to_be_whole(tmp_path: Path, local: OpenLocal) -> None:
    source, target = fill(local("source")), local("target")
    with pytest.raises(StoreFull):
        copy_store(source, Stopping(tmp_path / "target", 2), "a folder")
    source.commit([Delete(path) for path in sorted(ROWS)[200:]], "the rest goes")
    copy_store(source, target, "a folder")
    copy_store(target, local("third"), "a copy")
    assert everything(local("third")) == everything(source)


@pytest.mark.parametrize("which", ["source", "target"])
def test_a_publisher_at_work_is_noticed(local: OpenLocal, which: str) -> None:
    source, target = fill(local("source")), local("target")
    disturbed = {"source": source, "target": target}[which]

    def disturb(_: Progress) -> None:
        disturbed.commit([Write("meanwhile", str(len(disturbed.history())).encode())], "a batch")

    with pytest.raises(RapportError, match="changed while it was being copied") as caught:
        copy_store(source, target, "a folder", tell=disturb)
    assert "Stop the publisher" in caught.value.remedy


class Forgetful(LocalStore):
    """A disk that does not keep what it was given."""

    def commit(self, *arguments: Any, **options: Any) -> Any:
        made = super().commit(*arguments, **options)
        (self._files / self.list()[0]).write_bytes(b"rot")
        return made


def test_a_copy_that_is_not_equal_in_the_end_is_told(tmp_path: Path, local: OpenLocal) -> None:
    with pytest.raises(RapportError, match=r"differs from it in 1 files, runs/0/000\.jsonl") as caught:
        copy_store(fill(local("source")), Forgetful(tmp_path / "target"), "a folder")
    assert caught.value.cause is Cause.DATA_ERROR


def test_the_hub_s_limits_are_waited_for_and_told(open_hub: OpenHub, local: OpenLocal) -> None:
    now, told, pauses = [0.0], list[Progress](), list[float]()

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        now[0] += seconds

    slow = Budget(Bucket(size=1, refill=1 / 60), Bucket(1e9, 1.0), lambda: now[0])
    target = open_hub(budget=slow, clock=lambda: now[0])
    copy_store(fill(local("source")), target, "a folder", tell=told.append, pause=pause)
    assert pauses == [60, 60]
    assert [one.waits for one in told if one.waits] == [60, 60]
    assert (told[-1].looked_at, told[-1].files, told[-1].sent) == (230, 230, sum(map(len, ROWS.values())))
    assert [one.looked_at for one in told] == sorted(one.looked_at for one in told)


@pytest.fixture
def site(named_hub: LocalHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A site on this machine with something in all three stores, and a Hub that nothing is on."""
    monkeypatch.setattr("leaderboard.store.hub.PROCESS_CALLS", boundless()._calls)
    monkeypatch.setenv("RAPPORT_DATA", str(tmp_path / "site"))
    settings = Settings()
    for name, store in zip(Stores._fields, open_stores(settings), strict=True):
        fill(store, {f"{name}/{n}": str(n).encode() for n in range(5)})
    return settings


def contents(settings: Settings) -> list[dict[str, bytes]]:
    return [everything(store) for store in open_stores(settings)]


@pytest.mark.parametrize("place", ["hub://org/backup", "folder"])
def test_a_site_is_backed_up_and_made_again_from_that_alone(
    hub: LocalHub,
    site: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    target = place if "hub" in place else str(tmp_path / place)
    backup(target)
    told = capsys.readouterr()
    assert "archive: 5 files, 5 of them sent" in told.out
    assert "publisher" in told.err
    monkeypatch.setenv("RAPPORT_DATA", str(tmp_path / "new"))
    restore(target)
    assert contents(Settings()) == contents(site)
    restore(target)
    open_stores(Settings()).archive.commit([Write("new", b"1")], "a batch of the new site")
    with pytest.raises(RapportError, match="no copy of"):
        restore(target)
    assert (
        hub.repositories.find("dataset", "org/backup-results") is None
        or [
            hub.repositories.find("dataset", f"org/backup-{name}").private  # type: ignore[union-attr]
            for name in Stores._fields
        ]
        == [True] * 3
    )


def test_a_target_with_other_content_keeps_all_three(site: Settings, tmp_path: Path) -> None:
    target = settings_at(Settings(), str(tmp_path / "target"))
    open_stores(target).requests.commit([Write("other", b"1")], "of another site")
    with pytest.raises(RapportError, match=r"no copy of site/requests"):
        backup(str(tmp_path / "target"))
    assert contents(target) == [{}, {}, {"other": b"1"}]
    backup(str(tmp_path / "target"), replace=True)
    assert contents(target) == contents(site)


def test_a_backup_into_a_public_archive_is_refused(hub: LocalHub, site: Settings) -> None:
    hub.repositories.commit("dataset", "org/backup-archive", {".keep": ""})
    with pytest.raises(RapportError, match="PUBLIC"):
        backup("hub://org/backup")
    assert commits_answered(hub) == []


def test_a_place_that_holds_no_archive_is_named_and_not_made(site: Settings, tmp_path: Path, hub: LocalHub) -> None:
    with pytest.raises(RapportError, match="There is no archive at") as caught:
        restore(str(tmp_path / "typo"))
    assert caught.value.cause is Cause.NOT_FOUND
    assert not (tmp_path / "typo").exists()
    with pytest.raises(StoreGone, match="hub://org/typo-archive"):
        restore("hub://org/typo")
    with pytest.raises(RapportError, match="the same"):
        backup(str(tmp_path / "site"))


def test_a_backup_of_the_archive_alone_is_enough(
    site: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup(str(tmp_path / "copy"))
    for name in ("results", "requests"):
        (tmp_path / "copy" / name).rename(tmp_path / name)
    monkeypatch.setenv("RAPPORT_DATA", str(tmp_path / "new"))
    restore(str(tmp_path / "copy"))
    assert contents(Settings()) == [contents(site)[0], {}, {}]
    assert not (tmp_path / "copy/results").exists()


def start(hub: LocalHub, data: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Starts a command of `rapport store` in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("RAPPORT_", "HF_"))}
    environment |= {"HF_ENDPOINT": hub.url, "HF_TOKEN": WRITER, "HF_HUB_DISABLE_XET": "1", "HOME": str(data)}
    environment |= {"RAPPORT_DATA": str(data), "NO_PROXY": "127.0.0.1"}
    command = [sys.executable, "-c", "from leaderboard.cli.store import app; app()", *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(process: subprocess.Popen[bytes]) -> str:
    out, log = process.communicate(timeout=120)
    assert process.returncode == 0, log.decode()
    return out.decode()


def test_a_backup_killed_on_its_way_to_the_hub_goes_on_where_it_stopped(hub: LocalHub, tmp_path: Path) -> None:
    data = tmp_path / "site"
    fill(open_stores(Settings(data=data)).archive)
    gate = threading.Event()
    process = start(hub, data, "backup", "hub://org/backup")
    try:
        until(lambda: 200 in commits_answered(hub), what="the first commit is through", within=120)
        hub.faults.add("POST .*/commit/", Hold(gate))
        until(lambda: hub.faults.waiting() == 0, what="the next commit is on its way", within=120)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        process.communicate()
    finally:
        gate.set()
    until(lambda: len(commits_answered(hub)) >= 2, what="what was on its way has arrived")
    assert "unfinished copy" in failed(start(hub, tmp_path / "new", "restore", "hub://org/backup"))
    told = finish(start(hub, data, "backup", "hub://org/backup"))
    assert "archive: 230 files, 30 of them sent" in told
    finish(start(hub, tmp_path / "new", "restore", "hub://org/backup"))
    assert contents(Settings(data=tmp_path / "new")) == contents(Settings(data=data))


def failed(process: subprocess.Popen[bytes]) -> str:
    _, log = process.communicate(timeout=120)
    assert process.returncode == 1
    return log.decode()


def test_a_restore_killed_while_it_fetches_goes_on_without_fetching_again(
    named_hub: LocalHub, hub: LocalHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPPORT_STORE", "hub://org/site")
    monkeypatch.setenv("RAPPORT_DATA", str(tmp_path / "maker"))
    create()
    fill(open_stores(Settings()).archive)
    gate, new = threading.Event(), tmp_path / "new"
    hub.faults.add("GET .*/resolve/.*/runs/6/", Hold(gate), times=1000)
    process = start(hub, new, "restore", "hub://org/site")
    try:
        until(lambda: (new / "store/files/runs/5").exists() or hub.faults.waiting() < 1000, what="it waits", within=120)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        process.communicate()
    finally:
        hub.faults.clear()
        gate.set()
    kept = {path.name for path in (new / "hub/org/site-archive/contents").glob("*/*")}
    assert len(kept) > 150
    hub.requests.clear()
    finish(start(hub, new, "restore", "hub://org/site"))
    assert len([path for path in hub.asked("GET") if "/resolve/" in path]) == 230 - len(kept)
    assert everything(LocalStore(new / "store")) == ROWS
