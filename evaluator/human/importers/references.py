"""Whether what a row refers to is there, and is of the same user."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias, cast

from evaluator.human.importers.events import Reason
from evaluator.human.layout import ROSTER, HumanTables
from evaluator.human.records import (
    Annotator,
    Attribute,
    AttributeLabel,
    Conversation,
    Evidence,
    Label,
    Prompt,
    RaterKind,
    RelevanceLabel,
    Response,
    ResponseRating,
)
from evaluator.records import Record

Fault: TypeAlias = tuple[Reason, str]
"""Why a row is not placed, as a reason and a sentence."""


class Reached:
    """What rows may refer to."""

    def __init__(self, tables: HumanTables, *, takes_anybody: bool) -> None:
        """Notes all that is there.

        Args:
            tables: The data set.
            takes_anybody: Whether somebody whom its table of annotators lacks may label, since the source has no such
                table.
        """
        self.takes_anybody = takes_anybody
        self.conversations: dict[str, tuple[str, int]] = {}
        """User and number of turns."""
        self.attributes: dict[str, str] = {}
        """User."""
        self.prompts: dict[str, frozenset[str]] = {}
        """Users."""
        self.responses: dict[str, frozenset[str]] = {}
        """Attributes."""
        self.users: set[str] = set()
        """Those of whom there is a conversation or an attribute."""
        self.annotators: dict[str, RaterKind] = {}
        """Kind."""
        for table in ("conversations", "attributes", ROSTER, "prompts", "responses"):
            for row in getattr(tables, table):
                self.add(table, row)

    def add(self, table: str, row: Record) -> None:
        """Notes a row that was placed; labels are referred to by nothing."""
        match row:
            case Conversation():
                self.conversations[row.conversation_id] = row.user_id, len(row.turns)
                self.users.add(row.user_id)
            case Attribute():
                self.attributes[row.attribute_id] = row.user_id
                self.users.add(row.user_id)
            case Prompt():
                self.prompts[row.prompt_id] = frozenset(row.user_ids)
            case Response():
                self.responses[row.response_id] = frozenset(row.attribute_ids)
            case Annotator():
                self.annotators[row.annotator_id] = row.kind


def fault_of(table: str, row: Record, reached: Reached) -> Fault | None:
    """Returns what is wrong with the references of a row; None if they all hold. For evidence see `grounded`."""
    if _repeats(row):
        return Reason.INVALID, "A list of it names the same thing twice."
    if any("@" in getattr(row, field, "") for field in ("user_id", "annotator_id")):
        return Reason.INVALID, "The name of a person looks like an e-mail address."
    find = _FINDERS.get(table)
    return (find(row, reached) if find else None) or _of_annotator(row, reached)


def grounded(attribute: Attribute, reached: Reached) -> tuple[Attribute, str | None]:
    """Returns an attribute with the evidence that holds, and what is wrong with the first that does not, if any.

    The attribute is kept whatever its evidence, and labels of it are too: without evidence it is never asked.
    """
    faults = {evidence: _fault_of_evidence(evidence, attribute.user_id, reached) for evidence in attribute.evidence}
    wrong = [fault for fault in faults.values() if fault]
    if not wrong:
        return attribute, None
    held = tuple(evidence for evidence, fault in faults.items() if not fault)
    return attribute.model_copy(update={"evidence": held}), wrong[0]


def _fault_of_evidence(evidence: Evidence, user: str, reached: Reached) -> str | None:
    if evidence.conversation_id not in reached.conversations:
        return "The data set has no such conversation."
    whose, turns = reached.conversations[evidence.conversation_id]
    if whose != user:
        return "The conversation is another user's."
    if evidence.turn is not None and evidence.turn >= turns:
        return "The conversation has no such turn."
    return None


def _repeats(row: Record) -> bool:
    """Tells a row whose list names something twice; what is said in turns may well be the same."""
    match row:
        case Attribute():
            listed: tuple[object, ...] = row.evidence
        case Prompt():
            listed = row.user_ids
        case Response():
            listed = row.attribute_ids
        case _:
            return False
    return len(set(listed)) < len(listed)


def _missing(what: str) -> Fault:
    return Reason.UNKNOWN_REFERENCE, f"The data set has no such {what}."


def _of_annotator(row: Record, reached: Reached) -> Fault | None:
    if not isinstance(row, Label):
        return None
    kind = reached.annotators.get(row.annotator_id)
    if kind is None:
        return None if reached.takes_anybody else _missing("annotator")
    return None if kind is row.kind else (Reason.MISMATCH, "The data set knows its annotator as another kind.")


def _of_prompt(row: Record, reached: Reached) -> Fault | None:
    return None if reached.users.issuperset(cast(Prompt, row).user_ids) else _missing("user")


def _of_response(row: Record, reached: Reached) -> Fault | None:
    response = cast(Response, row)
    if response.prompt_id not in reached.prompts:
        return _missing("prompt")
    if response.user_id not in reached.prompts[response.prompt_id]:
        return Reason.MISMATCH, "The prompt is not asked in the name of this user."
    for attribute_id in response.attribute_ids:
        if attribute_id not in reached.attributes:
            return _missing("attribute")
        if reached.attributes[attribute_id] != response.user_id:
            return Reason.MISMATCH, "An attribute is another user's."
    return None


def _of_attribute_label(row: Record, reached: Reached) -> Fault | None:
    return None if cast(AttributeLabel, row).attribute_id in reached.attributes else _missing("attribute")


def _of_relevance_label(row: Record, reached: Reached) -> Fault | None:
    label = cast(RelevanceLabel, row)
    if label.prompt_id not in reached.prompts:
        return _missing("prompt")
    if label.attribute_id not in reached.attributes:
        return _missing("attribute")
    if reached.attributes[label.attribute_id] not in reached.prompts[label.prompt_id]:
        return Reason.MISMATCH, "The prompt is not asked in the name of the attribute's user."
    return None


def _of_rating(row: Record, reached: Reached) -> Fault | None:
    rating = cast(ResponseRating, row)
    if rating.response_id not in reached.responses:
        return _missing("response")
    if rating.attribute_id not in reached.responses[rating.response_id]:
        return Reason.MISMATCH, "The response was not written from this attribute."
    return None


_FINDERS: Mapping[str, Callable[[Record, Reached], Fault | None]] = {
    "prompts": _of_prompt,
    "responses": _of_response,
    "attribute_labels": _of_attribute_label,
    "relevance_labels": _of_relevance_label,
    "response_ratings": _of_rating,
}
