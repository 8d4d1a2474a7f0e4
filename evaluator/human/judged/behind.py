"""Which verdicts of a run its figures are made of, for whoever works them out again without plan and data set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from evaluator.hicupid.outcomes import MadeOn
from evaluator.human.items import HumanItem, Part
from evaluator.human.judged.counting import Rows, rows_of
from evaluator.human.judged.extracted import OfUser, by_what_it_went_by, rows_about, users_in
from evaluator.human.judged.subjects import Subject, pairs_of, subjects_of
from evaluator.human.tasks import JudgedTask
from evaluator.records import Generation, Verdict


def which_verdicts_count(
    items: Sequence[HumanItem],
    generations: Sequence[Generation],
    verdicts: Sequence[Verdict],
    *,
    task: JudgedTask,
    judge: str,
    made_on: MadeOn | None = None,
) -> list[bool]:
    """Says of each verdict of a run, and of what rules found, whether `score_judged` counts it.

    Where an answer was taken down, it is not known any more what verdicts were asked for: all count that stand.

    Args:
        items: All that the run asks.
        generations: Its answers, every attempt.
        verdicts: Its verdicts, every attempt, and what rules found.
        task: The task.
        judge: Id of the judge whose verdicts count.
        made_on: As of `score_judged`.
    """
    rows = rows_of(items, generations, verdicts, judge, made_on)
    if gone := [row for row in generations if row.taken_down]:
        chosen = {id(row) for row in (*rows.verdicts.values(), *_left_by_rules(items, rows, gone))}
    else:
        subjects = subjects_of(task, items, rows.said.sound, rows.rules)
        said = (rows.verdicts.get(subject.about) for subject in subjects)
        chosen = {id(row) for row in (*said, *_found_by_rules(items, rows, subjects, task))}
    return [id(row) in chosen for row in verdicts]


def _found_by_rules(
    items: Sequence[HumanItem], rows: Rows, subjects: Sequence[Subject], task: JudgedTask
) -> Iterator[Verdict]:
    """Yields what rules found that figures are made of."""
    if task is JudgedTask.EXTRACTION:
        yield from _compared(items, rows)
    pairs = pairs_of(items, rows.said.sound)
    found = {(row.key.question_id, row.key.content_hash): row for row in rows.rules}
    for subject in subjects:
        if subject.item.part is Part.PERSONALISED:
            answer = str(pairs[subject.item.question_id].personalised.content_hash)
            if (row := found.get((subject.question_id, answer))) is not None:
                yield row


def _compared(items: Sequence[HumanItem], rows: Rows) -> Iterator[Verdict]:
    """Yields what an encoder found of each user, but of accepted attributes only of those that could be found."""
    found = by_what_it_went_by(rows.rules)
    for user in users_in(items, rows.said.sound):
        near, never = rows_about(user, found) or {}, _never_found(user)
        yield from (row for name, row in near.items() if name not in never)


def _left_by_rules(items: Sequence[HumanItem], rows: Rows, gone: Iterable[Generation]) -> Iterator[Verdict]:
    """Yields the same where answers are gone: a list could be read if an encoder has left rows on its entries."""
    listed = {(row.key.question_id.rpartition("/")[0], row.key.content_hash) for row in rows.rules}
    read = {row.key.question_id for row in gone if (row.key.question_id, row.content_hash) in listed}
    users = [user._replace(answered=user.answered | read) for user in users_in(items, rows.said.sound)]
    never = {name for user in users for name in _never_found(user)}
    yield from (row for row in rows.rules if row.key.question_id not in never)


def _never_found(user: OfUser) -> set[str]:
    """Returns the names of accepted attributes that could not be found."""
    return {item.question_id for item in user.accepted if not user.could_find(item)}
