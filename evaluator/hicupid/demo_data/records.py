"""The records that the demo generator hands to its writer.

They mirror the columns of the Hub data set one to one, so that the writer only serialises and never decides.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

Kind = Literal["persona", "profile", "schedule"]
Sentiment = Literal["POS", "NEG"]

DIALOGUES_PER_USER = 40
PERSONAS_PER_USER = 25
PROFILE_DIALOGUES_PER_USER = 5
SCHEDULES_PER_USER = 10
MAX_PERSONA_TURNS = 24


class DemoSize(NamedTuple):
    """How large a demo set is.

    Example:
        >>> DemoSize(users=3, seen_users=2, persona_turns=1).total_users
        5
    """

    users: int  # unseen users, 0 or more; ids seen_users .. total_users-1, all their questions are test_2
    seen_users: int  # 0 or more; ids 0 .. seen_users-1, their questions are train and test_1
    persona_turns: int  # turns of each persona dialogue, 1 .. MAX_PERSONA_TURNS

    @property
    def total_users(self) -> int:
        """Seen and unseen users together, at least 1."""
        return self.seen_users + self.users


class Exchange(NamedTuple):
    """What the user says in one turn and what the assistant answers."""

    user: str
    assistant: str


@dataclass(frozen=True)
class Persona:
    """One taste of one user; "The user {relation} {entity}" is a sentence."""

    category: str  # one of the 25 themes
    entity: str  # the thing liked or disliked, a noun phrase
    relation: str  # a verb phrase such as "is fond of"
    sentiment: Sentiment  # POS or NEG


@dataclass(frozen=True)
class Profile:
    """The five facts about one user, as text."""

    age: str  # whole years in 2025, such as "34"
    gender: str  # female, male or non-binary
    personality: str  # one trait, such as "meticulous"
    occupation: str  # a job title in lower case
    income_range: str  # yearly gross income, such as "$25,000 to $45,000"


@dataclass(frozen=True)
class Appointment:
    """One calendar entry of one user."""

    datetime: str  # its start, such as "11 AM on March 13, 2025"
    event: str  # a noun phrase


@dataclass(frozen=True)
class DemoTurn:
    """One row of the `dialogue` config."""

    user_id: int  # 0-based
    dialogue_id: int  # user_id * 40 + k, k in 0 .. 39
    user: str  # what the user writes
    assistant: str  # the reply, 25 to 60 words
    type: Kind  # kind of the whole dialogue


@dataclass(frozen=True)
class DemoQuestion:
    """One row of the `qa` config, and whether a seen user's copy is held out for test_1."""

    user_id: int  # 0-based
    dialogue_id: tuple[int, ...]  # the dialogues that hold the evidence, ascending
    question_id: int  # user_id * 40 + j, unique over all splits
    question: str  # never names the entity or the event
    personalized_answer: str  # gold, 8 to 38 words
    general_answer: str  # fluent, ignores the user
    type: Kind  # kind of evidence asked for
    persona: Persona | None  # filled for persona and profile questions
    profile: Profile | None  # filled for profile questions
    schedule: Appointment | None  # filled for schedule questions
    held_out: bool  # True for 8 of the 40: 5 persona, 1 profile, 2 schedule


@dataclass(frozen=True)
class DemoUser:
    """One invented user: the whole history and all questions.

    Shapes: `turns` has 25 * persona_turns + 15 rows in dialogue order; `questions` has 40.
    """

    user_id: int
    turns: tuple[DemoTurn, ...]
    questions: tuple[DemoQuestion, ...]
