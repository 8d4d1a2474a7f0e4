"""What a page shows right now, read from the ledger while Redis answers and from the store when it does not.

Results stay readable whatever happens to Redis, so nothing here raises: what could not be read is said in a sentence.
"""

from __future__ import annotations

import datetime
import logging
import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from redis.exceptions import RedisError

from evaluator.errors import RapportError
from evaluator.facts import ModelFacts
from leaderboard.board.build import Board, BoardRow
from leaderboard.board.changes import NO_CHANGES, Changes
from leaderboard.board.judges import JudgeBoard
from leaderboard.board.snapshot import ChangesSnapshot, JudgeSnapshot, Snapshot
from leaderboard.fleet import Announcement
from leaderboard.maintaining.state import paused_words
from leaderboard.open_data import layout
from leaderboard.open_data.files import decode_request
from leaderboard.open_data.views import history_of
from leaderboard.pages.handed_in import SHOWN, HandedIn, OfModel
from leaderboard.pages.recent import Recent
from leaderboard.records import Declaration
from leaderboard.results import HumanScorecard, Provenance
from leaderboard.store.base import Condition, NotFound, Revision, Store, StoreError
from leaderboard.submissions.history import History
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.outlook import Outlook
from leaderboard.submissions.views import Progress, RunView, SubmissionView, steps_of

log = logging.getLogger("rapport.pages")

PAGE_LENGTH = 50
_SECONDS = 1.0
_SUBMISSION_ID = re.compile(r"s-[0-9]{8}-[0-9a-f]{8}")
_NO_REDIS = "Submissions are closed: this site has no Redis. Results stay readable."
_UNPLANNED = Progress(generations=0, items=None, verdicts=0, verdicts_wanted=None)

Value = TypeVar("Value")


class Listing(NamedTuple):
    """One page of the list of all submissions, newest first."""

    views: tuple[SubmissionView, ...]
    number: int
    """Which page, from 1."""
    last: int
    """How many pages there are, at least 1."""
    total: int | None
    """Submissions on all pages; None if nobody can say."""
    problems: tuple[str, ...]
    outlooks: Mapping[str, Outlook] = {}
    """Of each run on the page that has not ended, by id."""
    fleet: tuple[Announcement, ...] | None = None
    """The workers that are alive; None if nobody can say."""


class About(NamedTuple):
    """What is known of a submission apart from its history."""

    id: str
    model: str
    revision: str
    submitter: str
    declaration: Declaration
    submitted: datetime.datetime | None
    """When it was handed in; None where only its scorecard is left to tell of it."""
    facts: ModelFacts | None = None
    """What was known of the model then; None of a reference, and where only its scorecard is left."""


class Found(NamedTuple):
    """One submission, as far as it is known."""

    about: About | None
    """None if nobody knows it."""
    view: SubmissionView | None
    rows: tuple[BoardRow, ...]
    problems: tuple[str, ...]
    sure: bool = True
    """Whether all that could know of it was asked; if not, it may well be there."""
    outlooks: Mapping[str, Outlook] = {}
    """Of each of its runs that has not ended, by id."""
    logs: Mapping[str, tuple[str, ...]] = {}
    """The last lines that the engines of these have written, by run id."""
    human: tuple[HumanScorecard, ...] = ()
    """Its scorecards of human-grounded tasks."""

    @property
    def active(self) -> tuple[SubmissionView, ...]:
        """The submission as the one entry of a list, which is how pages show them."""
        return () if self.view is None else (self.view,)


