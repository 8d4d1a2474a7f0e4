"""One small worked example for each formula, on made-up numbers: every result is what the site's own functions say."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from evaluator.hicupid.desiderata import long_context_gap
from evaluator.hicupid.outcomes import JudgedItem
from evaluator.hicupid.questions import Item, QuestionType
from evaluator.hicupid.scoring import agreement_of, rate_of_items, score_of, share_of, total_of
from evaluator.hicupid.user_scores import UserScore
from evaluator.human.gap import synthetic_gap
from evaluator.human.results import NamedFigure
from evaluator.metrics.agreement import bias, f1, kappa, single_agreement, spearman
from evaluator.metrics.agreement.records import SingleAgreement
from evaluator.metrics.intervals import ModelSums, Part, UserSums, clustered_interval, ratio
from evaluator.metrics.ranks import Rank, ranks
from evaluator.protocol import PublishedRow, hicupid_protocol
from evaluator.records import Outcome, SlotOrder
from evaluator.results import Gap, Interval, Rate

_ORDERS = (SlotOrder.ANSWER_FIRST, SlotOrder.GOLD_FIRST)
_NOBODY = UserSums(0.0, 0)
_WIN, _TIE, _LOSS = Outcome.WIN, Outcome.TIE, Outcome.LOSS
VERDICTS: tuple[tuple[Outcome | None, Outcome | None], ...] = (
    (_WIN, _WIN),
    (_WIN, _TIE),
    (_TIE, _TIE),
    (_WIN, _LOSS),
    (_LOSS, _LOSS),
    (_WIN, None),
)
"""Of six answers, in both slot orders; one verdict is missing."""
RATES = (60.0, 40.0, 90.0)
"""Persona, profile and schedule of a model."""
_OF_FIVE = (5, 5, 4, 5, 0, 1, 0, 5, 4, 1, 0, 5)
"""Of each of twelve users: how many of five answers won, and all others lost."""
_OF_FOUR = {
    "A": (3, 4, 4, 3, 4, 3, 4, 4, 3, 4, 4, 4),
    "B": (3, 4, 3, 3, 4, 4, 4, 3, 3, 4, 4, 4),
    "C": (0, 1, 1, 0, 0, 1, 0, 2, 0, 1, 0, 1),
}
"""The same of four answers, for each of three models."""
_TWO_RATERS = (3, 2, 3, 12)
"""Items that both, only the first, only the second, and neither called relevant."""
_ANNOTATORS = np.array(
    [[1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0], [1, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0], [1, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0]],
    dtype=np.float64,
).T
"""(items, annotators): 1 is relevant."""
_MODEL = np.array([1, 1, 1, 1, 0, 0, 1, 1, 0, 1, 0, 0], dtype=np.float64)
PERSON, RATER = (1, 2, 3, 4, 5), (3, 2, 4, 5, 5)
"""Ratings of the same five answers by a person and by a model."""
_WHOLE = (50, 0, 50, 100, 0, 50, 50, 0, 100, 50, 0, 50)
_NEEDED = (50, 100, 50, 100, 50, 100, 50, 50, 100, 50, 50, 100)
"""Persona score of each of twelve users, after the whole history and after the needed dialogues alone."""


class Scoring(NamedTuple):
    """Six answers with their verdicts."""

    rows: tuple[tuple[tuple[Outcome | None, ...], float | None], ...]
    """Of each answer the verdicts, and its score in 0..100; None where a verdict is missing."""
    win: Rate
    tie: Rate
    loss: Rate
    score: Rate
    consistency: Rate
    worst_case: Rate
    """The score if the missing verdict were a loss."""


class Totalled(NamedTuple):
    """Three rates and what they come to, all in %."""

    what: str
    persona: float
    profile: float
    schedule: float
    total: float
    told: float | None = None
    """What others published as the Total of these."""


class Clustered(NamedTuple):
    """The same answers twice: of few users, and as if each were of a user of its own."""

    users: int
    answers: int
    value: float | None
    clustered: Interval | None
    alone: Interval | None


class Ranked(NamedTuple):
    """One of some models."""

    name: str
    score: float | None
    rank: Rank | None


class Agreed(NamedTuple):
    """Two raters of two classes."""

    counts: tuple[int, int, int, int]
    same: float
    """Share of items of which both say the same, 0 to 1."""
    by_chance: float
    """Share that two raters would have who draw their words, as often as these two say each."""
    kappa: float | None
    f1: float | None
    """Of the second rater, beside the first."""


class Correlated(NamedTuple):
    """Two raters' ratings."""

    person: tuple[int, ...]
    model: tuple[int, ...]
    spearman: float | None
    bias: float | None


class Examples(NamedTuple):
    """All of them."""

    scoring: Scoring
    totals: tuple[Totalled, ...]
    clustered: Clustered
    ranked: tuple[Ranked, ...]
    agreed: Agreed
    human: SingleAgreement
    correlated: Correlated
    made_up: NamedFigure
    labelled: NamedFigure
    gap: NamedFigure
    long_context: Gap


