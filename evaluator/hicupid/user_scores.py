"""What each user's items came to: all that comparing models needs of a run, so that its rows need not be read again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from evaluator.hicupid.outcomes import MadeOn, join_rows
from evaluator.hicupid.questions import Item
from evaluator.hicupid.scoring import TOTAL_WEIGHTS, User, score_of, sums_by_user, users_of
from evaluator.metrics.intervals import ModelSums, Part, UserSums
from evaluator.records import Generation, Verdict


class UserScore(NamedTuple):
    """One user: for each question type the sum of the scores of his items in 0..100, and their number.

    Items with a missing verdict do not count.
    """

    split: str
    user_id: int
    persona: UserSums
    profile: UserSums
    schedule: UserSums

    @property
    def user(self) -> User:
        """The user's name."""
        return self.split, self.user_id


def user_scores(
    items: Iterable[Item],
    generations: Iterable[Generation],
    verdicts: Iterable[Verdict],
    made_on: MadeOn | None = None,
) -> tuple[UserScore, ...]:
    """Returns every asked user's sums, in the order of splits and user ids: a pure function of rows, as `score` is.

    Args:
        items: Everything that the protocol asks.
        generations: Rows of one model under one protocol.
        verdicts: Rows of one judge.
        made_on: Which rows count where there are several on the same thing; see `join_rows`.
    """
    entries = join_rows(items, generations, verdicts, made_on)
    users = users_of(entries)
    persona, profile, schedule = (
        sums_by_user([entry for entry in entries if entry.item.type is type_], users, score_of)
        for type_ in TOTAL_WEIGHTS
    )
    return tuple(UserScore(*user, *sums) for user, *sums in zip(users, persona, profile, schedule, strict=True))


def total_sums(models: Mapping[str, Sequence[UserScore]]) -> dict[str, ModelSums]:
    """Returns what ranking models by their Totals needs, with one number for each user in all of them."""
    numbers = number_users(*models.values())
    return {
        name: ModelSums([numbers[user.user] for user in users], total_parts(users)) for name, users in models.items()
    }


def number_users(*models: Iterable[UserScore]) -> dict[User, int]:
    """Returns one number for each user of some models, by which their sums can be aligned."""
    everyone = sorted({user.user for users in models for user in users})
    return {user: number for number, user in enumerate(everyone)}


def total_parts(users: Sequence[UserScore]) -> list[Part]:
    """Returns the rates of the Total with their weights, in the order of users."""
    sums = [user.persona for user in users], [user.profile for user in users], [user.schedule for user in users]
    return [Part(rate, weight) for rate, weight in zip(sums, TOTAL_WEIGHTS.values(), strict=True)]
