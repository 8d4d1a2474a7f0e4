"""Which items stand for all: as many users as possible, and of each type as many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from evaluator.hicupid.questions import Item, QuestionType
from evaluator.hicupid.selection import UserItems
from evaluator.identity import digest


def spread(items: Iterable[Item], count: int) -> list[Item]:
    """Returns some items that are spread over users and types; the same ones on every machine.

    Users stand in the order of a hash of their names and give one item a round. Who comes nth begins with the nth type,
    and goes on to the next one in the next round. So the first items are of as many users, types differ in number by
    what users lack of them alone, and fewer items are always among more.

    Args:
        items: All items; their order decides which of a user's items of one type comes first.
        count: Items to take, at least 0; all of them if there are no more.

    Example:
        >>> spread([], 3)
        []
    """
    left: dict[UserItems, dict[QuestionType, list[Item]]] = defaultdict(lambda: defaultdict(list))
    for item in items:
        left[UserItems(item.split, item.user_id)][item.type].append(item)
    types, users = list(QuestionType), sorted(left, key=lambda user: digest([*user]))
    chosen: list[Item] = []
    rounds = 0
    while users and len(chosen) < count:
        for place, user in enumerate(users):
            turn = (place + rounds) % len(types)
            type_ = next(name for name in (*types[turn:], *types[:turn]) if left[user][name])
            chosen.append(left[user][type_].pop(0))
        users = [user for user in users if any(left[user].values())]
        rounds += 1
    return chosen[:count]
