"""What a model came to on human-grounded tasks, drawn beside one more human and what no rater can pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from evaluator.human.records import RaterKind
from evaluator.plurals import several
from leaderboard.pages.dot_plots import dot_plot
from leaderboard.pages.human.asked import figures_address
from leaderboard.pages.human.page import task_name
from leaderboard.pages.human.plot import axis_for, drawn, drawn_figure
from leaderboard.pages.human_cells import heading
from leaderboard.pages.human_tables import agreed_with, human_links, labels_warning, whose_labels
from leaderboard.pages.model.plots import Drawn
from leaderboard.pages.tables import Link
from leaderboard.results import HumanScorecard

MOST = 50
"""Scorecards that are drawn; how many there are in all is said."""


class People(NamedTuple):
    """All human-grounded tasks of a model."""

    title: str
    told: str
    """How many scorecards there are."""
    plots: tuple[Drawn, ...]
    """One for each figure and whose labels it is about; each row leads to all figures of its scorecard."""
    links: tuple[Link, ...]
    """Where these scorecards stand among those of other models."""


def people_of(cards: Sequence[HumanScorecard]) -> People:
    """Draws what a model came to on human-grounded tasks, each by the figure that the board shows.

    Args:
        cards: All scorecards of the model, in the board's order.
    """
    shown = cards[:MOST]
    groups: dict[tuple[str, RaterKind], list[HumanScorecard]] = {}
    for card in shown:
        name = drawn_figure(card.result.task, card.result.kind, "")
        groups.setdefault((name, card.result.kind), []).append(card)
    left = f"; {len(shown):,} of them are shown" if len(cards) > len(shown) else ""
    return People(
        agreed_with([card.result.kind for card in cards]),
        f"{several(len(cards), 'scorecard')}{left}",
        tuple(_drawn(*key, group) for key, group in groups.items()),
        tuple(dict.fromkeys(link for links in human_links(shown).values() for link in links)),
    )


def _drawn(name: str, kind: RaterKind, cards: Sequence[HumanScorecard]) -> Drawn:
    """Draws one figure of some scorecards about the same kind of labels."""
    dots = [drawn(card, name)._replace(name=_called(card), address=figures_address(card.id)) for card in cards]
    dots = [dot if dot.value is not None else dot._replace(notes=("missing: there is none",)) for dot in dots]
    title = heading(name, kind)
    plot = dot_plot(dots, axis_for(cards, name))
    return Drawn(f"people-{kind}-{name}".replace("_", "-"), title, labels_warning(kind), "Task", title, plot)


def _called(card: HumanScorecard) -> str:
    """Names a scorecard among those of its model."""
    whose, day = whose_labels(card), card.created_at.date().isoformat()
    ran = (f"with {card.adapter}",) if card.adapter else ()
    return ", ".join((task_name(card.result.task), card.protocol, *((whose,) if whose else ()), *ran, day))
