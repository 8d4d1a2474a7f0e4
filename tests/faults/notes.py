"""What must not be lost from here on: noted while everything stands still, before something is done."""

from __future__ import annotations

from pathlib import Path

from leaderboard.connection import text
from leaderboard.records import State
from leaderboard.store import layout
from leaderboard.submissions import keys
from leaderboard.submissions.states import ENDED
from tests.faults.site import Site

_EVERYTHING = 10**6


class Notes:
    """Notes of one site.

    Attributes:
        saved: Submissions that the page has called saved.
        ended: How each of their runs had ended by then.
        taken_in: For each run, the ids of batches that Redis has taken in.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self.saved: set[str] = set()
        self.ended: dict[str, State] = {}
        self.taken_in: dict[str, set[str]] = {}
        self._marks: dict[str, int] = {}
        """How far each mark of the publisher was raised."""
        self._past: dict[str, int] = {}
        """How far those were raised that stood when something was lost."""

    def take(self) -> None:
        """Notes what is so now, unless Redis has lost something and has not been mended yet."""
        site = self._site
        if not self.sound():
            return
        name, count = self._mark()
        self._marks[name] = count
        unsettled = [name for name in site.ledger.newest(_EVERYTHING) if name not in self.saved or self._open(name)]
        for view in site.ledger.views(unsettled):
            if view.saved:
                self.saved.add(view.submission.id)
                self.ended |= {run.id: run.state for run in view.runs if run.state in ENDED}
            for run in view.runs:
                batches = {text(name) for name in site.redis.hkeys(keys.batches(run.id))}
                self.taken_in.setdefault(run.id, set()).update(batches)

    def memory_lost(self) -> None:
        """Forgets the batches that were in Redis alone: their rows are made once more."""
        self._past = dict(self._marks)
        for run_id, batches in self.taken_in.items():
            batches &= {Path(path).stem for path in self._site.store.list(layout.run_folder(run_id))}

    def sound(self) -> bool:
        """Whether the publisher has compared Redis with the store since it last lost something.

        A mark that is raised further than it stood then is another proof: the copy was no older than the mark.
        """
        name, count = self._mark()
        return bool(name) and count > self._past.get(name, -1)

    def _mark(self) -> tuple[str, int]:
        name, _, count = text(self._site.redis.get(keys.EPOCH) or b"").partition(":")
        return name, int(count or 0)

    def _open(self, submission_id: str) -> bool:
        """Whether a run of a submission was not seen to have ended."""
        return any(f"{submission_id}.{protocol}" not in self.ended for protocol in self._site.settings.protocols)
