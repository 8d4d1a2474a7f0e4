"""Items of the human-grounded tasks: what people have labelled, without its text: a run is scored from its plan."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

from pydantic import Field

from evaluator.human.records import RaterKind
from evaluator.human.tasks import AnyTask, Order
from evaluator.records import Record, SlotOrder


class GivenLabel(Record):
    """What one annotator said of an item."""

    annotator: str
    """Pseudonym."""
    number: float
    """Relevance: 1 is relevant. Verification: 1 is problematic. Rating: 1 to 5."""


class Part(StrEnum):
    """What an item is in a task whose answers a judge reads."""

    GENERIC = "generic"
    """An answer to a prompt for anybody."""
    PERSONALISED = "personalised"
    """An answer to a prompt for one user, which is judged beside the generic one."""
    CONVERSATION = "conversation"
    """A conversation whose attributes are listed."""
    GIVEN = "given"
    """What the data set itself holds and people have labelled: the judge alone is asked about it, so that what it says
    can be set beside what they say."""


class HumanItem(Record):
    """One item that a protocol asks, without its text, and with what people said of it."""

    question_id: str
    """The item's name within its task, such as `p-1/a-2`."""
    split: str
    """The task: items of several tasks never share a group."""
    user_id: int = Field(ge=0)
    """Number of the group of items that begin alike, such as those of one prompt."""
    orders: tuple[SlotOrder, ...] = ()
    """That of each verdict which is owed on it, as far as that is known beforehand; none where what people said is the
    truth."""
    task: AnyTask
    person: str
    """Name of the user whom it is about; intervals are clustered by these."""
    labels: tuple[GivenLabel, ...]
    kind: RaterKind
    """Whose labels these are."""
    mentioned: bool | None = None
    """Of a rating: whether the personalised answer names the attribute openly; None where that cannot be told."""
    order: Order | None = None
    """Of a rating: which answer stands first."""
    part: Part | None = None
    """What it is where a judge reads the answer; None where nobody does."""
    attributes: tuple[str, ...] = ()
    """Names of the attributes that a personalised answer is written from, that are judged in what is given, or that
    people accepted of a conversation."""
    evidence: tuple[str, ...] = ()
    """Of a given attribute: names of the conversations that it was taken from."""
    content_hash: str | None = None
    """SHA-256 of what is given; None of what a model is to write."""
    unasked: Literal["no_evidence"] | None = None
    """Why the item is not asked; None for all others."""

    @property
    def is_asked(self) -> bool:
        """Whether a model is asked at all."""
        return self.unasked is None and self.part is not Part.GIVEN


class Groups:
    """Numbers groups in the order in which they are first met."""

    def __init__(self) -> None:
        """Knows none yet."""
        self._numbers: dict[str, int] = {}

    def number(self, name: str) -> int:
        """Returns a group's number, from 0."""
        return self._numbers.setdefault(name, len(self._numbers))


def given_labels(labels: Iterable[tuple[str, float, RaterKind]]) -> dict[RaterKind, tuple[GivenLabel, ...]]:
    """Sorts an item's labels, each with its annotator, number and kind, by whose they are."""
    found: dict[RaterKind, list[GivenLabel]] = {}
    for annotator, number, kind in labels:
        found.setdefault(kind, []).append(GivenLabel(annotator=annotator, number=number))
    return {kind: tuple(given) for kind, given in found.items()}
