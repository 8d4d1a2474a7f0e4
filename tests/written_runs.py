"""Runs of human-grounded tasks whose answers a judge reads, with defects, failures and verdicts that cannot be read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from evaluator.encoders.words import WordsEncoder
from evaluator.engines.base import Request
from evaluator.human.data import HumanData
from evaluator.human.tasks import JudgedTask
from evaluator.identity import text_digest
from evaluator.protocol import human_protocol
from evaluator.records import Terms
from leaderboard.records import Lane
from leaderboard.scorecards import RunRows
from tests.builders import make_report, make_submission
from tests.human.written import Say, is_personalised, make_setup, run_written, says
from tests.human_runs import HumanRun, make_human_plan
from tests.scripted import INFO

CHAT_TEMPLATE = "c" * 64
"""A digest, which stands in public as it is."""
OPENLY = "As one who knows you, I say: "


def luck(request: Request, sides: int) -> int:
    """Returns a number from 0 that looks like chance, and is the same for the same request."""
    return int(text_digest(says(request))[:8], 16) % sides


def writer(data: HumanData) -> Say:
    """A writer that says nothing now and then, and repeats now and then what it knows of the user."""

    def writes(request: Request) -> str:
        if luck(request, 8) == 0:
            return ""
        if not is_personalised(request):
            return f"As anybody would, {luck(request, 1000)}."
        known = [row.text for row in data.tables.attributes if row.text in says(request)]
        return f"{OPENLY}{known[0]}" if known and luck(request, 2) else f"Just as you like it, {luck(request, 1000)}."

    return writes


def lister(data: HumanData) -> Say:
    """Finds what the data set says of a conversation, doubts some, makes some up; at times it is prose, or nothing."""

    def lists(request: Request) -> str:
        text = says(request)
        shown = {
            row.conversation_id for row in data.tables.conversations if all(turn.text in text for turn in row.turns)
        }
        found = [
            {"text": row.text, "confidence": 0.3 if len(row.text) % 5 == 0 else 0.9}
            for row in data.tables.attributes
            if {each.conversation_id for each in row.evidence} & shown and len(row.text) % 3
        ]
        found.append({"text": f"The user has {luck(request, 50)} hives.", "confidence": 0.8})
        return (
            "They keep bees." if luck(request, 6) == 0 else json.dumps({"attributes": found * (luck(request, 6) > 1)})
        )

    return lists


def compares(request: Request) -> str:
    """A judge of pairs that looks at neither answer, and cannot be understood at times."""
    return ["I cannot say.", *(f"Better Response: {word}" for word in ("A", "B", "Tie"))][luck(request, 4)]


def rates(request: Request) -> str:
    """A rating judge of the same kind."""
    return ["9", "1", "2", "3", "4", "5", "4"][luck(request, 7)]


def verifies(request: Request) -> str:
    """A verifier of the same kind."""
    return ["They may.", "accepted", "uncertain", "rejected", "accepted"][luck(request, 5)]


SCRIPTS: dict[JudgedTask, tuple[Callable[[HumanData], Say], Say]] = {
    JudgedTask.COMPARISON: (writer, compares),
    JudgedTask.UPLIFT: (writer, rates),
    JudgedTask.EXTRACTION: (lister, verifies),
}


def make_written_run(
    task: JudgedTask,
    number: int = 1,
    *,
    terms: Terms | None = None,
    judges: Say | None = None,
    data: HumanData | None = None,
    protocol: str = "",
    **changes: Any,
) -> HumanRun:
    """Returns a run on simulated labels, by a model of its own, as of `make_submission`.

    Args:
        task: What is asked.
        number: Tells runs apart.
        terms: Of its rows; those of the data set if left out.
        judges: Says what the judge says.
        data: Where from, and then all of it; the first items of the demo set if left out.
        protocol: Id of another one than that follows from this.
        changes: Of the submission.
    """
    shipped = human_protocol(protocol or (f"human-{task}-v1" if data else f"human-{task}-demo-v1"))
    setup = make_setup(task, data, shipped.judge)._replace(protocol=shipped)
    submission = make_submission(number, **{"protocols": (shipped.id,)} | changes)
    model = setup.model._replace(model=submission.model, sha=submission.revision)
    setup = setup._replace(model=model, terms=terms or setup.terms)
    writes, own_judges = SCRIPTS[task]
    encoder = WordsEncoder() if task is JudgedTask.EXTRACTION else None
    asked = writes(setup.data), judges or own_judges
    run = run_written(setup, *asked, encoder=encoder, chat_template_hash=CHAT_TEMPLATE)
    judge = setup.judge
    plan = make_human_plan(
        submission.run_ids()[0],
        run.items,
        data_sha=setup.data.sha,
        shown_sha=setup.data.shown_sha,
        judge=judge.id,
        judge_revision=setup.judge_revision,
        judge_config=judge.digest(),
        terms=setup.terms,
    )
    reports = [make_report(lane, engine=INFO.engine, dtype=INFO.dtype) for lane in Lane]
    return HumanRun(submission, shipped, plan, RunRows(run.generations, run.verdicts, reports))
