"""How far two raters agree on the same answers: overall, by question type, and on what one was not trained on.

An answer counts once, whoever gave it. Its outcome is that of both orders together: on which side of one half the mean
of its verdicts lies, so that a win and a loss make a tie, and a win and a tie a win.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evaluator.hicupid.questions import QuestionType
from evaluator.judges.quality.figures import of_sums, share_of, without
from evaluator.judges.quality.judged import Combined, ItemName, Judged, Places, combined, places_of, summed
from evaluator.judges.quality.records import Agreement, QualityFigure, Slice, SliceAgreement, Training, Why
from evaluator.metrics.agreement import Labels, kappa_of, tally
from evaluator.metrics.agreement.confusion import Distance, distances
from evaluator.metrics.clustered import Method
from evaluator.metrics.intervals import Array

_CLASSES = np.array([0.0, 1.0, 2.0])
"""As `Combined.label` has them; a schedule question has no tie."""
_TYPES = tuple(QuestionType)


class _Pairs(NamedTuple):
    """Answers that the reference judged, and what both raters said of them."""

    users: Places
    types: Places
    own: Labels
    """(n,): labels; NaN where the judge has none."""
    other: Labels
    apart: Labels
    """(n,): score of the judge less that of the other."""
    models: NDArray[np.object_]
    """(n,): who gave each answer, as far as that is known."""

    def take(self, mask: NDArray[np.bool_]) -> _Pairs:
        """Returns some of them."""
        return _Pairs._make(column[mask] for column in self)


def agreement_between(own: Sequence[Judged], name: str, other: Sequence[Judged], training: Training) -> Agreement:
    """Returns how far a judge agrees with another rater.

    Args:
        own: What the judge said, of any models.
        name: Of the other rater.
        other: What that one said; the reference of kappas that are means over question types.
        training: What the judge was trained on.
    """
    (mine, own_conflicts), (theirs, other_conflicts) = combined(own), combined(other)
    every = _pairs_of(mine, theirs, _models_of(own))
    slices = [
        _untold(slice_, len(every.users)) if mask is None else _slice(slice_, every.take(mask))
        for slice_, mask in _masks(every, training)
    ]
    return Agreement(other=name, slices=tuple(slices), conflicting=own_conflicts + other_conflicts)


def _models_of(judged: Sequence[Judged]) -> dict[ItemName, frozenset[str]]:
    """Who gave each answer, be it judged or not."""
    found: dict[ItemName, frozenset[str]] = {}
    for each in judged:
        if each.model is not None and each.model not in (before := found.get(each.name, frozenset())):
            found[each.name] = before | {each.model}
    return found


def _pairs_of(
    mine: Mapping[ItemName, Combined],
    theirs: Mapping[ItemName, Combined],
    models: Mapping[ItemName, frozenset[str]],
) -> _Pairs:
    """Joins what two raters said, in the order of answers' names."""
    names = sorted(theirs)
    own = [mine.get(name) for name in names]
    reference = [theirs[name] for name in names]
    gaps = [None if each is None else each.score - other.score for each, other in zip(own, reference, strict=True)]
    given_by = np.empty(len(names), dtype=np.object_)
    for place, name in enumerate(names):
        given_by[place] = theirs[name].models | models.get(name, frozenset())
    return _Pairs(
        users=places_of(each.user for each in reference)[0],
        types=np.array([_TYPES.index(each.type) for each in reference], dtype=np.intp),
        own=np.array([np.nan if each is None else each.label for each in own]),
        other=np.array([each.label for each in reference]),
        apart=np.array([np.nan if gap is None else gap for gap in gaps]),
        models=given_by,
    )


def _masks(every: _Pairs, training: Training) -> Iterator[tuple[Slice, NDArray[np.bool_] | None]]:
    """Yields which answers belong to each slice; None where nobody says what the judge was trained on."""
    yield Slice.ALL, np.ones(len(every.users), dtype=bool)
    for place, type_ in enumerate(_TYPES):
        yield Slice(type_.value), every.types == place
    old_type = old_model = None
    if training.types is not None:
        old_type = np.isin(every.types, [_TYPES.index(type_) for type_ in training.types])
    if training.models is not None:
        old_model = np.array([bool(each & training.models) for each in every.models], dtype=bool)
        known = np.array([bool(each) for each in every.models], dtype=bool)
    yield Slice.NEW_TYPES, None if old_type is None else ~old_type
    yield Slice.NEW_MODELS, None if old_model is None else ~old_model & known
    yield Slice.TRAINED_ON, None if old_type is None or old_model is None else old_type & old_model


def _slice(slice_: Slice, every: _Pairs) -> SliceAgreement:
    """The figures of some answers."""
    possible = len(every.users)
    both = every.take(~np.isnan(every.own))
    users, count = _numbered(both.users)
    ones = np.ones(len(users))
    size = len(_TYPES)
    matrices = tally(both.own, both.other, _CLASSES, users * size + both.types, count=count * size)
    sums = matrices.reshape(count, size * len(_CLASSES) ** 2)
    items = sums.sum(axis=-1)

    def kappa(distance: Distance) -> QualityFigure:
        return of_sums(partial(_kappa, distances(_CLASSES, distance)), sums, items, Method.STUDENT, possible)

    same = (both.own == both.other).astype(np.float64)
    return SliceAgreement(
        slice=slice_,
        same=share_of(summed(users, count, same, ones), Method.SCORE, possible),
        kappa=kappa("nominal"),
        kappa_quadratic=kappa("quadratic"),
        bias=share_of(summed(users, count, both.apart, ones), Method.STUDENT, possible),
    )


def _untold(slice_: Slice, possible: int) -> SliceAgreement:
    """The figures of a slice that nobody can tell."""
    none = without(Why.UNTOLD, possible)
    return SliceAgreement(slice=slice_, same=none, kappa=none, kappa_quadratic=none, bias=none)


def _kappa(apart: Labels, sums: Array) -> Array:
    """Kappas of sums, (...): over question types the mean of theirs."""
    size = len(_CLASSES)
    return np.asarray(kappa_of(sums.reshape(*sums.shape[:-1], len(_TYPES), size, size), apart))


def _numbered(users: Places) -> tuple[Places, int]:
    """Users numbered anew without gaps, and how many there are."""
    found, places = np.unique(users, return_inverse=True)
    return places, len(found)
