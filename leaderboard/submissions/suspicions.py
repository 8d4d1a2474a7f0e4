"""What a program finds odd about a run's answers, as it is added to the submission: once per run."""

from __future__ import annotations

from leaderboard.records import AmendmentKind
from leaderboard.submissions.history import amendments_of
from leaderboard.submissions.ledger import Ledger, MovedMeanwhile


def note_suspicion(ledger: Ledger, submission_id: str, run_id: str, text: str, actor: str = "publisher") -> bool:
    """Adds to a submission that the answers of one of its runs look odd; a maintainer decides what follows.

    What was said of a run once is never said again, whatever was decided about it; nor is anything of a submission that
    was withdrawn.

    Args:
        ledger: Where it is noted.
        submission_id: The submission.
        run_id: One of its runs.
        text: What was found and how, in plain words with its figures; 1 to 1000 characters.
        actor: Which program found it.

    Returns:
        Whether it was added.

    Raises:
        KeyError: If there is no such submission.
        ValueError: If the run is not one of the submission's, or the text is missing or too long.

    Example:
        >>> note_suspicion(ledger, "s-20260101-0a1b2c3d", "s-20260101-0a1b2c3d.demo-v1", told)  # doctest: +SKIP
        True
    """
    while True:
        history = ledger.history(submission_id)
        if run_id not in history.submission.run_ids():
            raise ValueError(f"{run_id} is no run of {submission_id}")
        said = {each.about for each in amendments_of(history.events, AmendmentKind.SUSPECTED)}
        if history.withdrawn or run_id in said:
            return False
        try:
            ledger.amend(history, AmendmentKind.SUSPECTED, actor, text, about=run_id)
        except MovedMeanwhile:  # Somebody did something: maybe the same.
            continue
        return True
