"""The configs of the public data sets: which files hold which rows, under which licence, with which columns."""

from __future__ import annotations

from typing import Any, NamedTuple

import pyarrow as pa

from leaderboard.open_data import layout
from leaderboard.open_data.board import OpenScorecard
from leaderboard.open_data.changes import OpenChange
from leaderboard.open_data.columns import columns_of
from leaderboard.open_data.human import OpenHumanFigure, OpenHumanScorecard
from leaderboard.open_data.judges import OpenJudge, OpenJudgeCheck, OpenJudgeQuality
from leaderboard.open_data.people import OpenAnnotator, OpenLabel
from leaderboard.open_data.records import (
    OpenCard,
    OpenGeneration,
    OpenRecord,
    OpenRequest,
    OpenUserScore,
    OpenVerdict,
)
from leaderboard.store.parquet import schema_of

OURS = "cc-by-4.0"
"""Licence of what the leaderboard itself has measured and written."""


class Config(NamedTuple):
    """One table of a data set, as `datasets.load_dataset` knows it."""

    name: str
    kind: type[OpenRecord]
    """The record of its rows."""
    files: str
    """Pattern of its files. All files of one data set have one format: `datasets` reads a data set with one reader."""
    licence: str
    """Under what its parts may be used, for readers."""
    about: str
    """What a row is, for readers."""


RESULTS = (
    Config("board", OpenScorecard, layout.BOARD, OURS, "One row a scorecard, in the order of the board"),
    Config("changes", OpenChange, layout.CHANGES, OURS, "One row a change of the board, the oldest first"),
    Config("scorecards", OpenCard, f"{layout.SCORECARDS}/*.parquet", OURS, "Whole scorecards, as JSON text"),
    Config("user_scores", OpenUserScore, f"{layout.USER_SCORES}/*.parquet", OURS, "One row a user of a scorecard"),
    Config(
        "human_scorecards",
        OpenHumanScorecard,
        f"{layout.HUMAN_SCORECARDS}/*.parquet",
        OURS,
        "One row a scorecard of a task that people have labelled",
    ),
    Config("human_figures", OpenHumanFigure, f"{layout.HUMAN_FIGURES}/*.parquet", OURS, "One row a figure of these"),
    Config(
        "generations",
        OpenGeneration,
        f"{layout.GENERATIONS}/**/*.parquet",
        f"answers and thoughts: their models' owners', shown with consent; all else {OURS}",
        "One row an answer",
    ),
    Config(
        "verdicts",
        OpenVerdict,
        f"{layout.VERDICTS}/**/*.parquet",
        f"judges' own words: as the judge's licence and the column `licence` say; all else {OURS}",
        "One row a verdict, of both suites; what rules found at human-grounded tasks stands beside them",
    ),
    Config("judges", OpenJudge, layout.JUDGES, OURS, "One row a judge"),
    Config("judge_quality", OpenJudgeQuality, layout.JUDGE_QUALITY, OURS, "One row a version of a judge"),
    Config(
        "judge_checks",
        OpenJudgeCheck,
        layout.JUDGE_CHECKS,
        OURS,
        "One row a canary that a version of a judge was shown",
    ),
    Config(
        "labels", OpenLabel, f"{layout.LABELS}/**/*.parquet", "column `licence` of each row", "One row a person's label"
    ),
    Config("annotators", OpenAnnotator, layout.ANNOTATORS, OURS, "One row a person who labels or has withdrawn"),
)
"""Configs of the results; the first one is there from the beginning and decides how files are read."""

REQUESTS = (Config("requests", OpenRequest, f"{layout.REQUESTS}/**/*.json", OURS, "One file a submission"),)
"""Configs of the requests."""


def front_of(configs: tuple[Config, ...]) -> dict[str, Any]:
    """Returns what the front matter of a data-set card says of its configs, so that nobody has to guess a type.

    Example:
        >>> front_of(REQUESTS)["configs"]
        [{'config_name': 'requests', 'data_files': 'submissions/**/*.json', 'default': True}]
    """
    files: list[dict[str, Any]] = [{"config_name": config.name, "data_files": config.files} for config in configs]
    files[0]["default"] = True
    return {
        "configs": files,
        "dataset_info": [{"config_name": config.name, "features": features_of(config.kind)} for config in configs],
    }


def features_of(kind: type[OpenRecord]) -> list[dict[str, Any]]:
    """Returns the columns of a record with their types, as `datasets` writes them in a card.

    Example:
        >>> from leaderboard.open_data.records import OpenWithdrawal
        >>> features_of(OpenWithdrawal)[1:]
        [{'name': 'submission_id', 'dtype': 'string'}, {'name': 'at', 'dtype': 'timestamp[us, tz=UTC]'}]
    """
    return [{"name": column.name, **_feature(column.type)} for column in schema_of(columns_of(kind))]


def _feature(kind: Any) -> dict[str, Any]:
    """Returns an Arrow type as `datasets` writes it."""
    if pa.types.is_struct(kind):
        return {"struct": [{"name": part.name, **_feature(part.type)} for part in kind]}
    if pa.types.is_list(kind):
        ((_, inner),) = _feature(kind.value_type).items()  # What a list holds stands in it without its own name.
        return {"list": inner}
    return {"dtype": _NAMES.get(str(kind), str(kind))}


_NAMES = {"double": "float64"}
"""Types that `datasets` calls differently from Arrow."""
