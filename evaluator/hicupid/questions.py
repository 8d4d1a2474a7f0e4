"""What HiCUPID asks: users with histories, questions about them, and the items that a protocol makes of these."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from evaluator.hicupid.answers import says_something
from evaluator.identity import text_digest
from evaluator.records import Record, SlotOrder


def _not_blank(text: str) -> str:
    """Refuses a text in which there is nothing to read: nobody could answer it or judge by it."""
    if not says_something(text):
        raise PydanticCustomError("blank", "Input should not be blank")
    return text


_Words: TypeAlias = Annotated[str, AfterValidator(_not_blank)]


class QuestionType(StrEnum):
    """The three kinds of HiCUPID questions."""

    PERSONA = "persona"
    PROFILE = "profile"
    SCHEDULE = "schedule"


class Turn(Record):
    """One exchange: what the user wrote and what the assistant answered."""

    user: str
    assistant: str


class Dialogue(Record):
    """One conversation of a user; `turns` in time order."""

    dialogue_id: int
    type: QuestionType
    turns: tuple[Turn, ...] = Field(min_length=1)


class History(Record):
    """All dialogues of one user in id order, which is time order."""

    user_id: int
    dialogues: tuple[Dialogue, ...] = Field(min_length=1)


class PersonaFact(Record):
    """A taste of the user: "The user {relation} {entity}"."""

    category: str
    entity: str
    relation: str
    sentiment: Literal["POS", "NEG"]

    @property
    def cluster(self) -> str:
        """Names the persona shared by all users who hold it; clusters answers across users.

        Example:
            >>> PersonaFact(category="food", entity="ramen", relation="enjoys", sentiment="POS").cluster
            'food/enjoys/ramen'
        """
        return f"{self.category}/{self.relation}/{self.entity}"


class ProfileFact(Record):
    """The five profile facts of a user."""

    age: str
    gender: str
    personality: str
    occupation: str
    income_range: str


class ScheduleFact(Record):
    """An appointment of the user; `datetime` reads like "11 AM on March 13, 2025"."""

    datetime: str
    event: str


class Question(Record):
    """One question with its gold answer and the evidence that it needs."""

    question_id: str
    user_id: int
    split: str
    type: QuestionType
    question: _Words
    gold: _Words
    """The personalised answer of the data set."""
    general_answer: _Words
    """A fluent answer that ignores the user."""
    evidence: tuple[int, ...]
    """Ids of the dialogues that hold the needed facts."""
    evidence_position: tuple[float, ...]
    """For each evidence dialogue, the share of the history's dialogues that come after it: 0 is the newest, near 1
    the oldest."""
    persona: PersonaFact | None
    profile: ProfileFact | None
    schedule: ScheduleFact | None


class Item(Record):
    """One question that a protocol asks, without its text: all that scores and their slices need of the data set."""

    question_id: str
    user_id: int
    split: str
    type: QuestionType
    orders: tuple[SlotOrder, ...] = Field(min_length=1)
    """The slot orders in which the answer is judged."""
    persona_cluster: str | None
    """Names the persona that the question is about, the same for all users who hold it; None if about none."""
    persona_category: str | None
    sentiment: Literal["POS", "NEG"] | None
    evidence: tuple[int, ...]
    evidence_position: tuple[float, ...]
    """As in `Question`."""

    @property
    def is_asked(self) -> bool:
        """Whether a model can be asked at all: every question of HiCUPID can."""
        return True

    @classmethod
    def of(cls, question: Question, orders: tuple[SlotOrder, ...]) -> Self:
        """Returns a question's item."""
        persona = question.persona
        return cls(
            question_id=question.question_id,
            user_id=question.user_id,
            split=question.split,
            type=question.type,
            orders=orders,
            persona_cluster=persona and text_digest(persona.cluster)[:16],
            persona_category=persona and persona.category,
            sentiment=persona and persona.sentiment,
            evidence=question.evidence,
            evidence_position=question.evidence_position,
        )
