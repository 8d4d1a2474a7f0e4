"""A report as pictures: label balance, each annotator's agreement, and agreement by half.

Colours are those of Okabe and Ito, which stay apart for colour-blind eyes; markers differ as well.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from evaluator.human.report.records import HumanReport, Task, TaskReport
from evaluator.human.report.text import TITLES
from evaluator.human.report.words import Words
from evaluator.human.scoring import HumanFigure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BLUE, _ORANGE, _GREY = "#0072B2", "#D55E00", "#666666"
_DOTS = 120
"""Dots an inch."""
_STYLE = {
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": _GREY,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "font.size": 10,
    "legend.frameon": False,
    "text.parse_math": False,  # A pseudonym or a title is text, whatever is in it.
}

_Draw = Callable[["Axes", TaskReport, Words], None]


def plots(report: HumanReport) -> Iterator[tuple[str, str, bytes]]:
    """Yields name, title and PNG of each picture; there is none of what no label tells.

    Equal reports give equal bytes under one version of matplotlib.
    """
    words = Words(report.simulated)
    for name, title, draw, has in (
        ("label_balance.png", "Label balance", _balance, lambda task: task.labels),
        ("annotators.png", "Each annotator's agreement with the others", _annotators, _agrees),
        ("drift.png", "Agreement in the first and the second half of the labels", _drift, _has_halves),
    ):
        tasks = [task for task in report.tasks if has(task)]
        if tasks:
            yield name, words.title(title), _picture(words.title(title), tasks, draw, words)


def _picture(title: str, tasks: list[TaskReport], draw: _Draw, words: Words) -> bytes:
    """Draws one panel a task."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context({**matplotlib.rcParamsDefault, **_STYLE}):
        rows = max(max(len(task.by_annotator), len(task.balance)) for task in tasks)
        figure = Figure(figsize=(4.6 * len(tasks), min(1.8 + 0.34 * rows, 40)), layout="constrained")
        canvas = FigureCanvasAgg(figure)
        figure.suptitle(title, x=0.01, ha="left")
        legend: dict[Any, Any] = {}
        for axes, task in zip(figure.subplots(1, len(tasks), squeeze=False)[0], tasks, strict=True):
            axes.set_title(words.title(TITLES[task.task]))
            draw(axes, task, words)
            legend |= {label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
        if legend:
            figure.legend(legend.values(), legend.keys(), loc="outside upper right", ncols=len(legend))
        out = io.BytesIO()
        canvas.print_figure(out, format="png", dpi=_DOTS, metadata={"Software": None})
    return out.getvalue()


def _balance(axes: Axes, task: TaskReport, words: Words) -> None:
    """Bars of how often each thing is said."""
    shares = [each.share for each in task.balance]
    places = range(len(shares))
    values = [100 * (share.value or 0.0) for share in shares]
    axes.barh(places, values, color=_BLUE, height=0.6)
    _whiskers(axes, shares, places, "black", scale=100)
    axes.set_yticks(places, [each.label for each in task.balance])
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_xlabel(f"share of {words.labels} (%), 95 % interval")
    if task.task is Task.RATING:
        axes.set_ylabel("rating (3: no difference)")


def _annotators(axes: Axes, task: TaskReport, words: Words) -> None:
    """A dot for each annotator."""
    figures = [each.standing.agreement for each in task.by_annotator]
    places = range(len(figures))
    _dots(axes, figures, places, _BLUE, "o", None)
    flagged = [place for place in places if (found := task.by_annotator[place].outlier) and found.is_outlier]
    _dots(axes, [figures[place] for place in flagged], flagged, _ORANGE, "D", f"outlier{words.mark}")
    _name(axes, task, words)


def _drift(axes: Axes, task: TaskReport, words: Words) -> None:
    """Two dots for each annotator."""
    for shift, colour, marker, label in ((-0.15, _BLUE, "o", "first half"), (0.15, _ORANGE, "D", "second half")):
        known = [
            (place + shift, (each.drift.first if shift < 0 else each.drift.second).agreement)
            for place, each in enumerate(task.by_annotator)
            if each.drift
        ]
        _dots(axes, [figure for _, figure in known], [place for place, _ in known], colour, marker, label)
    _name(axes, task, words)


def _name(axes: Axes, task: TaskReport, words: Words) -> None:
    """Labels both axes."""
    axes.set_yticks(range(len(task.by_annotator)), [each.annotator_id for each in task.by_annotator])
    axes.set_ylim(len(task.by_annotator) - 0.5, -0.5)
    axes.set_ylabel(words.annotator)
    axes.axvline(0, color=_GREY, linewidth=0.8)
    figure = "Spearman with the mean" if task.task is Task.RATING else "Cohen's kappa with the majority"
    axes.set_xlabel(f"{figure} of the others,\n95 % interval{words.mark}")


def _dots(axes: Axes, figures: list[HumanFigure], places: Any, colour: str, marker: str, label: str | None) -> None:
    known = [(figure.value, place) for figure, place in zip(figures, places, strict=True) if figure.value is not None]
    axes.plot(
        [value for value, _ in known],
        [place for _, place in known],
        marker,
        color=colour,
        label=label,
        linestyle="none",
    )
    _whiskers(axes, figures, places, colour)


def _whiskers(axes: Axes, figures: list[HumanFigure], places: Any, colour: str, scale: float = 1) -> None:
    """Lines for the intervals that there are."""
    for figure, place in zip(figures, places, strict=True):
        if found := figure.interval:
            axes.plot([scale * found.low, scale * found.high], [place, place], color=colour, linewidth=1.5)


def _agrees(task: TaskReport) -> bool:
    """Whether anybody's agreement is known."""
    return any(each.standing.agreement.value is not None for each in task.by_annotator)


def _has_halves(task: TaskReport) -> bool:
    """Whether the agreement in any half is known."""
    drifts = [each.drift for each in task.by_annotator if each.drift]
    return any(half.agreement.value is not None for each in drifts for half in (each.first, each.second))
