"""From a table to its agreement: a rater among annotators, and each of them among the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from evaluator.metrics.agreement import ceilings, figures
from evaluator.metrics.agreement.confusion import Labels
from evaluator.metrics.agreement.others import (
    Comparisons,
    HeldOut,
    against_majority,
    against_mean,
    against_singles,
    majority,
    mean,
)
from evaluator.metrics.agreement.records import (
    AnnotatorClasses,
    AnnotatorKappa,
    AnnotatorRatings,
    ClassAgreement,
    ClassFigures,
    Counts,
    MajorityF1,
    RatingAgreement,
    RatingFigures,
    SingleAgreement,
)

Measure = Callable[[Labels, Comparisons], float | None]
"""Takes (n,) labels, the rater's or the annotators' own, and what they are compared with, (n,)."""


def class_measures(of: float) -> Mapping[str, Measure]:
    """Returns what is measured of classes against the majority of the others: the fields of `ClassFigures`.

    Args:
        of: The class that matters.
    """

    def matthews(labels: Labels, held: Comparisons) -> float | None:
        yes, truth = (np.where(some == of, 1.0, 0.0) for some in (labels, held.reference))
        return figures.matthews(yes, truth, within=held.groups)

    return {
        "kappa": single_kappa,
        "matthews": matthews,
        "f1": lambda labels, held: figures.f1(labels, held.reference, of),
    }


def single_kappa(labels: Labels, held: Comparisons) -> float | None:
    """Returns the mean kappa over groups: over annotators, or over pairs of them where references are single ones."""
    return figures.kappa(labels, held.reference, within=held.groups)


RATING_MEASURES: Mapping[str, Measure] = {
    "spearman_within_annotators": lambda labels, held: figures.spearman(labels, held.reference, within=held.groups),
    "kendall_within_annotators": lambda labels, held: figures.kendall(labels, held.reference, within=held.groups),
    "mean_absolute_error": lambda labels, held: figures.mean_absolute_error(labels, held.reference),
    "bias": lambda labels, held: figures.bias(labels, held.reference),
}
"""What is measured of ratings against the mean of the others: the fields of `RatingFigures`."""


def class_figures(labels: Labels, held: Comparisons, of: float) -> ClassFigures:
    """Returns the agreement of labels with the majority of the others.

    Args:
        labels: (n,) the rater's or the annotators' own labels.
        held: What they are compared with.
        of: The class that matters.
    """
    return ClassFigures(**{name: measure(labels, held) for name, measure in class_measures(of).items()})


def rating_figures(ratings: Labels, held: Comparisons) -> RatingFigures:
    """Returns the agreement of ratings with the mean of the others.

    Args:
        ratings: (n,) the rater's or the annotators' own ratings.
        held: What they are compared with.
    """
    return RatingFigures(**{name: measure(ratings, held) for name, measure in RATING_MEASURES.items()})


def class_ceiling(held: Comparisons, of: float) -> ClassFigures:
    """Returns what no rater can pass against these majorities: exact for F1, bounds for the others."""
    return ClassFigures(
        kappa=ceilings.kappa_ceiling(held),
        f1=ceilings.f1_ceiling(held, of),
        matthews=ceilings.matthews_ceiling(held, of),
    )


def rating_ceiling(held: Comparisons) -> RatingFigures:
    """Returns what no rater can pass against these means: bounds for correlations, exact for error and bias."""
    return RatingFigures(
        spearman_within_annotators=ceilings.spearman_ceiling(held),
        kendall_within_annotators=ceilings.kendall_ceiling(held),
        bias=0.0 if len(held.items) else None,
        mean_absolute_error=ceilings.least_absolute_error(held),
    )


def majority_f1(table: Labels, rater: Labels, of: float) -> MajorityF1:
    """Compares a rater with the majority of all annotators, each item once.

    Args:
        table: (items, annotators) of labels.
        rater: (items,) labels of the rater; NaN where there is no answer.
        of: The class that matters.

    Example:
        >>> table = np.array([[1.0, 1, 0], [0, 0, 0], [1, 0, np.nan], [0, 1, 0]])
        >>> majority_f1(table, np.array([1.0, 0, 1, 1]), of=1)
        MajorityF1(rater=0.6666666666666666, always_yes=0.5, items=3, tied=1)
    """
    votes, answered = majority(table), ~np.isnan(rater)
    usable = answered & ~np.isnan(votes.labels)
    truth = votes.labels[usable]
    return MajorityF1(
        rater=figures.f1(rater[usable], truth, of),
        always_yes=figures.f1(np.full(len(truth), of), truth, of),
        items=len(truth),
        tied=int((votes.tied & answered).sum()),
    )


def class_agreement(table: Labels, rater: Labels, of: float) -> ClassAgreement:
    """Compares a rater with the majority of the others, and each annotator with the same.

    Args:
        table: (items, annotators) of labels.
        rater: (items,) labels of the rater, who is none of them; NaN where there is no answer.
        of: The class that matters.

    Raises:
        ValueError: There is not one label for each item.

    Example:
        >>> table = np.array([[1.0, 1, 0], [0, 0, 0], [1, 1, 1], [0, 1, 0]])
        >>> found = class_agreement(table, np.array([1.0, 0, 1, 1]), of=1)
        >>> round(found.rater.f1, 3), round(found.one_more_human.f1, 3), found.noise_ceiling.f1, found.counts.tied
        (0.889, 0.75, 1.0, 4)
    """
    held_out = against_majority(table, rater)
    every = held_out.comparisons
    return ClassAgreement(
        counts=_counts(held_out),
        rater=class_figures(every.rater, every, of),
        one_more_human=class_figures(every.human, every, of),
        noise_ceiling=class_ceiling(every, of),
        always_yes=class_figures(np.full(len(every.items), of), every, of),
        always_no=class_figures(np.full(len(every.items), _usual_other(every.reference, of)), every, of),
        f1_majority=majority_f1(table, rater, of),
        annotators=tuple(
            AnnotatorClasses(
                annotator=place,
                compared=len(own.items),
                rater=class_figures(own.rater, own, of),
                human=class_figures(own.human, own, of),
            )
            for place, own in _by_annotator(every)
        ),
    )


def rating_agreement(table: Labels, rater: Labels) -> RatingAgreement:
    """Compares a rater with the mean of the others, and each annotator with the same.

    Args:
        table: (items, annotators) of ratings.
        rater: (items,) ratings of the rater, who is none of them; NaN where there is no answer.

    Raises:
        ValueError: There is not one rating for each item.
    """
    held_out = against_mean(table, rater)
    every, means = held_out.comparisons, mean(table)
    return RatingAgreement(
        counts=_counts(held_out),
        rater=rating_figures(every.rater, every),
        one_more_human=rating_figures(every.human, every),
        noise_ceiling=rating_ceiling(every),
        spearman_mean=figures.spearman(rater, means),
        kendall_mean=figures.kendall(rater, means),
        annotators=tuple(
            AnnotatorRatings(
                annotator=place,
                compared=len(own.items),
                rater=rating_figures(own.rater, own),
                human=rating_figures(own.human, own),
            )
            for place, own in _by_annotator(every)
        ),
    )


def single_agreement(table: Labels, rater: Labels, of: float) -> SingleAgreement:
    """Compares a rater with single annotators, and each annotator with the same.

    Args:
        table: (items, annotators) of labels.
        rater: (items,) labels of the rater, who is none of them; NaN where there is no answer.
        of: The class that matters, for the selection ratio.

    Raises:
        ValueError: There is not one label for each item.
    """
    held_out = against_singles(table, rater)
    every = held_out.comparisons
    return SingleAgreement(
        counts=_counts(held_out),
        rater=single_kappa(every.rater, every),
        one_more_human=single_kappa(every.human, every),
        noise_ceiling=ceilings.single_kappa_ceiling(every),
        selection_ratio=figures.selection_ratio(rater, table, of),
        annotators=tuple(
            AnnotatorKappa(
                annotator=place,
                compared=len(np.unique(own.items)),
                rater=single_kappa(own.rater, own),
                human=single_kappa(own.human, own),
            )
            for place, own in _by_annotator(every)
        ),
    )


def _by_annotator(comparisons: Comparisons) -> Iterator[tuple[int, Comparisons]]:
    """Each annotator's column and comparisons, of those who have any."""
    columns, groups = np.unique(comparisons.annotators, return_inverse=True)
    if len(columns):
        yield from zip(columns.tolist(), map(comparisons.take, figures.members_of(groups, len(groups))), strict=True)


def _usual_other(reference: Labels, of: float) -> float:
    """The most frequent class beside the one that matters; a label that is neither where there is none."""
    others, counts = np.unique(reference[reference != of], return_counts=True)
    return float(others[counts.argmax()]) if len(others) else of + 1


def _counts(held_out: HeldOut) -> Counts:
    """The counts of a comparison."""
    return Counts(
        labels=held_out.unanswered + held_out.alone + held_out.tied + held_out.compared,
        unanswered=held_out.unanswered,
        alone=held_out.alone,
        tied=held_out.tied,
        compared=held_out.compared,
        items=len(np.unique(held_out.comparisons.items)),
        annotators=len(np.unique(held_out.comparisons.annotators)),
    )
