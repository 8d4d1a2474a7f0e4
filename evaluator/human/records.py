"""The rows of a data set of people's labels: conversations, what they say of a user, and what people say of that.

Eight tables, one record each. Every row has a name of its own that stays; every label names its annotator by a
pseudonym, and any number of annotators may have labelled an item, or none.
"""

from __future__ import annotations

import datetime
from enum import IntEnum, StrEnum
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, ConfigDict, Field, PlainSerializer, StringConstraints

from evaluator.records import Record

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$")]
"""The name of a row, a user or an annotator; it may stand in a path."""
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200_000)]


def _utc(moment: datetime.datetime) -> str:
    return moment.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")


Moment = Annotated[AwareDatetime, PlainSerializer(_utc, when_used="json")]
"""A moment in UTC."""


class Row(Record):
    """Base of all rows; what stands below a field says in the data set's card what its column means."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class Role(StrEnum):
    """Who speaks in a turn."""

    USER = "user"
    ASSISTANT = "assistant"


class Turn(Row):
    """What was said in one turn."""

    role: Role
    """Who says it."""
    text: str
    """What is said; may be empty."""


class Conversation(Row):
    """One conversation of a user with some assistant."""

    conversation_id: Name
    """Name of the conversation."""
    user_id: Name
    """Pseudonym of the user; the same in all tables."""
    language: str | None = None
    """BCP 47 tag, such as `en`; None where nobody said."""
    started_at: Moment | None = None
    """When it began; None where nobody said."""
    turns: tuple[Turn, ...] = Field(min_length=1)
    """What was said, in order."""


class Evidence(Row):
    """Where in a user's conversations something stands."""

    conversation_id: Name
    """The conversation, one of the same user."""
    turn: int | None = Field(default=None, ge=0)
    """Place of the turn, from 0; None means the conversation as a whole."""


class Attribute(Row):
    """A standing attribute of a user, as a sentence such as "The user keeps bees."."""

    attribute_id: Name
    """Name of the attribute."""
    user_id: Name
    """Whom it is about."""
    text: Text
    """The sentence, as it was written down."""
    evidence: tuple[Evidence, ...]
    """What it was taken from; without any it cannot be verified."""
    origin: str
    """What took it from there: a model, a person, or the data set that it came with."""
    confidence: float | None = Field(default=None, ge=0, le=1)
    """How sure that one was; None where it did not say."""


class RaterKind(StrEnum):
    """Whose label it is."""

    PERSON = "person"
    """One person's own."""
    CONSENSUS = "consensus"
    """What several people came to together: it has no disagreement, so no ceiling follows from it."""
    TRUTH = "truth"
    """What made-up users were made from: nobody said it, so there is no disagreement and no ceiling."""
    SIMULATED = "simulated"
    """A program's with a known skill, for trying; never a person's."""


class Annotator(Row):
    """Somebody, or something, whose labels count; nothing here tells who it is."""

    annotator_id: Name
    """Pseudonym; the same in all tables."""
    kind: RaterKind
    """Whose labels those are: the same in each of them."""


class Label(Row):
    """What all labels have in common."""

    annotator_id: Name
    """Pseudonym; the same in all tables."""
    kind: RaterKind = RaterKind.PERSON
    """Whose label it is: one person's own, a consensus of several, or simulated by a program."""
    labelled_at: Moment | None = None
    """When it was given; None where nobody said."""
    note: str | None = None
    """The annotator's own words; dropped by importers unless they are asked for."""


class Verification(StrEnum):
    """What a person says of an attribute in the light of its evidence."""

    ACCEPTED = "accepted"
    """It makes sense."""
    UNCERTAIN = "uncertain"
    """It may be so."""
    REJECTED = "rejected"
    """It does not make sense."""


class AttributeLabel(Label):
    """One annotator's word on one attribute."""

    attribute_id: Name
    """The attribute that is labelled."""
    label: Verification
    """In the light of the evidence it makes sense (`accepted`), may be so (`uncertain`), or does not (`rejected`)."""


class Prompt(Row):
    """Something that a user asks, for which the attributes may or may not matter."""

    prompt_id: Name
    """Name of the prompt."""
    text: Text
    """What is asked."""
    user_ids: tuple[Name, ...]
    """Users in whose name it is asked."""


class RelevanceLabel(Label):
    """Whether one annotator says that an attribute should change the response to a prompt, openly or not."""

    prompt_id: Name
    """The prompt; with the attribute it is the item that is labelled."""
    attribute_id: Name
    """An attribute of one of the users in whose name the prompt is asked."""
    relevant: bool
    """Whether it should change the response in any way."""


class Response(Row):
    """Two answers to a prompt: one written for the user, one for anybody."""

    response_id: Name
    """Name of the pair of answers."""
    prompt_id: Name
    """What was asked."""
    user_id: Name
    """For whom the personalised answer was written."""
    attribute_ids: tuple[Name, ...] = Field(min_length=1)
    """The attributes that the personalised answer was written from."""
    writer: str
    """What wrote them."""
    generic: Text
    """The answer for anybody."""
    personalised: Text
    """The answer for this user."""


class Rating(IntEnum):
    """How much better an attribute is served by the personalised answer."""

    MUCH_WORSE = 1
    WORSE = 2
    NO_DIFFERENCE = 3
    BETTER = 4
    MUCH_BETTER = 5


def _no_truth(value: object) -> object:
    """Refuses true and false, which Python takes for 1 and 0."""
    if isinstance(value, bool):
        raise ValueError("a rating is a number from 1 to 5")
    return value


class ResponseRating(Label):
    """One annotator's rating of one attribute of one response."""

    response_id: Name
    """The response; with the attribute it is the item that is rated."""
    attribute_id: Name
    """One of the attributes that the personalised answer was written from."""
    rating: Annotated[Rating, BeforeValidator(_no_truth)]
    """How the attribute is served: 1 (much worse than by the generic answer), 3 (no difference) to 5 (much better)."""
