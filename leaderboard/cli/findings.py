"""What `rapport doctor` finds."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Role(StrEnum):
    """What a machine does."""

    ALL = "all"
    WEB = "web"
    WORKER = "worker"
    PUBLISHER = "publisher"
    REAPER = "reaper"


class Mark(StrEnum):
    """How bad a finding is."""

    FINE = "ok"
    NOTE = "note"
    """Works, and may be meant."""
    BROKEN = "BROKEN"


class Finding(NamedTuple):
    """One thing that was looked at.

    Example:
        >>> print(Finding("disk", Mark.NOTE, "1.0 GiB are free.", "Free some.").line())
        note    disk: 1.0 GiB are free. Free some.
    """

    name: str
    mark: Mark
    message: str
    remedy: str = ""

    def named(self, name: str) -> Finding:
        """Returns the same under a name."""
        return self._replace(name=name)

    def line(self) -> str:
        """Returns all of it as one line; what could steer a terminal is left out."""
        line = f"{self.mark:<6}  {self.name}: {' '.join((self.message, self.remedy)).strip()}"
        return "".join(character for character in line if character.isprintable())


def clock_finding(name: str, whose: str, apart: float) -> Finding:
    """Says what is to be thought of a clock that is some seconds away from ours.

    Example:
        >>> clock_finding("clock", "Redis", 0.5).mark, clock_finding("clock", "Redis", -45).message
        (<Mark.FINE: 'ok'>, 'Our clock and that of Redis are 45 s apart.')
    """
    seconds = abs(apart)
    if seconds < _CLOCK_NOTED_SECONDS:
        return Finding(name, Mark.FINE, f"Our clock and that of {whose} agree.")
    mark = Mark.BROKEN if seconds > _CLOCK_BROKEN_SECONDS else Mark.NOTE
    return Finding(name, mark, f"Our clock and that of {whose} are {seconds:.0f} s apart.", "Set both by NTP.")


_CLOCK_NOTED_SECONDS, _CLOCK_BROKEN_SECONDS = 2.0, 30.0
