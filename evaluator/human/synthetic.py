"""Made-up users in the layout of people's labels: what HiCUPID's users were made from is the truth of stages 1 and 2.

The synthetic-to-human gap is a model's figure on these less the same figure on people's labels. Both are asked in the
same words, so what differs is the users, their conversations, and who says what is right.

Names of attributes are public: each is a digest, and the stages have names of their own. Who knows HiCUPID's tastes can
try them out, since nothing in a digest is secret.
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
from evaluator.human.tasks import Task
from evaluator.identity import digest

SPLIT = "test_2"
"""Users whom nobody trains on."""
MOST_USERS = 50
"""As many as people labelled."""
TASTES_A_USER = 10
"""So many of a user's tastes are asked about: with as many users an interval is hardly wider than with all of them, and
the two stages stay a small part of an evaluation."""
ATTRIBUTES_A_PROMPT = 5
"""Of which one is relevant: about the share that people call relevant."""
TRUTH = "hicupid"
"""Who says so, in the place of an annotator."""
_SEED = 42


class _Fact(NamedTuple):
    """A taste of a user, and the dialogues that show it."""

    told: PersonaFact
    dialogues: tuple[int, ...]


class _User(NamedTuple):
    """What is taken of one user."""

    name: str
    history: History
    facts: tuple[_Fact, ...]
    """All of the user's."""
    asked: frozenset[str]
    """Clusters of the tastes that are asked about."""
    questions: tuple[Question, ...]
    """About these."""


def synthetic_data(data: HicupidData, users: int = MOST_USERS) -> HumanData:
    """Returns HiCUPID's users as a data set of labels.

    Stage 1: an attribute is a taste that a user was made with, beside the dialogues that show it (`accepted`), or one
    of somebody else beside the same dialogues (`rejected`): as many of either. Stage 2: the prompt is a question about
    a taste, and of some tastes of the user those are relevant whose dialogues are its evidence. Either asks about
    `TASTES_A_USER` of each user's tastes; what is set beside them is drawn from all.

    Args:
        data: Any data set of HiCUPID's layout that has the split `test_2`.
        users: How many are taken, in the data's order.

    Raises:
        RapportError: `data_error` if the data set is broken.
    """
    taken = [_user(data, user_id) for user_id in islice(data.users(SPLIT), users)]
    verified, labels = _verified(taken, [fact for user in taken for fact in user.facts])
    known = [_attribute(user, Task.RELEVANCE, fact, fact.told) for user in taken for fact in user.facts]
    attributes = (*verified, *known)
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
        personal_data=data.terms.personal_data,
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
            found.setdefault(question.persona.cluster, _Fact(question.persona, question.evidence))
    draw = random.Random(f"{_SEED}:{name}:asked")  # noqa: S311 - Nothing is secret.
    drawn = frozenset(draw.sample(list(found), k=min(len(found), TASTES_A_USER)))
    questions = tuple(question for question in asked if question.persona and question.persona.cluster in drawn)
    return _User(name, data.history(SPLIT, user_id), tuple(found.values()), drawn, questions)


def _verified(
    users: Iterable[_User], others: Sequence[_Fact]
) -> tuple[tuple[Attribute, ...], tuple[AttributeLabel, ...]]:
    """Returns what holds of each user and as much that does not, with the truth of either."""
    attributes, labels = list[Attribute](), list[AttributeLabel]()
    for user in users:
        own = {fact.told.entity for fact in user.facts}  # Who enjoys ramen may be fond of it too, in other words.
        strange = [other.told for other in others if other.told.entity not in own]
        draw = random.Random(f"{_SEED}:{user.name}")  # noqa: S311 - Nothing is secret.
        for fact in (fact for fact in user.facts if fact.told.cluster in user.asked):
            put = {_attribute(user, Task.VERIFICATION, fact, fact.told): Verification.ACCEPTED}
            if strange:
                put[_attribute(user, Task.VERIFICATION, fact, draw.choice(strange))] = Verification.REJECTED
            for attribute in sorted(put, key=lambda attribute: attribute.attribute_id):
                attributes.append(attribute)
                labels.append(_label(attribute.attribute_id, put[attribute]))
    return tuple(attributes), tuple(labels)


def _label(attribute_id: str, label: Verification) -> AttributeLabel:
    """Returns the truth of stage 1."""
    return AttributeLabel(annotator_id=TRUTH, kind=RaterKind.TRUTH, attribute_id=attribute_id, label=label)


def _attribute(user: _User, task: Task, fact: _Fact, told: PersonaFact) -> Attribute:
    """Returns what a stage says of a user beside the dialogues of one of their tastes."""
    return Attribute(
        attribute_id=_attribute_id(user, task, fact, told),
        user_id=user.name,
        text=f"The user {told.relation} {told.entity}.",
        evidence=tuple(Evidence(conversation_id=_conversation_id(user.name, each)) for each in fact.dialogues),
        origin=TRUTH,
    )


def _attribute_id(user: _User, task: Task, fact: _Fact, told: PersonaFact) -> str:
    """Names an attribute, so that neither its words nor its place among others show what holds of it."""
    return f"{user.name}-{digest([_SEED, task, user.name, fact.told.cluster, told.cluster])[:12]}"


def _pairs(user: _User) -> Iterator[RelevanceLabel]:
    """Yields questions with tastes of the user: their own, and some drawn from the others."""
    for question in user.questions:
        wanted = set(question.evidence)
        own = [fact for fact in user.facts if wanted & set(fact.dialogues)]
        rest = [fact for fact in user.facts if not wanted & set(fact.dialogues)]
        draw = random.Random(f"{_SEED}:{question.question_id}")  # noqa: S311 - Nothing is secret.
        drawn = draw.sample(rest, k=min(len(rest), max(0, ATTRIBUTES_A_PROMPT - len(own))))
        shown = {_attribute_id(user, Task.RELEVANCE, fact, fact.told): fact in own for fact in (*own, *drawn)}
        for attribute_id, relevant in sorted(shown.items()):
            yield RelevanceLabel(
                annotator_id=TRUTH,
                kind=RaterKind.TRUTH,
                prompt_id=_prompt_id(question),
                attribute_id=attribute_id,
                relevant=relevant,
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
