"""What follows from a run's rows: the result part of its scorecards, and the users' sums."""

from __future__ import annotations

from typing import NamedTuple

from evaluator.hicupid.scoring import score
from leaderboard.human_scorecards import human_result, protocol_as_run
from leaderboard.records import Lane, Plan
from leaderboard.results import HumanScorecard, Scorecard
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
    result = score(plan.questions, rows.generations, rows.verdicts, rows.made_on)
    counted = card.model_copy(update={"result": result, "rows_sha": rows_sha(rows)})
    return Recounted(counted, make_user_scores(counted, plan, rows))


def recount_human(card: HumanScorecard, plan: Plan, rows: RunRows) -> HumanScorecard | None:
    """Counts the rows behind a scorecard of a human-grounded task anew.

    Args:
        card: The scorecard: all that it says besides its result stays.
        plan: What its run asked, and what people have said of it.
        rows: What came out.

    Returns:
        It as its rows have it; None if nobody can tell any more, since an answer was taken down, or the protocol is no
        longer the one that was run.
    """
    protocol = protocol_as_run(card)
    made_on = all(rows.reports_of(lane) for lane in Lane)
    if protocol is None or not made_on or any(row.taken_down for row in rows.generations):
        return None
    result = human_result(plan, rows, protocol)
    return card.model_copy(update={"result": result, "rows_sha": rows_sha(rows)})
