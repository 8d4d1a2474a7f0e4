"""What else there is of a model: its submissions, all judges' results, its submitter's other models, its ranks."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from typing import Generic, NamedTuple, TypeVar

from evaluator.plurals import several
from leaderboard.board.build import BoardRow
from leaderboard.open_data.changes import OpenChange
from leaderboard.pages.figures import counts, estimate, rate
from leaderboard.pages.model.asked import model_address
from leaderboard.pages.model.index import first_choice
from leaderboard.pages.reader import Reader
from leaderboard.records import State
from leaderboard.results import model_family
from leaderboard.submissions.views import SubmissionView

MOST = 50
"""Rows of a list; how many there are in all is said."""
SUBMISSIONS_READ = 5
"""The newest submissions whose runs are looked at for failures."""


Row = TypeVar("Row")


class Listed(NamedTuple, Generic[Row]):
    """Rows of a list, and how many there are in all."""

    rows: tuple[Row, ...]
    total: int

    @property
    def left_out(self) -> str:
        """Says what is not shown; empty if all is."""
        more = self.total - len(self.rows)
        return f"{len(self.rows):,} of {self.total:,} are shown." if more else ""


class Result(NamedTuple):
    """One scorecard among others of the model."""

    row: BoardRow
    address: str
    here: bool
    """Whether it is the one that the page shows."""
    total: str


class Variant(NamedTuple):
    """Another model that the same person handed in."""

    row: BoardRow
    """The scorecard that its page shows unasked."""
    address: str
    family: str | None
    alike: str
    """What it has in common with this one; empty if nothing is known to be."""


class Move(NamedTuple):
    """One change of the board."""

    at: datetime.datetime
    protocol: str
    judge: str
    what: str
    before: str
    after: str
    beside: str


class Failed(NamedTuple):
    """A run that failed or was stopped, and stayed so."""

    submission_id: str
    protocol: str
    state: str
    cause: str
    message: str
    at: datetime.datetime


class Failures(NamedTuple):
    """What went wrong, as far as it is known."""

    answers: tuple[tuple[str, str], ...]
    """Of the scorecard that is shown, in words."""
    runs: tuple[Failed, ...]
    looked_at: int
    """Submissions whose runs were looked at."""
    unread: int
    """Those of them that cannot be read right now."""


def results_of(rows: Iterable[BoardRow], shown: BoardRow) -> Listed[Result]:
    """Lists all scorecards of a model, those of the submission that is shown first, then the newest.

    Args:
        rows: All of one model, the newest first.
        shown: The one that the page shows.
    """
    every = sorted(rows, key=lambda row: (row.submission_id != shown.submission_id, -row.published_at.timestamp()))
    first = [row for row in every if row is shown]
    chosen = [*first, *(row for row in every if row is not shown)][:MOST]
    told = tuple(
        Result(row, model_address(row.scorecard_id), row is shown, estimate(row.total.value, row.total.interval))
        for row in chosen
    )
    return Listed(told, len(every))


def variants_of(rows: Iterable[BoardRow], shown: BoardRow) -> Listed[Variant]:
    """Lists the other models of a submitter: those that are known to be alike first, then the newest.

    Args:
        rows: All of one submitter, the newest first.
        shown: The scorecard that the page shows.
    """
    by_model: dict[str, list[BoardRow]] = {}
    for row in rows:
        if row.model != shown.model:
            by_model.setdefault(row.model, []).append(row)
    found = [_variant(first_choice(own), shown) for own in by_model.values()]
    found.sort(key=lambda each: not each.alike)
    return Listed(tuple(found[:MOST]), len(found))


def moves_of(changes: Iterable[OpenChange], shown: BoardRow) -> Listed[Move]:
    """Lists how the rank of a scorecard moved, and when another judge came to decide ranks; the newest first.

    Args:
        changes: What is told of the model, in the order in which it happened.
        shown: The scorecard.
    """
    own = [
        each
        for each in changes
        if each.scorecard_id == shown.scorecard_id or (each.kind == "judge" and each.protocol == shown.protocol)
    ]
    newest = sorted(own, key=lambda each: each.at, reverse=True)
    return Listed(tuple(map(_move, newest[:MOST])), len(own))


def failures_of(
    reader: Reader,
    known: Iterable[SubmissionView],
    rows: Iterable[BoardRow],
    shown: BoardRow,
    failed: Sequence[tuple[str, int]],
) -> Failures:
    """Returns what went wrong with a model.

    Args:
        reader: Knows what happened to submissions.
        known: Those of the model that were read already.
        rows: The model's, the newest first.
        shown: The scorecard that the page shows.
        failed: Items of it without an answer, by cause.
    """
    ids = list(dict.fromkeys(row.submission_id for row in rows))[:SUBMISSIONS_READ]
    views = {view.submission.id: view for view in known}
    found = [views.get(each) or reader.submission(each).view for each in ids]
    runs = [
        Failed(
            view.submission.id,
            run.id.split(".", 1)[1],
            str(run.state),
            str(run.failure.cause).replace("_", " "),
            f"{run.failure.message} {run.failure.remedy}",
            run.transitions[-1].at,
        )
        for view in found
        if view is not None
        for run in view.runs
        if run.state in (State.FAILED, State.CANCELLED) and run.failure is not None
    ]
    answers = (
        ("Items without an answer", counts(failed) or "none"),
        ("Answers that lost for a defect", counts(shown.defects) or "none"),
        ("Missing verdicts", counts(shown.missing_because) or "none"),
        ("Evidence that the context showed, %", rate(shown.evidence_recall)),
    )
    return Failures(answers, tuple(runs), len(ids), sum(view is None for view in found))


def _variant(row: BoardRow, shown: BoardRow) -> Variant:
    """Returns another model beside the one that is shown."""
    family, base = model_family(row), row.declaration.base_model
    alike = []
    if base is not None and base in (shown.model, shown.declaration.base_model):
        alike.append("this model is its base" if base == shown.model else "the same base model")
    elif shown.declaration.base_model == row.model:
        alike.append("the base of this model")
    if family is not None and family == model_family(shown):
        alike.append("the same family")
    return Variant(row, model_address(row.scorecard_id), family, ", ".join(alike))


def _move(change: OpenChange) -> Move:
    """Returns one change in words."""
    if change.kind == "judge":
        ranked = f"{several(change.ranked, 'result')} ranked"
        return Move(change.at, change.protocol, change.judge, "decides ranks from then on", "", "", ranked)
    what = {"entered": "came to the board", "moved": "moved"}.get(change.kind, change.kind)
    why = f" ({change.reason.replace('_', ' ')})" if change.reason else ""
    return Move(
        change.at,
        change.protocol,
        change.judge,
        what + why,
        _rank(change.rank_before, change.rank_before_low, change.rank_before_high),
        _rank(change.rank_after, change.rank_after_low, change.rank_after_high),
        f"of {change.ranked:,}",
    )


def _rank(rank: int | None, low: int | None, high: int | None) -> str:
    """Writes a rank with its ends; a dash where there is none.

    Example:
        >>> _rank(3, 2, 4), _rank(None, None, None)
        ('3 (2–4)', '–')
    """
    if rank is None:
        return "–"
    return f"{rank:,}" if low is None or high is None or low == high else f"{rank:,} ({low:,}–{high:,})"
