"""What stays the same from the first to the last question of a run of HiCUPID, and which items that makes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias, TypeVar

from evaluator.hicupid.data import HicupidData
from evaluator.hicupid.prompts import PromptPack
from evaluator.hicupid.questions import Item, Question
from evaluator.hicupid.selection import UserItems, select_questions, select_users
from evaluator.human.items import HumanItem
from evaluator.judges.prompt import slot_orders
from evaluator.judges.spec import JudgeSpec
from evaluator.models import PinnedModel
from evaluator.protocol import HicupidProtocol
from evaluator.records import Terms


class HicupidSetup(NamedTuple):
    """Everything that a run is made of, apart from engines."""

    model: PinnedModel
    adapter: PinnedModel | None
    """LoRA weights on top of the model."""
    thinking: bool
    """Whether the model was declared to think before it answers."""
    data: HicupidData
    protocol: HicupidProtocol
    pack: PromptPack
    judge: JudgeSpec
    judge_revision: str
    terms: Terms
    """The data set's terms, narrowed by what the submitter consented to."""
    only: frozenset[str] | None = None
    """Ids of the questions that are asked, for trying; None asks all that the protocol asks."""


def questions_of(setup: HicupidSetup, user: UserItems) -> tuple[Question, ...]:
    """Returns the questions of one user that the run asks, in the data's order."""
    asked = select_questions(setup.data, setup.protocol, user)
    return asked if setup.only is None else tuple(each for each in asked if each.question_id in setup.only)


def items(setup: HicupidSetup) -> Iterator[Item]:
    """Yields every item that the run asks, user by user, without its text."""
    for user in select_users(setup.data, setup.protocol):
        for question in questions_of(setup, user):
            yield Item.of(question, slot_orders(question, setup.protocol, setup.judge.orders))


AnyItem: TypeAlias = Item | HumanItem
"""One thing that a protocol of any suite asks."""
OneItem = TypeVar("OneItem", Item, HumanItem, AnyItem)


def users_of(items: Iterable[AnyItem]) -> list[UserItems]:
    """Returns the users of some items, or the groups of a task's, in order of appearance."""
    return list(dict.fromkeys(UserItems(item.split, item.user_id) for item in items))
