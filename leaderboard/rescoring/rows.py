"""The rows behind a scorecard that a re-score has come to: the answers of the run, and what its judge said of them."""

from __future__ import annotations

from leaderboard.records import Lane
from leaderboard.rescoring.records import judging_id
from leaderboard.scorecards import RunRows
from leaderboard.store.base import Store
from leaderboard.store.runs import StoredRun


def rows_under(store: Store, run: StoredRun, rescore_id: str | None) -> RunRows:
    """Returns the rows of a run with the verdicts of a re-score, or with its own.

    Args:
        store: The archive.
        run: The run.
        rescore_id: The re-score; None for the run's own judge.

    Raises:
        RapportError: `data_error` if something cannot be read.
    """
    own = run.rows()
    if rescore_id is None:
        return own
    judged = StoredRun(store, judging_id(rescore_id, run.run_id)).rows()
    return RunRows(own.generations, judged.verdicts, [*own.reports_of(Lane.GENERATE), *judged.reports_of(Lane.JUDGE)])
