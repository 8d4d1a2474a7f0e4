"""The synthetic-to-human gap on scorecards: it is made of two runs, so no scorecard holds it as it is stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from evaluator.human.figures import GAP
from evaluator.human.gap import COMPARED, synthetic_gap
from evaluator.human.records import RaterKind
from evaluator.human.results import NamedFigure
from evaluator.protocol import synthetic_protocols
from leaderboard.results import INCOMPLETE, HumanScorecard, identity_of

GAP_FIGURE = f"{COMPARED}.{GAP}"
"""What it is called among a scorecard's figures."""


def with_gaps(cards: Iterable[HumanScorecard]) -> tuple[HumanScorecard, ...]:
    """Returns scorecards in their order, each on labels with its gap to made-up users as far as there is one.

    It is taken to the run on made-up users of the same model under the same conditions, on the same kind of engine and
    in the same precision: of several to that of the same submission, or else to the newest. One that is incomplete
    stands beside nothing that is complete.

    Args:
        cards: Public scorecards, among them all of each model.
    """
    every = tuple(cards)
    made_up: dict[tuple[object, ...], list[HumanScorecard]] = defaultdict(list)
    for card in every:
        if card.result.kind is RaterKind.TRUTH:
            made_up[card.protocol, *_alike(card)].append(card)
    siblings = synthetic_protocols()
    return tuple(_with_gap(card, made_up.get((siblings.get(card.protocol), *_alike(card)), ())) for card in every)


def without_gap(card: HumanScorecard) -> HumanScorecard:
    """Returns a scorecard as it is stored: a function of the rows of its own run alone."""
    return _with_figures(card, [figure for figure in card.result.figures if figure.name != GAP_FIGURE])


def _alike(card: HumanScorecard) -> tuple[object, ...]:
    """Returns what two runs that are set against each other have in common, besides their protocols."""
    return *identity_of(card), card.judge, card.prompt_pack, card.engine, card.dtype


def _with_gap(card: HumanScorecard, made_up: Sequence[HumanScorecard]) -> HumanScorecard:
    """Returns a scorecard with its gap to one of some runs on made-up users."""
    fit = [each for each in made_up if _is_complete(each) or not _is_complete(card)]
    own, best = card.submission_id, None
    if fit:
        best = max(fit, key=lambda each: (each.submission_id == own, each.created_at, each.id)).result.figure(COMPARED)
    labelled = card.result.figure(COMPARED)
    if best is None or labelled is None:
        return card
    return _with_figures(card, [*card.result.figures, synthetic_gap(best, labelled)])


def _is_complete(card: HumanScorecard) -> bool:
    return INCOMPLETE not in card.unranked_because


def _with_figures(card: HumanScorecard, figures: Iterable[NamedFigure]) -> HumanScorecard:
    """Returns a scorecard with these figures in the place of its own."""
    ordered = tuple(sorted(figures, key=lambda figure: figure.name))
    return card.model_copy(update={"result": card.result.model_copy(update={"figures": ordered})})
