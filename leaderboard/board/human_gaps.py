"""The synthetic-to-human gap on scorecards: it is made of two runs, so no scorecard holds it as it is stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict

from evaluator.human.gap import COMPARED, Gap, gap_name, synthetic_gap
from evaluator.human.records import RaterKind
from evaluator.human.results import NamedFigure
from evaluator.protocol import synthetic_protocols
from leaderboard.results import INCOMPLETE, HumanScorecard, identity_of

GAP_FIGURE = gap_name("f1_majority")
RECALL_GAP = gap_name("recall")
"""What they are called among a scorecard's figures."""


def with_gaps(cards: Iterable[HumanScorecard]) -> tuple[HumanScorecard, ...]:
    """Returns scorecards in their order, each on labels with its gaps to made-up users as far as there are any.

    They are taken to the run on made-up users of the same model under the same conditions, on the same kind of engine
    and in the same precision, its lists compared by the same encoder: of several to that of the same submission, or
    else to the newest. One that is incomplete stands beside nothing that is complete.

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
    return _with_figures(card, [figure for figure in card.result.figures if not isinstance(figure, Gap)])


def _alike(card: HumanScorecard) -> tuple[object, ...]:
    """Returns what two runs that are set against each other have in common, besides their protocols."""
    judging = card.result.judging
    return *identity_of(card), card.judge, judging and judging.encoder, card.prompt_pack, card.engine, card.dtype


def _with_gap(card: HumanScorecard, made_up: Sequence[HumanScorecard]) -> HumanScorecard:
    """Returns a scorecard with its gaps to one of some runs on made-up users."""
    fit = [each for each in made_up if _is_complete(each) or not _is_complete(card)]
    if not fit:
        return card
    best = max(fit, key=lambda each: (each.submission_id == card.submission_id, each.created_at, each.id))
    return _with_figures(card, [*card.result.figures, *_gaps(best, card)])


def _gaps(made_up: HumanScorecard, card: HumanScorecard) -> Iterator[Gap]:
    """Yields the gaps between two scorecards."""
    for name in COMPARED.get(card.result.task, ()):
        synthetic, labelled = made_up.result.figure(name), card.result.figure(name)
        if synthetic is not None and labelled is not None:
            yield Gap(
                **asdict(synthetic_gap(synthetic, labelled)),
                other_scorecard_id=made_up.id,
                other_answered_share=made_up.result.answered_share,
            )


def _is_complete(card: HumanScorecard) -> bool:
    return INCOMPLETE not in card.unranked_because


def _with_figures(card: HumanScorecard, figures: Iterable[NamedFigure]) -> HumanScorecard:
    """Returns a scorecard with these figures in the place of its own."""
    ordered = tuple(sorted(figures, key=lambda figure: figure.name))
    return card.model_copy(update={"result": card.result.model_copy(update={"figures": ordered})})
