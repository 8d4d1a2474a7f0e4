"""A rater among annotators: its figures, one more human's, what nobody can pass, and what costs nothing."""

from __future__ import annotations

from evaluator.records import Record


class Counts(Record):
    """What became of the labels of a table: labels = unanswered + alone + tied + compared."""

    labels: int
    """Labels of all annotators."""
    unanswered: int
    """Of items that the rater gives no answer to."""
    alone: int
    """Of those left, of items that no other annotator labelled."""
    tied: int
    """Of those left, where the others' votes are tied; left out for rater and annotator alike."""
    compared: int
    items: int
    """Items with a label that is compared."""
    annotators: int
    """Annotators with one."""


class ClassFigures(Record):
    """Agreement on classes; None is what is not defined on these labels."""

    kappa: float | None
    """At most 1; all classes count. The mean of the annotators' own."""
    f1: float | None
    """0..1, of the class that matters."""
    matthews: float | None
    """-1..1, within annotators, of the class that matters against all others."""


class MajorityF1(Record):
    """F1 against the majority of all annotators, each item once: the figure that is usually published."""

    rater: float | None
    """0..1, of the class that matters."""
    always_yes: float | None
    """What naming that class throughout comes to."""
    items: int
    """Items that the rater answers and a majority names a class of; that of one annotator is what he says."""
    tied: int
    """Items that the rater answers and whose votes are tied: left out."""


class RatingFigures(Record):
    """Agreement on ratings; None is what is not defined on these."""

    spearman_within_annotators: float | None
    """-1..1."""
    kendall_within_annotators: float | None
    """-1..1, tau-b."""
    bias: float | None
    """Mean of rater less reference."""
    mean_absolute_error: float | None


class AnnotatorClasses(Record):
    """A rater and one annotator against the majority of the others, on the same items."""

    annotator: int
    """His column."""
    compared: int
    rater: ClassFigures
    human: ClassFigures


class AnnotatorRatings(Record):
    """A rater and one annotator against the mean of the others, on the same items."""

    annotator: int
    """His column."""
    compared: int
    rater: RatingFigures
    human: RatingFigures


class AnnotatorKappa(Record):
    """A rater and one annotator against each of the others, on the same items."""

    annotator: int
    """His column."""
    compared: int
    rater: float | None
    human: float | None


class ClassAgreement(Record):
    """A rater against the majority of the others."""

    counts: Counts
    rater: ClassFigures
    one_more_human: ClassFigures
    noise_ceiling: ClassFigures
    always_yes: ClassFigures
    """What naming the class that matters throughout comes to."""
    always_no: ClassFigures
    """What never naming it comes to."""
    f1_majority: MajorityF1
    annotators: tuple[AnnotatorClasses, ...]


class RatingAgreement(Record):
    """A rater against the mean of the others."""

    counts: Counts
    rater: RatingFigures
    one_more_human: RatingFigures
    noise_ceiling: RatingFigures
    """The least error, and no bias, which a constant reaches already."""
    spearman_mean: float | None
    """-1..1, with the mean of all annotators, each item once: as it is usually published."""
    kendall_mean: float | None
    """-1..1, tau-b, with the same."""
    annotators: tuple[AnnotatorRatings, ...]


class SingleAgreement(Record):
    """Mean kappa against single annotators, which needs no majority: of all pairs of an annotator and another one."""

    counts: Counts
    rater: float | None
    one_more_human: float | None
    """The mean kappa among annotators."""
    noise_ceiling: float | None
    selection_ratio: float | None
    """How many times as often as annotators the rater names the class that matters; each item counts once."""
    annotators: tuple[AnnotatorKappa, ...]
