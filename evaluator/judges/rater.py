"""Who says how good answers are: a judge, or the people who have labelled what a model is asked."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from evaluator.human.people import People
from evaluator.judges.spec import JudgeSpec, Orders, load_judge
from evaluator.protocol import PEOPLE, EvaluationProtocol

Rater: TypeAlias = JudgeSpec | People
"""Who says how good answers are."""


def rater_of(protocol: EvaluationProtocol) -> Rater:
    """Returns who says how good the answers of a protocol are.

    Raises:
        RapportError: As of `load_judge`.

    Example:
        >>> from evaluator.protocol import load_protocol
        >>> rater_of(load_protocol("human-relevance-v1")).id
        'people'
    """
    return load_rater(protocol.judge)


def load_rater(judge_id: str, outside: Path | None = None) -> Rater:
    """Returns the judge with an id, be it people.

    Args:
        judge_id: Its id.
        outside: Folder of further judges.

    Raises:
        RapportError: As of `load_judge`.
    """
    return People() if judge_id == PEOPLE else load_judge(judge_id, outside)


def orders_of(rater: Rater) -> Orders:
    """Returns the slot orders in which somebody is asked; there is nothing to order where people's labels are read.

    Example:
        >>> orders_of(load_judge("demo")), orders_of(People())
        ('both', 'single')
    """
    return "single" if isinstance(rater, People) else rater.orders
