"""Human agreement against its ceiling: each model beside one more human, and what no rater can pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from evaluator.human.figures import NOISE_CEILING, ONE_MORE_HUMAN
from evaluator.human.results import NamedFigure
from evaluator.plurals import several
from leaderboard.board.human_words import doubt, number, parts, says
from leaderboard.open_data.human_figures import listed_under
from leaderboard.pages.figures import share
from leaderboard.pages.human.asked import INCOMPLETE_ROWS, REFERENCES
from leaderboard.pages.human.index import Group, HumanIndex, TaskEntries
from leaderboard.pages.human.plot import drawn_figure, standing
from leaderboard.pages.human_cells import heading, is_trivial
from leaderboard.pages.human_tables import human_address, labels_warning, whose_labels
from leaderboard.pages.plots.asked import Asked
from leaderboard.pages.plots.plotted import (
    Axis,
    Chart,
    Choice,
    Heading,
    Plotted,
    Row,
    Series,
    Value,
    count_of,
    ends_of,
    label_of,
)
from leaderboard.results import HumanScorecard

MOST_DRAWN, MOST_NAMED = 200, 30
"""Models that are drawn, those of most agreement, and up to how many of them have their names beside them."""
TITLE = "Human agreement against its ceiling"
_FIELDS = (
    *("scorecard", "model", "figure", "value", "low", "high", "users", "labels"),
    *("one_more_human", "one_more_human_low", "one_more_human_high", "noise_ceiling", "beside_one_more"),
    *("answered", "items"),
)


class _Drawn(NamedTuple):
    """One scorecard with the figures that are drawn of it."""

    card: HumanScorecard
    own: NamedFigure
    one_more: NamedFigure | None
    ceiling: NamedFigure | None
    sign: str
    """How it stands beside one more human: ≈, < or >; ? where nobody can say, and empty where nobody is beside it."""
    words: str


def human_plot(index: HumanIndex, asked: Asked) -> Plotted:
    """Draws one figure of all models of a task, beside what one more human reaches on the very same items.

    Args:
        index: All there is.
        asked: Names the task and whose labels; without them the first that have results.
    """
    there = [task for task in index.tasks.values() if task.groups]
    if not there:
        plain = Plotted(
            asked._replace(task="", labels="", page=1), TITLE, _says("agreement", "one more human"), (), "", (), _FIELDS
        )
        return plain._replace(empty="No results yet.")
    task = next((each for each in there if each.protocol == asked.task), there[0])
    group = next((each for each in task.groups if each.id == asked.labels), task.groups[0])
    notes = [f"There is no result of {asked.task}."] if asked.task not in ("", task.protocol) else []
    if asked.labels and asked.labels not in {each.id for other in there for each in other.groups}:
        notes.append(f"There are no labels {asked.labels} of {task.protocol}.")
    state = asked._replace(
        task="" if task is there[0] else task.protocol, labels="" if group is task.groups[0] else group.id
    )
    return _plotted(state, task, group)._replace(notes=tuple(notes), choices=tuple(_choices(there, task, group)))


def _plotted(asked: Asked, task: TaskEntries, group: Group) -> Plotted:
    """Lays one table of scorecards out."""
    first = group.card.result
    name = drawn_figure(first.task, first.kind, "")
    other = parts(first.kind)[ONE_MORE_HUMAN]
    aside = [entry.aside for entry in group.entries]
    references, incomplete = (sum(each in names for names in aside) for each in (REFERENCES, INCOMPLETE_ROWS))
    models = [entry.card for entry in group.entries if not entry.aside & {REFERENCES, INCOMPLETE_ROWS}]
    every = sorted(filter(None, (_drawn(card, name) for card in models)), key=_order)
    left_out = (
        *((len(models) - len(every), "without the figure"), (incomplete, "incomplete")),
        (references, "that no model gave"),
    )
    label = heading(name, first.kind)
    headings = (
        Heading(label, "95 %"),
        Heading(other.capitalize(), "on the same items"),
        Heading("Noise ceiling"),
        Heading(f"Beside {other}"),
        Heading("Answered", "items"),
    )
    plain = Plotted(
        *(asked, TITLE, _says(label, other), (), count_of(len(every), "result", left_out), headings, _FIELDS)
    )
    if not every:
        return plain._replace(empty="No result here has the figure that is drawn.")
    return plain._replace(
        found=tuple(_found(every, task, group, name)),
        rows=tuple(map(_row, every)),
        chart=_chart(every[:MOST_DRAWN], label, other),
    )


def _drawn(card: HumanScorecard, name: str) -> _Drawn | None:
    """Returns the figures of a scorecard; None where it lacks the one that is drawn."""
    result = card.result
    own, one_more = result.figure(name), result.figure(f"{name}.{ONE_MORE_HUMAN}")
    if own is None or own.value is None:
        return None
    whole = f"{name}.{NOISE_CEILING}"
    ceiling = None if is_trivial(result.task, whole) else result.figure(whole)
    told = standing(card, name)
    return _Drawn(card, own, one_more, ceiling, told.sign if told else "", told.words if told else "")


def _order(drawn: _Drawn) -> tuple[float, str, str]:
    """Sorts by the figure, the highest first."""
    return -(drawn.own.value or 0.0), drawn.card.model, drawn.card.id


def _says(label: str, other: str) -> str:
    """Says what is drawn."""
    return (
        f"Each line is one model, the highest on top: its {label} with the 95 % interval as a bar. The dashed line is "
        f"what {other} reaches on the very items that the model answered, and the dotted one what no rater can pass, "
        f"since people contradict each other. A model whose bar holds the dashed line agrees about as much as {other}; "
        "that line has a doubt of its own, which is not counted."
    )


def _found(every: Sequence[_Drawn], task: TaskEntries, group: Group, name: str) -> Iterator[str]:
    """Yields what the plot comes to, in sentences."""
    first = group.card.result
    other = parts(first.kind)[ONE_MORE_HUMAN]
    models = several(len({each.card.model for each in every}), "model")
    yield f"{models} of {task.protocol}. The figure: {says(listed_under(first.task), name, first.kind)}."
    beside = [each for each in every if each.sign]
    if beside:
        decided = [each for each in beside if each.sign != "?"]
        open_ = len(beside) - len(decided)
        if decided:
            reach = sum(each.sign in "≈>" for each in decided)
            yield f"{reach:,} of {len(decided):,} agree about as much as {other}, or more."
        if open_:
            yield f"Of {open_:,} it is undecided how they stand beside {other}: they have no interval."
    else:
        yield f"Of this figure nobody can say how a model stands beside {other}."
    if warning := labels_warning(first.kind):
        yield warning
    if len(every) > MOST_DRAWN:
        yield f"The {MOST_DRAWN:,} that agree most are drawn; the table and the files have all."


def _choices(there: Sequence[TaskEntries], task: TaskEntries, group: Group) -> Iterator[Choice]:
    """Yields what can be chosen, where there is a choice."""
    if len(there) > 1:
        yield Choice(
            "task",
            "Task",
            tuple((each.protocol if place else "", each.protocol, each is task) for place, each in enumerate(there)),
        )
    if len(task.groups) > 1:
        options = ((each.id if place else "", _labels(each), each is group) for place, each in enumerate(task.groups))
        yield Choice("labels", "Labels", tuple(options))


def _labels(group: Group) -> str:
    """Names whose labels of which data a table is about."""
    card = group.card
    whose = whose_labels(card) or "single people's labels"
    return f"{whose}, {card.data_source} at {card.data_sha[:8]} ({len(group.entries):,})"


def _row(drawn: _Drawn) -> Row:
    """Lays one scorecard out."""
    card, own, stage = drawn.card, drawn.own, listed_under(drawn.card.result.task)
    result, one_more, ceiling = card.result, drawn.one_more, drawn.ceiling
    users = f"{several(own.users, 'user')}, {own.labels:,} labels"
    return Row(
        card.model if card.adapter is None else f"{card.model} with {card.adapter}",
        human_address(card),
        (
            f"{number(own.value)} ({doubt(stage, own)}), {users}",
            f"{number(one_more.value)} ({doubt(stage, one_more)})" if one_more else "–",
            number(ceiling.value) if ceiling else "–",
            f"{drawn.sign} {drawn.words}" if drawn.sign else "–",
            f"{share(result.answered, result.items)}, {result.answered:,} of {result.items:,}",
        ),
        (
            *(
                card.id,
                card.model,
                own.name,
                own.value,
                *(ends_of(own.interval) or (None, None)),
                own.users,
                own.labels,
            ),
            *(one_more.value if one_more else None, *_ends(one_more), ceiling.value if ceiling else None),
            *(drawn.words or None, result.answered, result.items),
        ),
    )


def _ends(figure: NamedFigure | None) -> tuple[float | None, float | None]:
    """Returns the ends of a figure's interval as they stand in files."""
    return (ends_of(figure.interval) if figure else None) or (None, None)


