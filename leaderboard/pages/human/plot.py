"""The figure that is drawn in each row of a table: its interval beside one more human and the noise ceiling."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from evaluator.human.figures import NOISE_CEILING, ONE_MORE_HUMAN
from evaluator.human.records import RaterKind
from evaluator.human.results import NamedFigure
from evaluator.human.tasks import AnyTask
from leaderboard.board.human import main_figures
from leaderboard.board.human_gaps import GAP_FIGURE, RECALL_GAP
from leaderboard.board.human_words import doubt, number, parts
from leaderboard.open_data.human_figures import listed_under
from leaderboard.pages.agreement_columns import COLUMNS
from leaderboard.pages.dot_plots import Axis, Dot, Mark, Shape, axis_of
from leaderboard.pages.human_cells import is_trivial
from leaderboard.results import HumanScorecard

_SHAPES: Mapping[str, Shape] = {ONE_MORE_HUMAN: "diamond", NOISE_CEILING: "stroke"}
_OF_AGREEMENT = frozenset(("kappa", "single_kappa", "spearman_within_annotators", "spearman_mean"))
"""Of these more is more agreement, up to 1, and 0 is what chance would give."""
_OF_NOTHING: Mapping[str, float] = {
    **dict.fromkeys(_OF_AGREEMENT, 0.0),
    **dict.fromkeys((GAP_FIGURE, RECALL_GAP, "bias", "uplift", "mention_effect", "inflation"), 0.0),
    "selection_ratio": 1.0,
}
"""The value of a figure that says nothing, such as a ratio of 1."""
_SHOWN = (0.0, 1.0)
_FULL = (-1.0, 1.0)


class Standing(NamedTuple):
    """How a model stands beside one more human."""

    sign: str
    """Not colour alone: ≈, < or >; ? where nobody can say."""
    words: str


def drawn_figure(task: AnyTask, kind: RaterKind, sort: str) -> str:
    """Names the figure of a table that is drawn: that by which rows were sorted, or else that which the board shows.

    Args:
        task: What was asked.
        kind: Whose labels the table is about.
        sort: What an address asks for.

    Example:
        >>> from evaluator.human.tasks import Task
        >>> [drawn_figure(Task.RELEVANCE, RaterKind.PERSON, sort) for sort in ("", "-f1_majority", "model")]
        ['single_kappa', 'f1_majority', 'single_kappa']
        >>> drawn_figure(Task.RELEVANCE, RaterKind.TRUTH, "")
        'f1_majority'
    """
    main, wanted = main_figures(task, kind), sort.removeprefix("-")
    usual = COLUMNS[task].figure if task in COLUMNS else ""
    return next(name for name in (wanted, usual, main[0]) if name in main)


def drawn(card: HumanScorecard, name: str) -> Dot:
    """Returns the row of a plot: a figure of a scorecard with what it is to be read beside.

    Args:
        card: The scorecard.
        name: The figure's, of `leaderboard.board.human.MAIN`.
    """
    task, figure = card.result.task, card.result.figure(name)
    marks = tuple(_marks(card, name))
    if figure is None or figure.value is None:
        return Dot(card.model, None, marks=marks)
    notes = (doubt(listed_under(task), figure), *(f"{mark.name} {number(mark.value)}" for mark in marks))
    low, high = (figure.interval.low, figure.interval.high) if figure.interval else (None, None)
    told = standing(card, name)
    return Dot(
        card.model,
        figure.value,
        low,
        high,
        marks,
        number(figure.value),
        (*notes, told.words) if told else notes,
        bool(told and told.sign in "≈>"),
    )


def axis_for(cards: Iterable[HumanScorecard], name: str) -> Axis:
    """Returns the axis of a figure: the same for all rows of a table, whichever are shown.

    Args:
        cards: All those of the table.
        name: The figure's.
    """
    most = _FULL if name in _OF_AGREEMENT else None
    return axis_of((_ends(card, name) for card in cards), shown=_SHOWN, most=most, reference=_OF_NOTHING.get(name))


def standing(card: HumanScorecard, name: str) -> Standing | None:
    """Says how a figure of a scorecard stands beside one more human; None where nobody can say, or it says nothing.

    Args:
        card: The scorecard.
        name: The figure's, of `leaderboard.board.human.MAIN`.
    """
    figure, one_more = card.result.figure(name), card.result.figure(f"{name}.{ONE_MORE_HUMAN}")
    return beside(figure, one_more, card.result.kind) if figure and one_more else None


def beside(figure: NamedFigure, one_more: NamedFigure, kind: RaterKind) -> Standing | None:
    """Says how a figure stands beside one more human's; None where one is missing, or more is not more agreement.

    They are about the same where the interval holds one more human's figure; the doubt of that one is not counted.

    Args:
        figure: The model's.
        one_more: That of one more human on the same items.
        kind: Whose labels these are.

    Example:
        >>> def of(value, low, high):
        ...     within = {"low": low, "high": high, "users": 12}
        ...     return NamedFigure(name="kappa", value=value, interval=within, labels=9, users=12, tied=0, reason=None)
        >>> beside(of(0.5, 0.4, 0.6), of(0.55, 0.5, 0.6), RaterKind.PERSON)
        Standing(sign='≈', words='about as much as one more human')
        >>> beside(of(0.3, 0.2, 0.4), of(0.55, 0.5, 0.6), RaterKind.SIMULATED).words
        'less than one more simulated annotator'
    """
    if figure.name not in _OF_AGREEMENT or figure.value is None or one_more.value is None:
        return None
    other = parts(kind)[ONE_MORE_HUMAN]
    if figure.interval is None:
        return Standing("?", f"undecided beside {other}: no interval")
    if figure.interval.high < one_more.value:
        return Standing("<", f"less than {other}")
    if figure.interval.low > one_more.value:
        return Standing(">", f"more than {other}")
    return Standing("≈", f"about as much as {other}")


def _marks(card: HumanScorecard, name: str) -> Iterable[Mark]:
    """Yields what a figure is to be read beside, as far as it can be drawn."""
    named = parts(card.result.kind)
    for part, shape in _SHAPES.items():
        figure = card.result.figure(f"{name}.{part}")
        if figure is not None and figure.value is not None and not is_trivial(card.result.task, figure.name):
            yield Mark(named[part], figure.value, shape)


def _ends(card: HumanScorecard, name: str) -> Dot:
    """Returns what an axis must hold of a scorecard."""
    figure = card.result.figure(name)
    if figure is None or figure.value is None:
        return Dot("", None)
    low, high = (figure.interval.low, figure.interval.high) if figure.interval else (None, None)
    return Dot("", figure.value, low, high, tuple(_marks(card, name)))
