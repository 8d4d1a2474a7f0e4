"""The figures of the human suite from sums over users: what `make bench-coverage` looks at.

Each figure is a function of what is added up over users, so that it can be had without each user in turn in one pass.
Tests compare these functions with those of `evaluator.metrics.agreement`, which take labels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from benchmarks.coverage_raters import Floats
from benchmarks.coverage_tables import MEANS, NO_DIFFERENCE, RATINGS, Table
from evaluator.human.figures import ALWAYS_YES, ONE_MORE_HUMAN
from evaluator.human.gap import COMPARED
from evaluator.human.tasks import JudgedTask, Task
from evaluator.metrics.agreement import f1_of, kappa_of, matthews_of
from evaluator.metrics.clustered import Spread, spread_of_sums

_SCALE = np.arange(RATINGS, dtype=np.float64)


class Made(NamedTuple):
    """How a figure is made: of which table, and of its sums how."""

    table: str
    figure: Callable[[Floats], Floats]
    """Takes sums, (..., what is summed); returns figures, (...)."""


def spreads(tables: Mapping[str, Table], figures: Mapping[str, Made]) -> dict[str, Spread]:
    """Returns all figures, each with its spread over users."""
    return {name: spread_of_sums(made.figure, *tables[made.table]) for name, made in figures.items()}


def values(sums: Mapping[str, Floats], figures: Mapping[str, Made]) -> dict[str, float]:
    """Returns the figures of sums over all users."""
    return {name: float(made.figure(sums[made.table])) for name, made in figures.items()}


def _f1(matrices: Floats) -> Floats:
    return f1_of(matrices, 1)


def _always_yes(matrices: Floats) -> Floats:
    """F1 of saying 1 throughout, against the same references."""
    share = matrices[..., 1].sum(axis=(-1, -2)) / matrices.sum(axis=(-1, -2, -3))
    return np.asarray(2 * share / (1 + share))


def _selection_ratio(matrices: Floats) -> Floats:
    matrix = matrices.sum(axis=-3)
    return np.asarray(matrix[..., 1, :].sum(axis=-1) / matrix[..., :, 1].sum(axis=-1))


def _advantage_probability(duels: Floats) -> Floats:
    """How often duels, (..., annotators, classes, 2), are won: the mean over annotators of the mean over classes."""
    labels = duels.sum(axis=-1)
    rates = duels[..., 1] / np.where(labels > 0, labels, 1)
    classes = (labels > 0).sum(axis=-1)
    means = rates.sum(axis=-1) / np.where(classes > 0, classes, 1)
    return np.asarray(means.sum(axis=-1) / (classes > 0).sum(axis=-1))


def _alpha(coincidences: Floats, apart: Callable[[Floats], Floats]) -> Floats:
    """Krippendorff's alpha of coincidences, (..., labels, labels), for squared distances that hang on their counts."""
    counts = coincidences.sum(axis=-1)
    distances = apart(counts)
    chance = (counts[..., :, None] * counts[..., None, :] * distances).sum(axis=(-1, -2))
    return np.asarray(1 - (counts.sum(axis=-1) - 1) * (coincidences * distances).sum(axis=(-1, -2)) / chance)


def _nominal(counts: Floats) -> Floats:
    return np.broadcast_to(1 - np.eye(counts.shape[-1]), (*counts.shape, counts.shape[-1]))


def _ordinal(counts: Floats) -> Floats:
    """Squared numbers of labels from the middle of one rank to that of another."""
    middle = _middle(counts)
    return np.asarray((middle[..., :, None] - middle[..., None, :]) ** 2)


def _middle(counts: Floats) -> Floats:
    """The rank, from 0, of each of some values, ties at their middle."""
    return np.cumsum(counts, axis=-1) - counts / 2


def _spearman(tables: Floats) -> Floats:
    """Spearman's correlation within groups, of (..., groups, values, values): ranks over all, less the group's mean."""
    over = tables.sum(axis=-3)
    first, second = _middle(over.sum(axis=-1))[..., None, :], _middle(over.sum(axis=-2))[..., None, :]
    rows, columns = tables.sum(axis=-1), tables.sum(axis=-2)
    sizes = np.maximum(rows.sum(axis=-1), 1)
    means = (rows * first).sum(axis=-1), (columns * second).sum(axis=-1)
    first, second = first - (means[0] / sizes)[..., None], second - (means[1] / sizes)[..., None]
    joint = (first[..., None, :] @ tables @ second[..., None])[..., 0, 0].sum(axis=-1)
    spread = ((rows * first**2).sum(axis=(-1, -2)), (columns * second**2).sum(axis=(-1, -2)))
    return np.asarray(joint / np.sqrt(spread[0] * spread[1]))


