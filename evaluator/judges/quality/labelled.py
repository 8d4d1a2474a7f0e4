"""The labelled verdict file: what people say of answers, one label a row, as JSON lines or Parquet.

Values are taken as they stand. `docs/judge-board.md` has the format.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from evaluator.human.records import RaterKind
from evaluator.records import Outcome, Record, SlotOrder, Verdict

LONGEST_NOTE = 500
"""Characters."""
_FORBIDDEN: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Control characters, halves of characters, and breaks of lines and paragraphs."""
_TURNS: Final = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""What turns the direction of text: a note could show otherwise than it reads."""


def _plain(text: str) -> str:
    """Refuses a text that would not stand on one line as it is."""
    if any(each in _TURNS or unicodedata.category(each) in _FORBIDDEN for each in text):
        raise PydanticCustomError("control", "Text should be one line without control characters")
    return text


def _pseudonym(name: str) -> str:
    """Refuses what looks like an e-mail address."""
    if "@" in name:
        raise PydanticCustomError("pseudonym", "A pseudonym should not look like an e-mail address")
    return name


def _whole(value: object) -> object:
    """Refuses true and 1.0, which Python takes for 1."""
    if isinstance(value, bool | float):
        raise PydanticCustomError("version", "A version should be a whole number")
    return value


QuestionId = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]
ContentHash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Pseudonym = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$"), AfterValidator(_pseudonym)
]
Note = Annotated[str, StringConstraints(max_length=LONGEST_NOTE), AfterValidator(_plain)]


class LabelledVerdict(Record):
    """One annotator's word on one answer; an annotator labels an answer once."""

    schema_version: Annotated[Literal[1], BeforeValidator(_whole)]
    """1; it stands in every row."""
    question_id: QuestionId
    """Question of the data set, its split first."""
    content_hash: ContentHash
    """SHA-256 of the answer's text in UTF-8, as it stands in the board's rows."""
    annotator: Pseudonym
    """The same for all labels of one annotator."""
    outcome: Literal[Outcome.WIN, Outcome.TIE, Outcome.LOSS, Outcome.SATISFIED, Outcome.UNSATISFIED]
    """`win`, `tie` or `loss` of the answer beside gold; of a schedule question `satisfied` or `unsatisfied`."""
    kind: RaterKind = Field(default=RaterKind.PERSON)
    """Whose label it is: `person`, unless it says otherwise. One file holds labels of one kind."""
    slot_order: SlotOrder | None = None
    """Which of the two answers was shown first; None where nobody said."""
    note: Note | None = None
    """The annotator's own words, on one line, of at most 500 characters. It is never published."""


class PeoplesVerdicts(NamedTuple):
    """What people said on a site."""

    labels: tuple[LabelledVerdict, ...]
    """Sorted by annotator and answer."""
    conflicting: int
    """Answers of an annotator that are left out since he said two different things of them."""


def labels_of_people(rows: Iterable[Verdict]) -> PeoplesVerdicts:
    """Returns people's verdicts of a site as labels, one an annotator and answer, whatever the instructions were.

    Args:
        rows: Any verdicts; those of judges and rules, and those that say nothing, are left out.

    Raises:
        pydantic.ValidationError: If a person's verdict says what no label of an answer does.
    """
    found: dict[tuple[str, str, str], LabelledVerdict | None] = {}
    for row in rows:
        if row.rater_kind != "human" or row.outcome is None:
            continue
        key = row.key
        label = LabelledVerdict.model_validate(
            {
                "schema_version": 1,
                "question_id": key.question_id,
                "content_hash": key.content_hash,
                "annotator": key.rater,
                "outcome": row.outcome,
                "slot_order": key.slot_order,
            }
        )
        name = key.rater, key.question_id, key.content_hash
        before = found.setdefault(name, label)
        if before is not None and before.outcome is not label.outcome:
            found[name] = None
    labels = [label for _, label in sorted(found.items()) if label is not None]
    return PeoplesVerdicts(tuple(labels), len(found) - len(labels))


COLUMNS = tuple(LabelledVerdict.model_fields)
"""All that a row may have."""
NEEDED = tuple(name for name, field in LabelledVerdict.model_fields.items() if field.is_required())
"""What every row has."""


class LabelProblem(StrEnum):
    """What is wrong with a labelled verdict file."""

    UNREADABLE = "unreadable"
    """The file, or a line of it, is not what its name says."""
    NOT_UTF8 = "not_utf8"
    TOO_LARGE = "too_large"
    """The file, a line or a value is larger than any label needs."""
    TOO_MANY_ROWS = "too_many_rows"
    EMPTY = "empty"
    """There is no label in it."""
    MISSING_COLUMN = "missing_column"
    FOREIGN_COLUMN = "foreign_column"
    """The format has no such column."""
    COLUMN_TYPE = "column_type"
    """A column of Parquet holds something else than text, or numbers of a version."""
    INVALID = "invalid"
    """A value is missing, of another type, or none of those that are allowed."""
    CONTROL_CHARACTERS = "control_characters"
    NOT_A_PSEUDONYM = "not_a_pseudonym"
    UNKNOWN_QUESTION = "unknown_question"
    UNKNOWN_ANSWER = "unknown_answer"
    """The question is there, and no such answer to it."""
    WRONG_OUTCOME = "wrong_outcome"
    """An outcome that the question's type does not have."""
    WRONG_ORDER = "wrong_order"
    """An order in which a question of this type is not shown."""
    DOUBLE = "double"
    """The same annotator says the same of the same answer again."""
    CONTRADICTION = "contradiction"
    """The same annotator says something else of the same answer."""
    MIXED_KINDS = "mixed_kinds"
    """Labels of two kinds in one file."""


class LabelFinding(Record):
    """One thing that is wrong with a labelled verdict file, and where.

    Example:
        >>> print(LabelFinding(problem=LabelProblem.NOT_UTF8, place="labels.jsonl:3", message="It is not UTF-8."))
        labels.jsonl:3: not_utf8: It is not UTF-8.
    """

    problem: LabelProblem
    place: str
    """File and line (of Parquet: file and row, from 1), or the file alone."""
    message: str
    """One sentence."""

    def __str__(self) -> str:
        """Returns it as one line, which names the problem as the documentation does."""
        return f"{self.place}: {self.problem}: {self.message}"
