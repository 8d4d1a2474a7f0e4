"""Whether a judge prefers the longer one of two answers: a common odds ratio, and the same beside another rater's.

Each word A or B on a judged pair is one vote in a table of two rows (is the model's answer longer than gold?) and two
columns (does it win?). A group is one model and one question type: how often a model beats gold, and how often it is
longer, differs between them, and must not pass for a leaning. The odds ratio common to all groups is that of Mantel and
Haenszel (Journal of the National Cancer Institute 22, 1959),

    sum over groups (a d / n) / sum over groups (b c / n),

where a are wins of longer answers, b losses of these, c wins of shorter ones, d losses of these, and n all four. One
half is added to each of the four counts of all groups together, so that no logarithm is infinite (Haldane, Annals of
Human Genetics 20, 1956; Gart and Zweifel, Biometrika 54, 1967); a group gets as much of it as its share of the votes,
which with one group is their correction. A group in which a row or a column is empty tells nothing and is left out.

The interval is that of the logarithm, from the jackknife over users, with each user's own tables taken away in turn.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from evaluator.hicupid.scoring import User
from evaluator.judges.quality.figures import shown, without
from evaluator.judges.quality.judged import ItemName, Judged
from evaluator.judges.quality.records import LengthBeside, LengthPreference, QualityFigure, Why
from evaluator.metrics.clustered import Method, spread_of_sums
from evaluator.metrics.intervals import Array
from evaluator.records import Outcome

_ADDED = 0.5
"""To each of the four counts, over all groups together."""
_LONGER, _SHORTER, _WINS, _LOSES = 0, 1, 0, 1

Group: TypeAlias = tuple[str, str]
"""A model and a question type."""


class _Vote(NamedTuple):
    """One word A or B on a pair whose two lengths differ."""

    user: User
    group: Group
    row: int
    column: int


class _Votes(NamedTuple):
    """What became of the words on judged pairs."""

    votes: list[_Vote]
    words: int
    ties: int
    same_length: int
    unknown_length: int


def length_preference(own: Sequence[Judged], beside: Mapping[str, Sequence[Judged]] | None = None) -> LengthPreference:
    """Returns whether a judge prefers the longer answer, and whether it does so more than others.

    Args:
        own: What the judge said. An answer that several models gave counts for each of them. Pairs of which a verdict
            is missing do not count: half a pair favours a slot.
        beside: By name, what other judges or people said; it is compared on the answers that both judged.
    """
    pairs = [each for each in own if each.is_pair and each.entry.judged]
    found = _votes_of(pairs, [each.entry.read for each in pairs])
    tables = _tables(found.votes)
    telling = tables.sum(axis=0) * _telling(tables.sum(axis=0))[:, None, None]
    counts = telling.sum(axis=0)
    figure = _odds_ratio(tables, found.words)
    return LengthPreference(
        odds_ratio=figure,
        longer_wins=int(counts[_LONGER, _WINS]),
        longer_loses=int(counts[_LONGER, _LOSES]),
        shorter_wins=int(counts[_SHORTER, _WINS]),
        shorter_loses=int(counts[_SHORTER, _LOSES]),
        groups=int((telling.sum(axis=(1, 2)) > 0).sum()),
        ties=found.ties,
        same_length=found.same_length,
        unknown_length=found.unknown_length,
        uninformative=len(found.votes) - int(counts.sum()),
        beside=tuple(_beside(name, pairs, other) for name, other in sorted((beside or {}).items())),
    )


def log_odds(tables: Array) -> Array:
    """Returns the logarithms of common odds ratios.

    Args:
        tables: (..., groups, 2, 2): counts; rows are longer and shorter, columns wins and losses.

    Returns:
        (...); not a number where no group has both rows and both columns.

    Example:
        >>> one_group = np.array([[[30.0, 10], [20, 40]]])
        >>> round(float(np.exp(log_odds(one_group))), 3), round(30.5 * 40.5 / (10.5 * 20.5), 3)
        (5.739, 5.739)
    """
    kept = tables * _telling(tables)[..., None, None]
    sizes = kept.sum(axis=(-1, -2))
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = sizes / sizes.sum(axis=-1, keepdims=True)
        over, under = _products(kept + _ADDED * shares[..., None, None])
        return np.asarray(np.log(over / under))


def _telling(tables: Array) -> Array:
    """Whether both rows and both columns of a table have a vote, (...,)."""
    return np.asarray(((tables.sum(axis=-1) > 0) & (tables.sum(axis=-2) > 0)).all(axis=-1), dtype=np.float64)


def _products(tables: Array) -> tuple[Array, Array]:
    """The two sums whose ratio is the common odds ratio, (...) each."""
    sizes = tables.sum(axis=(-1, -2))
    weights = np.divide(1.0, sizes, out=np.zeros_like(sizes), where=sizes > 0)
    over = tables[..., _LONGER, _WINS] * tables[..., _SHORTER, _LOSES] * weights
    under = tables[..., _LONGER, _LOSES] * tables[..., _SHORTER, _WINS] * weights
    return over.sum(axis=-1), under.sum(axis=-1)


def _votes_of(pairs: Sequence[Judged], words: Sequence[tuple[Outcome, ...]]) -> _Votes:
    """Counts the words on some pairs; lengths and groups are those of the pairs."""
    votes: list[_Vote] = []
    left: Counter[str] = Counter()
    for each, said in zip(pairs, words, strict=True):
        decisive = [outcome for outcome in said if outcome is not Outcome.TIE]
        left["words"] += len(said)
        left["ties"] += len(said) - len(decisive)
        answer, gold = each.answer_characters, each.gold_characters
        if answer is None or gold is None:
            left["unknown"] += len(decisive)
        elif answer == gold:
            left["same"] += len(decisive)
        else:
            group, row = (each.model or "", each.entry.item.type.value), _LONGER if answer > gold else _SHORTER
            votes += [_Vote(each.user, group, row, _WINS if outcome is Outcome.WIN else _LOSES) for outcome in decisive]
    return _Votes(votes, left["words"], left["ties"], left["same"], left["unknown"])


def _tables(*several: Sequence[_Vote]) -> Array:
    """Each user's tables, (users, groups, 2, 2), of several raters one after the other along the groups."""
    users = {user: place for place, user in enumerate(dict.fromkeys(vote.user for some in several for vote in some))}
    groups = {name: place for place, name in enumerate(dict.fromkeys(vote.group for some in several for vote in some))}
    counts = np.zeros((len(users), len(several), len(groups), 2, 2))
    for rater, votes in enumerate(several):
        for vote in votes:
            counts[users[vote.user], rater, groups[vote.group], vote.row, vote.column] += 1
    return counts.reshape(len(users), len(several) * len(groups), 2, 2)


