"""Which submissions are of which model: the ledger lists them by time alone, so the newest are looked through.

What a submission is of never changes, so each is read once. How many are looked at, at once and in all, is bounded; how
many were is told with whatever is found.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.views import SubmissionView

MOST_LOOKED_AT = 5_000
"""The newest submissions that are looked through."""
_AT_ONCE = 1_000
"""How many of them are read at a time; whoever asks next goes on."""
SHOWN = 20
"""Submissions of one model that are shown."""


class OfModel(NamedTuple):
    """The submissions of one model, as far as they were looked for."""

    views: tuple[SubmissionView, ...]
    """The newest first, `SHOWN` at most."""
    found: int
    looked_at: int
    """The site's newest submissions, of whichever model, among which it was looked."""
    total: int | None
    """All submissions of the site; None if nobody can say."""
    problem: str
    """Why they cannot be told, as a sentence; empty if they can."""


class ByModel(NamedTuple):
    """The submissions that were looked at."""

    ids: Mapping[str, Sequence[str]]
    """By model, the newest first."""
    looked_at: int
    total: int


class HandedIn:
    """Knows of which models the newest submissions are; safe to ask from several threads."""

    def __init__(self, most: int = MOST_LOOKED_AT, at_once: int = _AT_ONCE) -> None:
        """Looks through so many in all, and reads so many of them at a time."""
        self._most, self._at_once = most, at_once
        self._lock = threading.Lock()
        self._models: dict[str, str] = {}

    def renewed(self, ledger: Ledger) -> ByModel:
        """Returns what is known once the next ones have been read, those first that are new.

        Raises:
            RedisError: If Redis does not answer.
            RapportError: `data_error` naming a submission that cannot be read.
        """
        with self._lock:  # Whoever waits here finds what the first one read.
            newest, total = ledger.newest(self._most), ledger.count()
            unknown = [name for name in newest if name not in self._models][: self._at_once]
            known = self._models | ledger.models(unknown)
            self._models = {name: known[name] for name in newest if name in known}
            found: dict[str, list[str]] = {}
            for name, model in self._models.items():
                found.setdefault(model, []).append(name)
            return ByModel(found, len(self._models), max(total, len(self._models)))
