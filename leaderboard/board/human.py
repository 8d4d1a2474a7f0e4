"""How far models agree with people, as it stands in the public data set: scorecards, their order, and their figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from evaluator.errors import RapportError
from evaluator.human.records import RaterKind
from evaluator.human.tasks import AnyTask, JudgedTask, Task
from leaderboard.board.human_gaps import GAP_FIGURE, RECALL_GAP, with_gaps
from leaderboard.board.sharing import Parsed, shared
from leaderboard.open_data import layout
from leaderboard.open_data.human import OpenHumanScorecard, WholeHumanCard
from leaderboard.open_data.human_figures import human_card_of
from leaderboard.results import HumanScorecard
from leaderboard.store.base import Store, StoreError
from leaderboard.store.parquet import decode_parquet

_OF_CLASSES = ("kappa", "single_kappa", "f1_majority", GAP_FIGURE, "selection_ratio")
MAIN: Mapping[AnyTask, tuple[str, ...]] = {
    Task.VERIFICATION: _OF_CLASSES,
    Task.RELEVANCE: _OF_CLASSES,
    Task.RATING: ("spearman_within_annotators", "spearman_mean", "bias", "mean_absolute_error"),
    JudgedTask.EXTRACTION: ("recall", RECALL_GAP, "accepted", "attributes_per_user"),
    JudgedTask.COMPARISON: ("win", "tie"),
    JudgedTask.UPLIFT: (
        "uplift",
        "no_better_responses",
        "no_better_ratings",
        "mentioned",
        "mention_effect",
        "inflation",
    ),
}
"""The figures of each task that are shown first, of `evaluator.human.figures`; the very first sorts."""
_NOT_OF_TRUTH = frozenset(("kappa", "single_kappa", GAP_FIGURE, RECALL_GAP))
"""What there is not of made-up users: other annotators to agree with, and a gap to themselves."""
_TASKS = tuple(MAIN)


class PublicHumanCards(NamedTuple):
    """Public scorecards of human-grounded tasks."""

    cards: tuple[HumanScorecard, ...]
    """With their gaps to made-up users."""
    problems: Mapping[str, str]
    """What is wrong with files and rows, by path."""


def read_human_cards(results: Store) -> PublicHumanCards:
    """Reads all public scorecards, in the board's order; a file or row that cannot be read costs itself alone.

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


def main_figures(task: AnyTask, kind: RaterKind) -> tuple[str, ...]:
    """Returns the figures of a task that are shown first, where labels are of some kind.

    Example:
        >>> main_figures(Task.RELEVANCE, RaterKind.TRUTH)
        ('f1_majority', 'selection_ratio')
    """
    return tuple(name for name in MAIN[task] if kind is not RaterKind.TRUTH or name not in _NOT_OF_TRUTH)


def in_order(cards: Iterable[HumanScorecard]) -> tuple[HumanScorecard, ...]:
    """Returns scorecards by task, protocol and first main figure, the highest first; claims no ranks."""
    return tuple(sorted(cards, key=_order))


@Parsed
def _cards_in(content: bytes, path: str) -> PublicHumanCards:
    """Reads a part of the scorecards; kept, since most changes of the data set change one part."""
    return cards_of(decode_parquet(content, WholeHumanCard, path, only_its_columns=True), path)


def cards_of(rows: Iterable[WholeHumanCard | OpenHumanScorecard], path: str) -> PublicHumanCards:
    """Returns the scorecards of public rows with their gaps; a row that cannot be read costs itself alone.

    Args:
        rows: Of whole models: what a model scored on made-up users stands in the file of all its scorecards.
        path: That file.
    """
    cards: list[HumanScorecard] = []
    problems: dict[str, str] = {}
    for row in rows:
        try:
            cards.append(human_card_of(row))
        except RapportError as error:
            problems[f"{path}#{row.scorecard_id}"] = error.message
    return PublicHumanCards(tuple(shared(with_gaps(cards))), problems)


def _order(card: HumanScorecard) -> tuple[int, int, str, bool, float, str, str]:
    """Sorts by task and protocol, then by the first main figure; one without it comes last."""
    task = card.result.task
    first = card.result.figure(main_figures(task, card.result.kind)[0])
    value = None if first is None else first.value
    return task.stage, _TASKS.index(task), card.protocol, value is None, -(value or 0.0), card.model, card.id
