"""What the scores of all tasks are made of in which a judge reads what a model wrote."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from evaluator.hicupid.outcomes import MadeOn, latest_rows
from evaluator.hicupid.scoring import rounded
from evaluator.human.figures import FIGURES
from evaluator.human.items import HumanItem
from evaluator.human.judged.subjects import Subject
from evaluator.human.outcomes import Said, named, what_was_said
from evaluator.human.results import Judging, NamedFigure
from evaluator.human.scoring import HumanFigures, Places, figure_of
from evaluator.records import Generation, Outcome, SlotOrder, Verdict


class Rows(NamedTuple):
    """What the rows of a run say."""

    said: Said
    verdicts: Mapping[tuple[str, str, SlotOrder], Verdict]
    """Those of the judge that count, by what they are about."""
    rules: Sequence[Verdict]
    """What rules found."""

    def outcome(self, subject: Subject) -> Outcome | None:
        """Returns what the judge says of a subject."""
        verdict = self.verdicts.get(subject.about)
        return verdict.outcome if verdict else None


class Entry(NamedTuple):
    """One number that a figure is made of."""

    person: str
    """Whose it is."""
    number: float


class Scored(NamedTuple):
    """What one task comes to."""

    figures: Mapping[str, NamedFigure]
    judging: Judging


def rows_of(
    items: Iterable[HumanItem],
    generations: Iterable[Generation],
    verdicts: Iterable[Verdict],
    judge: str,
    made_on: MadeOn | None,
) -> Rows:
    """Sorts the rows of a run."""
    every = list(verdicts)
    own = [row for row in every if row.rater_kind == "model" and row.key.rater == judge]
    said = what_was_said(items, generations)
    return Rows(said, latest_rows([], own, made_on)[1], [row for row in every if row.rater_kind == "rule"])


def judging_of(*, items: int, judged: int, missing: Counter[str], rows: Rows) -> Judging:
    """Returns what a judge had to say."""
    return Judging(
        items=items,
        judged=judged,
        judged_share=rounded(judged / items) if items else None,
        verdicts=sum(row.outcome is not None for row in rows.verdicts.values()),
        missing=missing.total(),
        missing_because=tuple(sorted(missing.items())),
        defects=(),
        encoder=None,
        figures=(),
    )


def mean_figure(name: str, entries: Sequence[Entry]) -> NamedFigure:
    """Returns the mean of some numbers as a figure."""
    numbers = np.array([entry.number for entry in entries], dtype=np.float64)

    def mean(left: Places) -> float | None:
        return float(numbers[left].mean()) if len(left) else None

    return named_figure(name, mean, [entry.person for entry in entries])


def named_figure(name: str, figure: Callable[[Places], float | None], people: Sequence[str]) -> NamedFigure:
    """Returns a figure with the interval that belongs to it.

    Args:
        name: Stage and name, as in `evaluator.human.figures`.
        figure: Takes places of entries and returns the figure of these.
        people: Whose each entry is.
    """
    found = figure_of(figure, np.array(people, dtype=np.str_), FIGURES[name].method)
    return named(name.partition(".")[2], found)


def all_named(figures: HumanFigures) -> tuple[NamedFigure, ...]:
    """Returns figures as they are kept, sorted by name."""
    return tuple(named(name, figure) for name, figure in sorted(figures.items()))
