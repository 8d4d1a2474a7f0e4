"""What a person does on the labelling page: one list of events a person, appended and never changed.

Who it is stands in none of them: people are pseudonyms. A withdrawal takes back all that came before it; the events
stay in the private archive with the withdrawal beside them, and nothing of them is public any more.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from evaluator.human.records import Rating
from evaluator.human.stages.rating import turned_back
from evaluator.human.stages.wording import WORDS
from evaluator.human.tasks import Order
from evaluator.human.tasks import Task as ChoiceTask
from evaluator.records import Outcome, Record, SlotOrder, Terms
from leaderboard.records import Moment

Annotator = Annotated[str, StringConstraints(pattern=r"^annotator-[0-9a-z]{5,40}$")]
"""Pseudonym of a person."""
ItemId = Annotated[str, StringConstraints(min_length=1, max_length=400, pattern=r"^[\x21-\x7e]+$")]
"""Name of an item within its task."""
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Task(StrEnum):
    """What a person is asked."""

    VERIFICATION = "verification"
    """Whether an attribute makes sense in the light of its evidence."""
    RELEVANCE = "relevance"
    """Whether an attribute should change the response to a prompt."""
    RATING = "rating"
    """Which of two answers serves an attribute better, and by how much."""
    PAIRS = "pairs"
    """Which of two answers to a question of HiCUPID is better for its user."""


WORDS_OF: dict[Task, tuple[str, ...]] = {
    **{Task(task.value): WORDS[task] for task in ChoiceTask},
    Task.PAIRS: ("A", "tie", "B"),
}
"""The words of each task, in the order in which they are shown."""
ORDERS_OF: dict[Task, tuple[Order | SlotOrder, ...]] = {
    Task.VERIFICATION: (),
    Task.RELEVANCE: (),
    Task.RATING: tuple(Order),
    Task.PAIRS: (SlotOrder.ANSWER_FIRST, SlotOrder.GOLD_FIRST),
}
"""Orders in which the two answers of a task may stand; none where there are no two."""


class Judged(Record):
    """The model's answer that was set beside gold."""

    run_id: str
    """Run that it belongs to."""
    model: str
    question_id: str
    """Question of HiCUPID, its split first."""
    content_hash: Digest
    """SHA-256 of the answer."""


class Asked(Record):
    """An item as it is shown to one person."""

    task: Task
    data_set: str = Field(min_length=1, max_length=200)
    """Data set that the item stands in, as `owner/name` or a name of ours."""
    data_sha: str
    """Commit or digest of that data set."""
    item_id: ItemId
    order: Order | SlotOrder | None = None
    """Which of two answers stands first, as A; drawn for each person and item."""
    attention: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Of an item whose answer is known, the words that are right in the order that is shown; None of all others."""
    judged: Judged | None = None
    """Of a pair, the model's answer."""

    @model_validator(mode="after")
    def _fits_its_task(self) -> Self:
        orders = ORDERS_OF[self.task]
        if (self.order not in orders) if orders else (self.order is not None):
            raise ValueError(f"the order does not fit {self.task}")
        if (self.judged is not None) != (self.task is Task.PAIRS and self.attention is None):
            raise ValueError("a pair that is no attention item, and nothing else, is about a model's answer")
        if self.attention is not None and not set(self.attention) <= set(WORDS_OF[self.task]):
            raise ValueError(f"the known answer is none of {self.task}")
        return self


class Label(Record):
    """One word that a person gave to one item."""

    asked: Asked
    word: str
    """The word as it stood on the page: of two answers it speaks of A and B."""
    wording: str
    """Id of the instruction, `@`, and the first 16 digits of its SHA-256."""
    consent: str
    """Version of the text under which it was given."""
    licence: str
    """Licence under which it was given."""
    seconds: float = Field(ge=0)
    """From showing the item to the label."""
    terms: Terms
    """Those of the data set."""

    @model_validator(mode="after")
    def _is_a_word_of_its_task(self) -> Self:
        if self.word not in WORDS_OF[self.asked.task]:
            raise ValueError(f"{self.asked.task} is answered with {', '.join(WORDS_OF[self.asked.task])}")
        return self

    @property
    def key(self) -> tuple[str, Task, str]:
        """Data set, task and item: what somebody labels once."""
        return self.asked.data_set, self.asked.task, self.asked.item_id

    @property
    def rating(self) -> Rating | None:
        """How the personalised answer was rated; None where no rating was asked for."""
        return turned_back(int(self.word), self.asked.order) if isinstance(self.asked.order, Order) else None

    @property
    def outcome(self) -> Outcome | None:
        """What it says of a model's answer beside gold; None where there is none."""
        if not isinstance(self.asked.order, SlotOrder):
            return None
        if self.word == "tie":
            return Outcome.TIE
        return Outcome.WIN if (self.word == "A") == (self.asked.order is SlotOrder.ANSWER_FIRST) else Outcome.LOSS

    @property
    def is_right(self) -> bool | None:
        """Whether it is the known answer of an attention item; None of all others."""
        return None if self.asked.attention is None else self.word in self.asked.attention


class Agreed(Record):
    """What a person agreed to."""

    version: str = Field(min_length=1, max_length=40)
    """Version of the text."""
    text_sha: Digest
    """SHA-256 of the text."""


class EventKind(StrEnum):
    """What a person did."""

    AGREED = "agreed"
    """Accepted the text of consent."""
    LABELLED = "labelled"
    """Gave a label."""
    TOOK_BACK = "took_back"
    """Took back one label, to give another one."""
    WITHDREW = "withdrew"
    """Withdrew the consent and all labels."""


class PersonEvent(Record):
    """One thing that one person did; appended, never changed."""

    schema_version: Literal[1] = 1
    kind: EventKind
    annotator: Annotator
    sequence: int = Field(ge=1)
    """Counts the person's events from 1."""
    at: Moment
    agreed: Agreed | None = None
    """Only of `agreed`."""
    label: Label | None = None
    """Only of `labelled`."""
    took_back: int | None = Field(default=None, ge=1)
    """Sequence number of the label that was taken back; only of `took_back`."""

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        held = {
            EventKind.AGREED: self.agreed is not None,
            EventKind.LABELLED: self.label is not None,
            EventKind.TOOK_BACK: self.took_back is not None,
        }
        if any(holds != (kind is self.kind) for kind, holds in held.items()):
            raise ValueError(f"what was {self.kind} says too little or too much")
        return self


class Shown(Record):
    """What a person sees right now in a task: a label is taken for this alone."""

    token: str = Field(min_length=16, max_length=64)
    """Sent back with the label."""
    asked: Asked
    at: Moment
