"""Turns raw HiCUPID rows into records, naming the row and field that is broken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from evaluator.errors import Cause, RapportError
from evaluator.hicupid.questions import (
    Dialogue,
    History,
    PersonaFact,
    ProfileFact,
    Question,
    QuestionType,
    ScheduleFact,
    Turn,
)

Fact = TypeVar("Fact", PersonaFact, ProfileFact, ScheduleFact)

_NEEDED = {
    QuestionType.PERSONA: ("persona",),
    QuestionType.PROFILE: ("persona", "profile"),
    QuestionType.SCHEDULE: ("schedule",),
}


_COLUMN_OF = {"gold": "personalized_answer"}
"""Columns that have another name in our records."""


def read_history(user_id: int, rows: Iterable[Mapping[str, Any]]) -> History:
    """Groups a user's turns into dialogues.

    Args:
        user_id: The user.
        rows: `dialogue` rows of this user; the order of rows is the order of turns.

    Raises:
        RapportError: `data_error` if a turn is not text or a dialogue changes its type.
    """
    dialogues: dict[int, tuple[QuestionType, list[Turn]]] = {}
    for row in rows:
        try:
            turn = Turn(user=row["user"], assistant=row["assistant"])
        except ValidationError as error:
            raise _broken(f"dialogue {row['dialogue_id']} of user {user_id}", error) from error
        type_, turns = dialogues.setdefault(row["dialogue_id"], (QuestionType(row["type"]), []))
        if type_ != row["type"]:
            raise RapportError(
                Cause.DATA_ERROR,
                f"Dialogue {row['dialogue_id']} of user {user_id} has turns of two types.",
                "Give all turns of a dialogue one type.",
            )
        turns.append(turn)
    return History(
        user_id=user_id,
        dialogues=tuple(
            Dialogue(dialogue_id=number, type=type_, turns=tuple(turns))
            for number, (type_, turns) in sorted(dialogues.items())
        ),
    )


def read_question(row: Mapping[str, Any], split: str, dialogue_ids: Sequence[int]) -> Question:
    """Reads one `qa` row.

    Args:
        row: The row.
        split: The split it stands in; it becomes part of the question id.
        dialogue_ids: Sorted ids of the user's dialogues.

    Raises:
        RapportError: `data_error` if a field is missing or the evidence is not in the user's history.
    """
    name = f"question {row['question_id']} in qa:{split}"
    facts = _stated(row["metadata"])
    type_ = QuestionType(row["type"])
    for fact in _NEEDED[type_]:
        if fact not in facts:
            raise RapportError(
                Cause.DATA_ERROR,
                f"The metadata of {name} lacks {fact!r}.",
                f"A {type_} question needs: {', '.join(_NEEDED[type_])}.",
            )
    evidence = row["dialogue_id"]
    if not isinstance(evidence, Sequence) or None in evidence:
        raise RapportError(
            Cause.DATA_ERROR,
            f"The `dialogue_id` of {name} is not a list of dialogue ids.",
            "List the dialogues that hold the facts.",
        )
    if strangers := set(evidence) - set(dialogue_ids):
        raise RapportError(
            Cause.DATA_ERROR,
            f"The evidence of {name} names dialogue {min(strangers)}, which the user's history lacks.",
            "Add the dialogue or correct the evidence.",
        )
    newest_first = {number: place for place, number in enumerate(reversed(dialogue_ids))}
    try:
        return Question(
            question_id=f"{split}/{row['question_id']}",
            user_id=row["user_id"],
            split=split,
            type=type_,
            question=row["question"],
            gold=row["personalized_answer"],
            general_answer=row["general_answer"],
            evidence=tuple(evidence),
            evidence_position=tuple(newest_first[number] / len(dialogue_ids) for number in evidence),
            persona=_fact(PersonaFact, facts.get("persona")),
            profile=_fact(ProfileFact, facts.get("profile")),
            schedule=_fact(ScheduleFact, facts.get("schedule")),
        )
    except ValidationError as error:
        raise _broken(name, error) from error


def _stated(metadata: Any) -> dict[str, Mapping[str, Any]]:
    """Leaves out facts that a row does not state; columnar files may give those as mappings of nothing but None."""
    if not isinstance(metadata, Mapping):
        return {}
    return {
        name: fact
        for name, fact in metadata.items()
        if isinstance(fact, Mapping) and any(value is not None for value in fact.values())
    }


def _fact(kind: type[Fact], value: Mapping[str, Any] | None) -> Fact | None:
    """Reads one metadata entry; numbers such as an age become text."""
    if not value:
        return None
    return kind.model_validate({name: str(value[name]) for name in kind.model_fields if value.get(name) is not None})


def _broken(name: str, error: ValidationError) -> RapportError:
    """Names the first broken field of a row."""
    first = error.errors()[0]
    field = ".".join(map(str, first["loc"])) or "row"
    field = _COLUMN_OF.get(field, field)
    return RapportError(Cause.DATA_ERROR, f"In {name}, {field}: {first['msg']}.", "Mend the row.")
