"""What a writer's answers come to: compared with each other, or rated attribute by attribute."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from evaluator.hicupid.outcomes import why_missing
from evaluator.human.items import HumanItem, Part
from evaluator.human.judged.counting import Entry, Rows, Scored, all_named, judging_of, mean_figure, named_figure
from evaluator.human.judged.prompts import RATINGS
from evaluator.human.judged.subjects import Pair, Subject, pairs_of, prompt_of, subjects_of
from evaluator.human.outcomes import Said, counted, labelled
from evaluator.human.results import NamedFigure
from evaluator.human.scoring import Places, score_ratings
from evaluator.human.tasks import JudgedTask, Task
from evaluator.records import Defect, Outcome

_NEUTRAL = 3
"""The rating that says no difference."""
_GENERIC = "generic"
"""What the cause begins with if it is the generic answer that is missing."""


def compared(items: Sequence[HumanItem], rows: Rows, epsilon: float) -> Scored:
    """Returns what pairs come to that were compared: one is a win, a tie or neither, by half where orders differ."""
    wished = [item for item in items if item.part is Part.PERSONALISED]
    pairs = pairs_of(items, rows.said.sound)
    subjects = subjects_of(JudgedTask.COMPARISON, items, rows.said.sound, rows.rules)
    said: dict[str, list[Outcome | None]] = {}
    for subject in subjects:
        said.setdefault(subject.question_id, []).append(rows.outcome(subject))
    lost = {item.question_id: rows.said.invalid[item.question_id] for item in wished if _is_lost(item, rows.said)}
    outcomes = {name: [each for each in found if each is not None] for name, found in said.items() if None not in found}
    outcomes |= {name: [Outcome.LOSS] for name in lost}
    people = {item.question_id: item.person for item in wished}
    judging = judging_of(
        items=len(wished), judged=len(outcomes), missing=_missing(wished, subjects, rows, set(lost)), rows=rows
    )
    figures = {
        name: mean_figure(
            f"writing.{name}", [Entry(people[each], _share(found, outcome)) for each, found in outcomes.items()]
        )
        for name, outcome in (("win", Outcome.WIN), ("tie", Outcome.TIE))
    }
    figures["answered"] = _answered(wished, pairs)
    return Scored(figures, judging.model_copy(update={"defects": counted(lost.values())}))


def _is_lost(item: HumanItem, said: Said) -> bool:
    """Says whether a personalised answer loses unjudged: it has a defect, and the generic one has none."""
    fault = said.invalid.get(item.question_id)
    return fault in tuple(Defect) and prompt_of(item) in said.sound


def _share(found: Sequence[Outcome], outcome: Outcome) -> float:
    """Returns the share of verdicts that say one thing."""
    return sum(each is outcome for each in found) / len(found)


_OPENLY: Mapping[Outcome | None, bool] = {Outcome.MENTIONED: True, Outcome.UNMENTIONED: False}
"""Whether an attribute is named; nothing where that cannot be told."""


class _Rated(NamedTuple):
    """A rating of one attribute in one personalised answer."""

    response: str
    person: str
    rating: int
    mentioned: bool | None


def uplifted(items: Sequence[HumanItem], rows: Rows, epsilon: float) -> Scored:
    """Returns what personalised answers come to that were rated attribute by attribute."""
    wished = [item for item in items if item.part is Part.PERSONALISED]
    pairs = pairs_of(items, rows.said.sound)
    subjects = subjects_of(JudgedTask.UPLIFT, items, rows.said.sound, rows.rules)
    written = [subject for subject in subjects if subject.item.part is Part.PERSONALISED]
    rated = _ratings(written, pairs, rows)
    judged = {
        subject.question_id: float(RATINGS[outcome])
        for subject in subjects
        if subject.item.part is Part.GIVEN and (outcome := rows.outcome(subject)) is not None
    }
    given = [item for item in items if item.part is Part.GIVEN]
    judging = judging_of(
        items=sum(len(item.orders) for item in wished),
        judged=len(rated),
        missing=_missing(wished, written, rows, set()),
        rows=rows,
    )
    figures = _uplift_figures(rated) | {"inflation": _inflation(given, judged), "answered": _answered(wished, pairs)}
    return Scored(figures, judging.model_copy(update={"figures": _beside_people(given, judged, epsilon)}))


def _ratings(written: Iterable[Subject], pairs: Mapping[str, Pair], rows: Rows) -> list[_Rated]:
    """Returns the ratings that were read, each with whether the answer names its attribute openly."""
    found = {(row.key.question_id, row.key.content_hash): row.outcome for row in rows.rules}
    rated = []
    for subject in written:
        answer = str(pairs[subject.item.question_id].personalised.content_hash)
        if (outcome := rows.outcome(subject)) is not None:
            openly = _OPENLY.get(found.get((subject.question_id, answer), Outcome.UNTOLD))
            item = subject.item
            rated.append(_Rated(item.question_id, item.person, int(RATINGS[outcome]), openly))
    return rated


def _uplift_figures(rated: Sequence[_Rated]) -> dict[str, NamedFigure]:
    """Returns the figures of ratings; a response has the mean of those of its ratings that were read."""
    responses: dict[tuple[str, str], list[int]] = defaultdict(list)
    for each in rated:
        responses[each.person, each.response].append(each.rating)
    told = [each for each in rated if each.mentioned is not None]
    openly = np.array([bool(each.mentioned) for each in told])
    ratings = np.array([float(each.rating) for each in told])

    def effect(left: Places) -> float | None:
        means = [ratings[left][openly[left] == value] for value in (True, False)]
        return float(means[0].mean() - means[1].mean()) if all(map(len, means)) else None

    return {
        "uplift": mean_figure("writing.uplift", [Entry(each.person, each.rating - _NEUTRAL) for each in rated]),
        "no_better_responses": mean_figure(
            "writing.no_better_responses",
            [Entry(person, sum(given) <= _NEUTRAL * len(given)) for (person, _), given in responses.items()],
        ),
        "no_better_ratings": mean_figure(
            "writing.no_better_ratings", [Entry(each.person, each.rating <= _NEUTRAL) for each in rated]
        ),
        "mentioned": mean_figure("writing.mentioned", [Entry(each.person, bool(each.mentioned)) for each in told]),
        "mention_effect": named_figure("writing.mention_effect", effect, [each.person for each in told]),
    }


def _inflation(given: Sequence[HumanItem], judged: Mapping[str, float]) -> NamedFigure:
    """Returns by how much a rating judge's mean is above people's on what both rated."""
    both = [item for item in given if item.question_id in judged and item.labels]
    entries = [
        Entry(item.person, judged[item.question_id] - sum(label.number for label in item.labels) / len(item.labels))
        for item in both
    ]
    return mean_figure("writing.inflation", entries)


def _beside_people(given: Sequence[HumanItem], judged: Mapping[str, float], epsilon: float) -> tuple[NamedFigure, ...]:
    """Returns how a rating judge agrees with people, by the figures of the task `rating`."""
    if not given:
        return ()
    openly = {item.question_id: item.mentioned for item in given if item.mentioned is not None}
    figures = score_ratings(Task.RATING, labelled(given), judged, openly, epsilon=epsilon)
    return all_named(figures)


def _answered(wished: Sequence[HumanItem], pairs: Mapping[str, Pair]) -> NamedFigure:
    """Returns the share of pairs of which both answers are there."""
    return mean_figure("writing.answered", [Entry(item.person, item.question_id in pairs) for item in wished])


def _missing(wished: Iterable[HumanItem], subjects: Iterable[Subject], rows: Rows, settled: set[str]) -> Counter[str]:
    """Counts the verdicts that are missing by their causes; those of `settled` pairs were never owed."""
    causes = Counter(
        why_missing(rows.verdicts.get(subject.about)) for subject in subjects if rows.outcome(subject) is None
    )
    for item in wished:
        if item.question_id not in settled and (cause := _why_unjudged(item, rows.said)):
            causes[cause] += len(item.orders)
    return causes


def _why_unjudged(item: HumanItem, said: Said) -> str | None:
    """Says why a pair could not be judged at all; None if it could."""
    for name, prefix in ((item.question_id, ""), (prompt_of(item), f"{_GENERIC}_")):
        if name not in said.sound:
            cause = said.failed.get(name) or said.invalid.get(name) or "not_asked"
            return f"{prefix}{cause}"
    return None
