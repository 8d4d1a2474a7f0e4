"""The figures of the human suite by name: what each is, and how its interval is made, or why it has none.

What a scorecard publishes and what `make bench-coverage` simulates are both this list.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from evaluator.metrics.clustered import Method

ONE_MORE_HUMAN = "one_more_human"
NOISE_CEILING = "noise_ceiling"
ALWAYS_YES = "always_yes"
ALWAYS_NO = "always_no"
GAP = "gap"
"""Whose figure it is, where not the model's, or that on made-up users less this one: the last part of a name."""

GIVEN = (
    "The interval speaks of other users under the same annotators and the same prompts: these count as given, and "
    "others could move the figure further."
)
"""What stands beside every interval."""
SHOWN_CEILING = f"single_kappa.{NOISE_CEILING}"
"""The ceiling that a page shows of a stage of classes: that against majorities is 1 whatever three annotators say."""


class Figure(NamedTuple):
    """What a figure is, and how its interval is made, or why there is none."""

    says: str
    """What it is, in words that go on from the name of whose it is."""
    method: Method | None
    why: str = ""
    """Why there is no interval."""


def _student(says: str) -> Figure:
    return Figure(says, Method.STUDENT)


def _share(says: str) -> Figure:
    return Figure(says, Method.SCORE)


def _gap(says: str) -> Figure:
    return Figure(says, Method.MOVER)


def _tally(says: str) -> Figure:
    return Figure(says, None, "It counts what was done on these very items and estimates nothing.")


def _tests(says: str) -> Figure:
    why = "It is the share of a few tests that reject, so it moves in leaps; the tests themselves tell the doubt."
    return Figure(says, None, why)


def _ceiling(says: str) -> Figure:
    why = "No rater can pass it on these very items: it is found with hindsight and estimates nothing."
    return Figure(f"noise ceiling: {says}", None, why)


def _fixed(says: str, value: int = 0) -> Figure:
    return Figure(says, None, f"It is {value} or not defined by construction, whatever the labels.")


class Classes(NamedTuple):
    """The two classes of a stage, as a reader is told them."""

    matters: str
    """The one that F1 and the selection ratio are about, and that *always yes* says of everything."""
    other: str


CLASSES: Mapping[str, Classes] = {
    "verification": Classes("problematic (uncertain or rejected)", "accepted"),
    "relevance": Classes("relevant (YES)", "not relevant (NO)"),
}
"""By stage."""
_RATINGS = {
    "spearman_within_annotators": _student("Spearman correlation with the mean of the others, within annotators"),
    "kendall_within_annotators": _student("Kendall's tau-b with the mean of the others, within annotators"),
    "mean_absolute_error": _student("mean absolute error against the mean of the others"),
}


def _classes(named: Classes) -> dict[str, Figure]:
    """Figures of agreement on two classes."""
    of = f"of two classes, {named.matters} and {named.other}"
    return {
        "kappa": _student(f"Cohen's kappa with the majority of the others, mean over annotators; {of}"),
        "matthews": _student(f"Matthews correlation with the majority of the others, within annotators; {of}"),
        "f1": _share(f"F1 of what is {named.matters}, against the majority of the others"),
        "single_kappa": _student(f"Cohen's kappa with single annotators, mean over pairs of annotators; {of}"),
    }


def _compared(figures: dict[str, Figure]) -> dict[str, Figure]:
    """Figures of the model, and beside each what one more human reaches and what no rater can pass."""
    humans = {
        f"{name}.{ONE_MORE_HUMAN}": figure._replace(says=f"one more human: {figure.says}")
        for name, figure in figures.items()
    }
    return figures | humans | {f"{name}.{NOISE_CEILING}": _ceiling(figure.says) for name, figure in figures.items()}


def _trivial(figures: dict[str, Figure], told: Mapping[str, str]) -> dict[str, Figure]:
    """The two baselines beside each of some figures."""
    return {
        f"{name}.{whose}": figure._replace(says=f"{says}: {figure.says}")
        for name, figure in figures.items()
        for whose, says in told.items()
    }


_BOTH = {
    "alpha": _student("Krippendorff's alpha among annotators"),
    "advantage_probability": _share("how often it agrees with the others at least as well as an annotator does"),
    "winning_rate": _tests("share of annotators whom it may stand in for, by the alternative annotator test"),
    "answered": _tally("share of items with an answer that can be read"),
}
_WINNING_RATES = {
    "winning_rate": _BOTH["winning_rate"],
    "winning_rate_balanced": _tests("the same test, each class of the others' majority counting alike"),
}


