"""Two to four runs on the items that all of them have judged: which is better, where, and how sure that is.

A difference is that of ranks: a weighted sum over users' sums, clustered by user, each compared with himself. Ranks are
of all users' items; here only items count that every run has judged, so that slices and single items add up to it. The
two are equal where no verdict is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from evaluator.hicupid.questions import QuestionType
from evaluator.hicupid.scoring import HIGHEST_TOTAL, TOTAL_WEIGHTS, cut, rounded
from evaluator.metrics.intervals import Array, linearise, tail
from evaluator.results import Interval
from leaderboard.answers.columns import Codes
from leaderboard.answers.slices import SliceKind, intervals_of, members_of, sums_of, type_sums
from leaderboard.answers.table import ItemTable
from leaderboard.board.rankings import ranking_of
from leaderboard.results import Scorecard

MOST = 4
"""Runs that are compared at once."""
LEVEL = 0.05
"""The most likely that one or more differences of a family are told apart wrongly."""

_UNLIKE = {
    "protocol": "protocols",
    "judge": "judges",
    "judge_revision": "versions of the judge",
    "data_sha": "versions of the data set",
    "prompt_pack": "wordings of the prompts",
    "context": "ways to choose the context",
}


class Shared(NamedTuple):
    """The items that all runs have judged."""

    tables: tuple[ItemTable, ...]
    """These items alone, in one order, with one list of users."""
    left_out: tuple[int, ...]
    """By run, its judged items that some other run has not judged."""


class PairedDifference(NamedTuple):
    """The first run's figure less the second's, on shared items."""

    value: float | None
    """In points, of a slice -100..100, of the Total -87.5..87.5; None where no item, or of the Total no item of some
    type, is shared."""
    interval: Interval | None
    """95 %, clustered by user, for this difference alone; None below ten users."""
    p_value: float | None
    """Two-sided, against no difference, for this one alone; None below ten users."""
    corrected: float | None
    """The p value corrected by Holm's method for all differences of its family: the Totals of all pairs, or the slices
    of all pairs."""
    items: int
    users: int

    @property
    def told_apart(self) -> bool:
        """Whether one is better, beyond doubt at 5 % for the whole family together."""
        return self.corrected is not None and self.corrected <= LEVEL


class PairedSlice(NamedTuple):
    """One slice."""

    kind: SliceKind
    name: str
    type: QuestionType
    difference: PairedDifference


class Pair(NamedTuple):
    """Two of the runs."""

    first: int
    """Place among the runs."""
    second: int
    """Place of the run that is subtracted."""
    total: PairedDifference
    slices: tuple[PairedSlice, ...]


class Comparison(NamedTuple):
    """What two to four runs come to beside each other."""

    items: int
    """Items that all have judged."""
    users: int
    """Users of these."""
    left_out: tuple[int, ...]
    """By run, its judged items that some other run has not judged."""
    pairs: tuple[Pair, ...]


def why_not_comparable(cards: Sequence[Scorecard]) -> str | None:
    """Returns why scorecards cannot be compared item by item, as a sentence; None if they can.

    As ranks do it: whatever differs but the model makes it another ranking.
    """
    if not 2 <= len(cards) <= MOST:
        return f"Choose two to {MOST} results to compare; these are {len(cards)}."
    if len({card.id for card in cards}) < len(cards):
        return "A result cannot be compared with itself."
    rankings = [ranking_of(card) for card in cards]
    for name in type(rankings[0])._fields:
        if len({getattr(ranking, name) for ranking in rankings}) > 1:
            what = _UNLIKE.get(name, f"settings ({name.replace('_', ' ')})")
            return f"These results cannot be compared: they were made under different {what}."
    return None


def share(tables: Sequence[ItemTable]) -> Shared:
    """Returns the items that all of some runs have judged.

    Raises:
        ValueError: They are not of one data set under one judge, or not two to four.
    """
    if not 2 <= len(tables) <= MOST:
        raise ValueError(f"two to {MOST} runs are compared, not {len(tables)}")
    if len({(table.data_sha, table.judge) for table in tables}) > 1:
        raise ValueError("only runs on one data set under one judge are compared")
    first = tables[0]
    places = [table.places(first.question_id) for table in tables]
    judged = [(place >= 0) & table.judged[place] for table, place in zip(tables, places, strict=True)]
    rows = np.flatnonzero(np.logical_and.reduce(judged))
    chosen = tuple(taken(table, place[rows], first, rows) for table, place in zip(tables, places, strict=True))
    return Shared(chosen, tuple(int(table.judged.sum()) - len(rows) for table in tables))


def taken(table: ItemTable, rows: Codes, like: ItemTable, same: Codes) -> ItemTable:
    """Returns some rows of a run, whose questions and users are those of another one.

    Args:
        table: The run.
        rows: Places of the rows in it.
        like: The other run.
        same: Places of the same questions in that one.
    """
    own = {name: value for name, value in table._asdict().items() if isinstance(value, np.ndarray)}
    of_answers = {name: getattr(table, name).taken(rows) for name in ("defect", "missing", "answer_status")}
    of_questions = {name: getattr(like, name).taken(same) for name in ("type", "split", "category", "sentiment")}
    places = {name: getattr(like, name)[same] for name in ("user", "newest_evidence", "oldest_evidence")}
    values = {name: value[rows] for name, value in own.items()} | of_answers | of_questions | places
    return table._replace(users=like.users, **values)


def compare(tables: Sequence[ItemTable]) -> Comparison:
    """Compares two to four runs, each pair of them, on the items that all have judged.

    Two families are corrected, each by itself, so that with a probability of 95 % no order in it is wrong: the Totals
    of all pairs, which is what the sentence of `in_words` says, and all slices of all pairs.

    Args:
        tables: The runs; as of `share`. What a question is about is taken from the first one.

    Raises:
        ValueError: As of `share`.
    """
    shared = share(tables)
    pairs = list(combinations(range(len(tables)), 2))
    totals = _corrected(_totals(shared, pairs))
    names, found = _slices(shared, pairs)
    flat = _corrected([each for row in found for each in row])
    slices = [flat[number * len(names) : (number + 1) * len(names)] for number in range(len(pairs))]
    return Comparison(
        items=len(shared.tables[0].question_id),
        users=int(np.count_nonzero(np.bincount(shared.tables[0].user))),
        left_out=shared.left_out,
        pairs=tuple(
            Pair(*pair, total, tuple(PairedSlice(*name, one) for name, one in zip(names, row, strict=True)))
            for pair, total, row in zip(pairs, totals, slices, strict=True)
        ),
    )


def in_words(pair: Pair, names: Sequence[str]) -> str:
    """Says in a sentence whether two runs are told apart; the one with the higher Total comes first.

    Args:
        pair: The two.
        names: What the runs are called, in their order.

    Example:
        >>> total = PairedDifference(3.21, Interval(low=1.12, high=5.3, users=250), 0.0021, 0.0021, 1234, 250)
        >>> in_words(Pair(0, 1, total, ()), ["A", "B"])
        'A is better than B: Total +3.2 (1.1 to 5.3), p = 0.002, on 1,234 shared items of 250 users.'
        >>> unsure = total._replace(value=-0.4, interval=Interval(low=-1, high=0.2, users=250), corrected=0.6)
        >>> in_words(Pair(0, 1, unsure, ()), ["A", "B"]).split(", on")[0]
        'Not told apart: B and A: Total +0.4 for B (-0.2 to 1.0), p = 0.002, p = 0.60 corrected for all pairs'
    """
    total = pair.total
    on = f"on {total.items:,} shared item{'s' * (total.items != 1)} of {total.users:,} user{'s' * (total.users != 1)}"
    first, second = names[pair.first], names[pair.second]
    if total.value is None:
        return f"Not told apart: {first} and {second}: no Total {on}, since not all kinds of questions are among them."
    if total.interval is None or total.p_value is None or total.corrected is None:
        found = f"Total {total.value:+.1f} for {first}"
        return f"Not told apart: {first} and {second}: {found} {on}, too few users for an interval."
    better, worse, value, interval = first, second, total.value, total.interval
    if value < 0:
        better, worse, value = second, first, -value
        interval = Interval(low=-interval.high, high=-interval.low, users=interval.users)
    p_value = p_in_words(total.p_value)
    if p_in_words(total.corrected) != p_value:
        p_value += f", {p_in_words(total.corrected)} corrected for all pairs"
    found = f"({interval.low:.1f} to {interval.high:.1f}), {p_value}, {on}."
    if total.told_apart:
        return f"{better} is better than {worse}: Total {value:+.1f} {found}"
    return f"Not told apart: {better} and {worse}: Total {value:+.1f} for {better} {found}"


def p_in_words(value: float) -> str:
    """Writes a p value.

    Example:
        >>> p_in_words(0.0304), p_in_words(0.00001), p_in_words(0.3)
        ('p = 0.03', 'p < 0.001', 'p = 0.30')
    """
    return "p < 0.001" if value < 0.001 else f"p = {value:.1g}" if value < 0.1 else f"p = {value:.2f}"


def holm(p_values: Sequence[float]) -> list[float]:
    """Returns p values corrected so that of all hypotheses that fall at a level none does wrongly, at that level.

    Holm, Scandinavian Journal of Statistics 6 (1979), adjusted: from the smallest on, each is multiplied by the number
    of those left, and none is below one before it.

    Example:
        >>> [round(value, 3) for value in holm([0.04, 0.01, 0.03])]
        [0.06, 0.03, 0.06]
    """
    corrected, highest = [0.0] * len(p_values), 0.0
    for done, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, p_values[place] * (len(p_values) - done)))
        corrected[place] = highest
    return corrected


def _totals(shared: Shared, pairs: Sequence[tuple[int, int]]) -> list[PairedDifference]:
    """Returns the differences of the Totals of pairs of runs."""
    everything = np.ones(len(shared.tables[0].question_id), dtype=np.bool_)
    sums = [type_sums(table, table.score, everything) for table in shared.tables]
    totals, (first, second) = np.array([total for total, _ in sums]), np.array(pairs).T
    items = np.broadcast_to(sums[0][1], totals[first].shape)
    return _differences(totals[first], totals[second], items, np.array(list(TOTAL_WEIGHTS.values())), HIGHEST_TOTAL)


def _slices(
    shared: Shared, pairs: Sequence[tuple[int, int]]
) -> tuple[list[tuple[SliceKind, str, QuestionType]], list[list[PairedDifference]]]:
    """Returns the names of all slices, and by pair the difference in each."""
    kinds = list(members_of(shared.tables[0]))
    names = [(members.kind, *name) for members in kinds for name in members.names]
    sums = [[sums_of(table, table.score, members) for members in kinds] for table in shared.tables]
    totals = [np.concatenate([total for total, _ in own])[:, :, None] for own in sums]
    items = np.concatenate([number for _, number in sums[0]])[:, :, None]
    return names, [_differences(totals[first], totals[second], items, np.ones(1), 100.0) for first, second in pairs]


def _differences(first: Array, second: Array, items: Array, weights: Array, most: float) -> list[PairedDifference]:
    """Returns differences of weighted rates on the same items, as ranks have them.

    Args:
        first: (differences, users, rates): sums of scores.
        second: Likewise, of what is subtracted.
        items: Likewise: numbers of items, the same of both.
        weights: (rates,).
        most: The highest possible figure.
    """
    both = np.concatenate([first, second], axis=-1), np.concatenate([items, items], axis=-1)
    found = linearise(*both, np.concatenate([weights, -weights]))
    p_values = np.minimum(2 * tail(found), 1.0)
    return [
        PairedDifference(
            value=rounded(float(found.value[place])) if items[place].any(axis=0).all() else None,
            interval=cut(interval, -most, most),
            p_value=None if interval is None else float(p_values[place]),
            corrected=None,
            items=int(items[place].sum()),
            users=int(found.users[place]),
        )
        for place, interval in enumerate(intervals_of(found))
    ]


def _corrected(family: Sequence[PairedDifference]) -> list[PairedDifference]:
    """Corrects the p values of a family; what has none is no part of it."""
    tested = [place for place, each in enumerate(family) if each.p_value is not None]
    by_place = dict(zip(tested, holm([family[place].p_value or 0.0 for place in tested]), strict=True))
    return [each._replace(corrected=by_place.get(place)) for place, each in enumerate(family)]
