"""Whether a judge is kinder to models of its own family than judges of other families are: a difference in differences.

A family may simply answer better, so its models' score under the judge says nothing. What counts is how much more the
judge gives an answer than the others do, on the very same answers: the mean of that over answers of the family, less
the mean over all others. What a family deserves cancels out, and so does how strict a judge is throughout.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from evaluator.judges.quality.figures import of_sums, without
from evaluator.judges.quality.judged import Judged, combined, places_of, summed
from evaluator.judges.quality.records import FamilyPreference, QualityFigure, Why
from evaluator.metrics.clustered import Method
from evaluator.metrics.intervals import Array


def family_preference(
    family: str | None,
    own: Sequence[Judged],
    others: Mapping[str, Sequence[Judged]],
    families: Mapping[str, str | None],
) -> FamilyPreference:
    """Returns by how much a judge is kinder to its own family than others are.

    Args:
        family: The judge's family; None where nobody says.
        own: What the judge said; only pairs all of whose verdicts were read count.
        others: By id, what judges of other families said. Where several judged an answer, their mean counts.
        families: The family of each model by its name on the board; None, or no entry, where nobody says.
    """
    pairs = [each for each in own if each.is_pair and each.entry.judged]
    known = [each for each in pairs if families.get(each.model or "") is not None]
    theirs = [combined(each for each in said if each.is_pair)[0] for _, said in sorted(others.items())]
    rows = [
        (each, float(np.mean(given)))
        for each in known
        if (given := [one[each.name].score for one in theirs if each.name in one])
    ]
    shared = [each for each, _ in rows]
    inside = np.array([families[each.model or ""] == family for each in shared], dtype=bool)
    scores = np.array([each.score for each in shared], dtype=np.float64)
    given_by_others = np.array([score for _, score in rows], dtype=np.float64)
    told = family is not None
    return FamilyPreference(
        family=family,
        against=tuple(sorted(others)),
        difference=_difference(shared, inside, scores - given_by_others, len(pairs))
        if told
        else without(Why.UNTOLD, len(pairs)),
        own_family=_mean(scores[inside]) if told else None,
        own_rest=_mean(scores[~inside]) if told else None,
        others_family=_mean(given_by_others[inside]) if told else None,
        others_rest=_mean(given_by_others[~inside]) if told else None,
        models_family=len({each.model for each, of_family in zip(shared, inside, strict=True) if of_family}),
        models_rest=len({each.model for each, of_family in zip(shared, inside, strict=True) if not of_family}),
        unknown_family=len(pairs) - len(known),
        not_shared=len(known) - len(shared),
    )


def others_of(family: str | None, judges: Mapping[str, str | None]) -> Collection[str]:
    """Returns the judges that one of a family may be held against: those that are known to be of another.

    Example:
        >>> sorted(others_of("llama", {"a": "llama", "b": "qwen", "c": None, "d": "gemma"}))
        ['b', 'd']
    """
    return [] if family is None else [name for name, other in judges.items() if other is not None and other != family]


def _difference(shared: Sequence[Judged], inside: NDArray[np.bool_], more: Array, possible: int) -> QualityFigure:
    """The mean of what the judge gives more, of the family less of the rest."""
    users, count = places_of(each.user for each in shared)
    weights = inside.astype(np.float64), (~inside).astype(np.float64)
    sums = summed(users, count, more * weights[0], weights[0], more * weights[1], weights[1])
    return of_sums(
        lambda some: some[..., 0] / some[..., 1] - some[..., 2] / some[..., 3],
        sums,
        sums[:, 1] + sums[:, 3],
        Method.STUDENT,
        possible,
    )


def _mean(scores: Array) -> float | None:
    """A mean, rounded; None of nothing."""
    return round(float(scores.mean()), 6) if len(scores) else None
