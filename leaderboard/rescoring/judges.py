"""The judge of a re-score, as it was when that began."""

from __future__ import annotations

from pathlib import Path

from evaluator.errors import Cause, RapportError
from evaluator.judges.spec import JudgeSpec, load_judge
from leaderboard.rescoring.records import Rescore


def judge_of(rescore: Rescore, judges: Path | None) -> JudgeSpec:
    """Returns the judge of a re-score.

    Args:
        rescore: The re-score.
        judges: A folder of judges beside those that ship.

    Raises:
        RapportError: `judge_error` if it is not here, cannot be read, or has changed since.
    """
    try:
        judge = load_judge(rescore.judge, judges)
    except RapportError as error:
        remedy = "Give the page, the publisher and all workers the same RAPPORT_JUDGES, then resume the re-score."
        raise RapportError(Cause.JUDGE_ERROR, error.message, remedy) from error
    if judge.digest() != rescore.judge_config:
        raise RapportError(
            Cause.JUDGE_ERROR,
            f"The judge {judge.id} has changed since {rescore.id} began.",
            "Give the changed judge an id of its own, and begin another re-score with it.",
        )
    return judge
