"""The plots of the board of judges: what a reader grasps at once, from the same figures as its tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from evaluator.human.records import RaterKind
from evaluator.judges.quality.records import Slice
from leaderboard.pages.dot_plots import Dot, Mark, Plot, Scale, Shape, axis_of, dot_plot
from leaderboard.pages.judges.rows import Beside, CanaryLine, CheckView, ShownJudge
from leaderboard.pages.judges.words import KINDS, Shown, kappa, shown

_KAPPAS = (0.0, 1.0)
_EVERY_KAPPA = (-1.0, 1.0)
_RATIOS = (0.5, 2.0)
_FAR_RATIOS = (1 / 64, 64.0)
"""Beyond these the end of an interval is cut: it would leave no room for the others."""
_DIFFERENCES = (-0.1, 0.1)


class Drawing(NamedTuple):
    """One plot with what it is about."""

    title: str
    about: str
    plot: Plot


class KappaCell(NamedTuple):
    """How far two judges agree."""

    other: str
    figure: Shown | None
    """None where nothing is known of it, or the other is the judge itself."""
    shade: float
    """In 0..100: how strong the cell is shaded, which is kappa; nothing for one below 0."""
    is_itself: bool = False


class KappaRow(NamedTuple):
    """One judge beside all others."""

    view: ShownJudge
    cells: tuple[KappaCell, ...]


class CanaryRow(NamedTuple):
    """One canary before several judges."""

    canary: str
    says: str
    figure: str
    bound: str
    cells: tuple[CanaryLine | None, ...]


class CanaryTable(NamedTuple):
    """Canaries before judges of one kind."""

    kind: str
    title: str
    columns: tuple[tuple[str, CheckView], ...]
    """Name of the judge, and its check."""
    rows: tuple[CanaryRow, ...]


def people_plots(views: Sequence[ShownJudge]) -> list[Drawing]:
    """Draws how far judges agree with labels: a plot for each source and kind of labels, and each part of them."""
    groups: dict[tuple[int, str, str, str], list[tuple[ShownJudge, Beside]]] = {}
    order = list(RaterKind)
    for view in views:
        for beside in view.people:
            key = (order.index(beside.kind), beside.source, beside.about, beside.measure)
            groups.setdefault(key, []).append((view, beside))
    return [_people_plot(groups[key]) for key in sorted(groups)]


def length_plot(views: Iterable[ShownJudge]) -> Drawing | None:
    """Draws how far judges lean to longer answers; None if no judge compares answers."""
    dots = [_dot(view, view.length) for view in views if view.length]
    if not dots:
        return None
    axis = axis_of(dots, Scale.LOG, shown=_RATIOS, most=_FAR_RATIOS, reference=1.0)
    about = "Odds of winning for a longer answer, over those for a shorter one. At 1 length makes no difference."
    return Drawing("Leaning to longer answers", about, dot_plot(dots, axis))


def family_plot(views: Iterable[ShownJudge]) -> Drawing | None:
    """Draws how much kinder judges are to their own family; None if no judge compares answers."""
    dots = [_dot(view, view.family) for view in views if view.family]
    if not dots:
        return None
    axis = axis_of(dots, shown=_DIFFERENCES, most=_EVERY_KAPPA, reference=0.0)
    about = "How much more than other judges it gives models of its own family, beyond what it gives all models more."
    return Drawing("Its own family", about, dot_plot(dots, axis))


def kappa_rows(views: Sequence[ShownJudge]) -> list[KappaRow]:
    """Sets judges beside each other; those alone of which something is known."""
    known = [view for view in views if view.row.quality]
    rows = [KappaRow(view, tuple(_kappa_cell(view, other) for other in known)) for view in known]
    return rows if any(cell.figure for row in rows for cell in row.cells) else []


def canary_tables(views: Iterable[ShownJudge]) -> list[CanaryTable]:
    """Sets canaries before judges, kind by kind."""
    kinds: dict[str, list[tuple[str, CheckView]]] = {}
    for view in views:
        for check in view.checks:
            kinds.setdefault(check.check.kind, []).append((view.name, check))
    return [
        CanaryTable(kind, f"Canaries before {KINDS[kind]}", tuple(columns), _canary_rows(columns))
        for kind, columns in kinds.items()
    ]


def _people_plot(group: Sequence[tuple[ShownJudge, Beside]]) -> Drawing:
    """Draws one source of labels."""
    dots = [_dot(view, beside.judge, _marks(beside)) for view, beside in group]
    first = group[0][1]
    axis = axis_of(dots, shown=_KAPPAS, most=_EVERY_KAPPA, reference=0.0)
    title = f"Agreement on {first.about}, labels by {first.whose}"
    return Drawing(title, f"{first.source}: {first.measure}.", dot_plot(dots, axis))


def _marks(beside: Beside) -> tuple[Mark, ...]:
    """What a judge's agreement is to be read beside."""
    shapes: tuple[Shape, ...] = ("diamond", "stroke")
    return tuple(
        Mark(name, figure.value, shape)
        for (name, figure, _), shape in zip(beside.others, shapes, strict=True)
        if figure is not None and figure.value is not None
    )


def _dot(view: ShownJudge, figure: Shown, marks: tuple[Mark, ...] = ()) -> Dot:
    """Returns a judge's row of a plot."""
    return figure.dot(view.name, marks, view.ranks, view.address)


def _kappa_cell(view: ShownJudge, other: ShownJudge) -> KappaCell:
    """Returns how far two judges agree."""
    if other is view or view.row.quality is None:
        return KappaCell(other.name, None, 0.0, other is view)
    for agreement in view.row.quality.agreement:
        for each in agreement.slices:
            if agreement.other == other.row.judge.id and each.slice is Slice.ALL:
                figure = shown(each.kappa, kappa, "answers")
                return KappaCell(other.name, figure, 100 * max(0.0, figure.value or 0.0))
    return KappaCell(other.name, None, 0.0)


def _canary_rows(columns: Sequence[tuple[str, CheckView]]) -> tuple[CanaryRow, ...]:
    """Returns a row for each figure of a canary that any of the judges has."""
    lines = [{(line.canary, line.figure): line for line in check.lines} for _, check in columns]
    every: dict[tuple[str, str], CanaryLine] = {}
    for some in lines:
        every |= {place: line for place, line in some.items() if place not in every}
    return tuple(
        CanaryRow(line.canary, line.says, line.figure, line.bound, tuple(some.get(place) for some in lines))
        for place, line in every.items()
    )
