"""Counts of what two raters said, user by user, and the figures of agreement that follow from them alone.

A *table* is (users, types, outcomes, outcomes) of counts: question types in their order, outcomes by what they score
(0, one half, 1), the rows those of the first rater. So satisfied stands where a win does, and nothing where a tie does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from evaluator.hicupid.outcomes import CREDIT
from evaluator.hicupid.questions import QuestionType
from evaluator.hicupid.scoring import cut, rounded
from evaluator.metrics.agreement import kappa_of
from evaluator.metrics.agreement.confusion import distances
from evaluator.metrics.clustered import Method, Missing, interval, missing, spread_of_sums
from evaluator.metrics.intervals import (
    Array,
    Difference,
    ModelSums,
    Part,
    UserSums,
    paired_difference,
    ratio,
)
from evaluator.metrics.sameness import Agreement
from evaluator.metrics.sameness import agreement as sameness
from evaluator.records import Outcome
from leaderboard.rescoring.comparison import Figure, VerdictAgreement

TYPES = tuple(QuestionType)
SCORES = np.array([0.0, 0.5, 1.0])
"""What the outcomes of a table score."""
SHAPE = (len(TYPES), len(SCORES), len(SCORES))
"""Of one user's table."""
_QUADRATIC = distances(SCORES, "quadratic")


def place_of(outcome: Outcome) -> int:
    """Returns where an outcome stands in a table.

    Example:
        >>> place_of(Outcome.LOSS), place_of(Outcome.TIE), place_of(Outcome.SATISFIED)
        (0, 1, 2)
    """
    return int(2 * CREDIT[outcome])


def agreement_of(table: Array, items: int, lacking: int) -> VerdictAgreement:
    """Returns how far the rater of a table's columns agrees with that of its rows.

    Args:
        table: (users, types, outcomes, outcomes): the old judge's verdicts in the rows.
        items: Items with a verdict that is compared.
        lacking: Verdicts that are owed to both and are missing from at least one.

    Example:
        >>> one = np.zeros((12, *SHAPE))
        >>> one[:, 0, 2, 2] = one[:, 0, 0, 0] = 3
        >>> found = agreement_of(one, items=72, lacking=0)
        >>> found.raw.percent, found.kappa.value, found.flips
        (100.0, 1.0, 0)
    """
    old, new = table.sum(axis=(1, 3)), table.sum(axis=(1, 2))
    return VerdictAgreement(
        items=items,
        raw=raw_agreement(table, lacking),
        kappa=kappa(table),
        weighted_kappa=weighted_kappa(table),
        old_score=_mean_score(old),
        new_score=_mean_score(new),
        shift=_shift(old, new),
    )


def raw_agreement(table: Array, lacking: int) -> Agreement:
    """Returns the share of a table in which both raters say the same, with how much could not be compared."""
    same, there = np.trace(table, axis1=-2, axis2=-1).sum(axis=-1), _sizes(table)
    return share_of(same, there, int(there.sum()) + lacking)


def kappa(table: Array) -> Figure:
    """Returns Cohen's kappa of a table, the raters of the rows being the reference."""
    return figure_of(lambda sums: _kappa(sums), table, _sizes(table))


def weighted_kappa(table: Array) -> Figure:
    """Returns the same with quadratic weights, by what the outcomes score."""
    return figure_of(lambda sums: _kappa(sums, _QUADRATIC), table, _sizes(table))


def kappa_gain(first: Array, second: Array) -> Figure:
    """Returns the kappa of a second table less that of a first one of the same verdicts, each with its reference."""
    both = np.stack([first, second], axis=1)
    return figure_of(lambda sums: _kappa(sums[..., 1, :, :, :]) - _kappa(sums[..., 0, :, :, :]), both, _sizes(first))


def figure_of(figure: Callable[[Array], Array], sums: Array, compared: Array) -> Figure:
    """Returns a figure of sums over users with its interval, clustered by user.

    Args:
        figure: Takes sums (..., as those of one user) and returns the figures, (...); not a number where not defined.
        sums: (users, ...): each user's own.
        compared: (users,): each user's verdicts; users without one do not count.
    """
    having = np.flatnonzero(compared)
    if not len(having):
        return Figure(value=None, interval=None, reason=Missing.UNDEFINED, users=0)
    own = sums[having].reshape(len(having), -1)
    found = spread_of_sums(
        lambda every: figure(every.reshape(*every.shape[:-1], *sums.shape[1:])), own, compared[having]
    )
    return Figure(
        value=unsigned(float(found.value)) if np.isfinite(found.value) else None,
        interval=cut(interval(found, Method.STUDENT), -1.0, 1.0),
        reason=missing(found, Method.STUDENT),
        users=len(having),
    )


def share_of(having: Array, counts: Array, owed: int) -> Agreement:
    """Returns how often something is so, with an interval that also holds near 0 and 100 percent.

    Args:
        having: (users,): how often it is so.
        counts: (users,): of how many.
        owed: How many there could be; those that are not there are missing.
    """
    users = [UserSums(*user) for user in zip(having.tolist(), map(int, counts), strict=True)]
    return sameness(users, owed - sum(user.items for user in users))


def rounded_difference(found: Difference, reach: float) -> Difference:
    """Returns a difference, rounded and cut to what is possible, from -reach to reach."""
    return found.model_copy(
        update={
            "estimate": None if found.estimate is None else unsigned(found.estimate),
            "interval": cut(found.interval, -reach, reach),
        }
    )


def unsigned(value: float) -> float:
    """Rounds a value as it is published; a zero has no sign.

    Example:
        >>> unsigned(-1e-12), unsigned(0.12345678)
        (0.0, 0.123457)
    """
    return round(value, 6) or 0.0


def _kappa(tables: Array, apart: Array | None = None) -> Array:
    """Kappas of tables, (..., types, outcomes, outcomes), whose rows are those of the reference."""
    return kappa_of(np.swapaxes(tables, -1, -2), apart)


def _sizes(table: Array) -> Array:
    """How many verdicts each user has in a table."""
    return np.asarray(table.sum(axis=(1, 2, 3)))


def _mean_score(outcomes: Array) -> float | None:
    """The mean score in 0..100 of (users, outcomes) verdicts."""
    return rounded(ratio(_score_sums(outcomes)))


def _shift(old: Array, new: Array) -> Difference:
    """The second mean score less the first one, of (users, outcomes) of the same verdicts."""
    if not len(old):
        return Difference(estimate=None, interval=None, p_value=None, users=0, left_out=0)
    sums = [ModelSums(range(len(old)), [Part(_score_sums(outcomes))]) for outcomes in (new, old)]
    return rounded_difference(paired_difference(*sums), 100.0)


def _score_sums(outcomes: Array) -> Sequence[UserSums]:
    totals, counts = 100 * outcomes @ SCORES, outcomes.sum(axis=1)
    return [UserSums(*user) for user in zip(totals.tolist(), map(int, counts), strict=True)]
