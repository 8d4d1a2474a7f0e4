"""The rows of the annotation tool of "Re-Centering Humans in LLM Personalization" (arXiv 2606.06614).

Fields that nothing here needs, such as embeddings, are passed over; a field of another type is a fault, never bent.
"""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from evaluator.human.importers.events import Missed, Reason, said_of
from evaluator.human.importers.reading import Row


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", protected_namespaces=())


Shape = TypeVar("Shape", bound=_Shape)


class Listed(_Shape):
    """An attribute in a list; stage 3 says whether people called it relevant."""

    attribute: str
    is_relevant: bool | None = None


class SpokenTurn(_Shape):
    """One turn."""

    role: str
    content: str


class SourceConversation(_Shape):
    """One conversation; one without turns is not counted by the tool."""

    conversation: list[SpokenTurn] | None = None
    timestamp: Any = None


class UserItem(_Shape):
    """Stage 1: a user with conversations and attributes."""

    item_index: int
    user_id: str | int
    source: str | None = None
    merged_attributes: list[Listed]
    conversations: list[SourceConversation]


class PromptItem(_Shape):
    """Stage 2: a prompt with one user's attributes."""

    prompt_index: int
    user_id: str | int
    prompt_text: str
    profile_attributes: list[Listed]


class ResponseItem(_Shape):
    """Stage 3: two responses to a user's prompt."""

    item_index: int
    model_tag: str
    prompt_id: str
    user_id: str | int
    prompt_text: str
    attributes: list[Listed]
    response_no_context: str
    response_personalized: str


class Pointer(_Shape):
    """Where an attribute stands; nothing, or -1, is nowhere."""

    conv_idx: int | None = None
    turn_idxs: list[int] | None = None


class EvidenceRow(_Shape):
    """The evidence of a user's attributes, in their order."""

    user_id: str | int
    evidence: list[Pointer]


class Judgment(_Shape):
    """Stage 1: what an annotator says of one attribute."""

    judgment: str | None = None
    note: str | None = None
    attribute: str | None = None


class Relevance(_Shape):
    """Stage 2: whether an attribute matters."""

    attribute: str
    relevant: bool | None = None


class _Answer(_Shape):
    """What the answers of all stages have in common."""

    task: str | None = None
    annotator: str | None = None
    timestamp: str | None = None
    flagged: bool = False
    note: str | None = None


class UserAnswer(_Answer):
    """Stage 1."""

    index: int
    attr_judgments: list[Judgment]
    missing_attrs: Any = None
    overall_note: str | None = None


class PromptAnswer(_Answer):
    """Stage 2."""

    prompt_index: int
    user_id: str | int
    relevance_judgments: list[Relevance]


class ResponseAnswer(_Answer):
    """Stage 3."""

    item_index: int
    model_tag: str | None = None
    prompt_id: str | None = None
    user_id: str | int | None = None
    ratings: dict[str, Any]
    """Number by attribute text; None is left open."""


def shaped(shape: type[Shape], row: Row) -> Shape | Missed:
    """Reads a row as a shape."""
    try:
        return shape.model_validate(row.fields)
    except ValidationError as error:
        return Missed(Reason.INVALID, row.place, said=said_of(error))
