"""Where each record lies in the store: the path is derived from identity, so two writers never meet in one file.

Folders stay small: models are spread by the digest of their name, submissions by day. Scorecards, users' sums and
tombstones lay elsewhere before that; whoever reads looks there as well, and whoever writes them anew takes them away
from there.
"""

from __future__ import annotations

from evaluator.identity import text_digest
from leaderboard.records import submission_of

SUBMISSIONS = "submissions"
"""Folder of all histories."""


def submission_path(submission_id: str) -> str:
    """History of one submission: itself with all its events.

    Example:
        >>> submission_path("s-20260101-0a1b2c3d")
        'submissions/202601/01/s-20260101-0a1b2c3d.json'
    """
    return f"{SUBMISSIONS}/{_day_of(submission_id)}/{submission_id}.json"


RUNS = "runs"
"""Folder of all runs."""


def run_folder(run_id: str) -> str:
    """Folder of everything that one run left behind, apart from its scorecard."""
    return f"{RUNS}/{_day_of(submission_of(run_id))}/{run_id}"


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


def compact_path(folder: str) -> str:
    """All rows of a compacted run that lay in one of these folders before.

    Example:
        >>> compact_path(generations_folder("s-20260101-0a1b2c3d.demo-v1"))
        'runs/202601/01/s-20260101-0a1b2c3d.demo-v1/generations.parquet'
    """
    return f"{folder}.parquet"


ITEMS = "items"
"""Folder of what compacted runs asked."""


def items_path(items_sha: str) -> str:
    """The items of a plan, shared by all runs that ask the same.

    Example:
        >>> items_path("3f" + "0" * 62)[:14]
        'items/3f/3f000'
    """
    return f"{ITEMS}/{items_sha[:2]}/{items_sha}.parquet"


TOMBSTONES = "tombstones"
"""Folder of all withdrawals."""


def tombstone_path(submission_id: str) -> str:
    """The withdrawal of a submission.

    Example:
        >>> tombstone_path("s-20260101-0a1b2c3d")
        'tombstones/202601/01/s-20260101-0a1b2c3d.json'
    """
    return f"{TOMBSTONES}/{_day_of(submission_id)}/{submission_id}.json"


def old_tombstone_path(submission_id: str) -> str:
    """Where the withdrawal of a submission lay before."""
    return f"{TOMBSTONES}/{submission_id}.json"


def part_of(model: str) -> str:
    """Returns which of 256 parts a model belongs to, so that no folder grows with the number of models.

    Example:
        >>> part_of("org/model")
        'c8'
    """
    return text_digest(model)[:2]


SCORECARDS = "scorecards"
"""Folder of all scorecards."""


def scorecards_folders(model: str) -> tuple[str, str]:
    """Folders of a model's scorecards: where they lie, and where they lay before.

    Example:
        >>> scorecards_folders("org/model")
        ('scorecards/c8/org/model', 'scorecards/org/model')
    """
    return f"{SCORECARDS}/{part_of(model)}/{model}", f"{SCORECARDS}/{model}"


def scorecard_path(model: str, scorecard_id: str) -> str:
    """A scorecard, by model.

    Example:
        >>> scorecard_path("org/model", "s-20260101-0a1b2c3d.demo-v1@demo")
        'scorecards/c8/org/model/s-20260101-0a1b2c3d.demo-v1@demo.json'
    """
    return f"{SCORECARDS}/{part_of(model)}/{model}/{scorecard_id}.json"


def old_scorecard_path(model: str, scorecard_id: str) -> str:
    """Where a scorecard lay before."""
    return f"{SCORECARDS}/{model}/{scorecard_id}.json"


USER_SCORES = "user-scores"
"""Folder of all users' sums."""


def user_scores_path(model: str, scorecard_id: str) -> str:
    """The users' sums behind a scorecard.

    Example:
        >>> user_scores_path("org/model", "s-20260101-0a1b2c3d.demo-v1@demo")
        'user-scores/c8/org/model/s-20260101-0a1b2c3d.demo-v1@demo.json'
    """
    return f"{USER_SCORES}/{part_of(model)}/{model}/{scorecard_id}.json"


def old_user_scores_path(model: str, scorecard_id: str) -> str:
    """Where the users' sums behind a scorecard lay before."""
    return f"{USER_SCORES}/{model}/{scorecard_id}.json"


HUMAN_SCORECARDS = "human-scorecards"
"""Folder of all scorecards of human-grounded tasks."""


def human_scorecards_folder(model: str) -> str:
    """Folder of a model's scorecards of human-grounded tasks.

    Example:
        >>> human_scorecards_folder("org/model")
        'human-scorecards/c8/org/model'
    """
    return f"{HUMAN_SCORECARDS}/{part_of(model)}/{model}"


