"""Which figure stands for how far a judge agrees with labels, wherever only one is shown of each source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Generic, NamedTuple, TypeVar

from evaluator.human.figures import NOISE_CEILING, ONE_MORE_HUMAN
from evaluator.human.results import NamedFigure
from evaluator.human.tasks import Task
from evaluator.judges.quality.records import HumanSetAgreement, PeopleAgreement, PeoplePart, QualityFigure, Slice

Figure = TypeVar("Figure", QualityFigure, NamedFigure)

OF_SETS: Mapping[Task, str] = MappingProxyType(
    {Task.VERIFICATION: "single_kappa", Task.RATING: "spearman_within_annotators"}
)
"""The figure of a data set of people's labels that has both ceilings."""


class Headline(NamedTuple, Generic[Figure]):
    """A judge's agreement with labels as one figure, beside both ceilings where there are any."""

    name: str
    """As the documentation names it: `win_kappa`, or `kappa` where no two annotators labelled the same answer."""
    about: str
    """What was labelled: `pairs`, `schedule`, all `answers`, `verification`, `rating`."""
    judge: Figure
    one_more_human: Figure | None
    """None where no two annotators labelled the same, or nobody worked it out."""
    noise_ceiling: Figure | None
    part: PeoplePart | None = None
    """What it is a figure of, where several annotators labelled the same answers."""


def headlines_of(people: PeopleAgreement) -> Iterator[Headline[QualityFigure]]:
    """Yields the figure of each part of a source's labels.

    It is `win_kappa`, of which there is both one more human and a noise ceiling; where no two annotators labelled the
    same answer in any part, it is `kappa` with what the labels say.
    """
    several_said = [part for part in people.parts if _has_several(part)]
    for part in several_said:
        told = part.win_kappa
        yield Headline("win_kappa", part.questions, told.judge, told.one_more_human, told.noise_ceiling, part)
    if not several_said:
        for found in people.majority.slices:
            if found.slice is Slice.ALL:
                yield Headline("kappa", "answers", found.kappa, None, None)


def headline_of_set(found: HumanSetAgreement) -> Headline[NamedFigure] | None:
    """Returns the figure of a data set of people's labels; None where nobody worked it out."""
    name = OF_SETS.get(found.task)
    known = {figure.name: figure for figure in found.figures}
    if name is None or name not in known:
        return None
    one_more, ceiling = known.get(f"{name}.{ONE_MORE_HUMAN}"), known.get(f"{name}.{NOISE_CEILING}")
    return Headline(name, str(found.task), known[name], one_more, ceiling)


def _has_several(part: PeoplePart) -> bool:
    """Says whether several annotators labelled the same answers, so that there is one more of them."""
    return part.win_kappa.one_more_human.value is not None or part.win_kappa.judge.value is not None
