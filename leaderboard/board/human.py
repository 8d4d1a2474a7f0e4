"""How far models agree with people, as it stands in the public data set: scorecards, their order, and their figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from evaluator.errors import RapportError
from evaluator.human.tasks import AnyTask, JudgedTask, Task
from leaderboard.open_data import layout
from leaderboard.open_data.human import OpenHumanScorecard
from leaderboard.open_data.human_figures import human_card_of
from leaderboard.results import HumanScorecard, Provenance
from leaderboard.store.base import Store, StoreError
from leaderboard.store.parquet import decode_parquet

_OF_CLASSES = ("kappa", "single_kappa", "f1_majority", "selection_ratio")
MAIN: Mapping[AnyTask, tuple[str, ...]] = {
    Task.VERIFICATION: _OF_CLASSES,
    Task.RELEVANCE: _OF_CLASSES,
    Task.RATING: ("spearman_within_annotators", "spearman_mean", "bias", "mean_absolute_error"),
    JudgedTask.EXTRACTION: ("recall", "accepted", "attributes_per_user"),
    JudgedTask.COMPARISON: ("win", "tie"),
    JudgedTask.UPLIFT: ("uplift", "no_better", "mentioned", "mention_effect", "inflation"),
}
"""The figures of each task that are shown first, of `evaluator.human.figures`; the very first sorts."""

Identity: TypeAlias = tuple[str, str, str | None, str | None, bool]
"""What is the same model under the same conditions: name, revision, adapter, its revision, and whether it thinks."""
_TASKS = tuple(MAIN)
_PARTS = 256
"""Parts that models are spread over."""


class PublicHumanCards(NamedTuple):
    """All public scorecards of human-grounded tasks, in the board's order, and what is wrong with files by path."""

    cards: tuple[HumanScorecard, ...]
    problems: Mapping[str, str]


def read_human_cards(results: Store) -> PublicHumanCards:
    """Reads all public scorecards of human-grounded tasks; a file or row that cannot be read costs itself alone.

    Raises:
        StoreError: If the store as a whole cannot be read.
    """
    cards: list[HumanScorecard] = []
    problems: dict[str, str] = {}
    for path in results.list(layout.HUMAN_SCORECARDS):
        try:
            found = _cards_in(results.read(path), path)
        except RapportError as error:
            problems[path] = error.message
        except StoreError as error:
            problems[path] = f"{path} cannot be read: {error}."
        else:
            cards += found.cards
            problems |= found.problems
    return PublicHumanCards(in_order(cards), problems)


def in_order(cards: Iterable[HumanScorecard]) -> tuple[HumanScorecard, ...]:
    """Returns scorecards by task, protocol and first main figure, the highest first; claims no ranks."""
    return tuple(sorted(cards, key=_order))


def identity_of(of: Provenance) -> Identity:
    """Returns what tells a model under its conditions from others: results of one model belong together by it."""
    return of.model, of.revision, of.adapter, of.adapter_revision, of.declaration.thinking


@lru_cache(maxsize=_PARTS)
def _cards_in(content: bytes, path: str) -> PublicHumanCards:
    """Reads a part of the scorecards; kept, since most changes of the data set change one part."""
    cards: list[HumanScorecard] = []
    problems: dict[str, str] = {}
    for row in decode_parquet(content, OpenHumanScorecard, path):
        try:
            cards.append(human_card_of(row))
        except RapportError as error:
            problems[f"{path}#{row.scorecard_id}"] = error.message
    return PublicHumanCards(tuple(cards), problems)


def _order(card: HumanScorecard) -> tuple[int, int, str, bool, float, str, str]:
    """Sorts by task and protocol, then by the first main figure; one without it comes last."""
    first = card.result.figure(MAIN[card.result.task][0])
    value = None if first is None else first.value
    task = card.result.task
    return task.stage, _TASKS.index(task), card.protocol, value is None, -(value or 0.0), card.model, card.id
