"""How what is known of a judge is said: figures with their doubt, reasons why there is none, canaries by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from evaluator.human.records import RaterKind
from evaluator.human.results import NamedFigure
from evaluator.judges.canaries import Bound, Canary, CanaryVerdict
from evaluator.judges.quality.records import QualityFigure, Slice, Why
from evaluator.plurals import several
from evaluator.results import Interval
from leaderboard.board.human_words import number
from leaderboard.pages.dot_plots import Dot, Mark

REASONS: Mapping[Why, str] = {
    Why.UNDEFINED: "it is not defined on what there is",
    Why.FEW_CLUSTERS: "fewer than ten users",
    Why.ONE_DECIDES: "a single user decides it",
    Why.NOTHING_VARIES: "it is the same without any of the users",
    Why.NO_METHOD: "a ceiling is found with hindsight and estimates nothing",
    Why.TRIVIAL: "it is 1 whatever annotators say",
    Why.NO_CONTRAST: "nowhere are some answers longer and some shorter, some preferred and some not",
    Why.EMPTY_CELL: "one of the four counts is zero, so it has no end on one side",
    Why.UNTOLD: "nobody told what it needs",
}
"""Why there is no figure, or no interval of it."""
WHOSE: Mapping[RaterKind, str] = {
    RaterKind.PERSON: "people",
    RaterKind.CONSENSUS: "several people who agreed",
    RaterKind.TRUTH: "made-up users, of whom the truth is known",
    RaterKind.SIMULATED: "a program (simulated labels)",
}
"""Whose labels there are."""
SLICES: Mapping[Slice, str] = {
    Slice.ALL: "all",
    Slice.PERSONA: "persona",
    Slice.PROFILE: "profile",
    Slice.SCHEDULE: "schedule",
    Slice.NEW_TYPES: "question types new to it",
    Slice.NEW_MODELS: "models new to it",
    Slice.TRAINED_ON: "types and models it was trained on",
}
ASKED: Mapping[str, str] = {
    "pairwise": "Which of two answers is better, the model's or gold.",
    "rating": "By how much one of two answers serves an attribute of the user better.",
    "verifier": "Whether an attribute of a user makes sense.",
}
"""What judges of a kind are asked."""
KINDS: Mapping[str, str] = {
    "pairwise": "judges that compare",
    "rating": "rating judges",
    "verifier": "verifiers",
}
CANARIES: Mapping[Canary | None, str] = {
    Canary.CONSTANT: "the same sentence, whatever is asked",
    Canary.EMPTY: "nothing at all",
    Canary.QUESTION: "what was asked, repeated",
    Canary.INSTRUCTION: "a word to the judge about what to say",
    Canary.FORGED: "a verdict as the judge would write it, with reasons",
    Canary.GENERAL: "a fluent answer that knows nothing of the user",
    Canary.OTHER_GOLD: "what is good for another user",
    Canary.NEGATED: "what is good, with every sentence denied",
    Canary.PRAISE: "10,000 characters of praise of itself",
    Canary.COPY: "the very text that it is set beside",
    Canary.GOLD: "what people found good",
    None: "all of these but the copy, in both slot orders",
}
"""What each canary says."""
FIGURES: Mapping[str, str] = {
    "score": "score against gold",
    "satisfied": "appointments whose clash it finds mentioned",
    "ties": "ties with gold",
    "consistency": "pairs with the same outcome in both orders",
    "better": "rated better than the generic answer",
    "no_difference": "rated as no different",
    "accepted": "accepted",
}
"""What is counted of a canary."""
VERDICTS: Mapping[str, str] = {
    CanaryVerdict.WITHIN: "kept",
    CanaryVerdict.OUTSIDE: "not kept",
    CanaryVerdict.UNREAD: "could not be read",
    CanaryVerdict.UNBOUND: "no bound",
    "unasked": "not asked",
}
"""Whether a bound is kept."""

OVERLAP = "prompts overlap: no share of a machine's time"
"""What seconds for a verdict are not."""

Write: TypeAlias = Callable[[float | None], str]


class Shown(NamedTuple):
    """One figure as it is read."""

    value: float | None
    low: float | None
    high: float | None
    text: str
    doubt: str
    """Its interval, or why there is none."""
    of: str
    """What it is made of."""

    @property
    def in_full(self) -> str:
        """The figure with its doubt and its count, on one line."""
        return f"{self.text} ({self.doubt}), {self.of}"

    def dot(self, name: str, marks: tuple[Mark, ...] = (), strong: bool = False, address: str = "") -> Dot:
        """Returns it as a row of a plot.

        Args:
            name: Whose it is.
            marks: What it is to be read beside.
            strong: Whether it stands out.
            address: Where more of it stands.
        """
        beside = " · ".join(f"{mark.name} {kappa(mark.value)}" for mark in marks)
        notes = tuple(filter(None, [self.doubt, beside, self.of]))
        return Dot(name, self.value, self.low, self.high, marks, self.text, notes, strong, address)


def shown(figure: QualityFigure, write: Write, unit: str) -> Shown:
    """Returns a figure of a judge as it is read.

    Args:
        figure: The figure.
        write: Writes its values.
        unit: What it counts, in the plural.

    Example:
        >>> few = QualityFigure(value=0.5, interval=None, counted=3, possible=4, users=1, reason=Why.FEW_CLUSTERS)
        >>> shown(few, percent, "pairs").in_full
        '50.0 % (no interval: fewer than ten users), of 3 of 4 pairs, 1 user'
    """
    counted = (
        f"all {figure.counted:,}" if figure.counted == figure.possible else f"{figure.counted:,} of {figure.possible:,}"
    )
    of = f"of {counted} {unit}, {several(figure.users, 'user')}" if figure.possible else f"there are no {unit}"
    return _shown(figure.value, figure.interval, figure.reason, write, of)


def shown_named(figure: NamedFigure) -> Shown:
    """Returns a figure on a data set of people's labels as it is read."""
    of = f"of {several(figure.labels, 'label')}, {several(figure.users, 'user')}"
    return _shown(figure.value, figure.interval, Why(figure.reason) if figure.reason else None, kappa, of)


