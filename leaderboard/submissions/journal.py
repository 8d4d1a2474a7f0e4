"""The ledger's copy in the store: what is left if Redis is lost."""

from __future__ import annotations

from typing import Literal

from evaluator.records import Record
from leaderboard.records import Submission, Transition
from leaderboard.store import layout
from leaderboard.store.base import Store, Write
from leaderboard.store.rows import read_record
from leaderboard.submissions.ledger import Ledger


class Entry(Record):
    """One submission with its whole history."""

    schema_version: Literal[1] = 1
    submission: Submission
    transitions: tuple[Transition, ...]

    def write(self) -> Write:
        """Returns the file that saves this entry."""
        return Write(layout.submission_path(self.submission.id), self.model_dump_json().encode())


def entry(ledger: Ledger, submission_id: str) -> Entry:
    """Reads a submission's entry from the ledger."""
    return Entry(submission=ledger.submission(submission_id), transitions=ledger.transitions(submission_id))


def restore(ledger: Ledger, store: Store) -> int:
    """Enters everything into the ledger that the store knows better; returns how many submissions that were."""
    restored = 0
    for path in store.list("submissions"):
        saved = read_record(store.read(path), Entry, path)
        restored += ledger.restore(saved.submission, saved.transitions)
    return restored
