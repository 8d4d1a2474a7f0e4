"""A scorecard's figures as dot plots: the desiderata, and the score by slice; each unit on a scale of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from evaluator.hicupid.questions import QuestionType
from evaluator.hicupid.scoring import HIGHEST_TOTAL
from evaluator.plurals import several
from evaluator.results import Desiderata, Gap, Interval, Rate, Total
from leaderboard.answers.slices import Slice, SliceKind
from leaderboard.pages.dot_plots import Axis, Dot, Plot, Scale, axis_of, dot_plot
from leaderboard.pages.figures import bounds, figure, share
from leaderboard.pages.model.kept import Sliced

_RATES = Axis(0.0, 100.0, Scale.LINEAR, (0.0, 25.0, 50.0, 75.0, 100.0))
_BESIDE_GOLD = _RATES._replace(reference=50.0)
_TOTALS = Axis(0.0, HIGHEST_TOTAL, Scale.LINEAR, (0.0, 25.0, 50.0, 75.0), 50.0)
_SHOWN = (-10.0, 10.0)
_WHOLE = (-100.0, 100.0)
_GOLD = "The dashed line, 50, is as good as gold."
_GOLD_IN_RATES = "Of persona and profile the dashed line, 50, is as good as gold; a schedule answer satisfies or not."
_SCORE: Mapping[QuestionType, str] = {
    QuestionType.PERSONA: "Persona: what a user likes",
    QuestionType.PROFILE: "Profile: what a user likes, and who the user is",
    QuestionType.SCHEDULE: "Schedule: appointments minded",
}
_KINDS: Mapping[SliceKind, tuple[str, str]] = {
    SliceKind.SPLIT: ("By split", "`test_1` asks users whose histories models may be trained on, `test_2` others."),
    SliceKind.POSITION: (
        "By position of the evidence",
        "Where in a user's history the oldest dialogue lies that a question needs, from the newest fifth to the "
        "oldest: whoever reaches that one reaches all.",
    ),
    SliceKind.CATEGORY: ("By persona category", "What the taste is for that a question is about."),
    SliceKind.SENTIMENT: ("Likes against dislikes", "Whether the user likes or dislikes what a question is about."),
}


class Drawn(NamedTuple):
    """A plot with what is to be said of it."""

    id: str
    title: str
    about: str
    heading: str
    """What its rows are."""
    unit: str
    plot: Plot


class SliceGroup(NamedTuple):
    """All plots of one way to slice."""

    id: str
    title: str
    about: str
    told: str
    """How many items tell to which slice they belong; why there is nothing to draw where none does."""
    plots: tuple[Drawn, ...]


def desiderata_plots(found: Desiderata) -> tuple[Drawn, ...]:
    """Returns the five desiderata, and how a model carries over to users never seen, each in its own unit."""
    total = Dot("AUI, adherence to user information: the Total", *_of_rate(found.aui))
    rates = [
        Dot("UII, implicit information: persona score", *_of_rate(found.uii)),
        Dot("MI, multiple information: profile score", *_of_rate(found.mi)),
        Dot("PR, proactiveness: schedule satisfaction", *_of_rate(found.pr)),
    ]
    gaps = [
        _of_gap("LC, long context: persona score, whole history less needed dialogues", found.lc),
        _of_gap("Generalisation: Total, unseen less seen users", found.generalisation),
    ]
    told = f"Of at most {HIGHEST_TOTAL} points. {_GOLD}"
    return (
        Drawn("total", "Total", told, "Desideratum", "Points", dot_plot([total], _TOTALS)),
        Drawn("rates", "Rates", f"In %. {_GOLD_IN_RATES}", "Desideratum", "%", dot_plot(rates, _BESIDE_GOLD)),
        Drawn("gaps", "Gaps", "One score less another, in points; 0 is none.", "Desideratum", "Points", _gaps(gaps)),
    )


def slice_groups(sliced: Sliced) -> tuple[SliceGroup, ...]:
    """Returns the score by slice, one plot for each type of question; the difference of likes and dislikes as well."""
    by_type = _drawn("type", [each for each in sliced.slices if each.kind is SliceKind.TYPE])
    every = several(sliced.items, "item")
    first = SliceGroup("type", "By question type", _GOLD_IN_RATES, f"{every}.", (by_type,))
    return (first, *(_group(kind, sliced) for kind in _KINDS if kind is not SliceKind.SPLIT or _of(kind, sliced)))


def _group(kind: SliceKind, sliced: Sliced) -> SliceGroup:
    """Returns all plots of one way to slice."""
    (title, about), found = _KINDS[kind], _of(kind, sliced)
    telling = sum(each.rate.items for each in found)
    told = f"{telling:,} of {several(sliced.items, 'item')} tell it."
    if not found:
        told = "Missing: the public rows of this run do not tell it."
    plots = [_of_type(kind, type_, [each for each in found if each.type is type_]) for type_ in QuestionType]
    drawn = [plot for plot in plots if plot.plot.rows]
    gaps = [_of_gap(str(each.type).capitalize(), each.gap) for each in sliced.gaps if each.kind is kind]
    if gaps:
        told_of = "Score on likes less that on dislikes, user by user; 0 is no difference."
        drawn.append(Drawn("sentiment-gap", "Likes less dislikes", told_of, "Questions", "Points", _gaps(gaps)))
    return SliceGroup(str(kind), title, about, told, tuple(drawn))


def _of(kind: SliceKind, sliced: Sliced) -> list[Slice]:
    """Returns the slices of one kind."""
    return [each for each in sliced.slices if each.kind is kind]


def _of_type(kind: SliceKind, type_: QuestionType, found: Sequence[Slice]) -> Drawn:
    """Draws the slices of one type of question."""
    axis = _RATES if type_ is QuestionType.SCHEDULE else _BESIDE_GOLD
    plot = dot_plot([Dot(each.name, *_of_rate(each.rate)) for each in found], axis)
    return Drawn(f"{kind}-{type_}", _SCORE[type_], "", "Slice", "Score, %", plot)


def _drawn(name: str, found: Iterable[Slice]) -> Drawn:
    """Draws the slices by type."""
    dots = [Dot(_SCORE[each.type], *_of_rate(each.rate)) for each in found]
    return Drawn(f"{name}-all", "Score", "", "Questions", "Score, %", dot_plot(dots, _BESIDE_GOLD))


class _Figure(NamedTuple):
    """What a row of a plot holds beside its name, in the order of `Dot`."""

    value: float | None
    low: float | None
    high: float | None
    marks: tuple[()]
    written: str
    notes: tuple[str, ...]


def _of_rate(rate: Rate | Total) -> _Figure:
    """Returns what is drawn and said of a rate or Total."""
    counted = f"{rate.judged:,} of {rate.items:,} items judged ({share(rate.judged, rate.items)})"
    return _told(rate.value, rate.interval, figure(rate.value), counted, "missing: nothing is judged")


def _of_gap(name: str, gap: Gap | None) -> Dot:
    """Returns what is drawn and said of a difference."""
    if gap is None:
        return Dot(name, None, written="–", notes=("missing: only one of the two was evaluated",))
    counted = f"{gap.judged[0]:,} and {gap.judged[1]:,} items judged, {several(gap.users, 'user')}"
    written = "–" if gap.value is None else f"{gap.value:+.1f}".replace("-", "−")
    return Dot(name, *_told(gap.value, gap.interval, written, counted, "missing: one of the two has nothing judged"))


def _told(value: float | None, within: Interval | None, written: str, counted: str, why: str) -> _Figure:
    """Returns a figure with its interval, or why there is none."""
    if value is None:
        return _Figure(None, None, None, (), written, (why, counted))
    if within is None:
        return _Figure(value, None, None, (), written, ("no interval: too few users", counted))
    doubt = f"{bounds(within).replace('-', '−')}, {several(within.users, 'user')}"
    return _Figure(value, within.low, within.high, (), written, (doubt, counted))


def _gaps(dots: Sequence[Dot]) -> Plot:
    """Draws differences, with no difference in the middle of what is always shown."""
    return dot_plot(dots, axis_of(dots, shown=_SHOWN, most=_WHOLE, reference=0.0))
