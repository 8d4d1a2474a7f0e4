"""The figures of the human suite by name, and how the interval of each is made, or why it has none.

What a scorecard publishes and what `make bench-coverage` simulates are both this list.
"""

from __future__ import annotations

from typing import NamedTuple

from evaluator.metrics.clustered import Method

ONE_MORE_HUMAN = "one_more_human"
NOISE_CEILING = "noise_ceiling"
ALWAYS_YES = "always_yes"
ALWAYS_NO = "always_no"
GAP = "gap"
"""Whose figure it is, where not the model's, or that on made-up users less that on people: the last part of a name."""


class Figure(NamedTuple):
    """How the interval of a figure is made, or why there is none."""

    method: Method | None
    why: str = ""
    """Why there is no interval."""


_STUDENT, _SCORE = Figure(Method.STUDENT), Figure(Method.SCORE)
_TALLY = Figure(None, "It counts what was done on these very items and estimates nothing.")
_TESTS = Figure(
    None, "It is the share of a few tests that reject, so it moves in leaps; the tests themselves tell the doubt."
)
_CEILING = Figure(None, "No rater can pass it on these very items: it is found with hindsight and estimates nothing.")
_FIXED = Figure(None, "It is 0 or not defined by construction, whatever the labels.")

_CLASSES = {
    "kappa": _STUDENT,
    "matthews": _STUDENT,
    "f1": _SCORE,
    "single_kappa": _STUDENT,
}
_RATINGS = {
    "spearman": _STUDENT,
    "kendall": _STUDENT,
    "mean_absolute_error": _STUDENT,
}


def _compared(figures: dict[str, Figure]) -> dict[str, Figure]:
    """Figures of the model, and beside each what one more human reaches and what no rater can pass."""
    humans = {f"{name}.{ONE_MORE_HUMAN}": figure for name, figure in figures.items()}
    return figures | humans | {f"{name}.{NOISE_CEILING}": _CEILING for name in figures}


_BOTH = {"alpha": _STUDENT, "advantage_probability": _SCORE, "winning_rate": _TESTS, "answered": _TALLY}
_CLASS_STAGE = (
    _compared(_CLASSES)
    | _BOTH
    | {
        f"f1.{ALWAYS_YES}": _SCORE,
        f"f1.{ALWAYS_NO}": _FIXED,
        f"kappa.{ALWAYS_YES}": _FIXED,
        f"kappa.{ALWAYS_NO}": _FIXED,
        f"matthews.{ALWAYS_YES}": _FIXED,
        f"matthews.{ALWAYS_NO}": _FIXED,
        "advantage_probability_balanced": _SCORE,
        "winning_rate_balanced": _TESTS,
        "selection_ratio": _STUDENT,
        f"kappa.{GAP}": _STUDENT,
        f"matthews.{GAP}": _STUDENT,
        f"f1.{GAP}": _STUDENT,
    }
)
_STAGES = {
    "verification": _CLASS_STAGE,
    "extraction": {
        "recall": _SCORE,
        "accepted": _SCORE,
        "attributes_per_user": _STUDENT,
        "answered": _TALLY,
    },
    "relevance": _CLASS_STAGE,
    "rating": _compared(_RATINGS)
    | _BOTH
    | {
        "bias": _STUDENT,
        f"bias.{ONE_MORE_HUMAN}": _FIXED,
        f"bias.{NOISE_CEILING}": _FIXED,
        "mention_effect": _STUDENT,
        f"mention_effect.{ONE_MORE_HUMAN}": _STUDENT,
    },
    "writing": {
        "win": _SCORE,
        "tie": _SCORE,
        "uplift": _STUDENT,
        "no_better": _SCORE,
        "mentioned": _SCORE,
        "mention_effect": _STUDENT,
        "inflation": _STUDENT,
        "answered": _TALLY,
    },
}

FIGURES: dict[str, Figure] = {
    f"{stage}.{name}": figure for stage, figures in _STAGES.items() for name, figure in figures.items()
}
"""By name: stage, figure, and whose it is if not the model's."""
