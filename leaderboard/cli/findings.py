"""What `rapport doctor` finds."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


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
