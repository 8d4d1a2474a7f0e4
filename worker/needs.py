"""How much room the prompts of a protocol need, found when it is first planned: checks tell it to later submitters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from redis import Redis

from evaluator.context_mode import Bm25, Dense, FullHistory, GoldEvidence, TokenWindow
from evaluator.engines.base import Message
from evaluator.hicupid.contexts import FullContexts, GoldContexts, prompt_messages
from evaluator.hicupid.questions import History, Question
from evaluator.hicupid.retrieval import parts_of
from evaluator.hicupid.selection import UserItems
from evaluator.human.asking import messages_of
from evaluator.human.items import HumanItem
from evaluator.human.setup import HumanSetup
from evaluator.setup import AnyItem, HicupidSetup, questions_of, users_of
from evaluator.suites import RunSetup
from leaderboard.records import Plan
from leaderboard.submissions.needs import Need, need_of, note_need

_CHARACTERS_PER_TOKEN = 3.5
"""Of a window, whose tokens are the model's own."""


def note_what_is_needed(redis: Redis, setup: RunSetup, plan: Plan) -> None:
    """Measures a protocol's prompts and notes it, unless it is known for this data set.

    Raises:
        RapportError: `data_error` if the data set is broken.
    """
    known = need_of(redis, setup.protocol.id)
    if plan.items and (known is None or known.data_sha != setup.data.sha):
        note_need(redis, measured(setup, plan))


def measured(setup: RunSetup, plan: Plan) -> Need:
    """Returns what the prompts of a plan need; retrieval is taken to find the longest parts of a history."""
    users = users_of(plan.items)
    longest = _of_items(setup, plan.items) if isinstance(setup, HumanSetup) else _of_users(setup, users)
    return Need(
        protocol=setup.protocol.id,
        data_sha=setup.data.sha,
        longest_characters=longest,
        items=len(plan.items),
        users=len(users),
    )


def _of_items(setup: HumanSetup, items: Sequence[AnyItem]) -> int:
    """Returns the characters of the longest prompt of some items of people's labels."""
    asked = (item for item in items if isinstance(item, HumanItem) and item.is_asked)
    return max((_length(messages_of(item, setup.data, setup.wording)) for item in asked), default=1)


def _of_users(setup: HicupidSetup, users: Iterable[UserItems]) -> int:
    """Returns the characters of the longest prompt of some users."""
    return max(
        _longest(setup, setup.data.history(user.split, user.user_id), questions_of(setup, user)) for user in users
    )


def _longest(setup: HicupidSetup, history: History, questions: Sequence[Question]) -> int:
    """Returns the characters of the longest prompt of one user."""
    bare = max(_length(prompt_messages((), question, setup.protocol, setup.pack)) for question in questions)
    match setup.protocol.context:
        case GoldEvidence():
            return bare + max(_length(each.messages) for each in GoldContexts().of(history, questions))
        case Bm25(unit=unit, k=k) | Dense(unit=unit, k=k):
            return bare + sum(sorted((len(part.text) for part in parts_of(history, unit)), reverse=True)[:k])
        case TokenWindow(tokens=tokens):
            return bare + min(_whole(history, questions), int(tokens * _CHARACTERS_PER_TOKEN))
        case FullHistory():
            return bare + _whole(history, questions)


def _whole(history: History, questions: Sequence[Question]) -> int:
    """Returns the characters of a whole history."""
    return _length(FullContexts().of(history, questions[:1])[0].messages)


def _length(messages: Sequence[Message]) -> int:
    """Returns the characters of some messages."""
    return sum(len(message.content) for message in messages)
