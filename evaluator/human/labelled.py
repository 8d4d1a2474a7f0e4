"""What people said of the items of one task, as a table: one row an item, one column an annotator."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evaluator.human.layout import HumanTables
from evaluator.human.records import RaterKind, Verification

RELEVANT = 1.0
"""The class that matters of relevance: the attribute should change the response."""
PROBLEMATIC = 1.0
"""The class that matters of verification: the attribute is not accepted. Whoever verifies is there to find these."""
OTHER = 0.0
"""The other class of either."""


class Labelled(NamedTuple):
    """The labels of one task; items, annotators and users are sorted by name."""

    items: tuple[str, ...]
    users: NDArray[np.intp]
    """(items,): the place of each item's user."""
    annotators: tuple[str, ...]
    table: NDArray[np.float64]
    """(items, annotators): labels as numbers, NaN where an annotator gave none."""

    def rater(self, said: Mapping[str, float]) -> NDArray[np.float64]:
        """Returns what a rater said of each item, NaN where nothing that counts.

        Args:
            said: The rater's labels by item; those of other items are left alone.

        Example:
            >>> table = Labelled(("a", "b"), np.array([0, 0]), ("n-1",), np.array([[1.0], [0.0]]))
            >>> table.rater({"b": 1.0}).tolist()
            [nan, 1.0]
        """
        return np.array([said.get(name, np.nan) for name in self.items])


class Label(NamedTuple):
    """One label."""

    item: str
    user: str
    annotator: str
    number: float


def attribute_item(attribute_id: str) -> str:
    """Names the item of verification that an attribute makes."""
    return attribute_id


def pair_item(prompt_id: str, attribute_id: str) -> str:
    """Names the item that a prompt, or a response, makes with an attribute.

    Example:
        >>> pair_item("p-1", "a-2")
        'p-1/a-2'
    """
    return f"{prompt_id}/{attribute_id}"


def problem_of(label: Verification) -> float:
    """Returns the class of a label.

    Example:
        >>> [problem_of(label) for label in Verification]
        [0.0, 1.0, 1.0]
    """
    return OTHER if label is Verification.ACCEPTED else PROBLEMATIC


def verification_labels(tables: HumanTables, kinds: Collection[RaterKind]) -> Labelled:
    """Returns which attributes annotators call problematic.

    Args:
        tables: The data set.
        kinds: Whose labels count: never a consensus beside single labels, nor simulated ones beside people's.
    """
    users = {row.attribute_id: row.user_id for row in tables.attributes}
    return labelled_of(
        Label(attribute_item(row.attribute_id), users[row.attribute_id], row.annotator_id, problem_of(row.label))
        for row in tables.attribute_labels
        if row.kind in kinds
    )


def relevance_labels(tables: HumanTables, kinds: Collection[RaterKind]) -> Labelled:
    """Returns which attributes annotators call relevant to a prompt; see `verification_labels`."""
    users = {row.attribute_id: row.user_id for row in tables.attributes}
    return labelled_of(
        Label(
            pair_item(row.prompt_id, row.attribute_id),
            users[row.attribute_id],
            row.annotator_id,
            RELEVANT if row.relevant else OTHER,
        )
        for row in tables.relevance_labels
        if row.kind in kinds
    )


def rating_labels(tables: HumanTables, kinds: Collection[RaterKind]) -> Labelled:
    """Returns annotators' ratings of responses, 1 to 5; see `verification_labels`."""
    users = {row.response_id: row.user_id for row in tables.responses}
    return labelled_of(
        Label(pair_item(row.response_id, row.attribute_id), users[row.response_id], row.annotator_id, float(row.rating))
        for row in tables.response_ratings
        if row.kind in kinds
    )


def labelled_of(labels: Iterable[Label]) -> Labelled:
    """Lays labels out as a table."""
    every = list(labels)
    users = {label.item: label.user for label in every}
    items, annotators = sorted(users), sorted({label.annotator for label in every})
    rows, columns = ({name: place for place, name in enumerate(names)} for names in (items, annotators))
    people = {name: place for place, name in enumerate(sorted(set(users.values())))}
    table = np.full((len(items), len(annotators)), np.nan)
    for label in every:
        table[rows[label.item], columns[label.annotator]] = label.number
    return Labelled(
        tuple(items), np.array([people[users[name]] for name in items], dtype=np.intp), tuple(annotators), table
    )
