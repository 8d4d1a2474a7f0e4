"""From a table to its agreement: a rater among annotators, and each of them among the others."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from evaluator.metrics.agreement.ceilings import (
    f1_ceiling,
    kappa_ceiling,
    kendall_ceiling,
    least_absolute_error,
    matthews_ceiling,
    spearman_ceiling,
)
from evaluator.metrics.agreement.confusion import Labels, Places
from evaluator.metrics.agreement.figures import (
    bias,
    f1,
    kappa,
    kendall,
    matthews,
    mean_absolute_error,
    members_of,
    selection_ratio,
    spearman,
)
from evaluator.metrics.agreement.others import (
    Comparisons,
    HeldOut,
    against_majority,
    against_mean,
    against_singles,
)
from evaluator.metrics.agreement.records import (
    AnnotatorClasses,
    AnnotatorKappa,
    AnnotatorRatings,
    ClassAgreement,
    ClassFigures,
    Counts,
    RatingAgreement,
    RatingFigures,
    SingleAgreement,
)


def class_figures(labels: Labels, reference: Labels, annotators: Places, of: float) -> ClassFigures:
    """Returns the agreement of labels with the majority of the others.

    Args:
        labels: (n,) the rater's or the annotators' own labels, as of `Comparisons`.
        reference: (n,) what the others say.
        annotators: (n,) places of the annotators who are left out.
        of: The class that matters.
    """
    yes, truth = (np.where(some == of, 1.0, 0.0) for some in (labels, reference))
    return ClassFigures(
        kappa=kappa(labels, reference, within=annotators),
        f1=f1(labels, reference, of),
        matthews=matthews(yes, truth, within=annotators),
    )


def rating_figures(ratings: Labels, reference: Labels, annotators: Places) -> RatingFigures:
    """Returns the agreement of ratings with the mean of the others.

    Args:
        ratings: (n,) the rater's or the annotators' own ratings, as of `Comparisons`.
        reference: (n,) what the others say.
        annotators: (n,) places of the annotators who are left out.
    """
    return RatingFigures(
        spearman=spearman(ratings, reference, within=annotators),
        kendall=kendall(ratings, reference, within=annotators),
        bias=bias(ratings, reference),
        mean_absolute_error=mean_absolute_error(ratings, reference),
    )


def class_ceiling(comparisons: Comparisons, of: float) -> ClassFigures:
    """Returns what no rater can pass against these majorities: exact, but a bound for Matthews."""
    return ClassFigures(
        kappa=kappa_ceiling(comparisons),
        f1=f1_ceiling(comparisons, of),
        matthews=matthews_ceiling(comparisons, of),
    )


def rating_ceiling(comparisons: Comparisons) -> RatingFigures:
    """Returns what no rater can pass against these means: bounds for correlations, exact for error and bias."""
    return RatingFigures(
        spearman=spearman_ceiling(comparisons),
        kendall=kendall_ceiling(comparisons),
        bias=0.0 if len(comparisons.items) else None,
        mean_absolute_error=least_absolute_error(comparisons),
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

    def figures(labels: Labels, some: Comparisons = every) -> ClassFigures:
        return class_figures(labels, some.reference, some.annotators, of)

    return ClassAgreement(
        counts=_counts(held_out),
        rater=figures(every.rater),
        one_more_human=figures(every.human),
        noise_ceiling=class_ceiling(every, of),
        always_yes=figures(np.full(len(every.items), of)),
        always_no=figures(np.full(len(every.items), _usual_other(every.reference, of))),
        annotators=tuple(
            AnnotatorClasses(
                annotator=place, compared=len(own.items), rater=figures(own.rater, own), human=figures(own.human, own)
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
    every = held_out.comparisons
    return RatingAgreement(
        counts=_counts(held_out),
        rater=rating_figures(every.rater, every.reference, every.annotators),
        one_more_human=rating_figures(every.human, every.reference, every.annotators),
        noise_ceiling=rating_ceiling(every),
        annotators=tuple(
            AnnotatorRatings(
                annotator=place,
                compared=len(own.items),
                rater=rating_figures(own.rater, own.reference, own.annotators),
                human=rating_figures(own.human, own.reference, own.annotators),
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
        rater=_mean_kappa(every.rater, every),
        one_more_human=_mean_kappa(every.human, every),
        noise_ceiling=kappa_ceiling(every),
        selection_ratio=selection_ratio(every.rater, every.reference, of, weights=every.weights),
        annotators=tuple(
            AnnotatorKappa(
                annotator=place,
                compared=len(np.unique(own.items)),
                rater=_mean_kappa(own.rater, own),
                human=_mean_kappa(own.human, own),
            )
            for place, own in _by_annotator(every)
        ),
    )


def _mean_kappa(labels: Labels, pairs: Comparisons) -> float | None:
    return kappa(labels, pairs.reference, within=pairs.annotators, weights=pairs.weights)


def _by_annotator(comparisons: Comparisons) -> Iterator[tuple[int, Comparisons]]:
    """Each annotator's column and comparisons, of those who have any."""
    columns, groups = np.unique(comparisons.annotators, return_inverse=True)
    if len(columns):
        yield from zip(columns.tolist(), map(comparisons.take, members_of(groups, len(groups))), strict=True)


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