def human_scorecard_path(model: str, scorecard_id: str) -> str:
    """A scorecard of a human-grounded task, by model.

    Example:
        >>> human_scorecard_path("org/model", "s-20260101-0a1b2c3d.human-rating-v1@people")
        'human-scorecards/c8/org/model/s-20260101-0a1b2c3d.human-rating-v1@people.json'
    """
    return f"{human_scorecards_folder(model)}/{scorecard_id}.json"


RESCORES = "rescores"
"""Folder of all re-scores."""


def rescore_folder(rescore_id: str) -> str:
    """Folder of one re-score.

    Example:
        >>> rescore_folder("r-20260101-0a1b2c3d")
        'rescores/202601/01/r-20260101-0a1b2c3d'
    """
    return f"{RESCORES}/{_day_of(rescore_id)}/{rescore_id}"


def rescore_path(rescore_id: str) -> str:
    """A re-score with all that happened to it."""
    return f"{rescore_folder(rescore_id)}/rescore.json"


def rescored_cards_folder(rescore_id: str) -> str:
    """Folder of the scorecards that a re-score has come to, before they count."""
    return f"{rescore_folder(rescore_id)}/scorecards"


def rescored_card_path(rescore_id: str, scorecard_id: str) -> str:
    """One of these scorecards.

    Example:
        >>> rescored_card_path("r-20260101-0a1b2c3d", "s-20260101-0a1b2c3d.demo-v1@demo")[-41:]
        '/b0/s-20260101-0a1b2c3d.demo-v1@demo.json'
    """
    return f"{rescored_cards_folder(rescore_id)}/{part_of(scorecard_id)}/{scorecard_id}.json"


def rescored_users_path(rescore_id: str, scorecard_id: str) -> str:
    """The users' sums behind one of these."""
    return f"{rescore_folder(rescore_id)}/user-scores/{part_of(scorecard_id)}/{scorecard_id}.json"


JUDGES = "judges"
"""Folder of what canaries said of judges, and of what is known of them."""
JUDGE_QUALITY = "judges/quality"
"""Folder of what is known of judges."""
LABELLED = "labelled"
"""Folder of labelled verdict files."""


def judge_check_path(name: str) -> str:
    """What canaries said of one version of a judge.

    Example:
        >>> judge_check_path("demo/0a1b2c3d4e5f6071-0a1b2c3d4e5f")
        'judges/demo/0a1b2c3d4e5f6071-0a1b2c3d4e5f.json'
    """
    return f"{JUDGES}/{name}.json"


def judge_quality_path(name: str) -> str:
    """What is known of one version of a judge.

    Example:
        >>> judge_quality_path("demo/0a1b2c3d4e5f6071")
        'judges/quality/demo/0a1b2c3d4e5f6071.json'
    """
    return f"{JUDGE_QUALITY}/{name}.json"


def labelled_set_path(name: str) -> str:
    """Terms of a labelled verdict file.

    Example:
        >>> labelled_set_path("seven-nurses")
        'labelled/seven-nurses/set.json'
    """
    return f"{LABELLED}/{name}/set.json"


def labelled_rows_path(name: str) -> str:
    """Its labels.

    Example:
        >>> labelled_rows_path("seven-nurses")
        'labelled/seven-nurses/labels.parquet'
    """
    return f"{LABELLED}/{name}/labels.parquet"


PROMOTIONS = "promotions.json"
"""Which judges were promoted, and when."""


ACTS = "acts"
"""Folder of the log of what maintainers did."""


def acts_path(first: int, last: int) -> str:
    """Some entries of that log, by the sequence numbers of the first and the last.

    Example:
        >>> acts_path(1, 20)
        'acts/00000001-00000020.jsonl'
    """
    return f"{ACTS}/{first:08d}-{last:08d}.jsonl"


PEOPLE = "people"
"""Folder of all that people do on the labelling page."""


def person_folder(annotator: str) -> str:
    """Folder of what one person did there.

    Example:
        >>> person_folder("annotator-0a1b2c3d")
        'people/7a/annotator-0a1b2c3d'
    """
    return f"{PEOPLE}/{part_of(annotator)}/{annotator}"


def person_path(annotator: str, part: int) -> str:
    """Some hundred of a person's events; parts count from 0.

    Example:
        >>> person_path("annotator-0a1b2c3d", 3)
        'people/7a/annotator-0a1b2c3d/000003.jsonl'
    """
    return f"{person_folder(annotator)}/{part:06d}.jsonl"


def _day_of(submission_id: str) -> str:
    """Folders of the day on which something was submitted."""
    day = submission_id.split("-")[1]
    return f"{day[:6]}/{day[6:]}"


OBJECTIONS = "objections"
"""Folder of all objections of readers."""


def objection_path(objection_id: str) -> str:
    """An objection with what was said to it.

    Example:
        >>> objection_path("o-0a1b2c3d4e5f60718293a4b5")
        'objections/0a/o-0a1b2c3d4e5f60718293a4b5.json'
    """
    return f"{OBJECTIONS}/{objection_id[2:4]}/{objection_id}.json"