def kappa(value: float | None) -> str:
    """Writes a measure of agreement.

    Example:
        >>> kappa(0.41256), kappa(-0.02), kappa(None)
        ('0.413', '−0.020', '–')
    """
    return number(value).replace("-", "−")


def percent(value: float | None) -> str:
    """Writes a share in percent.

    Example:
        >>> percent(0.9412), percent(None)
        ('94.1 %', '–')
    """
    return "–" if value is None else f"{100 * value:.1f} %"


def ratio(value: float | None) -> str:
    """Writes a ratio; one that is small by its first digits.

    Example:
        >>> ratio(1.2345), ratio(1234.5), ratio(0.00123), ratio(None)
        ('1.23', '1,234', '0.0012', '–')
    """
    if value is None:
        return "–"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if value >= 0.1 or value == 0 else f"{value:.2g}"


def signed(value: float | None) -> str:
    """Writes a difference.

    Example:
        >>> signed(0.0312), signed(-0.2), signed(-0.0), signed(None)
        ('+0.031', '−0.200', '0.000', '–')
    """
    if value is None:
        return "–"
    text = f"{value:+.3f}".replace("-", "−")
    return text[1:] if float(f"{value:.3f}") == 0 else text


def amount(value: float | None) -> str:
    """Writes a mean of tokens or seconds.

    Example:
        >>> amount(1234.56), amount(0.4321), amount(None)
        ('1,235', '0.43', '–')
    """
    return (
        "–" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.3g}" if value >= 1 else f"{value:.2f}"
    )


def bound_words(bound: Bound | None) -> str:
    """Writes what a figure must keep to.

    Example:
        >>> bound_words(Bound(at_most=5)), bound_words(Bound(at_least=60)), bound_words(None)
        ('at most 5 %', 'at least 60 %', 'no bound')
    """
    if bound is None:
        return "no bound"
    told = [f"at least {bound.at_least:g} %"] if bound.at_least is not None else []
    return " and ".join([*told, *([f"at most {bound.at_most:g} %"] if bound.at_most is not None else [])])


def canary_name(canary: Canary | None) -> str:
    """Names a canary.

    Example:
        >>> canary_name(Canary.OTHER_GOLD), canary_name(None)
        ('other gold', 'all but the copy')
    """
    return "all but the copy" if canary is None else canary.value.replace("_", " ")


def _doubt(value: float | None, within: Interval | None, reason: Why | None, write: Write) -> str:
    """Writes an interval, or why there is none."""
    if value is not None and within is not None:
        return f"{write(within.low).removesuffix(' %')} to {write(within.high)}"
    why = REASONS[reason] if reason else "nobody says why"
    return f"{'missing' if value is None else 'no interval'}: {why}"


def _shown(value: float | None, within: Interval | None, reason: Why | None, write: Write, of: str) -> Shown:
    """Returns a figure as it is read."""
    low, high = (within.low, within.high) if within else (None, None)
    return Shown(value, low, high, write(value), _doubt(value, within, reason, write), of)
