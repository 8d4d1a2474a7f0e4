"""Each annotator beside the others: how he labels, whether he changed, and whether he stands out.

He is *drifting* if the second half of his labels differs from the first one, in his level beside the others or in his
agreement with them, and an *outlier* if either is farther from the mean of the others' than its own error and the
others' standard deviation allow together (Welch's test). Both are Holm's test at 5 % over all annotators of a task. So
that no test hangs on a handful of labels, it takes 30 labels (of each half), and three annotators for outliers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evaluator.hicupid.scoring import rounded
from evaluator.human.report.labels import TaskLabels, mean_of
from evaluator.human.report.records import AnnotatorReport, Drift, Outlier, Standing, Task
from evaluator.human.report.resampled import Resampled, mean_figure, rejected, resample, two_sided
from evaluator.metrics import agreement
from evaluator.metrics.agreement import Comparisons
from evaluator.metrics.alternative_annotator import LEAST_ANNOTATORS, LEAST_ITEMS
from evaluator.metrics.clustered import Method, Missing, Spread, missing

Places = NDArray[np.intp]


class _Figures(NamedTuple):
    """One annotator's figures on some of his labels."""

    level: Resampled
    others: Resampled
    apart: Resampled
    agreement: Resampled
    users: Places
    """(labels,): users of the labels that others can be compared with."""
    voted: Places
    """(labels,): of those that his agreement is of."""

    @property
    def enough(self) -> bool:
        """Whether there are labels enough for a test."""
        return len(self.users) >= LEAST_ITEMS

    def standing(self, task: Task) -> Standing:
        """Returns the figures as they are published."""
        method = Method.STUDENT if task is Task.RATING else Method.SCORE
        return Standing(
            labels=len(self.users),
            level=self.level.shown(self.users, method),
            others=self.others.shown(self.users, method),
            apart=self.apart.shown(self.users),
            agreement=self.agreement.shown(self.voted),
        )


class _Task:
    """The labels of a task beside those of the others."""

    def __init__(self, given: TaskLabels) -> None:
        table = given.labelled.table
        anyone = np.zeros(len(table))
        self.given, self.users = given, given.labelled.users
        self.count = int(self.users.max(initial=-1)) + 1
        self.means = agreement.against_mean(table, anyone).comparisons
        self.ratings = given.task is Task.RATING
        self.votes = self.means if self.ratings else agreement.against_majority(table, anyone).comparisons

    def figures(self, annotator: int, items: NDArray[np.bool_]) -> _Figures:
        """Returns an annotator's figures on some items.

        Args:
            annotator: His column.
            items: (items,): which ones.
        """
        means, votes = (
            some.take((some.annotators == annotator) & items[some.items]) for some in (self.means, self.votes)
        )
        users, voted = self.users[means.items], self.users[votes.items]
        level, others = (resample(partial(_mean_at, of), users, self.count) for of in (means.human, means.reference))
        agreed = resample(lambda left: self._agreement(votes.take(left)), voted, self.count)
        apart = level.less(others)._replace(items=level.items)
        return _Figures(level, others, apart, agreed, users, voted)

    def _agreement(self, votes: Comparisons) -> float | None:
        compare = agreement.spearman if self.ratings else agreement.kappa
        return compare(votes.human, votes.reference)


def _mean_at(values: NDArray[np.float64], left: Places) -> float | None:
    return mean_of(values[left])


class _Halves(NamedTuple):
    """One annotator's figures before and after half of his labels."""

    first: _Figures
    second: _Figures
    apart: Resampled
    agreement: Resampled


def annotator_reports(given: TaskLabels) -> tuple[AnnotatorReport, ...]:
    """Returns each annotator's report, in the order of their pseudonyms."""
    task = _Task(given)
    everything = np.full(len(given.labelled.items), True)
    names = given.labelled.annotators
    figures = [task.figures(place, everything) for place in range(len(names))]
    halves = [_halves(task, place) for place in range(len(names))]
    drifts, outliers = _drifts(given.task, halves), _outliers(figures)
    return tuple(
        AnnotatorReport(
            annotator_id=name,
            labels=int((~np.isnan(given.labelled.table[:, place])).sum()),
            few=not figures[place].enough,
            standing=figures[place].standing(given.task),
            drift=drifts[place],
            outlier=outliers[place],
        )
        for place, name in enumerate(names)
    )


