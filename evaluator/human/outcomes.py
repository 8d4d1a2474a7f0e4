"""From the rows of a run to its result: which answers stand, what they say, and how far that agrees with people."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from evaluator.hicupid.scoring import rounded
from evaluator.human.answers import fault_of, read, standing
from evaluator.human.items import HumanItem
from evaluator.human.labelled import PROBLEMATIC, RELEVANT, Label, Labelled, labelled_of
from evaluator.human.records import RaterKind
from evaluator.human.results import HumanResult, NamedFigure
from evaluator.human.scoring import HumanFigure, HumanFigures, score_classes, score_ratings
from evaluator.human.stages.reading import Invalid
from evaluator.human.tasks import Task
from evaluator.metrics.efficiency import prefill_efficiency
from evaluator.records import Generation

NOT_GENERATED = "not_generated"
"""Why an item of a run that is over has no row."""


class Said(NamedTuple):
    """What the rows of a run say of its items."""

    numbers: Mapping[str, float]
    """By item, on the scale of its labels; invalid answers are not among them, nor what a judge reads."""
    sound: Mapping[str, Generation]
    """The answers that count, by item."""
    invalid: Mapping[str, str]
    """Why an item's answer cannot be read."""
    failed: Mapping[str, str]
    """Why an item has no answer."""
    retried: int
    counted: Sequence[Generation]
    """The rows that were looked at."""
    clashes: int


def what_was_said(items: Iterable[HumanItem], generations: Iterable[Generation]) -> Said:
    """Reads the answers of a run to what a model is asked, and notes what cannot be asked."""
    attempts, clashes = _attempts(generations)
    sound, invalid, failed = dict[str, Generation](), dict[str, str](), dict[str, str]()
    numbers, retried, counted = dict[str, float](), 0, list[Generation]()
    for item in items:
        tried = attempts.get(item.question_id, [])
        counted += tried
        retried += len(tried) > 1
        answer = standing(item, tried) or (tried[-1] if tried else None)
        if not item.is_asked:
            if item.unasked:
                invalid[item.question_id] = item.unasked
        elif answer is None or answer.answer is None:
            failed[item.question_id] = str(answer.failure) if answer and answer.failure else NOT_GENERATED
        elif fault := fault_of(item, answer):
            invalid[item.question_id] = fault
        else:
            sound[item.question_id] = answer
            if item.part is None and not isinstance(said := read(item, answer.answer), Invalid):
                numbers[item.question_id] = said
    return Said(numbers, sound, invalid, failed, retried, counted, clashes)


def score(items: Sequence[HumanItem], generations: Iterable[Generation], *, task: Task, epsilon: float) -> HumanResult:
    """Returns what a run comes to.

    Args:
        items: All that it asks, of one task.
        generations: Its answers, every attempt.
        task: The task.
        epsilon: What the alternative annotator test grants the model.
    """
    said, people = what_was_said(items, generations), labelled(items)
    figures = _figures(task, items, people, said.numbers, epsilon) if items else {}
    return HumanResult(
        task=task,
        kind=items[0].kind if items else RaterKind.PERSON,
        items=len(items),
        answered=len(said.numbers),
        answered_share=rounded(len(said.numbers) / len(items)) if items else None,
        invalid=counted(said.invalid.values()),
        retried=said.retried,
        failures=counted(said.failed.values()),
        clashes=said.clashes,
        users=len({item.person for item in items}),
        annotators=len(people.annotators),
        labels=sum(len(item.labels) for item in items),
        figures=tuple(named(name, figure) for name, figure in sorted(figures.items())),
        prefill_efficiency=rounded(prefill_efficiency(said.counted)),
    )


def named(name: str, figure: HumanFigure) -> NamedFigure:
    """Returns a figure as it is kept: a reason by its name, since its words may be put better."""
    reason = figure.reason.name.lower() if figure.reason else None
    return NamedFigure(**{**dict(figure), "name": name, "reason": reason})


def labelled(items: Iterable[HumanItem]) -> Labelled:
    """Returns what people said of some items as a table."""
    return labelled_of(
        Label(item.question_id, item.person, label.annotator, label.number) for item in items for label in item.labels
    )


def _figures(
    task: Task, items: Iterable[HumanItem], people: Labelled, said: Mapping[str, float], epsilon: float
) -> HumanFigures:
    """Returns the figures of a task."""
    if task is Task.RATING:
        openly = {item.question_id: item.mentioned for item in items if item.mentioned is not None}
        return score_ratings(task, people, said, openly, epsilon=epsilon)
    matters = PROBLEMATIC if task is Task.VERIFICATION else RELEVANT
    return score_classes(task, people, said, of=matters, epsilon=epsilon)


def _attempts(generations: Iterable[Generation]) -> tuple[dict[str, list[Generation]], int]:
    """Returns the answers to each question in the order of the attempts, and how many clashing ones were left out."""
    by_key: dict[str, dict[str, Generation]] = defaultdict(dict)
    for row in generations:
        by_key[row.input_key].setdefault(row.content_hash or f"failed: {row.failure}", row)
    kept = [min(rows.items(), key=lambda named: named[0])[1] for rows in by_key.values()]
    found: dict[str, list[Generation]] = defaultdict(list)
    for row in sorted(kept, key=lambda row: (row.key.sample_index, row.input_key)):
        found[row.key.question_id].append(row)
    return found, sum(len(rows) - 1 for rows in by_key.values())


def counted(reasons: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """Counts reasons by name.

    Example:
        >>> counted(["prose", "empty", "prose"])
        (('empty', 1), ('prose', 2))
    """
    return tuple(sorted(Counter(str(reason) for reason in reasons).items()))
