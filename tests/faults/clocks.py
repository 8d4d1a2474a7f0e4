"""Clocks that jump: a process reads its own through Debian's libfaketime, out of a file that we write."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

_FOLDER = Path("/usr/lib")
_NAME = "faketime/libfaketimeMT.so.1"


def library() -> Path | None:
    """Returns the library that stands between a process and its clock; None where it is not installed."""
    return next(iter(sorted(_FOLDER.glob(f"*/{_NAME}"))), None)


class Clock:
    """The wall clock of one role; how long something takes is told right, as on a real machine."""

    def __init__(self, file: Path) -> None:
        self._file, self._ahead = file, 0
        self.jump(0)

    def environment(self) -> Mapping[str, str]:
        """What a process needs to read this clock."""
        found = library()
        assert found, "libfaketime is not installed"
        return {
            "LD_PRELOAD": str(found),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def jump(self, seconds: int) -> None:
        """Puts the clock forwards or back, for good."""
        self._ahead += seconds
        told = self._file.with_suffix(".new")
        told.write_text(f"{self._ahead:+d}\n")
        os.replace(told, self._file)
