"""Saves the ledger to the store: histories with news, and what follows from them for results."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator

from evaluator.errors import RapportError
from leaderboard.records import AmendmentKind
from leaderboard.results import Scorecard
from leaderboard.store import layout
from leaderboard.store.base import Operation, Store, Write
from leaderboard.store.rows import read_record
from leaderboard.submissions import journal
from leaderboard.submissions.entering import uncovered
from leaderboard.submissions.history import History, amendments_of
from leaderboard.submissions.ledger import Ledger
from worker.parts import Part
from worker.shelf import Shelf

log = logging.getLogger("rapport.publisher")

ACTOR = "publisher"
FILES_OF_THE_JOURNAL = 60
"""Of a commit's files about as many may be histories and what changes with them."""


class Saver:
    """Gathers submissions with news, now and then, and at once what has ended or was amended.

    Example:
        >>> part = Saver(ledger, store, shelf, seconds=20).gather(at_once=True)  # doctest: +SKIP
    """

    def __init__(
        self,
        ledger: Ledger,
        store: Store,
        shelf: Shelf,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        tell: Callable[[History], None] = lambda _: None,
    ) -> None:
        """Reads `store`. What is saved and has ended is noted by `shelf`, and `tell` is called with it."""
        self._ledger, self._store, self._shelf = ledger, store, shelf
        self._seconds, self._clock, self._tell = seconds, clock, tell
        self._saved_at = float("-inf")
        self._last = ""
        """The last submission that was saved: the next ones come first, so that none waits for ever."""

    def gather(self, *, at_once: bool) -> Part | None:
        """Returns what has news if it is time to save, or something is urgent; None if there is nothing."""
        due = at_once or self._clock() - self._saved_at >= self._seconds or self._ledger.is_urgent()
        if not due or not (unsaved := self._ledger.unsaved()):
            return None
        turn = sorted(unsaved, key=lambda name: (name <= self._last, name))[:FILES_OF_THE_JOURNAL]
        histories, operations = list[History](), list[Operation]()
        for history in self._readable(turn):
            if sum(isinstance(each, Write) for each in operations) >= FILES_OF_THE_JOURNAL:
                turn = turn[: turn.index(history.submission.id)]
                break
            histories.append(history)
            operations += self._files_of(history)
        whole = len(turn) == len(unsaved)
        if not histories:
            self._note(histories, whole=whole)
            return None
        self._last = turn[-1]
        words = f"journal of {len(histories)} submissions"
        return Part(words, tuple(operations), lambda: self._note(histories, whole=whole))

    def _readable(self, submission_ids: list[str]) -> list[History]:
        """Reads histories, after stopping what was withdrawn."""
        histories = journal.readable(self._ledger, submission_ids)
        if going_on := [history for history in histories if history.withdrawn and not history.ended]:
            for history in going_on:
                self._ledger.put_away(history, ACTOR)
            histories = journal.readable(self._ledger, submission_ids)
        for history in histories:
            if over := uncovered(history):  # Whoever withdrew it, or found that it is outdated, may have been cut off.
                self._ledger.forget_fingerprints(history.submission, over)
        return histories

    def _note(self, histories: list[History], *, whole: bool) -> None:
        """Notes what the store holds; until all is there, the rest is saved as soon as the store takes it."""
        for history in histories:
            if history.ended:
                self._tell(history)  # Before it is noted: if this process ends here, all of it is done again.
        self._shelf.note(histories)
        self._ledger.note_saved(histories)
        self._saved_at = self._clock() if whole else float("-inf")

    def _files_of(self, history: History) -> Iterator[Operation]:
        """Yields what saves a history, and the scorecards that a correction changes."""
        yield from journal.files_of(history)
        if amendments_of(history.events, AmendmentKind.CORRECTED):
            yield from self._corrected(history)

    def _corrected(self, history: History) -> Iterator[Write]:
        """Yields the scorecards of a submission that do not tell what is declared by now, wherever they lie."""
        begins = tuple(f"{run_id}@" for run_id in history.submission.run_ids())
        folders = layout.scorecards_folders(history.submission.model)
        for path in (path for folder in folders for path in self._store.list(folder)):
            if not (path.rsplit("/", 1)[1].startswith(begins) and path.endswith(".json")):
                continue
            try:
                card = read_record(self._store.read(path), Scorecard, path)
            except RapportError as error:
                log.error("not corrected: %s", error)
                continue
            if card.declaration != history.declaration:
                card = card.model_copy(update={"declaration": history.declaration})
                yield Write(path, card.model_dump_json().encode())
