"""Saves the ledger to the store: histories with news, and what follows from them for results."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence

from evaluator.errors import RapportError
from leaderboard.records import AmendmentKind, Scorecard
from leaderboard.store import layout
from leaderboard.store.base import Store, Write
from leaderboard.store.rows import read_record
from leaderboard.submissions import journal
from leaderboard.submissions.entering import covers
from leaderboard.submissions.history import History, amendments_of
from leaderboard.submissions.ledger import Ledger
from worker.shelf import Shelf

log = logging.getLogger("rapport.publisher")

ACTOR = "publisher"
HISTORIES_A_COMMIT = 500


class Saver:
    """Saves every submission with news, now and then, and at once what has ended or was amended.

    Example:
        >>> Saver(ledger, store, commit, shelf, seconds=20).save(at_once=True)  # doctest: +SKIP
    """

    def __init__(
        self,
        ledger: Ledger,
        store: Store,
        commit: Callable[[Sequence[Write], str], None],
        shelf: Shelf,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        tell: Callable[[History], None] = lambda _: None,
    ) -> None:
        """Reads `store`, and writes to it through `commit`.

        What is saved and has ended is noted by `shelf`, and `tell` is called with it.
        """
        self._ledger, self._store, self._commit, self._shelf = ledger, store, commit, shelf
        self._seconds, self._clock, self._tell = seconds, clock, tell
        self._saved_at = float("-inf")

    def save(self, at_once: bool) -> None:
        """Saves what has news if it is time to, or something is urgent."""
        due = at_once or self._clock() - self._saved_at >= self._seconds or self._ledger.is_urgent()
        if not due or not (unsaved := self._ledger.unsaved()):
            return
        for start in range(0, len(unsaved), HISTORIES_A_COMMIT):
            self._save(unsaved[start : start + HISTORIES_A_COMMIT])
        self._saved_at = self._clock()

    def _save(self, submission_ids: Sequence[str]) -> None:
        """Saves some histories in one commit."""
        histories = journal.readable(self._ledger, submission_ids)
        if going_on := [history for history in histories if history.withdrawn and not history.ended]:
            for history in going_on:
                self._ledger.put_away(history, ACTOR)
            histories = journal.readable(self._ledger, submission_ids)
        for history in histories:
            if not covers(history):  # Whoever withdrew it, or found that it is outdated, may have been cut off.
                self._ledger.forget_fingerprints(history.submission)
        if not histories:
            return
        writes = [write for history in histories for write in self._files_of(history)]
        self._commit(writes, f"journal of {len(histories)} submissions")
        for history in histories:
            if history.ended:
                self._tell(history)  # Before it is noted: if this process ends here, all of it is done again.
        self._shelf.note(histories)
        self._ledger.note_saved(histories)

    def _files_of(self, history: History) -> Iterator[Write]:
        """Yields the files that save a history, and the scorecards that a correction changes."""
        yield from journal.files_of(history)
        if amendments_of(history.events, AmendmentKind.CORRECTED):
            yield from self._corrected(history)

    def _corrected(self, history: History) -> Iterator[Write]:
        """Yields the scorecards of a submission that do not tell what is declared by now."""
        begins = tuple(f"{run_id}@" for run_id in history.submission.run_ids())
        for path in self._store.list(layout.scorecards_folder(history.submission.model)):
            if not path.rsplit("/", 1)[1].startswith(begins):
                continue
            try:
                card = read_record(self._store.read(path), Scorecard, path)
            except RapportError as error:
                log.error("not corrected: %s", error)
                continue
            if card.declaration != history.declaration:
                card = card.model_copy(update={"declaration": history.declaration})
                yield Write(path, card.model_dump_json().encode())