def _class_stage(named: Classes) -> dict[str, Figure]:
    """The figures of a stage in which annotators name one of two classes."""
    yes, no = f"always yes (all is {named.matters})", f"always no (all is {named.other})"
    baselines = {ALWAYS_YES: yes, ALWAYS_NO: no}
    own = {
        "alpha": _student(f"Krippendorff's alpha among annotators, of two classes: {named.matters} and {named.other}"),
        "f1_majority": _share(
            f"F1 of what is {named.matters}, against the majority of all annotators, each item once, as is usual"
        ),
        f"f1_majority.{ALWAYS_YES}": _share(f"F1 of {yes} against the majority of all annotators"),
        f"f1_majority.{ALWAYS_NO}": _fixed(f"F1 of {no}"),
        f"f1.{ALWAYS_YES}": _share(f"F1 of {yes} against the majority of the others"),
        f"f1.{ALWAYS_NO}": _fixed(f"F1 of {no}"),
        "advantage_probability_balanced": _share("the same, each class of the others' majority counting alike"),
        "selection_ratio": _student(f"how many times as often as annotators it says {named.matters}, each item once"),
        f"selection_ratio.{ONE_MORE_HUMAN}": _fixed("one more human: how many times as often as the others", 1),
        f"f1_majority.{GAP}": _gap("the same F1 on made-up users, less this one: above 0 where they flatter the model"),
        f"f1_majority.{GAP}.{ALWAYS_YES}": _gap(
            f"F1 of {yes} on made-up users, less that on these: what is due to how common the class is"
        ),
    }
    zero = {
        f"{name}.{whose}": _fixed(f"{told} of {says}{where}")
        for name, told, where in (
            ("kappa", "kappa", ""),
            ("matthews", "Matthews correlation", ""),
            ("single_kappa", "kappa", " with single annotators"),
        )
        for whose, says in baselines.items()
    }
    return _compared(_classes(named)) | _BOTH | _WINNING_RATES | _trivial(_WINNING_RATES, baselines) | own | zero


_MENTION = "mean rating where the answer names the attribute openly, less where it does not"
_STAGES = {
    "verification": _class_stage(CLASSES["verification"]),
    "extraction": {
        "recall": _share("share of what annotators accepted that was extracted"),
        f"recall.{GAP}": _gap("the same share on made-up users, less this one: above 0 where they flatter the model"),
        "accepted": _share("share of what was extracted that a verifier accepts"),
        "attributes_per_user": _student("attributes extracted for each user"),
        "answered": _tally("share of conversations with an answer that can be read"),
    },
    "relevance": _class_stage(CLASSES["relevance"]),
    "rating": _compared(_RATINGS)
    | _BOTH
    | {
        "spearman_mean": _student("Spearman correlation with the mean of all annotators: as it is usually published"),
        "kendall_mean": _student("Kendall's tau-b with the mean of all annotators: as it is usually published"),
        "bias": _student("mean rating less the mean of the others"),
        f"bias.{ONE_MORE_HUMAN}": _fixed("one more human: mean rating less the mean of the others"),
        f"bias.{NOISE_CEILING}": _fixed("noise ceiling: mean rating less the mean of the others"),
        "mention_effect": _student(_MENTION),
        f"mention_effect.{ONE_MORE_HUMAN}": _student(f"one more human: {_MENTION}, on the same items"),
    },
    "writing": {
        "win": _share("share of personalised answers that beat the generic one"),
        "tie": _share("share of personalised answers that are as good as the generic one"),
        "uplift": _student("mean rating of personalised answers over 3, which says no difference"),
        "no_better_responses": _share("share of responses with a mean rating of 3 or below: no better than generic"),
        "no_better_ratings": _share("share of ratings of 3 or below: no better than the generic answer"),
        "mentioned": _share("share of attributes that the answer names openly"),
        "mention_effect": _student(_MENTION),
        "inflation": _student("the judge's mean rating less the mean rating of people, on the same items"),
        "answered": _tally("share of prompts with both answers"),
    },
}

FIGURES: dict[str, Figure] = {
    f"{stage}.{name}": figure for stage, figures in _STAGES.items() for name, figure in figures.items()
}
"""By name: stage, figure, and whose it is if not the model's. `GIVEN` holds of every one with an interval."""

JUDGES_OWN: Mapping[str, str] = {
    "extraction.accepted": "single_kappa",
    "writing.uplift": "spearman_within_annotators",
}
"""Figures that are worth what their judge is, and the figure of his own agreement with labels that tells it."""
INSTEAD: Mapping[str, str] = {
    "f1_majority": "f1",
    "spearman_mean": "spearman_within_annotators",
    "kendall_mean": "kendall_within_annotators",
}
"""Figures against all annotators at once, and those against the others alone: no annotator may be compared with what he
has a part in, so one more human is told of the latter, beside the model's own."""
_DUELS = {
    f"{name}.{part}": why
    for name in ("advantage_probability", "winning_rate")
    for part, why in (
        (ONE_MORE_HUMAN, "none, for it is about standing in for one"),
        (NOISE_CEILING, "none below 1, which repeating the others may reach"),
    )
}
_WITHOUT_OF_CLASSES = {
    f"f1_majority.{ONE_MORE_HUMAN}": "none, for he has a part in that majority",
    f"f1_majority.{NOISE_CEILING}": "none below 1, which repeating that majority reaches",
    f"selection_ratio.{NOISE_CEILING}": "none, for more is no better",
    **_DUELS,
    **{name.replace(".", "_balanced."): why for name, why in _DUELS.items()},
}
_WITHOUT_OF_RATINGS = {
    f"spearman_mean.{ONE_MORE_HUMAN}": "none, for he has a part in that mean",
    f"spearman_mean.{NOISE_CEILING}": "none below 1, which repeating that mean reaches",
    f"kendall_mean.{ONE_MORE_HUMAN}": "none, for he has a part in that mean",
    f"kendall_mean.{NOISE_CEILING}": "none below 1, which repeating that mean reaches",
    f"mention_effect.{NOISE_CEILING}": "none, for it compares with nobody",
    **_DUELS,
}
WITHOUT: Mapping[str, str] = {
    f"{stage}.{name}": why
    for stage, names in {
        "verification": _WITHOUT_OF_CLASSES,
        "relevance": _WITHOUT_OF_CLASSES,
        "rating": _WITHOUT_OF_RATINGS,
    }.items()
    for name, why in names.items()
}
"""One more human, or a noise ceiling, that does not stand beside a figure on labels, and why."""
