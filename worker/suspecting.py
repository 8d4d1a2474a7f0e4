"""Looks through a run's answers as it is published; what seems made for a judge is noted for a maintainer.

It changes nothing else: scorecard, rank and rows are what they would be anyway.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator

from redis.exceptions import RedisError

from evaluator.hicupid.outcomes import MadeOn, latest_rows
from evaluator.hicupid.questions import Item
from evaluator.human.items import HumanItem, Part
from evaluator.human.stages.extraction import read_extraction
from evaluator.judges.suspicion import Answer, find_suspicions, told
from evaluator.protocol import is_reference
from evaluator.records import Generation
from evaluator.setup import AnyItem
from leaderboard.records import AmendmentKind, Plan, submission_of
from leaderboard.scorecards import RunRows
from leaderboard.submissions.history import History, amendments_of
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.reading import NotInLedger
from leaderboard.submissions.suspicions import note_suspicion

log = logging.getLogger("rapport.publisher")


def look_through(ledger: Ledger, history: History, plan: Plan, rows: RunRows, actor: str) -> None:
    """Notes once what a maintainer should look at in a run's answers; Redis is not asked where there is nothing.

    Called again, after a crash, it adds nothing. A fault of its own keeps no run from the board: that nobody has
    looked is then noted instead, so that no answer gets past by causing one.

    Args:
        ledger: Where it is noted.
        history: Of the run's submission, read not long ago.
        plan: What the run asked.
        rows: What came out.
        actor: Who notes it.
    """
    said = {each.about for each in amendments_of(history.events, AmendmentKind.SUSPECTED)}
    if plan.run_id in said or is_reference(history.submission.model):
        return
    if text := _looked(plan, rows):
        log.warning("%s: %s", plan.run_id, text)
        _note(ledger, plan.run_id, text, actor)


def _note(ledger: Ledger, run_id: str, text: str, actor: str) -> None:
    """Notes something, unless that turns out to be impossible; what is away is waited for like everywhere."""
    try:
        note_suspicion(ledger, submission_of(run_id), run_id, text, actor)
    except (RedisError, NotInLedger):
        raise
    except Exception:
        log.exception("what was found in the answers of %s could not be noted", run_id)


def _looked(plan: Plan, rows: RunRows) -> str | None:
    """Returns what there is to note of a run, or None."""
    try:
        findings = find_suspicions(answers_read(plan.items, rows.generations, rows.made_on))
    except Exception as error:
        log.exception("the answers of %s were not looked through", plan.run_id)
        return (
            f"The answers could not be looked through ({type(error).__name__}), which says nothing against them: our "
            "fault, see the publisher's log. Nothing was changed: a maintainer decides."
        )
    return told(findings) if findings else None


def answers_read(items: Iterable[AnyItem], generations: Iterable[Generation], made_on: MadeOn) -> list[Answer]:
    """Returns the answers of a run that its judge read, each as far as it reached the judge.

    Args:
        items: What the run asked.
        generations: What came out; of several rows on one question one counts, as it does for scores.
        made_on: What the run was made on.
    """
    rows = defaultdict[str, list[Generation]](list)
    for row in generations:
        rows[row.key.question_id].append(row)
    return list(_answers_read(items, rows, made_on))


def _answers_read(items: Iterable[AnyItem], rows: dict[str, list[Generation]], made_on: MadeOn) -> Iterator[Answer]:
    """Yields them: no judge reads what has a defect, nor the one word that is compared with people's labels."""
    for item in items:
        group = _group(item)
        if group is None or not (own := rows.get(item.question_id)):
            continue
        row = own[0] if len(own) == 1 else latest_rows(own, (), made_on)[0][item.question_id]
        if row.answer is None or row.defect is not None:
            continue
        text = row.answer
        if isinstance(item, HumanItem) and item.part is Part.CONVERSATION:
            text = "\n".join(attribute.text for attribute in read_extraction(text).attributes)
        if text:
            yield Answer(item.question_id, group, text)


def _group(item: AnyItem) -> str | None:
    """Names the kind of question that an item asks; None where no judge reads the answer."""
    if isinstance(item, Item):
        return item.type.value
    return item.part.value if item.part is not None else None
