"""The reserve that is given up on a full disk: real disk, made once there is room for twice as much."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest
from redis.exceptions import ResponseError

from leaderboard.store.base import StoreFull
from worker.disk import RESERVE_BYTES, give_up_reserve, keep_reserve


@pytest.fixture
def reserve(tmp_path: Path) -> Path:
    return tmp_path / "data" / ".reserve"


def test_a_reserve_takes_up_real_disk_and_is_made_once(reserve: Path) -> None:
    assert keep_reserve(reserve)
    made = reserve.stat()

    assert made.st_size == RESERVE_BYTES
    assert made.st_blocks * 512 >= RESERVE_BYTES
    assert keep_reserve(reserve)
    assert reserve.stat().st_ino == made.st_ino
    assert [path.name for path in reserve.parent.iterdir()] == [".reserve"]


def test_what_was_cut_short_when_it_was_made_is_no_reserve(reserve: Path) -> None:
    reserve.parent.mkdir()
    (reserve.parent / ".reserve.new").write_bytes(b"cut short")

    assert keep_reserve(reserve, size=8192)
    assert reserve.stat().st_size == 8192


@pytest.mark.parametrize(("free", "made"), [(2 * 4096 - 1, False), (2 * 4096, True)])
def test_what_was_given_up_is_not_taken_back_before_there_is_room_for_more(
    reserve: Path, free: int, made: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = shutil.disk_usage(reserve.parent.parent)._replace(free=free)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: found)

    assert keep_reserve(reserve, size=4096) is made
    assert reserve.exists() is made


def test_room_that_a_quota_does_not_give_leaves_nothing_behind(reserve: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: int) -> None:
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    monkeypatch.setattr(os, "posix_fallocate", refuse)

    assert not keep_reserve(reserve)
    assert list(reserve.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (StoreFull("store"), True),
        (ResponseError("MISCONF Errors writing to the AOF file: No space left on device"), True),
        (ConnectionError("refused"), False),
    ],
)
def test_it_is_given_up_for_a_full_disk_alone(reserve: Path, error: Exception, full: bool) -> None:
    assert keep_reserve(reserve, size=4096)

    assert give_up_reserve(error, reserve) is full
    assert reserve.exists() is not full
