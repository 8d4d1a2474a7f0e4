"""Where the public files lie: every path follows from identity, and no folder grows with the number of models.

Models are parted by the first two hexadecimal digits of the SHA-256 of their names, submissions by day.
"""

from __future__ import annotations

from evaluator.protocol import PEOPLE
from leaderboard.records import protocol_of
from leaderboard.store import layout as archive
from leaderboard.store.layout import part_of

CARD = "README.md"
"""The data-set card, in each data set."""
BOARD = "board/board.parquet"
"""One row a scorecard."""
CHANGES = "board/changes.parquet"
"""One row a change of the board."""
JUDGES = "judges/judges.parquet"
"""One row a judge."""
JUDGE_QUALITY = "judges/quality.parquet"
"""One row a version of a judge: how far its verdicts can be relied on."""
JUDGE_CHECKS = "judges/checks.parquet"
"""One row a canary that a version of a judge was asked about."""
WITHDRAWN = "withdrawn.jsonl"
"""One line a withdrawn submission."""
SCORECARDS = "scorecards"
"""Folder of whole scorecards."""
USER_SCORES = "user_scores"
"""Folder of users' sums."""
HUMAN_SCORECARDS = "human_scorecards"
"""Folder of scorecards of human-grounded tasks."""
HUMAN_FIGURES = "human_figures"
"""Folder of their figures."""
GENERATIONS = "generations"
"""Folder of answers."""
VERDICTS = "verdicts"
"""Folder of verdicts."""
LABELS = "labels"
"""Folder of people's labels."""
ANNOTATORS = "annotators/annotators.parquet"
"""One row a person who labels."""
HUMAN_RATERS = "human-raters"
"""Stands where the id of a judge does in the paths of people's verdicts; no judge is called so."""
REQUESTS = archive.SUBMISSIONS
"""Folder of all submissions, in the data set of requests."""


def scorecards_path(model: str) -> str:
    """Scorecards of all models of a model's part.

    Example:
        >>> scorecards_path("org/model")
        'scorecards/c8.parquet'
    """
    return f"{SCORECARDS}/{part_of(model)}.parquet"


def user_scores_path(model: str) -> str:
    """Users' sums of all models of a model's part.

    Example:
        >>> user_scores_path("org/model")
        'user_scores/c8.parquet'
    """
    return f"{USER_SCORES}/{part_of(model)}.parquet"


def human_scorecards_path(model: str) -> str:
    """Scorecards of human-grounded tasks, of all models of a model's part.

    Example:
        >>> human_scorecards_path("org/model")
        'human_scorecards/c8.parquet'
    """
    return f"{HUMAN_SCORECARDS}/{part_of(model)}.parquet"


def human_figures_path(model: str) -> str:
    """Their figures, of all models of a model's part.

    Example:
        >>> human_figures_path("org/model")
        'human_figures/c8.parquet'
    """
    return f"{HUMAN_FIGURES}/{part_of(model)}.parquet"


def generations_folder(model: str) -> str:
    """Folder of a model's answers.

    Example:
        >>> generations_folder("org/model")
        'generations/c8/org@model'
    """
    return f"{GENERATIONS}/{part_of(model)}/{_one_name(model)}"


def generations_path(model: str, run_id: str) -> str:
    """Answers of a run.

    Example:
        >>> generations_path("org/model", "s-20260101-0a1b2c3d.demo-v1")
        'generations/c8/org@model/demo-v1/s-20260101-0a1b2c3d.demo-v1.parquet'
    """
    return f"{generations_folder(model)}/{protocol_of(run_id)}/{run_id}.parquet"


def verdicts_folder(judge: str, model: str) -> str:
    """Folder of a judge's verdicts on a model's answers.

    Example:
        >>> verdicts_folder("demo", "org/model")
        'verdicts/demo/c8/org@model'
    """
    return f"{VERDICTS}/{judge}/{part_of(model)}/{_one_name(model)}"


def verdicts_path(judge: str, model: str, run_id: str) -> str:
    """Verdicts of a judge on a run's answers.

    Example:
        >>> verdicts_path("demo", "org/model", "s-20260101-0a1b2c3d.demo-v1")
        'verdicts/demo/c8/org@model/demo-v1/s-20260101-0a1b2c3d.demo-v1.parquet'
    """
    return f"{verdicts_folder(judge, model)}/{protocol_of(run_id)}/{run_id}.parquet"


def row_paths(model: str, run_id: str, judge: str) -> tuple[str, ...]:
    """Answers of a run, and the verdicts of its judge, with what rules found beside them; people give none.

    Example:
        >>> row_paths("org/model", "s-20260101-0a1b2c3d.human-relevance-v1", "people")
        ('generations/c8/org@model/human-relevance-v1/s-20260101-0a1b2c3d.human-relevance-v1.parquet',)
    """
    said = () if judge == PEOPLE else (verdicts_path(judge, model, run_id),)
    return generations_path(model, run_id), *said


def labels_path(data_set: str, stage: str) -> str:
    """People's labels of one stage of a data set.

    Example:
        >>> labels_path("org/set", "relevance")
        'labels/org@set/relevance.parquet'
    """
    return f"{LABELS}/{_one_name(data_set)}/{stage}.parquet"


def request_path(submission_id: str) -> str:
    """A submission, in the data set of requests; it lies where the archive keeps its history.

    Example:
        >>> request_path("s-20260101-0a1b2c3d")
        'submissions/202601/01/s-20260101-0a1b2c3d.json'
    """
    return archive.submission_path(submission_id)


def _one_name(name: str) -> str:
    """Returns `owner/name` as the name of one folder; no name on the Hub holds an `@`."""
    return name.replace("/", "@")