@cache
def examples() -> Examples:
    """Returns all examples; they are worked out once, some thousandths of a second in all but the ranks."""
    made_up, labelled = _f1(0.62, 0.57, 0.67), _f1(0.45, 0.38, 0.52)
    return Examples(
        scoring=_scoring(),
        totals=_totals(),
        clustered=_clustered(),
        ranked=_ranked(),
        agreed=_agreed(*_TWO_RATERS),
        human=single_agreement(_ANNOTATORS, _MODEL, 1.0),
        correlated=_correlated(),
        made_up=made_up,
        labelled=labelled,
        gap=synthetic_gap(made_up, labelled),
        long_context=long_context_gap(_users(_WHOLE), _users(_NEEDED), ("official-v1", "gold-v1")),
    )


def judged_items(verdicts: Sequence[tuple[Outcome | None, ...]]) -> list[JudgedItem]:
    """Returns persona answers of one user that were judged in both slot orders.

    Args:
        verdicts: Of each answer; None is a missing one.
    """
    return [_judged(number, outcomes) for number, outcomes in enumerate(verdicts)]


def _judged(number: int, outcomes: tuple[Outcome | None, ...]) -> JudgedItem:
    """Returns one of them."""
    item = Item(
        question_id=f"q-{number}",
        user_id=1,
        split="test_2",
        type=QuestionType.PERSONA,
        orders=_ORDERS,
        persona_cluster=None,
        persona_category=None,
        sentiment=None,
        evidence=(),
        evidence_position=(),
    )
    return JudgedItem(item, None, outcomes, ("unparsed",) * outcomes.count(None))


def _scoring() -> Scoring:
    entries = judged_items(VERDICTS)
    lost = judged_items([tuple(each or _LOSS for each in outcomes) for outcomes in VERDICTS])
    return Scoring(
        rows=tuple((entry.outcomes, score_of(entry)) for entry in entries),
        win=rate_of_items(entries, share_of(_WIN)),
        tie=rate_of_items(entries, share_of(_TIE)),
        loss=rate_of_items(entries, share_of(_LOSS)),
        score=rate_of_items(entries, score_of),
        consistency=rate_of_items(entries, agreement_of),
        worst_case=rate_of_items(lost, score_of),
    )


def _totals() -> tuple[Totalled, ...]:
    made_up = {
        "A model": RATES,
        "As good as gold throughout": (50.0, 50.0, 100.0),
        "Better than gold throughout": (100.0, 100.0, 100.0),
    }
    found = [Totalled(what, *rates, total=total_of(*rates)) for what, rates in made_up.items()]
    return (*found, *map(_as_published, hicupid_protocol("paper").published))


def _as_published(row: PublishedRow) -> Totalled:
    """Puts the rates that others published into the formula."""
    rates = row.persona, row.profile, row.schedule
    return Totalled(f"{row.label}, {row.setting}, as published", *rates, total=total_of(*rates), told=row.total)


def _clustered() -> Clustered:
    users = [UserSums(100.0 * won, 5) for won in _OF_FIVE]
    alone = [UserSums(100.0 * (place < won), 1) for won in _OF_FIVE for place in range(5)]
    return Clustered(
        users=len(users),
        answers=len(alone),
        value=ratio(users),
        clustered=clustered_interval([Part(users)]),
        alone=clustered_interval([Part(alone)]),
    )


def _ranked() -> tuple[Ranked, ...]:
    sums = {name: [UserSums(100.0 * each, 4) for each in won] for name, won in _OF_FOUR.items()}
    found = ranks({name: ModelSums(range(len(users)), [Part(users)]) for name, users in sums.items()})
    return tuple(Ranked(name, ratio(sums[name]), found[name]) for name in sums)


def _agreed(both: int, first: int, second: int, neither: int) -> Agreed:
    one = np.repeat([1.0, 1.0, 0.0, 0.0], (both, first, second, neither))
    other = np.repeat([1.0, 0.0, 1.0, 0.0], (both, first, second, neither))
    share, its = float(one.mean()), float(other.mean())
    return Agreed(
        counts=(both, first, second, neither),
        same=float((one == other).mean()),
        by_chance=share * its + (1 - share) * (1 - its),
        kappa=kappa(one, other),
        f1=f1(other, one, 1.0),
    )


def _correlated() -> Correlated:
    person, model = np.array(PERSON, dtype=np.float64), np.array(RATER, dtype=np.float64)
    return Correlated(PERSON, RATER, spearman(model, person), bias(model, person))


def _f1(value: float, low: float, high: float) -> NamedFigure:
    ends = Interval(low=low, high=high, users=40)
    return NamedFigure(name="f1_majority", value=value, interval=ends, labels=400, users=40, tied=0, reason=None)


def _users(scores: Sequence[float]) -> list[UserScore]:
    return [UserScore("test_2", user, UserSums(score, 1), _NOBODY, _NOBODY) for user, score in enumerate(scores)]
