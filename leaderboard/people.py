"""Who acts: as the server knows them, never as a request says."""

from __future__ import annotations

from typing import NamedTuple


class Person(NamedTuple):
    """Somebody who submits, cancels, corrects or maintains.

    Example:
        >>> Person("alice").maintainer
        False
    """

    name: str
    """Name on the Hub, `maintainer` on the command line, or that of the marked local user."""
    maintainer: bool = False
    """Whether the leaderboard's own people count this one among them."""
