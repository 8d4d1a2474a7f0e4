"""A report in words and tables. Where labels are simulated, every heading and every table says so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from evaluator.human.figures import CLASSES
from evaluator.human.records import RaterKind
from evaluator.human.report.labels import CLASS_NAMES
from evaluator.human.report.records import AnnotatorReport, HumanReport, Precision, Task, TaskReport
from evaluator.human.report.words import Words
from evaluator.human.scoring import HumanFigure
from evaluator.metrics.alternative_annotator import LEAST_ITEMS
from evaluator.metrics.clustered import Missing
from evaluator.plurals import several

TITLES = {
    Task.VERIFICATION: "Stage 1, verification",
    Task.RELEVANCE: "Stage 2, relevance",
    Task.RATING: "Stage 3, rating",
}

NONE = "-"
"""What is not known, not defined, or not tested."""


class Heading(NamedTuple):
    """A title: of the report (1), of a task (2), or of a table (3)."""

    level: int
    text: str


class Table(NamedTuple):
    """Cells in rows; all but those of the first column are numbers."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Block = Heading | Table | str
"""A part of a report; a text is a paragraph."""


def blocks(report: HumanReport) -> Iterator[Block]:
    """Yields a report part by part."""
    words = Words(report.simulated)
    yield Heading(1, words.title(f"{report.title}: report on its labels"))
    yield f"Data set {report.sha[:12]}. Intervals are at 95 %, clustered by user; there is none below ten users."
    if report.simulated:
        yield (
            "These labels are simulated: a program made them, and no simulated figure here says anything of people. "
            "None ranks."
        )
    for task in report.tasks:
        yield from _task(task, words)
    if any(task.labels for task in report.tasks):
        yield Heading(2, words.title("How to read this"))
        yield from words.rules


def markdown(parts: Sequence[Block]) -> str:
    """Returns parts as Markdown with aligned tables, which reads well in a terminal too.

    Example:
        >>> print(markdown([Heading(2, "Balance"), Table(("label", "share"), (("yes", "0.25"), ("no", "0.75")))]))
        ## Balance
        <BLANKLINE>
        | label | share |
        | ----- | ----: |
        | yes   |  0.25 |
        | no    |  0.75 |
        <BLANKLINE>
    """
    return "\n\n".join(map(_markdown, parts)) + "\n"


