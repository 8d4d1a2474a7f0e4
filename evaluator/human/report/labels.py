"""The labels of one task in the forms that a report needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evaluator.human.labelled import (
    Labelled,
    attribute_item,
    pair_item,
    rating_labels,
    relevance_labels,
    verification_labels,
)
from evaluator.human.layout import HumanTables
from evaluator.human.records import AttributeLabel, RaterKind, Rating, RelevanceLabel, ResponseRating, Verification
from evaluator.human.report.records import LabelsPerItem, Share, Task
from evaluator.human.scoring import HumanFigure, figure_of
from evaluator.metrics.clustered import Method

CLASS_NAMES = {Task.VERIFICATION: "problematic", Task.RELEVANCE: "relevant"}
"""The class that matters."""
_WORDS = {
    Task.VERIFICATION: tuple(label.value for label in Verification),
    Task.RELEVANCE: ("relevant", "not relevant"),
    Task.RATING: tuple(str(rating.value) for rating in Rating),
}
"""What annotators can say."""
_TABLES = {
    Task.VERIFICATION: verification_labels,
    Task.RELEVANCE: relevance_labels,
    Task.RATING: rating_labels,
}

_Row = AttributeLabel | RelevanceLabel | ResponseRating


class TaskLabels(NamedTuple):
    """The labels that count in one task."""

    task: Task
    labelled: Labelled
    """Their numbers: 1 and 0 for classes, or ratings."""
    words: tuple[str, ...]
    """(labels,): what was said."""
    users: NDArray[np.intp]
    """(labels,): the place of each label's user."""
    times: NDArray[np.float64]
    """(items, annotators): seconds since 1970 at which a label was given; NaN where nobody said, or there is none."""
    left_out: Mapping[RaterKind, int]
    """Labels that do not count, by whose they are."""


def task_labels(tables: HumanTables, task: Task, kind: RaterKind) -> TaskLabels:
    """Returns the labels of a task.

    Args:
        tables: The data set.
        task: The task.
        kind: Whose labels count.
    """
    every = tuple(_rows(tables, task))
    rows = [row for row in every if row.kind is kind]
    labelled = _TABLES[task](tables, (kind,))
    items = {name: place for place, name in enumerate(labelled.items)}
    annotators = {name: place for place, name in enumerate(labelled.annotators)}
    times = np.full(labelled.table.shape, np.nan)
    for row in rows:
        if row.labelled_at is not None:
            times[items[_item(row)], annotators[row.annotator_id]] = row.labelled_at.timestamp()
    users = np.array([labelled.users[items[_item(row)]] for row in rows], dtype=np.intp)
    left_out = Counter(row.kind for row in every if row.kind is not kind)
    return TaskLabels(task, labelled, tuple(map(_word, rows)), users, times, dict(sorted(left_out.items())))


def labels_per_item(labelled: Labelled) -> tuple[LabelsPerItem, ...]:
    """Returns how many items have one label, two, and so on.

    Example:
        >>> table = np.array([[1.0, 0], [1, np.nan], [np.nan, 1]])
        >>> labels_per_item(Labelled(("a", "b", "c"), np.zeros(3, dtype=np.intp), ("m", "n"), table))
        (LabelsPerItem(labels=1, items=2), LabelsPerItem(labels=2, items=1))
    """
    found = Counter((~np.isnan(labelled.table)).sum(axis=1).tolist())
    return tuple(LabelsPerItem(labels=labels, items=items) for labels, items in sorted(found.items()))


def balance(given: TaskLabels) -> tuple[Share, ...]:
    """Returns how often each thing is said, and the class that matters."""
    words = np.array(given.words, dtype=object)
    shares = [Share(label=word, share=_share(words == word, given.users)) for word in _WORDS[given.task]]
    if given.task is Task.VERIFICATION:
        matters = np.isin(words, [word.value for word in Verification if word is not Verification.ACCEPTED])
        shares.append(Share(label=CLASS_NAMES[given.task], share=_share(matters, given.users)))
    return tuple(shares)


def mean_rating(given: TaskLabels) -> HumanFigure | None:
    """Returns the mean of all ratings, None where labels are none."""
    if given.task is not Task.RATING:
        return None
    ratings = np.array(given.words, dtype=np.float64)
    return figure_of(lambda left: mean_of(ratings[left]), given.users, Method.STUDENT)


def mean_of(values: NDArray[Any]) -> float | None:
    """Returns the mean, None of nothing."""
    return float(values.mean()) if len(values) else None


def _share(said: NDArray[Any], users: NDArray[np.intp]) -> HumanFigure:
    return figure_of(lambda left: mean_of(said[left]), users, Method.SCORE)


def _rows(tables: HumanTables, task: Task) -> Iterable[_Row]:
    """All labels of a task."""
    if task is Task.VERIFICATION:
        return tables.attribute_labels
    return tables.relevance_labels if task is Task.RELEVANCE else tables.response_ratings


def _item(row: _Row) -> str:
    """Names the item of a label."""
    if isinstance(row, AttributeLabel):
        return attribute_item(row.attribute_id)
    return pair_item(row.prompt_id if isinstance(row, RelevanceLabel) else row.response_id, row.attribute_id)


def _word(row: _Row) -> str:
    """Returns what a label says."""
    if isinstance(row, AttributeLabel):
        return row.label.value
    if isinstance(row, RelevanceLabel):
        return "relevant" if row.relevant else "not relevant"
    return str(row.rating.value)
