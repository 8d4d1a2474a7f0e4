"""How far a verifier or a rating judge agrees with a data set of people's labels: by the human suite's own figures.

A judge of pairs compares an answer with gold, which no such data set has labels of; for it there are labelled verdicts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from evaluator.human.labelled import PROBLEMATIC, Labelled, rating_labels, verification_labels
from evaluator.human.layout import HumanTables
from evaluator.human.outcomes import named
from evaluator.human.records import RaterKind
from evaluator.human.scoring import score_classes, score_ratings
from evaluator.human.tasks import Task
from evaluator.judges.quality.records import HumanSetAgreement


def human_set_agreement(
    source: str,
    tables: HumanTables,
    task: Literal[Task.VERIFICATION, Task.RATING],
    said: Mapping[str, float],
    *,
    epsilon: float,
    mentioned: Mapping[str, bool] | None = None,
) -> tuple[HumanSetAgreement, ...]:
    """Returns how far a judge agrees with a data set's labels, by their kind; without labels there is nothing.

    Args:
        source: Name of the data set.
        tables: The data set.
        task: What the judge was asked.
        said: What it said, by item as `evaluator.human.labelled` names them: of verification 1 for problematic and 0
            for accepted, of ratings 1 to 5. One that is missing is unanswered.
        epsilon: What the alternative annotator test grants the judge.
        mentioned: Of ratings, whether the answer names the attribute openly, by item; None where nobody says.
    """
    return tuple(_agreement(source, tables, task, said, epsilon, mentioned or {}))


def _agreement(
    source: str,
    tables: HumanTables,
    task: Task,
    said: Mapping[str, float],
    epsilon: float,
    mentioned: Mapping[str, bool],
) -> Iterator[HumanSetAgreement]:
    """Yields the agreement with labels of each kind."""
    for kind in RaterKind:
        labelled = (rating_labels if task is Task.RATING else verification_labels)(tables, [kind])
        if not labelled.items:
            continue
        figures = (
            score_ratings(task, labelled, said, mentioned, epsilon=epsilon)
            if task is Task.RATING
            else score_classes(task, labelled, said, of=PROBLEMATIC, epsilon=epsilon)
        )
        yield HumanSetAgreement(
            source=source,
            kind=kind,
            task=task,
            items=len(labelled.items),
            answered=_answered(labelled, said),
            annotators=len(labelled.annotators),
            figures=tuple(named(name, figure) for name, figure in sorted(figures.items())),
        )


def _answered(labelled: Labelled, said: Mapping[str, float]) -> int:
    """How many labelled items the judge has a word on."""
    return sum(name in said for name in labelled.items)