def _markdown(part: Block) -> str:
    if isinstance(part, Heading):
        return f"{'#' * part.level} {part.text}"
    if isinstance(part, str):
        return part
    cells = [tuple(cell.replace("|", "\\|") for cell in row) for row in (part.head, *part.rows)]
    widths = [max(3, *(len(row[place]) for row in cells)) for place in range(len(part.head))]
    ruler = tuple("-" * width if not place else "-" * (width - 1) + ":" for place, width in enumerate(widths))
    lines = [_aligned(cells[0], widths), f"| {' | '.join(ruler)} |", *(_aligned(row, widths) for row in cells[1:])]
    return "\n".join(lines)


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = (
        cell.rjust(width) if place else cell.ljust(width)
        for place, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return f"| {' | '.join(cells)} |"


def _task(task: TaskReport, words: Words) -> Iterator[Block]:
    yield Heading(2, words.title(TITLES[task.task]))
    yield from _left_out(task, words)
    if not task.labels:
        yield f"There is no {words.label} of this task."
        return
    yield (
        f"{several(task.items, 'item')} of {several(task.users, 'user')}, {several(task.labels, words.label)} by "
        f"{several(task.annotators, words.annotator)}; labels an item: "
        + ", ".join(f"{each.labels} ({several(each.items, 'item')})" for each in task.labels_per_item)
        + "."
    )
    yield from _dashes(task, words)
    yield Heading(3, words.title("Label balance"))
    yield Table((words.label, "share", "95 %", "labels"), tuple(_balance(task)))
    yield Heading(3, words.title("Agreement and ceilings"))
    yield words.classes(task.task)
    yield Table((words.title("figure"), "value", "95 %", "compared", "users"), tuple(_agreement(task, words)))
    if task.annotators < 2:
        yield f"No item has labels of two {words.annotators}: there is no agreement and no ceiling."
    yield from _annotators(task, words)
    yield Heading(3, words.title("How many labels would halve the interval"))
    yield _precision(task, words)


def _dashes(task: TaskReport, words: Words) -> Iterator[str]:
    """Says what a dash stands for in the tables of a task, where there is any in the place of an interval."""
    every = [each.share for each in task.balance] + ([task.mean_rating] if task.mean_rating else [])
    every += [task.agreement[name] for name in words.figures(task.task)]
    every += [figure for each in task.by_annotator for figure in (each.standing.apart, each.standing.agreement)]
    changes = [each.drift for each in task.by_annotator if each.drift]
    every += [figure for drift in changes for figure in (drift.apart, drift.agreement)]
    missing = {figure.reason for figure in every if figure.interval is None}
    reasons = [reason.value.replace("annotators", words.annotators) for reason in Missing if reason in missing]
    if reasons:
        yield f"A dash ({NONE}) stands where there is no figure, no interval or no test: {'; or '.join(reasons)}."


def _left_out(task: TaskReport, words: Words) -> Iterator[str]:
    """Says which labels do not count, and why."""
    for kind, count in task.left_out.items():
        if kind is RaterKind.CONSENSUS:
            verb = "is" if count == 1 else "are"
            yield (
                f"{several(count, 'label')} {verb} a consensus of several {words.people}. A consensus shows no "
                "disagreement: it gives no agreement and no ceiling, and it is left out here."
            )
        else:
            yield f"Simulated labels never stand beside people's: {several(count, 'label')} left out here."


def _balance(task: TaskReport) -> Iterator[tuple[str, ...]]:
    for each in task.balance:
        note = CLASSES[task.task.value].matters if each.label == CLASS_NAMES[Task.VERIFICATION] else each.label
        yield note, number(each.share.value), interval(each.share), str(each.share.labels)
    if task.mean_rating:
        mean = task.mean_rating
        yield "mean rating", number(mean.value), interval(mean), str(mean.labels)


def _agreement(task: TaskReport, words: Words) -> Iterator[tuple[str, ...]]:
    for name, told in words.figures(task.task).items():
        figure = task.agreement[name]
        yield told, number(figure.value), interval(figure), str(figure.labels), str(figure.users)


def _annotators(task: TaskReport, words: Words) -> Iterator[Block]:
    ratings = task.task is Task.RATING
    level = "mean rating" if ratings else f"share {CLASS_NAMES[task.task]}"
    agreed = "Spearman" if ratings else "kappa"
    yield Heading(3, words.title("Each annotator beside the others"))
    yield Table(
        (words.annotator, "labels", "shared", level, "others'", "apart", "95 %", agreed, "95 %", "outlier"),
        tuple(map(_standing, task.by_annotator)),
    )
    few = [each.annotator_id for each in task.by_annotator if each.few]
    if few:
        yield (
            f"Attention: fewer than {LEAST_ITEMS} items shared with {words.others}, too few for the alternative "
            f"annotator test{words.mark}: {', '.join(few)}."
        )
    changed = [each for each in task.by_annotator if each.drift]
    yield Heading(3, words.title("Drift: second half of the labels less the first"))
    if not changed:
        yield f"Labels of {words.nobody} have times that differ, so nothing is known of drift."
        return
    later = ("second", "change", "95 %")
    head = (words.annotator, "apart, first", *later, f"{agreed}, first", *later)
    yield Table((*head, "drifts"), tuple(map(_drift, changed)))
    if len(changed) < task.annotators:
        yield f"The other {words.annotators} have labels without a time, or all at the same time."


def _standing(each: AnnotatorReport) -> tuple[str, ...]:
    his = each.standing
    return (
        each.annotator_id,
        str(each.labels),
        str(his.labels),
        number(his.level.value),
        number(his.others.value),
        number(his.apart.value),
        interval(his.apart),
        number(his.agreement.value),
        interval(his.agreement),
        yes_no(each.outlier.is_outlier if each.outlier else None),
    )


def _drift(each: AnnotatorReport) -> tuple[str, ...]:
    drift = each.drift
    assert drift is not None
    return (
        each.annotator_id,
        number(drift.first.apart.value),
        number(drift.second.apart.value),
        number(drift.apart.value),
        interval(drift.apart),
        number(drift.first.agreement.value),
        number(drift.second.agreement.value),
        number(drift.agreement.value),
        interval(drift.agreement),
        yes_no(drift.drifts),
    )


def _precision(task: TaskReport, words: Words) -> str:
    """Says how many labels would do."""
    found = task.precision
    name = words.figures(task.task)[found.figure]
    if found.half_width is None:
        return f"Not known for {name}: {found.reason}."
    users = (
        f"{found.users_needed} users instead of {found.users}, with as many labels each "
        f"({4 * found.labels} instead of {found.labels}), would halve it."
    )
    return f"{name.capitalize()}: ± {found.half_width:.3f} now. An estimate: {_same_users(found)} {users}"


def _same_users(found: Precision) -> str:
    if found.from_users is None:
        return f"what more labels of the same users would bring is not known ({found.reason});"
    part = f"about {100 * found.from_users:.0f} % of the variance comes from differences between users"
    if found.labels_needed is None:
        return f"{part}, so no number of labels on the same {found.users} users would halve it;"
    return f"{part}, so about {found.labels_needed} labels on the same {found.users} users would halve it;"


def number(value: float | None) -> str:
    """Returns a figure with three decimals.

    Example:
        >>> number(0.5), number(-0.0001), number(None)
        ('0.500', '0.000', '-')
    """
    return NONE if value is None else f"{round(value, 3) or 0.0:.3f}"


def interval(figure: HumanFigure) -> str:
    """Returns the ends of a figure's interval."""
    found = figure.interval
    return NONE if found is None else f"{number(found.low)} to {number(found.high)}"


def yes_no(said: bool | None) -> str:
    """Returns yes or no, or a dash for what was not tested."""
    return NONE if said is None else "yes" if said else "no"