def earlier_half(times: NDArray[np.float64]) -> NDArray[np.bool_] | None:
    """Returns which of an annotator's labels are the first half, by time; labels of the same moment stay together.

    Args:
        times: (labels,): when each was given.

    Returns:
        None where a label has no time, or all have the same.

    Example:
        >>> earlier_half(np.array([3.0, 1.0, 1.0, 2.0])).tolist()
        [False, True, True, False]
    """
    if np.isnan(times).any() or len(np.unique(times)) < 2:
        return None
    moments = np.unique(times)[1:]
    sizes = (times[:, None] < moments).sum(axis=0)
    return np.asarray(times < moments[np.abs(2 * sizes - len(times)).argmin()])


def _halves(task: _Task, annotator: int) -> _Halves | None:
    """An annotator's figures by half, None where there are none."""
    his = ~np.isnan(task.given.labelled.table[:, annotator])
    early = earlier_half(task.given.times[his, annotator])
    if early is None:
        return None
    items = np.full(len(his), False)
    items[np.flatnonzero(his)[early]] = True
    first, second = task.figures(annotator, items), task.figures(annotator, ~items)
    return _Halves(first, second, second.apart.less(first.apart), second.agreement.less(first.agreement))


def _drifts(task: Task, halves: Sequence[_Halves | None]) -> list[Drift | None]:
    """What changed, for each annotator."""
    tests = [
        [_p_value(each.apart), _p_value(each.agreement)]
        if each and each.first.enough and each.second.enough
        else [None, None]
        for each in halves
    ]
    return [
        each
        and Drift(
            first=each.first.standing(task),
            second=each.second.standing(task),
            apart=each.apart.shown(np.concatenate([each.first.users, each.second.users])),
            agreement=each.agreement.shown(np.concatenate([each.first.voted, each.second.voted])),
            p_apart=rounded(p_values[0]),
            p_agreement=rounded(p_values[1]),
            drifts=None if p_values == [None, None] else any(fall),
        )
        for each, p_values, fall in zip(halves, tests, _fallen(tests), strict=True)
    ]


class _Apart(NamedTuple):
    """By how much one annotator is away from the others."""

    difference: float
    p_value: float


def _outliers(figures: Sequence[_Figures]) -> list[Outlier | None]:
    """Whether each annotator stands out; None where it is not tested."""
    apart = _from_the_others([each.apart if each.enough else None for each in figures])
    agreed = _from_the_others([each.agreement if each.enough else None for each in figures])
    tests = [[one and one.p_value, other and other.p_value] for one, other in zip(apart, agreed, strict=True)]
    return [
        one
        and Outlier(
            apart=rounded(one.difference),
            agreement=other and rounded(other.difference),
            p_apart=rounded(one.p_value),
            p_agreement=other and rounded(other.p_value),
            is_outlier=any(fall),
        )
        for one, other, fall in zip(apart, agreed, _fallen(tests), strict=True)
    ]


def _from_the_others(some: Sequence[Resampled | None]) -> list[_Apart | None]:
    """Each annotator's figure less the mean of the others', against its own error and what they differ by."""
    known = {place: each for place, each in enumerate(some) if each is not None and _is_sure(each.spread())}
    found: list[_Apart | None] = [None] * len(some)
    for place, his in known.items():
        others = [each for other, each in known.items() if other != place]
        if len(known) >= LEAST_ANNOTATORS:
            own = his.less(mean_figure(others)).spread()
            found[place] = _Apart(float(own.value), two_sided(_widened(own, [each.value for each in others])))
    return found


def _widened(own: Spread, others: Sequence[float]) -> Spread:
    """Adds what others differ by to an error: the variance of one more of them from their mean (Welch's)."""
    between = float(np.var(others, ddof=1)) * (1 + 1 / len(others))
    within = float(own.deviation) ** 2
    if not between:
        return own
    freedom = (within + between) ** 2 / (within**2 / own.freedom + between**2 / (len(others) - 1))
    return own._replace(deviation=np.sqrt(within + between), freedom=freedom)


def _p_value(change: Resampled) -> float | None:
    """Against no change, None where it cannot be tested."""
    found = change.spread()
    return two_sided(found) if _is_sure(found) else None


def _is_sure(found: Spread) -> bool:
    """Whether it can be tested: where nothing varies, users still tell whether all of them differ to the same side."""
    return missing(found, Method.STUDENT) in (None, Missing.NOTHING_VARIES)


def _fallen(tests: Sequence[Iterable[float | None]]) -> Iterator[list[bool]]:
    """Yields for each annotator which of his hypotheses fall, those of all annotators being one family."""
    every = [[p_value for p_value in own if p_value is not None] for own in tests]
    fall = iter(rejected([p_value for own in every for p_value in own]))
    yield from ([next(fall) for _ in own] for own in every)
