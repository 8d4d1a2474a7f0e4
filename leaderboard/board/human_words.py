"""What figures of agreement are called, wherever they are read: on a page, in a terminal, in an answer.

Labels of a program are never called people's, nor is what made-up users were made from.
"""

from __future__ import annotations

from collections.abc import Iterator

from evaluator.human.figures import (
    ALWAYS_NO,
    ALWAYS_YES,
    FIGURES,
    JUDGES_OWN,
    NOISE_CEILING,
    ONE_MORE_HUMAN,
)
from evaluator.human.records import RaterKind
from evaluator.human.results import NamedFigure
from evaluator.human.tasks import AnyTask
from evaluator.plurals import several
from leaderboard.open_data.human_figures import listed_under, why_no_interval
from leaderboard.results import HumanScorecard

_ONE_MORE = {RaterKind.SIMULATED: "one more simulated annotator", RaterKind.TRUTH: "one more annotator"}
"""Who stands in the place of one more human."""
_RATERS = {RaterKind.SIMULATED: "simulated annotators", RaterKind.TRUTH: "the truth"}
"""Who stands in the place of people."""
BY_SEVERAL = (RaterKind.PERSON, RaterKind.SIMULATED)
"""Labels that several annotators gave of an item, so that there is one more of them."""
_OF_JUDGES = {"single_kappa": "the verifier's kappa", "spearman_within_annotators": "the judge's Spearman"}
"""How the agreement of judges is called; see `JUDGES_OWN`."""


def raters(kind: RaterKind) -> str:
    """Names those whose labels these are.

    Example:
        >>> raters(RaterKind.CONSENSUS), raters(RaterKind.SIMULATED)
        ('people', 'simulated annotators')
    """
    return _RATERS.get(kind, "people")


def parts(kind: RaterKind) -> dict[str, str]:
    """Names whose a figure is, by the last part of its name, in the order in which they stand beside the model's.

    Example:
        >>> parts(RaterKind.SIMULATED)["one_more_human"]
        'one more simulated annotator'
    """
    return {
        ONE_MORE_HUMAN: _ONE_MORE.get(kind, "one more human"),
        NOISE_CEILING: "noise ceiling",
        ALWAYS_YES: "always yes",
        ALWAYS_NO: "always no",
    }


def called(name: str, kind: RaterKind) -> str:
    """Names a figure, and in words whose it is.

    Args:
        name: As in the list of figures, without the stage.
        kind: Whose labels it is about.

    Example:
        >>> called("kappa.one_more_human", RaterKind.SIMULATED), called("f1_majority.gap.always_yes", RaterKind.PERSON)
        ('kappa, one more simulated annotator', 'f1_majority.gap, always yes')
    """
    own, _, last = name.rpartition(".")
    whose = parts(kind).get(last)
    return f"{own}, {whose}" if whose else name


def says(stage: str, name: str, kind: RaterKind) -> str:
    """Says what a figure is.

    Args:
        stage: What it is listed under; see `listed_under`.
        name: Its name there.
        kind: Whose labels it is about.

    Example:
        >>> says("relevance", "f1.always_no", RaterKind.PERSON)
        'F1 of always no (all is not relevant (NO))'
        >>> says("writing", "inflation", RaterKind.SIMULATED)
        "the judge's mean rating less the mean rating of simulated annotators, on the same items"
    """
    known = FIGURES.get(f"{stage}.{name}")
    told = known.says if known else name.replace("_", " ").replace(".", ", ")
    return told.replace("one more human", parts(kind)[ONE_MORE_HUMAN]).replace("people", raters(kind))


def annotators(card: HumanScorecard) -> str:
    """Counts those who labelled; a program's are never called annotators alone, and a truth was labelled by nobody."""
    if card.result.kind is RaterKind.TRUTH:
        return "labelled by nobody"
    simulated = card.result.kind is RaterKind.SIMULATED
    return several(card.result.annotators, "simulated annotator" if simulated else "annotator")


def number(value: float | None) -> str:
    """Writes a figure of agreement, a missing one as a dash.

    Example:
        >>> number(0.41256), number(-0.0), number(None)
        ('0.413', '0.000', '–')
    """
    return "–" if value is None else f"{value + 0.0:.3f}"


def doubt(stage: str, figure: NamedFigure) -> str:
    """Writes the interval of a figure, or why there is none."""
    if figure.interval is not None:
        return f"{number(figure.interval.low)} to {number(figure.interval.high)}"
    why = (why_no_interval(stage, figure) or "").removesuffix(".")
    return f"{'missing' if figure.value is None else 'no interval'}: {why[:1].lower()}{why[1:]}"


def in_full(stage: str, figure: NamedFigure) -> str:
    """Writes a figure with its interval, or why there is none, and with how many entries and users it is made of.

    Example:
        >>> few = NamedFigure(name="kappa", value=0.5, interval=None, labels=9, users=1, tied=0, reason="few_clusters")
        >>> in_full("relevance", few)
        '0.500 (no interval: fewer than 10 users), of 9, 1 user'
    """
    return f"{number(figure.value)} ({doubt(stage, figure)}), of {figure.labels:,}, {several(figure.users, 'user')}"


def judges_own(task: AnyTask, kind: RaterKind, name: str) -> Iterator[tuple[str, str]]:
    """Yields what tells how far a judge agrees with labels itself, beside a figure that is worth what its judge is.

    Args:
        task: What a model was asked.
        kind: Whose labels the judge is set beside.
        name: The figure's.

    Yields:
        What is told, and the name of the judge's own figure.

    Example:
        >>> from evaluator.human.tasks import JudgedTask
        >>> list(judges_own(JudgedTask.EXTRACTION, RaterKind.CONSENSUS, "accepted"))
        [("the verifier's kappa with people", 'single_kappa')]
    """
    figure = JUDGES_OWN.get(f"{listed_under(task)}.{name}")
    if figure is None:
        return
    yield f"{_OF_JUDGES[figure]} with {raters(kind)}", figure
    if kind in BY_SEVERAL:
        for part in (ONE_MORE_HUMAN, NOISE_CEILING):
            yield parts(kind)[part], f"{figure}.{part}"