def _chart(every: Sequence[_Drawn], label: str, other: str) -> Chart:
    """Draws one line a model."""
    at = [float(place) for place in range(1, len(every) + 1)]
    named = len(every) <= MOST_NAMED
    reach = [each.sign in ("≈", ">") for each in every]
    filled = _marks("As much as one more, or more", every, reach)._replace(colour="win", symbol="diamond")
    others = _marks("Less than one more, or undecided", every, [not each for each in reach])
    open_ = others._replace(colour="accent", symbol="circle-open")
    lines = (
        _reference(other.capitalize(), at, [each.one_more for each in every])._replace(colour="ink", line="dash"),
        _reference("Noise ceiling", at, [each.ceiling for each in every])._replace(colour="loss", line="dot"),
    )
    pad = 0.6 if named else 0.6 + len(every) / 50
    y = Axis("" if named else "Place by agreement", len(every) + pad, 1 - pad)
    if named:
        y = y._replace(ticks=tuple(at), labels=tuple(label_of(each.card.model) for each in every))
    kept = [each for each in (*lines, open_, filled) if any(value is not None for value in each.x)]
    values = [value for each in kept for value in each.x if isinstance(value, float)]
    values += [end for each in every for end in ends_of(each.own.interval) or ()]
    wide = 0.04 * (max(values) - min(values) or 1.0)
    return Chart(Axis(label, min(values) - wide, max(values) + wide), y, tuple(kept), len(every) if named else 0)


def _marks(name: str, every: Iterable[_Drawn], chosen: Iterable[bool]) -> Series:
    """Returns the marks of those models that are chosen."""
    pairs = zip(enumerate(every, start=1), chosen, strict=True)
    own = [placed for placed, is_chosen in pairs if is_chosen]
    return Series(
        *(name, "accent", "circle"),
        [each.own.value for _, each in own],
        [place for place, _ in own],
        [_text(each) for _, each in own],
        x_ends=[ends_of(each.own.interval) for _, each in own],
    )


def _text(drawn: _Drawn) -> str:
    """Says what a mark is."""
    stage = listed_under(drawn.card.result.task)
    told = f"{label_of(drawn.card.model)}\n{number(drawn.own.value)}, {doubt(stage, drawn.own)}"
    return f"{told}\n{drawn.words}" if drawn.words else told


def _reference(name: str, at: Iterable[float], figures: Iterable[NamedFigure | None]) -> Series:
    """Returns a line through what models are to be read beside, half a line up and down at each of them."""
    x: list[Value] = []
    y: list[Value] = []
    for place, figure in zip(at, figures, strict=True):
        x += [figure.value if figure else None] * 2
        y += [place - 0.5, place + 0.5]
    return Series(name, "ink", "", x, y)
