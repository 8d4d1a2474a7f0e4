"""Why results came to the board or went: what people decided of their submissions, as the archive knows it."""

from __future__ import annotations

from collections.abc import Sequence

from evaluator.errors import RapportError
from leaderboard.open_data.changes import ChangeReason
from leaderboard.records import AmendmentKind, submission_of
from leaderboard.release.changes import Reasons
from leaderboard.release.pending import ITS_OWN
from leaderboard.store import layout
from leaderboard.store.base import Store
from leaderboard.store.rows import read_record
from leaderboard.submissions.history import History, amendments_of, is_hidden


def decided(archive: Store, gone: Sequence[str], new: Sequence[str]) -> Reasons:
    """Returns what was decided that made scorecards go or come, by id; nothing of those of which that is not known.

    Args:
        archive: Where their submissions' histories lie.
        gone: Scorecards that are no longer on the board.
        new: Scorecards that are on it now.

    Raises:
        StoreError: If the archive as a whole cannot be read.
    """
    histories = {name: _history(archive, name) for name in {submission_of(each) for each in (*gone, *new)}}
    found: dict[str, ChangeReason | None] = {each: _why_gone(histories[submission_of(each)]) for each in gone}
    found |= {each: _why_there(histories[submission_of(each)]) for each in new}
    return {each: reason for each, reason in found.items() if reason}


def _history(archive: Store, submission_id: str) -> History | None:
    """Reads a history; None if nobody can, which the release has told where it matters."""
    path = layout.submission_path(submission_id)
    try:
        return read_record(archive.read(path), History, path)
    except (RapportError, *ITS_OWN):
        return None


def _why_gone(history: History | None) -> ChangeReason | None:
    if history is None:
        return None
    return "withdrawn" if history.withdrawn else "hidden" if is_hidden(history.events) else None


def _why_there(history: History | None) -> ChangeReason | None:
    return "shown" if history and amendments_of(history.events, AmendmentKind.SHOWN) else None
