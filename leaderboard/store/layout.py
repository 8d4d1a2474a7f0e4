"""Where each record lies in the store: the path is derived from identity, so two writers never meet in one file.

Folders stay small: models are spread by owner, submissions by day.
"""

from __future__ import annotations

from leaderboard.records import submission_of

SUBMISSIONS = "submissions"
"""Folder of all histories."""


def submission_path(submission_id: str) -> str:
    """History of one submission: itself with all its events.

    Example:
        >>> submission_path("s-20260101-0a1b2c3d")
        'submissions/202601/01/s-20260101-0a1b2c3d.json'
    """
    day = submission_id.split("-")[1]
    return f"{SUBMISSIONS}/{day[:6]}/{day[6:]}/{submission_id}.json"


def run_folder(run_id: str) -> str:
    """Folder of everything that one run left behind, apart from its scorecard."""
    day = submission_of(run_id).split("-")[1]
    return f"runs/{day[:6]}/{day[6:]}/{run_id}"


def plan_path(run_id: str) -> str:
    """What the run asked."""
    return f"{run_folder(run_id)}/plan.json"


def generations_folder(run_id: str) -> str:
    """Folder of the run's generation rows."""
    return f"{run_folder(run_id)}/generations"


def verdicts_folder(run_id: str) -> str:
    """Folder of the run's verdict rows."""
    return f"{run_folder(run_id)}/verdicts"


def reports_folder(run_id: str) -> str:
    """Folder of what the run's workers measured."""
    return f"{run_folder(run_id)}/reports"


def batch_path(folder: str, batch_id: str) -> str:
    """Rows of one batch in one of these folders."""
    return f"{folder}/{batch_id}.jsonl"


TOMBSTONES = "tombstones"
"""Folder of all withdrawals."""


def tombstone_path(submission_id: str) -> str:
    """The withdrawal of a submission."""
    return f"{TOMBSTONES}/{submission_id}.json"


SCORECARDS = "scorecards"
"""Folder of all scorecards."""


def scorecards_folder(model: str) -> str:
    """Folder of a model's scorecards."""
    return f"{SCORECARDS}/{model}"


def scorecard_path(model: str, scorecard_id: str) -> str:
    """A scorecard, by model.

    Example:
        >>> scorecard_path("org/model", "s-20260101-0a1b2c3d.demo-v1@demo")
        'scorecards/org/model/s-20260101-0a1b2c3d.demo-v1@demo.json'
    """
    return f"{scorecards_folder(model)}/{scorecard_id}.json"


USER_SCORES = "user-scores"
"""Folder of all users' sums."""


def user_scores_path(model: str, scorecard_id: str) -> str:
    """The users' sums behind a scorecard.

    Example:
        >>> user_scores_path("org/model", "s-20260101-0a1b2c3d.demo-v1@demo")
        'user-scores/org/model/s-20260101-0a1b2c3d.demo-v1@demo.json'
    """
    return f"{USER_SCORES}/{model}/{scorecard_id}.json"
