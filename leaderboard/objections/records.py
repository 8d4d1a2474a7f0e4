"""What a reader says is wrong about one answer under one judge, and what a maintainer has said to it."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from evaluator.identity import digest
from evaluator.records import Record
from leaderboard.records import Moment, submission_of

_DIGITS = 24


class Ground(StrEnum):
    """What somebody objects to."""

    VERDICT = "verdict"
    """The judge decided wrongly."""
    GOLD = "gold"
    """The data set's own answer is wrong, or no better than others."""
    QUESTION = "question"
    """Nobody could answer it, or it can be understood in several ways."""
    OTHER = "other"
    """Something else; the words say what."""


class Decision(StrEnum):
    """What maintainers say to an objection."""

    ACCEPTED = "accepted"
    """It holds. Only then anything of it is public: the ground and what the maintainer wrote."""
    DECLINED = "declined"


class Reply(Record):
    """What a maintainer has said to an objection; it is said once."""

    decision: Decision
    text: str = Field(min_length=1, max_length=1000)
    """In the maintainer's words: public where the objection was accepted."""
    at: Moment
    actor: str = Field(min_length=1)
    """The maintainer."""


class Objection(Record):
    """A reader objects to something about one question of one scorecard; each reader once."""

    schema_version: Literal[1] = 1
    scorecard_id: str = Field(min_length=1)
    """The run with its judge."""
    question_id: str = Field(min_length=1)
    model: str
    submitter: str
    """Who handed the model in, and reads this without the name of who objects."""
    person: str = Field(min_length=1)
    """Who objects: a name on the Hub, for maintainers alone."""
    ground: Ground
    text: str = Field(min_length=1, max_length=1000)
    """The reason, in that person's words; never public."""
    at: Moment
    reply: Reply | None = None
    """None while it waits."""

    @property
    def id(self) -> str:
        """Its name, which follows from who objects to what: nobody objects to the same twice."""
        return objection_id(self.scorecard_id, self.question_id, self.person)

    @property
    def submission_id(self) -> str:
        """The submission whose result it is about.

        Example:
            >>> Objection(scorecard_id="s-20260101-0a1b2c3d.demo-v1@demo", question_id="test_1/7", model="org/model",
            ...           submitter="alice", person="bob", ground="gold", text="It is not.",
            ...           at="2026-03-01T12:00:00Z").submission_id
            's-20260101-0a1b2c3d'
        """
        return submission_of(self.scorecard_id)


def objection_id(scorecard_id: str, question_id: str, person: str) -> str:
    """Returns the name of the objection that a person has made, or may make, to one question of one scorecard.

    Example:
        >>> objection_id("s-20260101-0a1b2c3d.demo-v1@demo", "test_1/7", "bob")
        'o-9dbd43addb1b600267316853'
    """
    return f"o-{digest([scorecard_id, question_id, person])[:_DIGITS]}"