def _odds_ratio(tables: Array, possible: int) -> QualityFigure:
    """The common odds ratio of users' tables."""
    whole = tables.sum(axis=0)
    telling = _telling(whole)
    items = (tables.sum(axis=(-1, -2)) * telling).sum(axis=-1)
    if not items.sum():
        return without(Why.NO_CONTRAST, possible)
    found = spread_of_sums(lambda sums: log_odds(_shaped(sums)), tables.reshape(len(tables), -1), items)
    return _with_end(shown(found, Method.STUDENT, int(items.sum()), possible, math.exp), whole)


def _beside(name: str, pairs: Sequence[Judged], other: Sequence[Judged]) -> LengthBeside:
    """The leaning of two raters on what both judged."""
    theirs: dict[ItemName, tuple[Outcome, ...]] = {
        each.name: each.entry.read for each in other if each.is_pair and each.entry.judged
    }
    shared = [each for each in pairs if each.name in theirs]
    one = _votes_of(shared, [each.entry.read for each in shared])
    two = _votes_of(shared, [theirs[each.name] for each in shared])
    return LengthBeside(
        rater=name,
        items=len(shared),
        own=_odds_ratio(_tables(one.votes), one.words),
        other=_odds_ratio(_tables(two.votes), two.words),
        ratio=_ratio(one, two),
    )


def _ratio(one: _Votes, two: _Votes) -> QualityFigure:
    """One odds ratio over another, of the same users."""
    tables = _tables(one.votes, two.votes)
    whole, possible = tables.sum(axis=0), one.words + two.words
    halves = np.split(whole, 2)
    if not all(_telling(half).any() for half in halves):
        return without(Why.NO_CONTRAST, possible)
    items = (tables.sum(axis=(-1, -2)) * _telling(whole)).sum(axis=-1)

    def difference(sums: Array) -> Array:
        first, second = np.split(_shaped(sums), 2, axis=-3)
        return np.asarray(log_odds(first) - log_odds(second))

    found = spread_of_sums(difference, tables.reshape(len(tables), -1), items)
    return _with_end(shown(found, Method.STUDENT, int(items.sum()), possible, math.exp), *halves)


def _with_end(figure: QualityFigure, *wholes: Array) -> QualityFigure:
    """Takes the interval away where a count of zero leaves it open: the jackknife would not feel it."""
    kept = [whole * _telling(whole)[:, None, None] for whole in wholes]
    if figure.interval is None or all(product > 0 for tables in kept for product in _products(tables)):
        return figure
    return figure.model_copy(update={"interval": None, "reason": Why.EMPTY_CELL})


def _shaped(sums: Array) -> Array:
    """Sums as tables, (..., groups, 2, 2)."""
    return sums.reshape(*sums.shape[:-1], -1, 2, 2)
