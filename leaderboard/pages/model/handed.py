"""What was handed in of a model and has come to no result: under way, failed, stopped, or taken from the board."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from evaluator.plurals import several
from leaderboard.pages.handed_in import OfModel
from leaderboard.submissions.views import SubmissionView


class Handed(NamedTuple):
    """Submissions beside the results of a model."""

    views: tuple[SubmissionView, ...]
    """The newest first."""
    told: str
    """How they were looked for, as a sentence."""
    problem: str
    """Why they cannot be told, as a sentence; empty if they can."""


def handed_without(found: OfModel, with_result: Collection[str]) -> Handed:
    """Returns the submissions of a model that have no result on the board.

    Args:
        found: All that were found.
        with_result: Ids of the submissions that have one.
    """
    views = tuple(view for view in found.views if view.submission.id not in with_result)
    return Handed(views, _told(found), found.problem)


def _told(found: OfModel) -> str:
    """Says how submissions were looked for.

    Example:
        >>> _told(OfModel((), 0, 7, 7, "")), _told(OfModel((), 30, 500, 12_000, ""))
        ('All 7 submissions of this site were looked through.', \
'The newest 500 of 12,000 submissions of this site were looked through. The model has 30 among them; of these the \
newest 0 were looked at.')
        >>> _told(OfModel((), 0, 0, None, "Redis does not answer."))
        ''
    """
    if found.total is None:
        return ""
    every = several(found.total, "submission")
    whole = found.looked_at >= found.total
    among = f"All {every}" if whole else f"The newest {found.looked_at:,} of {every}"
    most = f" The model has {found.found:,} among them; of these the newest {len(found.views):,} were looked at."
    return f"{among} of this site were looked through.{most if found.found > len(found.views) else ''}"
