"""Puts a demo set together: invented users, what they said, what is made of it, and answers to what they ask.

Each user is invented from a stream of his own: further users change nothing of him.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from evaluator.hicupid.demo_data.draw import Draw
from evaluator.human.demo_data.content import Flaw, Occasion, Right, Topic, Wrong, occasions, tasks, topics
from evaluator.human.demo_data.responses import Relevant, Served, write_response
from evaluator.human.demo_data.sizes import DemoSize
from evaluator.human.layout import HumanTables
from evaluator.human.records import Attribute, Conversation, Evidence, Prompt, Role, Turn
from evaluator.human.simulation import Truth

_SLOT = re.compile(r"<(\w+)>")
ORIGIN = "written with the demo set"


class Demo(NamedTuple):
    """A demo set without labels, and all that its generator knows."""

    tables: HumanTables
    truth: Truth
    flaws: Mapping[str, Flaw]
    """Of each attribute that does not hold, why."""
    mentioned: Mapping[tuple[str, str], bool]
    """By response and attribute, whether the personalised answer names it openly."""


class _Draft(NamedTuple):
    """An attribute before it has a name."""

    source: Right | Wrong
    conversation_id: str
    words: Mapping[str, str]
    """What stands in the slots."""


class _Made(NamedTuple):
    """An attribute, and what it was made from."""

    attribute: Attribute
    source: Right | Wrong
    words: Mapping[str, str]


class _User(NamedTuple):
    """An invented user."""

    user_id: str
    conversations: tuple[Conversation, ...]
    made: tuple[_Made, ...]


class _Asked(NamedTuple):
    """A prompt, before it is known who asks it."""

    prompt_id: str
    text: str
    occasion: Occasion


def generate_demo(size: DemoSize, seed: int) -> Demo:
    """Generates a demo set; equal arguments give an equal set.

    Args:
        size: How large it is.
        seed: Any integer.

    Raises:
        ValueError: If there are not so many topics, tasks or prompts.

    Example:
        >>> from evaluator.human.demo_data import SMALL
        >>> demo = generate_demo(SMALL, seed=39)
        >>> len(demo.tables.prompts), demo.tables.attribute_labels
        (6, ())
    """
    _check(size)
    draw = Draw(f"human:{seed}")
    users = [_user(number, size, draw.branch(f"user-{number}")) for number in range(size.users)]
    asked = _prompts(size, draw.branch("prompts"))
    asks = _who_asks(users, asked, size, draw.branch("asks"))
    served = [one for user in users for one in _responses(user, asks[user.user_id], size, draw)]
    made = [one for user in users for one in user.made]
    prompts = [Prompt(prompt_id=one.prompt_id, text=one.text, user_ids=_askers(one, asks)) for one in asked]
    return Demo(
        HumanTables(
            conversations=tuple(each for user in users for each in user.conversations),
            attributes=tuple(each.attribute for each in made),
            prompts=tuple(prompt for prompt in prompts if prompt.user_ids),
            responses=tuple(one.response for one in served),
        ),
        Truth(
            makes_sense={each.attribute.attribute_id: isinstance(each.source, Right) for each in made},
            relevant=_relevant_pairs(users, asks),
            uplift={pair: points for one in served for pair, points in one.uplift.items()},
        ),
        {each.attribute.attribute_id: each.source.kind for each in made if isinstance(each.source, Wrong)},
        {pair: openly for one in served for pair, openly in one.mentioned.items()},
    )


def _check(size: DemoSize) -> None:
    wordings = sum(len(each.prompts) for each in occasions())
    most = {"topics": len(topics()), "tasks": len(tasks()), "prompts": wordings, "prompts_per_user": size.prompts}
    for name, limit in most.items():
        if not 0 <= getattr(size, name) <= limit:
            raise ValueError(f"{name} must be 0 to {limit}, not {getattr(size, name)}")
    if size.users < 1:
        raise ValueError(f"users must be at least 1, not {size.users}")


def _user(number: int, size: DemoSize, draw: Draw) -> _User:
    """Invents a user."""
    user_id = f"user-{number + 1:02}"
    shown = draw.shuffled(topics())[: _about(size.topics, draw)]
    busy = draw.shuffled(tasks())[: _about(size.tasks, draw)]
    conversations: list[Conversation] = []
    drafts: list[_Draft] = []
    for place, topic in enumerate(draw.shuffled([*shown, *busy])):
        name = f"{user_id}-c{place + 1:02}"
        words = {slot: draw.pick(values) for slot, values in topic.slots.items()}
        conversations.append(_conversation(name, user_id, topic, words))
        sources: list[Right | Wrong] = [*draw.shuffled(topic.right)[: _about(size.right, draw)]]
        sources += _by_frequency(topic.wrong, draw)[: _about(size.wrong if topic.right else size.task_wrong, draw)]
        drafts.extend(_Draft(source, name, words) for source in sources)
    made = [
        _Made(_attribute(f"{user_id}-a{place:02}", user_id, draft), draft.source, draft.words)
        for place, draft in enumerate(draw.shuffled(drafts), start=1)
    ]
    return _User(user_id, tuple(conversations), tuple(made))


def _by_frequency(wrong: tuple[Wrong, ...], draw: Draw) -> list[Wrong]:
    """Returns attributes that do not hold in an order in which frequent flaws mostly come first."""
    weights = {Flaw.OVERGENERALISED: 54, Flaw.NO_EVIDENCE: 20, Flaw.TASK_CONTEXT: 16, Flaw.NOT_STANDALONE: 10}
    deck = [each for each in wrong for _ in range(weights[each.kind])]
    return list({each.text: each for each in draw.shuffled(deck)}.values())


def _conversation(name: str, user_id: str, topic: Topic, words: Mapping[str, str]) -> Conversation:
    turns = [
        Turn(role=role, text=_fill(text, words))
        for exchange in topic.turns
        for role, text in ((Role.USER, exchange.user), (Role.ASSISTANT, exchange.assistant))
    ]
    return Conversation(conversation_id=name, user_id=user_id, language="en", turns=tuple(turns))


def _attribute(name: str, user_id: str, draft: _Draft) -> Attribute:
    evidence = (Evidence(conversation_id=draft.conversation_id, turn=draft.source.at),)
    text = _fill(draft.source.text, draft.words)
    return Attribute(attribute_id=name, user_id=user_id, text=text, evidence=evidence, origin=ORIGIN)


def _prompts(size: DemoSize, draw: Draw) -> list[_Asked]:
    """Draws what is asked: a wording of each occasion before the second of any."""
    decks = {each.occasion: draw.shuffled(each.prompts) for each in occasions()}
    order = draw.shuffled(occasions())
    rounds = range(max(map(len, decks.values())))
    drawn = [
        (decks[each.occasion][turn], each) for turn in rounds for each in order if turn < len(decks[each.occasion])
    ]
    return [
        _Asked(f"prompt-{place:02}", text, occasion)
        for place, (text, occasion) in enumerate(drawn[: size.prompts], start=1)
    ]


def _who_asks(users: list[_User], asked: list[_Asked], size: DemoSize, draw: Draw) -> dict[str, list[_Asked]]:
    """Hands the prompts round, so that all are asked about equally often."""
    found: dict[str, list[_Asked]] = {}
    deck: list[_Asked] = []
    for user in users:
        count = _about(size.prompts_per_user, draw)
        if len(deck) < count:
            left = {each.prompt_id for each in deck}
            deck += [each for each in draw.shuffled(asked) if each.prompt_id not in left]
        found[user.user_id] = sorted(deck[:count], key=lambda each: each.prompt_id)
        deck = deck[count:]
    return found


def _askers(asked: _Asked, asks: Mapping[str, list[_Asked]]) -> tuple[str, ...]:
    return tuple(user for user, prompts in asks.items() if asked in prompts)


def _relevant_pairs(users: list[_User], asks: Mapping[str, list[_Asked]]) -> dict[tuple[str, str], bool]:
    """Says of each prompt and each attribute that holds of its users whether it is relevant."""
    return {
        (asked.prompt_id, each.attribute.attribute_id): asked.occasion.occasion in each.source.uses
        for user in users
        for asked in asks[user.user_id]
        for each in user.made
        if isinstance(each.source, Right)
    }


def _responses(user: _User, asks: list[_Asked], size: DemoSize, draw: Draw) -> list[Served]:
    """Writes answers to some of what a user asks."""
    draw = draw.branch(f"responses of {user.user_id}")
    found: list[Served] = []
    for asked in draw.shuffled(asks):
        relevant = [
            Relevant(
                each.attribute.attribute_id,
                _fill(each.source.you, each.words),
                _fill(each.source.uses[asked.occasion.occasion], each.words),
            )
            for each in user.made
            if isinstance(each.source, Right) and asked.occasion.occasion in each.source.uses
        ]
        if relevant:
            some = draw.shuffled(relevant)[: max(1, _about(size.attributes_per_response, draw))]
            found.append(write_response(asked.prompt_id, user.user_id, asked.occasion, some, draw))
    return found[: _about(size.responses_per_user, draw)]


def _about(mean: float, draw: Draw) -> int:
    """Draws one of the two whole numbers around a mean, so that the mean is met."""
    whole = int(mean)
    return whole + draw.chance(mean - whole)


def _fill(text: str, words: Mapping[str, str]) -> str:
    """Puts words into the slots of a text."""
    return _SLOT.sub(lambda slot: words[slot[1]], text)
