"""A history that is being forgotten while its writer is killed: all of it is gone, or none."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from leaderboard.store import Delete, LocalStore, Write
from tests.store.test_local_store_crashes import (
    BEFORE,
    assert_sound,
    ended,
    everything,
    filled,
    in_child,
    killed_before_call,
    watched,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


def test_a_squash_killed_at_any_disk_call_has_forgotten_all_or_nothing(tmp_path: Path) -> None:
    outcomes: list[list[str]] = []
    for nth in range(1, 1000):
        folder = tmp_path / str(nth)
        store = filled(folder)
        store.commit([Delete("gone/c")], "taken down")
        if not killed_before_call(nth, lambda store=store: store.squash("forgotten")):  # type: ignore[misc]
            break
        after = assert_sound(folder)
        assert everything(after) == {"kept/b": b"old"}
        outcomes.append([info.message for info in after.history()])
        assert (b"gone" in (folder / ".rapport-store/log.jsonl").read_bytes()) == (len(outcomes[-1]) == 2)
        after.squash("sent again")
        assert [info.paths for info in assert_sound(folder).history()] == [("kept/b",)]
    # Nothing up to the commit point, everything from there on.
    assert outcomes == sorted(outcomes, key=len, reverse=True)
    assert {tuple(outcome) for outcome in outcomes} == {("taken down", "before"), ("forgotten",)}
    assert len(outcomes) > 15


def test_a_recovery_of_a_squash_killed_at_any_disk_call_is_completed_by_the_next(tmp_path: Path) -> None:
    half = tmp_path / "half"
    store = filled(half)

    def kill(call: str, arguments: tuple[Any, ...]) -> None:
        if call == "rename" and Path(arguments[1]).name == "log.jsonl":
            os.kill(os.getpid(), signal.SIGKILL)

    def squash() -> None:
        with watched(kill):
            store.squash("forgotten")

    assert ended(in_child(squash)) == -signal.SIGKILL
    opened_earlier = LocalStore(shutil.copytree(half, tmp_path / "earlier"))
    assert [info.message for info in opened_earlier.history()] == ["forgotten"]
    for nth in range(1, 1000):
        folder = shutil.copytree(half, tmp_path / str(nth))
        if not killed_before_call(nth, lambda folder=folder: LocalStore(folder)):  # type: ignore[misc]
            break
        recovered = assert_sound(folder)
        assert ([info.message for info in recovered.history()], everything(recovered)) == (["forgotten"], BEFORE)
    assert nth > 10


def test_readers_never_see_half_a_squash(folder: Path) -> None:
    store = filled(folder)

    def squash() -> None:
        writer = LocalStore(folder)
        for number in range(60):
            writer.commit([Write("kept/b", str(number).encode())], "commit")
            writer.squash("squash")

    child = in_child(squash)
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        messages = [info.message for info in store.history()]
        assert messages in (["before"], ["commit", "before"], ["squash"], ["commit", "squash"])
        assert store.read("gone/c") == b"old"
    assert [info.message for info in assert_sound(folder).history()] == ["squash"]
