"""What extracted attributes come to: how many that people accepted were found, and how many a verifier accepts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from evaluator.hicupid.outcomes import why_missing
from evaluator.human.items import HumanItem, Part
from evaluator.human.judged.counting import Entry, Rows, Scored, all_named, judging_of, mean_figure
from evaluator.human.judged.extracted import Found, OfUser, by_what_it_went_by, mergers_of, rows_about, users_in
from evaluator.human.judged.subjects import subjects_of
from evaluator.human.labelled import PROBLEMATIC, problem_of
from evaluator.human.outcomes import labelled
from evaluator.human.records import Verification
from evaluator.human.results import NamedFigure
from evaluator.human.scoring import score_classes
from evaluator.human.stages.extraction import read_extraction
from evaluator.human.tasks import JudgedTask, Task
from evaluator.records import Outcome

_UNCOMPARED = "not_compared"
"""Why an attribute has no verdict which no encoder has looked at."""


def extracted(items: Sequence[HumanItem], rows: Rows, epsilon: float) -> Scored:
    """Returns what extracted attributes come to."""
    users, found = users_in(items, rows.said.sound), by_what_it_went_by(rows.rules)
    subjects = subjects_of(JudgedTask.EXTRACTION, items, rows.said.sound, rows.rules)
    written = [subject for subject in subjects if subject.merger is not None]
    outcomes = [(subject.item.person, rows.outcome(subject)) for subject in written]
    missing = Counter(
        why_missing(rows.verdicts.get(subject.about)) for subject in written if rows.outcome(subject) is None
    )
    uncompared = sum(len(user.claims) for user in users if rows_about(user, found) is None)
    missing.update({_UNCOMPARED: uncompared} if uncompared else {})
    judging = judging_of(
        items=len(written) + uncompared,
        judged=sum(outcome is not None for _, outcome in outcomes),
        missing=missing,
        rows=rows,
    )
    accepted = [Entry(person, outcome is Outcome.ACCEPTED) for person, outcome in outcomes if outcome is not None]
    conversations = [item for item in items if item.part is Part.CONVERSATION]
    figures = {
        "recall": mean_figure("extraction.recall", _recalled(users, found)),
        "accepted": mean_figure("extraction.accepted", accepted),
        "attributes_per_user": mean_figure("extraction.attributes_per_user", _sizes(users, found)),
        "answered": mean_figure(
            "extraction.answered", [Entry(item.person, item.question_id in rows.said.sound) for item in conversations]
        ),
    }
    own = {"figures": _beside_people(items, rows, epsilon), "encoder": encoder_of(rows), "dropped": dropped_of(rows)}
    return Scored(figures, judging.model_copy(update=own))


def _recalled(users: Iterable[OfUser], found: Found) -> list[Entry]:
    """Returns for each accepted attribute whether it was found.

    One that stands only in conversations whose lists cannot be read could not be found, and does not count.
    """
    recalled = []
    for user in users:
        near = rows_about(user, found) or {}
        for item in user.accepted:
            row = near.get(item.question_id)
            if row is not None and row.outcome is not Outcome.MERGED and user.could_find(item):
                recalled.append(Entry(user.person, row.outcome is Outcome.MATCHED))
    return recalled


def _sizes(users: Iterable[OfUser], found: Found) -> list[Entry]:
    """Returns how many attributes were extracted of each user of whom any list can be read."""
    sizes = []
    for user in users:
        near = rows_about(user, found)
        if near is not None and user.answered:
            sizes.append(Entry(user.person, len(mergers_of(user, near))))
    return sizes


def _beside_people(items: Sequence[HumanItem], rows: Rows, epsilon: float) -> tuple[NamedFigure, ...]:
    """Returns how a verifier agrees with people, by the figures of the task `verification`."""
    given = [item for item in items if item.part is Part.GIVEN]
    said = {}
    for subject in subjects_of(JudgedTask.EXTRACTION, given, {}, ()):
        if (outcome := rows.outcome(subject)) is not None:
            said[subject.question_id] = problem_of(Verification(outcome.value))
    if not given:
        return ()
    return all_named(score_classes(Task.VERIFICATION, labelled(given), said, of=PROBLEMATIC, epsilon=epsilon))


def encoder_of(rows: Rows) -> str | None:
    """Names what compared attributes; None if nothing was compared."""
    return min((f"{row.key.rater}@{row.key.rater_revision}" for row in rows.rules), default=None)


def dropped_of(rows: Rows) -> tuple[tuple[str, int], ...]:
    """Counts the entries of lists that can be read which were left out."""
    lists = [read_extraction(row.answer or "") for row in rows.said.sound.values()]
    counts = {
        "doubtful": sum(each.doubtful for each in lists),
        "duplicates": sum(each.duplicates for each in lists),
        "malformed": sum(each.malformed for each in lists),
    }
    return tuple((name, count) for name, count in counts.items() if count)
