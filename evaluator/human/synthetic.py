"""Made-up users in the layout of people's labels: what HiCUPID's users were made from is the truth of stages 1 and 2.

The synthetic-to-human gap is a model's figure on these less the same figure on people's labels. Both are asked in the
same words, so what differs is the users, their conversations, and who says what is right.

Names of attributes are public: each is a number among those of its user and task, which a shuffle gives. What seeds it
is the user's dialogues, so it can be undone by nobody but those who hold the data, and with it the truth: a list of
HiCUPID's tastes is not enough.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from evaluator.hicupid.data import HicupidData
from evaluator.hicupid.questions import Dialogue, History, PersonaFact, Question, QuestionType
from evaluator.human.data import HumanData
from evaluator.human.layout import About, HumanTables
from evaluator.human.records import (
    Annotator,
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
from evaluator.human.tasks import AnyTask, JudgedTask, Task
from evaluator.identity import digest

SPLIT = "test_2"
"""Users whom nobody trains on."""
MOST_USERS = 50
"""As many as people labelled."""
TASTES_A_USER = 10
"""So many of a user's tastes are asked about: with as many users an interval is hardly wider than with all of them, and
the two stages stay a small part of an evaluation."""
LISTED_TASTES = 5
"""So many of these are to be found in lists, which are asked of the dialogues that show them and cost the most."""
ATTRIBUTES_A_PROMPT = 5
"""Of which one is relevant: about the share that people call relevant."""
TRUTH = "hicupid"
"""Who says so, in the place of an annotator."""
_SEED = 42


class _Fact(NamedTuple):
    """A taste of a user, and the dialogues that show it."""

    told: PersonaFact
    dialogues: tuple[int, ...]


class _Said(NamedTuple):
    """Something that is said of a user beside dialogues."""

    told: PersonaFact
    dialogues: tuple[int, ...]
    holds: bool


class _User(NamedTuple):
    """What is taken of one user."""

    name: str
    history: History
    facts: tuple[_Fact, ...]
    """All of the user's."""
    asked: tuple[str, ...]
    """Clusters of the tastes that are asked about, in a drawn order."""
    questions: tuple[Question, ...]
    """About these."""


def synthetic_data(data: HicupidData, task: AnyTask, users: int = MOST_USERS) -> HumanData:
    """Returns HiCUPID's users as a data set of labels, with what a task asks of them and nothing else.

    Stage 1: an attribute is a taste that a user was made with, beside the dialogues that show it (`accepted`), or one
    of somebody else beside the same dialogues (`rejected`): as many of either. The conversations are these dialogues.
    Stage 2: the prompt is a question about a taste, and of some tastes of the user those are relevant whose dialogues
    are its evidence. Either asks about `TASTES_A_USER` of each user's tastes, and lists about the first
    `LISTED_TASTES` of these; what is set beside them is drawn from all.

    Args:
        data: Any data set of HiCUPID's layout that has the split `test_2`.
        task: What is asked: `verification`, `extraction` or `relevance`.
        users: How many are taken, in the data's order.

    Raises:
        RapportError: `data_error` if the data set is broken.
        ValueError: If nothing is known of made-up users that the task asks.
    """
    taken = [_user(data, user_id) for user_id in islice(data.users(SPLIT), users)]
    if task is Task.RELEVANCE:
        tables = _of_prompts(taken)
    elif task in (Task.VERIFICATION, JudgedTask.EXTRACTION):
        tables = _of_attributes(taken, task)
    else:
        raise ValueError(f"made-up users have no truth of {task}")
    shown = {name for attribute in tables.attributes for name in _conversations_of(attribute)}
    said = (each for user in taken for each in _conversations(user) if each.conversation_id in shown)
    about = About(
        title="HiCUPID's users",
        source=f"Made from {data.source} at {data.sha}.",
        licence=data.terms.licence,
        visibility=data.terms.visibility,
        redistributable=data.terms.redistributable,
        personal_data=data.terms.personal_data,
        languages=("en",),
    )
    truth = Annotator(annotator_id=TRUTH, kind=RaterKind.TRUTH)
    return HumanData(data.source, data.sha, about, tables._replace(conversations=tuple(said), annotators=(truth,)))


def _user(data: HicupidData, user_id: int) -> _User:
    """Reads one user's tastes and the questions about them."""
    name = f"{SPLIT}-{user_id}"
    asked = [each for each in data.questions(SPLIT, user_id) if each.type is QuestionType.PERSONA and each.evidence]
    found: dict[str, _Fact] = {}
    for question in asked:
        if question.persona:
            found.setdefault(question.persona.cluster, _Fact(question.persona, question.evidence))
    draw = random.Random(f"{_SEED}:{name}:asked")  # noqa: S311 - Nothing is secret.
    drawn = tuple(draw.sample(list(found), k=min(len(found), TASTES_A_USER)))
    questions = tuple(question for question in asked if question.persona and question.persona.cluster in drawn)
    return _User(name, data.history(SPLIT, user_id), tuple(found.values()), drawn, questions)


