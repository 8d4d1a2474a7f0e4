"""Made-up users in the layout of people's labels: what HiCUPID's users were made from is the truth of stages 1 and 2.

The synthetic-to-human gap is a model's figure on these less the same figure on people's labels. Both are asked in the
same words, so what differs is the users, their conversations, and who says what is right.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from evaluator.hicupid.data import HicupidData
from evaluator.hicupid.questions import Dialogue, History, PersonaFact, Question, QuestionType
from evaluator.human.data import HumanData
from evaluator.human.layout import About, HumanTables
from evaluator.human.records import (
    Attribute,
    AttributeLabel,
    Conversation,
    Evidence,
    Prompt,
    RaterKind,
    RelevanceLabel,
    Role,
    Turn,
    Verification,
)

SPLIT = "test_2"
"""Users whom nobody trains on."""
MOST_USERS = 50
"""As many as people labelled."""
ATTRIBUTES_A_PROMPT = 5
"""Of which one is relevant: about the share that people call relevant."""
TRUTH = "hicupid"
"""Who says so, in the place of an annotator."""
_SEED = 42


class _Fact(NamedTuple):
    """A taste of a user, and the dialogues that show it."""

    attribute_id: str
    fact: PersonaFact
    dialogues: tuple[int, ...]


class _User(NamedTuple):
    """What is taken of one user."""

    name: str
    history: History
    facts: tuple[_Fact, ...]
    questions: tuple[Question, ...]


def synthetic_data(data: HicupidData, users: int = MOST_USERS) -> HumanData:
    """Returns HiCUPID's users as a data set of labels.

    Stage 1: an attribute is a taste that a user was made with, beside the dialogues that show it (`accepted`), or one
    of somebody else beside the same dialogues (`rejected`): as many of either. Stage 2: the prompt is a question about
    a taste, and of some tastes of the user those are relevant whose dialogues are its evidence.

    Args:
        data: Any data set of HiCUPID's layout that has the split `test_2`.
        users: How many are taken, in the data's order.

    Raises:
        RapportError: `data_error` if the data set is broken.
    """
    taken = [_user(data, user_id) for user_id in islice(data.users(SPLIT), users)]
    others = [fact for user in taken for fact in user.facts]
    attributes, labels = _verified(taken, others)
    pairs = [pair for user in taken for pair in _pairs(user)]
    shown = {name for attribute in attributes for name in _conversations_of(attribute)}
    tables = HumanTables(
        conversations=tuple(each for user in taken for each in _conversations(user) if each.conversation_id in shown),
        attributes=attributes,
        attribute_labels=labels,
        prompts=tuple(
            Prompt(prompt_id=_prompt_id(question), text=question.question, user_ids=(user.name,))
            for user in taken
            for question in user.questions
        ),
        relevance_labels=tuple(pairs),
    )
    about = About(
        title="HiCUPID's users",
        source=f"Made from {data.source} at {data.sha}.",
        licence=data.terms.licence,
        visibility=data.terms.visibility,
        redistributable=data.terms.redistributable,
        personal_data="synthetic",
        languages=("en",),
    )
    return HumanData(data.source, data.sha, about, tables)


def _user(data: HicupidData, user_id: int) -> _User:
    """Reads one user's tastes and the questions about them."""
    name = f"{SPLIT}-{user_id}"
    asked = [each for each in data.questions(SPLIT, user_id) if each.type is QuestionType.PERSONA and each.evidence]
    found: dict[str, _Fact] = {}
    for question in asked:
        if question.persona:
            attribute_id = f"{name}-{len(found)}"
            found.setdefault(question.persona.cluster, _Fact(attribute_id, question.persona, question.evidence))
    questions = tuple(question for question in asked if question.persona)
    return _User(name, data.history(SPLIT, user_id), tuple(found.values()), questions)


def _verified(
    users: Iterable[_User], others: Sequence[_Fact]
) -> tuple[tuple[Attribute, ...], tuple[AttributeLabel, ...]]:
    """Returns what holds of each user and as much that does not, with the truth of either."""
    attributes, labels = list[Attribute](), list[AttributeLabel]()
    for user in users:
        own = {fact.fact.cluster for fact in user.facts}
        strange = [other for other in others if other.fact.cluster not in own]
        draw = random.Random(f"{_SEED}:{user.name}")  # noqa: S311 - Nothing is secret.
        for fact in user.facts:
            put = [(fact.attribute_id, fact.fact, Verification.ACCEPTED)]
            if strange:
                put.append((f"{fact.attribute_id}-other", draw.choice(strange).fact, Verification.REJECTED))
            for attribute_id, told, label in put:
                attributes.append(_attribute(user, attribute_id, told, fact.dialogues))
                labels.append(
                    AttributeLabel(annotator_id=TRUTH, kind=RaterKind.TRUTH, attribute_id=attribute_id, label=label)
                )
    return tuple(attributes), tuple(labels)


def _attribute(user: _User, attribute_id: str, told: PersonaFact, dialogues: Iterable[int]) -> Attribute:
    """Returns a taste as an attribute."""
    return Attribute(
        attribute_id=attribute_id,
        user_id=user.name,
        text=f"The user {told.relation} {told.entity}.",
        evidence=tuple(Evidence(conversation_id=_conversation_id(user.name, each)) for each in dialogues),
        origin=TRUTH,
    )


def _pairs(user: _User) -> Iterator[RelevanceLabel]:
    """Yields questions with tastes of the user: their own, and some drawn from the others."""
    for question in user.questions:
        wanted = set(question.evidence)
        own = [fact for fact in user.facts if wanted & set(fact.dialogues)]
        rest = [fact for fact in user.facts if not wanted & set(fact.dialogues)]
        draw = random.Random(f"{_SEED}:{question.question_id}")  # noqa: S311 - Nothing is secret.
        drawn = draw.sample(rest, k=min(len(rest), max(0, ATTRIBUTES_A_PROMPT - len(own))))
        for fact in sorted((*own, *drawn), key=lambda fact: fact.attribute_id):
            yield RelevanceLabel(
                annotator_id=TRUTH,
                kind=RaterKind.TRUTH,
                prompt_id=_prompt_id(question),
                attribute_id=fact.attribute_id,
                relevant=fact in own,
            )


def _conversations(user: _User) -> Iterator[Conversation]:
    """Yields a user's dialogues."""
    for dialogue in user.history.dialogues:
        yield Conversation(
            conversation_id=_conversation_id(user.name, dialogue.dialogue_id),
            user_id=user.name,
            language="en",
            turns=tuple(_turns(dialogue)),
        )


def _turns(dialogue: Dialogue) -> Iterator[Turn]:
    """Yields what was said, in order."""
    for turn in dialogue.turns:
        yield Turn(role=Role.USER, text=turn.user)
        yield Turn(role=Role.ASSISTANT, text=turn.assistant)


def _conversations_of(attribute: Attribute) -> Iterator[str]:
    """Yields the names of the conversations that an attribute was taken from."""
    return (evidence.conversation_id for evidence in attribute.evidence)


def _conversation_id(user: str, dialogue: int) -> str:
    return f"{user}-d{dialogue}"


def _prompt_id(question: Question) -> str:
    """Names a question as a prompt; a slash would part a prompt from its attribute."""
    return question.question_id.replace("/", ":")