class Reader:
    """Reads for pages; each thing once a second at most."""

    def __init__(self, results: Store, requests: Store, ledger: Ledger | None) -> None:
        """Reads, never writes; without a ledger the public data sets are all there is."""
        self._store, self._requests, self._ledger = results, requests, ledger
        self._snapshot, self._judges = Snapshot(results), JudgeSnapshot(results)
        self._changes = ChangesSnapshot(results)
        self._recent, self._handed_in = Recent(_SECONDS), HandedIn()

    @property
    def has_ledger(self) -> bool:
        """Whether there is a ledger at all; it may not answer just now."""
        return self._ledger is not None

    @property
    def stale(self) -> bool:
        """Whether the store is read from a copy, because its home is away."""
        return not self._store.condition().current

    def prepare_board(self, what: Callable[[Board], object]) -> None:
        """Has something done with each board before it is shown, so that no visitor waits for it."""
        self._snapshot.prepare(what)

    def board(self) -> tuple[Board, tuple[str, ...]]:
        """Returns the board, and what is wrong with it."""
        try:
            board = self._snapshot.board()
        except (StoreError, RapportError) as error:
            log.exception("the board could not be built")
            return Board(Revision(""), ()), (f"The board cannot be read right now ({type(error).__name__}).",)
        stale = stale_sentence(self._store.condition())
        if not board.problems:
            return board, stale
        files = "file" if len(board.problems) == 1 else "files"
        return board, (*stale, f"{len(board.problems)} {files} could not be read; the board shows all others.")

    def judges(self) -> tuple[JudgeBoard, tuple[str, ...]]:
        """Returns the board of judges, and what is wrong with it."""
        try:
            judges = self._judges.now()
        except (StoreError, RapportError) as error:
            log.exception("the board of judges could not be built")
            away = f"The board of judges cannot be read right now ({type(error).__name__})."
            return JudgeBoard(Revision(""), (), ()), (away,)
        return judges, (*stale_sentence(self._store.condition()), *judges.problems)

    def changes(self) -> tuple[Changes, tuple[str, ...]]:
        """Returns what changed on the board, and what is wrong with that."""
        try:
            changes = self._changes.now()
        except (StoreError, RapportError) as error:
            log.exception("what changed cannot be read")
            return NO_CHANGES, (f"What changed cannot be read right now ({type(error).__name__}).",)
        return changes, (*stale_sentence(self._store.condition()), *changes.problems)

    def listing(self, number: int = 1) -> Listing:
        """Returns a page of the list of submissions; a number that is too high or low gives the nearest page."""
        wanted = max(1, number)

        def read(ledger: Ledger) -> Listing:
            count = ledger.count()
            last = max(1, -(-count // PAGE_LENGTH))
            page = min(wanted, last)
            views = ledger.views(ledger.newest(PAGE_LENGTH, (page - 1) * PAGE_LENGTH))
            pause = ledger.pause()
            problems = (paused_words(pause),) if pause else ()
            return Listing(tuple(views), page, last, count, problems, ledger.outlooks(views), tuple(ledger.fleet()))

        found, problem = self._ask(("page", wanted), read)
        return found or Listing((), wanted, wanted, None, (problem,))

    def submission(self, submission_id: str) -> Found:
        """Returns what is known of a submission, whatever stood in the address."""
        if not _SUBMISSION_ID.fullmatch(submission_id):
            return Found(None, None, (), ())
        live, problem = self._ask(("view", submission_id), lambda ledger: _live(ledger, submission_id))
        board, problems = self.board()
        rows = tuple(row for row in board.rows if row.submission_id == submission_id)
        human = tuple(card for card in board.human if card.submission_id == submission_id)
        view = live.view if live and live.view else self._journalled(submission_id)
        problems = (*filter(None, [problem]), *problems)
        sure = live is not None or self._ledger is None
        found = Found(_about(view, (*rows, *human)), view, rows, problems, sure, human=human)
        return found._replace(outlooks=live.outlooks, logs=live.logs) if live else found

    def of_model(self, model: str) -> OfModel:
        """Returns the submissions of a model, whether or not they came to a result."""
        found, problem = self._ask(("models",), self._handed_in.renewed)
        if found is None:
            return OfModel((), 0, 0, None, problem)
        ids = found.ids.get(model, ())
        views, problem = self._ask(("of", model), lambda ledger: ledger.views(ids[:SHOWN])) if ids else ([], "")
        return OfModel(tuple(views or ()), len(ids), found.looked_at, found.total, problem)

    def _ask(self, key: Hashable, read: Callable[[Ledger], Value]) -> tuple[Value | None, str]:
        """Reads from the ledger, or says in a sentence why it cannot be read."""
        ledger = self._ledger
        if ledger is None:
            return None, _NO_REDIS
        try:
            return self._recent.get(key, lambda: read(ledger)), ""
        except RedisError as error:
            log.warning("Redis does not answer (%s)", type(error).__name__)
            return None, (
                f"Redis does not answer ({type(error).__name__}). Results stay readable; submissions come back with it."
            )
        except RapportError as error:
            log.error("the ledger cannot be read: %s", error)
            return None, "Submissions cannot be read right now. Results stay readable."

    def _journalled(self, submission_id: str) -> SubmissionView | None:
        """Reads a submission from the public data set, where its last saved state stands."""
        path = layout.request_path(submission_id)
        try:
            view = view_of(history_of(decode_request(self._requests.read(path), path)))
        except NotFound:
            return None
        except (StoreError, RapportError) as error:
            log.error("the journal cannot be read: %s", error)
            return None
        return view if view.runs else None


def stale_sentence(condition: Condition) -> tuple[str, ...]:
    """Says since when a store is read from a copy; nothing where it is read as it is.

    Example:
        >>> since = datetime.datetime(2026, 3, 1, 12, 5, tzinfo=datetime.UTC)
        >>> stale_sentence(Condition(since, "it does not answer"))
        ('The Hub does not answer: results are shown as they were at 12:05 UTC on 1 March 2026.',)
        >>> stale_sentence(Condition())
        ()
    """
    if condition.stale_since is None:
        return ()
    at = condition.stale_since.astimezone(datetime.UTC)
    return (f"The Hub does not answer: results are shown as they were at {at:%H:%M} UTC on {at.day} {at:%B %Y}.",)


class _Live(NamedTuple):
    """What the ledger tells of one submission."""

    view: SubmissionView | None
    outlooks: Mapping[str, Outlook]
    logs: Mapping[str, tuple[str, ...]]


def _live(ledger: Ledger, submission_id: str) -> _Live:
    """Reads all that the ledger knows of a submission."""
    views = ledger.views([submission_id])
    outlooks = ledger.outlooks(views)
    logs = {run_id: lines for run_id in outlooks if (lines := ledger.log(run_id))}
    return _Live(views[0] if views else None, outlooks, logs)


def view_of(history: History) -> SubmissionView:
    """Returns what a history in the store tells; rows that were on their way are not counted in it."""
    runs = []
    for run_id in history.submission.run_ids():
        steps = steps_of(history.events, run_id)
        if steps:
            runs.append(RunView(run_id, steps[-1].after, _UNPLANNED, steps))
    return SubmissionView(history.submission, tuple(runs), saved=True, events=history.events)


def _about(view: SubmissionView | None, rows: Sequence[Provenance]) -> About | None:
    """Takes what is known of a submission from wherever it stands."""
    if view is not None:
        of = view.submission
        return About(of.id, of.model, of.revision, of.submitter, view.declaration, of.created_at, of.facts)
    if rows:
        row = rows[0]
        return About(row.submission_id, row.model, row.revision, row.submitter, row.declaration, None)
    return None
