"""What follows from a run's rows: the result part of its scorecards and the users' sums."""

from __future__ import annotations

from typing import NamedTuple

from evaluator.hicupid.scoring import score
from leaderboard.records import Lane, Plan, Scorecard
from leaderboard.scorecards import RunRows, UserScores, make_user_scores, rows_sha


class Recounted(NamedTuple):
    """A scorecard as its rows have it, and its users' sums."""

    card: Scorecard
    users: UserScores


def recount(card: Scorecard, plan: Plan, rows: RunRows) -> Recounted | None:
    """Counts the rows behind a scorecard anew; None if they do not say what they were made on.

    Args:
        card: The scorecard: all that it says besides its result stays.
        plan: What its run asked.
        rows: What came out.
    """
    if not all(rows.reports_of(lane) for lane in Lane):
        return None
    result = score(plan.items, rows.generations, rows.verdicts, rows.made_on)
    counted = card.model_copy(update={"result": result, "rows_sha": rows_sha(rows)})
    return Recounted(counted, make_user_scores(counted, plan, rows))
