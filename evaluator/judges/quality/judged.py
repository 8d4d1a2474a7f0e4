"""What raters said of answers, in the one form that all figures of a judge are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from evaluator.hicupid.outcomes import JudgedItem
from evaluator.hicupid.questions import QuestionType
from evaluator.hicupid.scoring import User, score_of

Places: TypeAlias = NDArray[np.intp]
ItemName: TypeAlias = tuple[str, str]
"""Question id and content hash: what a verdict is about, whoever gave the answer."""


class Judged(NamedTuple):
    """One answer of one model as a judge, or people, took it."""

    entry: JudgedItem
    """Item and outcomes; the answer's own row is not kept."""
    content_hash: str
    model: str | None
    """As the board names it; None of people's labels, which hang on the text alone."""
    answer_characters: int | None
    """None if the answer's text is no longer there, or nobody asks."""
    gold_characters: int | None

    @property
    def name(self) -> ItemName:
        """What was judged, whoever gave the answer."""
        return self.entry.item.question_id, self.content_hash

    @property
    def user(self) -> User:
        """Whose question it is."""
        return self.entry.item.split, self.entry.item.user_id

    @property
    def is_pair(self) -> bool:
        """Whether the answer is compared with gold."""
        return self.entry.item.type is not QuestionType.SCHEDULE

    @property
    def score(self) -> float | None:
        """The mean of its verdicts in 0..1; None if one is missing."""
        found = score_of(self.entry)
        return None if found is None else found / 100


def judged_of(
    entries: Iterable[JudgedItem], gold_characters: Mapping[str, int], model: str | None = None
) -> list[Judged]:
    """Returns what a judge made of the answers of one run: those that are there and have no defect.

    Args:
        entries: Items with what became of them, as `evaluator.hicupid.outcomes.join_rows` returns them.
        gold_characters: Length of gold by question id; a question that is not there has an unknown length.
        model: As the board names the model; None takes the base model's id, with the adapter's after a plus sign.
    """
    return [
        Judged(
            entry._replace(answer=None),
            row.content_hash,
            model or _model_of(row.key.model, row.key.adapter),
            None if row.answer is None else len(row.answer),
            gold_characters.get(entry.item.question_id),
        )
        for entry in entries
        if (row := entry.answer) is not None and row.content_hash is not None and row.defect is None
    ]


def in_order(judged: Iterable[Judged]) -> list[Judged]:
    """Returns what a rater said in one order, so that sums do not hang on the order in which rows came."""
    return sorted(judged, key=lambda each: (each.name, each.model or ""))


def once(judged: Iterable[Judged]) -> list[Judged]:
    """Returns each answer once, whoever gave it: verdicts hang on the text, so it was judged once.

    Of several the one with the fewest missing verdicts stays, of these the first, never one for what it says.
    """
    found: dict[ItemName, Judged] = {}
    for each in judged:
        before = found.setdefault(each.name, each)
        if len(each.entry.missing_because) < len(before.entry.missing_because):
            found[each.name] = each
    return list(found.values())


class Combined(NamedTuple):
    """What one rater came to on one answer, whoever gave it."""

    score: float
    """In 0..1, the mean over orders."""
    type: QuestionType
    user: User
    models: frozenset[str]
    """Who gave the answer, as far as that is known."""

    @property
    def label(self) -> float:
        """On which side of one half the score is: 0 is a loss or unsatisfied, 1 a tie, 2 a win or satisfied.

        Example:
            >>> [Combined(score, QuestionType.PERSONA, ("test_1", 1), frozenset()).label for score in (0.25, 0.5, 0.75)]
            [0.0, 1.0, 2.0]
        """
        return 1.0 + float(self.score > 0.5) - float(self.score < 0.5)


def combined(judged: Iterable[Judged]) -> tuple[dict[ItemName, Combined], int]:
    """Returns what a rater came to on each answer all of whose verdicts were read.

    Returns:
        By what was judged, and how many answers are left out since there are two different scores of the same one.
    """
    found: dict[ItemName, Combined] = {}
    conflicting: set[ItemName] = set()
    for each in judged:
        if (score := each.score) is None:
            continue
        models = frozenset() if each.model is None else frozenset((each.model,))
        before = found.get(each.name)
        if before is None:
            found[each.name] = Combined(score, each.entry.item.type, each.user, models)
        elif before.score != score:
            conflicting.add(each.name)
        elif not models <= before.models:
            found[each.name] = before._replace(models=before.models | models)
    return {name: each for name, each in found.items() if name not in conflicting}, len(conflicting)


def places_of(users: Iterable[User]) -> tuple[Places, int]:
    """Returns the place of each user among all that occur, (n,), in order of appearance, and how many there are."""
    order: dict[User, int] = {}
    places = [order.setdefault(user, len(order)) for user in users]
    return np.array(places, dtype=np.intp), len(order)


def summed(users: Places, count: int, *columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the sums of some columns by user, (users, columns).

    Args:
        users: (n,): the place of each row's user.
        count: How many users there are.
        columns: (n,) each.
    """
    return np.stack([np.bincount(users, column, count) for column in columns], axis=-1)


def values_of(judged: Sequence[Judged], figure: Callable[[JudgedItem], float | None]) -> NDArray[np.float64]:
    """Returns a figure of each item, (n,); NaN where it has none."""
    return np.array([np.nan if (value := figure(each.entry)) is None else value for each in judged])


def _model_of(model: str, adapter: str | None) -> str:
    """Names a model for people."""
    return model if adapter is None else f"{model}+{adapter}"