def _of_attributes(users: Sequence[_User], task: AnyTask) -> HumanTables:
    """Returns what holds of each user and as much that does not, with the truth of either."""
    most = LISTED_TASTES if task is JudgedTask.EXTRACTION else TASTES_A_USER
    others = [fact.told for user in users for fact in user.facts]
    attributes, labels = list[Attribute](), list[AttributeLabel]()
    for user in users:
        own = {fact.told.entity for fact in user.facts}  # Who enjoys ramen may be fond of it too, in other words.
        strange = [told for told in others if told.entity not in own]
        draw = random.Random(f"{_SEED}:{user.name}")  # noqa: S311 - Nothing is secret.
        said = list[_Said]()
        for fact in (fact for fact in user.facts if fact.told.cluster in user.asked[:most]):
            said.append(_Said(fact.told, fact.dialogues, holds=True))
            if strange:
                said.append(_Said(draw.choice(strange), fact.dialogues, holds=False))
        for each, attribute in _numbered(user, task, said):
            label = Verification.ACCEPTED if each.holds else Verification.REJECTED
            attributes.append(attribute)
            labels.append(_label(attribute.attribute_id, label))
    return HumanTables(attributes=tuple(attributes), attribute_labels=tuple(labels))


def _label(attribute_id: str, label: Verification) -> AttributeLabel:
    """Returns the truth of stage 1."""
    return AttributeLabel(annotator_id=TRUTH, kind=RaterKind.TRUTH, attribute_id=attribute_id, label=label)


def _of_prompts(users: Sequence[_User]) -> HumanTables:
    """Returns questions and all tastes of their users, with which of some are relevant."""
    attributes, pairs = list[Attribute](), list[RelevanceLabel]()
    for user in users:
        said = [_Said(fact.told, fact.dialogues, holds=True) for fact in user.facts]
        numbered = [(each.told.cluster, attribute) for each, attribute in _numbered(user, Task.RELEVANCE, said)]
        attributes += (attribute for _, attribute in numbered)
        pairs += _pairs(user, {cluster: attribute.attribute_id for cluster, attribute in numbered})
    prompts = (
        Prompt(prompt_id=_prompt_id(question), text=question.question, user_ids=(user.name,))
        for user in users
        for question in user.questions
    )
    return HumanTables(attributes=tuple(attributes), prompts=tuple(prompts), relevance_labels=tuple(pairs))


def _pairs(user: _User, names: Mapping[str, str]) -> Iterator[RelevanceLabel]:
    """Yields questions with tastes of the user: their own, and some drawn from the others.

    Args:
        user: Whose.
        names: Of attributes, by cluster.
    """
    for question in user.questions:
        wanted = set(question.evidence)
        own = [fact for fact in user.facts if wanted & set(fact.dialogues)]
        rest = [fact for fact in user.facts if not wanted & set(fact.dialogues)]
        draw = random.Random(f"{_SEED}:{question.question_id}")  # noqa: S311 - Nothing is secret.
        drawn = draw.sample(rest, k=min(len(rest), max(0, ATTRIBUTES_A_PROMPT - len(own))))
        shown = {names[fact.told.cluster]: fact in own for fact in (*own, *drawn)}
        for attribute_id, relevant in sorted(shown.items()):
            yield RelevanceLabel(
                annotator_id=TRUTH,
                kind=RaterKind.TRUTH,
                prompt_id=_prompt_id(question),
                attribute_id=attribute_id,
                relevant=relevant,
            )


def _numbered(user: _User, task: AnyTask, said: Iterable[_Said]) -> Iterator[tuple[_Said, Attribute]]:
    """Yields what is said of a user in a drawn order, each as an attribute that is named by its number, from 1.

    A seed that anybody knows would let anybody undo the draw, and read off places, and so the truth.
    """
    turns = (turn for dialogue in user.history.dialogues for turn in dialogue.turns)
    dialogues = digest([[turn.user, turn.assistant] for turn in turns])
    mixed = list(said)
    random.Random(f"{_SEED}:{user.name}:{task}:{dialogues}").shuffle(mixed)  # noqa: S311 - Equal data, equal names.
    for number, each in enumerate(mixed, start=1):
        yield (
            each,
            Attribute(
                attribute_id=f"{user.name}-{task}-{number}",
                user_id=user.name,
                text=f"The user {each.told.relation} {each.told.entity}.",
                evidence=tuple(
                    Evidence(conversation_id=_conversation_id(user.name, place)) for place in each.dialogues
                ),
                origin=TRUTH,
            ),
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
