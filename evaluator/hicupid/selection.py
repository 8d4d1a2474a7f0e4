"""Which questions a protocol asks, user by user."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from evaluator.hicupid.data import HicupidData
from evaluator.hicupid.questions import Question
from evaluator.protocol import HicupidProtocol


class UserItems(NamedTuple):
    """One user of one split: the unit that is never torn apart, because its questions share a history."""

    split: str
    user_id: int


def select_users(data: HicupidData, protocol: HicupidProtocol) -> Iterator[UserItems]:
    """Yields the users that a protocol asks, split by split."""
    for split in protocol.splits:
        users = data.users(split)
        for user_id in users[: protocol.limit.users_per_split] if protocol.limit else users:
            yield UserItems(split, user_id)


def select_questions(data: HicupidData, protocol: HicupidProtocol, user: UserItems) -> tuple[Question, ...]:
    """Returns the questions of one user that a protocol asks, in the data's order."""
    taken: Counter[str] = Counter()
    questions = []
    for question in data.questions(user.split, user.user_id):
        if question.type not in protocol.types:
            continue
        if protocol.limit and taken[question.type] >= protocol.limit.of(question.type):
            continue
        taken[question.type] += 1
        questions.append(question)
    return tuple(questions)