def _kendall(tables: Floats) -> Floats:
    """Kendall's tau-b within groups, of (..., groups, values, values); each group counts by its items."""
    sizes = np.maximum(tables.sum(axis=(-1, -2)) - 1, 1)
    ordered = (tables * (_below(tables) - _below(tables[..., ::-1])[..., ::-1])).sum(axis=(-1, -2))
    untied = (_untied(tables.sum(axis=axis)) for axis in (-1, -2))
    sums = [(pairs / sizes).sum(axis=-1) for pairs in (ordered, *untied)]
    return np.asarray(sums[0] / np.sqrt(sums[1] * sums[2]))


def _below(tables: Floats) -> Floats:
    """How many have less of both, for each cell."""
    below = np.zeros_like(tables)
    below[..., 1:, 1:] = np.cumsum(np.cumsum(tables, axis=-1), axis=-2)[..., :-1, :-1]
    return below


def _untied(counts: Floats) -> Floats:
    """Pairs of unlike values."""
    return np.asarray((counts.sum(axis=-1) ** 2 - (counts**2).sum(axis=-1)) / 2)


def _of_differences(figure: Callable[[Floats], Floats]) -> Callable[[Floats], Floats]:
    """The mean of a function of rating less mean rating."""
    differences = figure(_SCALE[:, None] - MEANS)
    return lambda tables: (tables * differences).sum(axis=(-1, -2, -3)) / tables.sum(axis=(-1, -2, -3))


def _mention_effect(tables: Floats) -> Floats:
    means = (tables * _SCALE).sum(axis=-1) / tables.sum(axis=-1)
    return np.asarray(means[..., 1] - means[..., 0])


def _share(*places: int) -> Callable[[Floats], Floats]:
    """The share of some of (..., places)."""
    return lambda counts: counts[..., list(places)].sum(axis=-1) / counts.sum(axis=-1)


def _ratings(figure: Callable[[Floats], Floats]) -> Callable[[Floats], Floats]:
    """A figure of ratings alone, of (..., mentioned, ratings)."""
    return lambda tables: figure(tables.sum(axis=-2))


def _uplift(ratings: Floats) -> Floats:
    return np.asarray((ratings * (_SCALE - NO_DIFFERENCE)).sum(axis=-1) / ratings.sum(axis=-1))


def _mean(sums: Floats) -> Floats:
    """Of totals and counts, (..., 2)."""
    return np.asarray(sums[..., 0] / sums[..., 1])


def _compared(figures: Mapping[str, Callable[[Floats], Floats]], prefix: str = "") -> dict[str, Made]:
    """The model's figures and one more human's."""
    return {name: Made(f"{prefix}rater", figure) for name, figure in figures.items()} | {
        f"{name}.{ONE_MORE_HUMAN}": Made(f"{prefix}human", figure) for name, figure in figures.items()
    }


MATRICES = {"kappa": kappa_of, "matthews": matthews_of, "f1": _f1}
CLASSES = (
    _compared(MATRICES)
    | _compared({"single_kappa": kappa_of}, "single ")
    | {
        "alpha": Made("coincidences", lambda table: _alpha(table, _nominal)),
        f"f1.{ALWAYS_YES}": Made("rater", _always_yes),
        "f1_majority": Made("all", _f1),
        f"f1_majority.{ALWAYS_YES}": Made("all", _always_yes),
        "selection_ratio": Made("single rater", _selection_ratio),
        "advantage_probability": Made("duels", _advantage_probability),
        "advantage_probability_balanced": Made("balanced duels", _advantage_probability),
    }
)
TRUTH = {name: CLASSES[name] for name in COMPARED[Task.RELEVANCE]}
"""What is compared of made-up users where a word is chosen."""
RATING = _compared(
    {
        "spearman_within_annotators": _spearman,
        "kendall_within_annotators": _kendall,
        "mean_absolute_error": _of_differences(np.abs),
    }
) | {
    "spearman_mean": Made("all", _spearman),
    "kendall_mean": Made("all", _kendall),
    "alpha": Made("coincidences", lambda table: _alpha(table, _ordinal)),
    "advantage_probability": Made("duels", _advantage_probability),
    "bias": Made("rater", _of_differences(np.positive)),
    "mention_effect": Made("rated", _mention_effect),
    f"mention_effect.{ONE_MORE_HUMAN}": Made("said", _mention_effect),
}
WRITING = {
    "win": Made("verdicts", _share(2)),
    "tie": Made("verdicts", _share(1)),
    "uplift": Made("rated", _ratings(_uplift)),
    "no_better_responses": Made("responses", _share(1)),
    "no_better_ratings": Made("rated", _ratings(_share(*range(NO_DIFFERENCE + 1)))),
    "mentioned": Made("rated", lambda tables: _share(1)(tables.sum(axis=-1))),
    "mention_effect": Made("rated", _mention_effect),
    "inflation": Made("rater", _of_differences(np.positive)),
}
EXTRACTION = {
    "recall": Made("recalled", _share(1)),
    "accepted": Made("accepted", _share(1)),
    "attributes_per_user": Made("extracted", _mean),
}
FOUND = {name: EXTRACTION[name] for name in COMPARED[JudgedTask.EXTRACTION]}
"""What is compared of made-up users where attributes are listed."""
