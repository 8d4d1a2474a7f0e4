"""Runs of human-grounded tasks on an audited site, and hands that change their public scorecards."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from evaluator.hicupid.data import HicupidData
from evaluator.hicupid.data import demo_set as hicupid_demo_set
from evaluator.human.data import HumanData, demo_set
from evaluator.human.items import HumanItem
from evaluator.human.people import People
from evaluator.human.setup import items
from evaluator.human.synthetic import synthetic_data
from evaluator.human.tasks import JudgedTask, Task
from evaluator.protocol import HumanProtocol, human_protocol
from evaluator.records import Terms
from leaderboard.audit.records import Audit, AuditedCard, Standing
from leaderboard.open_data import layout
from leaderboard.open_data.human import OpenHumanScorecard
from leaderboard.open_data.records import OpenVerdict
from leaderboard.store.base import Store
from leaderboard.store.local import LocalStore
from tests.audit.sites import FAIR, change
from tests.builders import make_declaration
from tests.human.runs import DEMO, make_human_setup
from tests.human.written import demo_data
from tests.human_runs import HumanRun, answers_to, make_human_plan, make_human_run
from tests.human_sites import write_human_run
from tests.released import released
from tests.written_runs import CHAT_TEMPLATE, make_written_run

SILENT = make_declaration(publish_answers=False)
FREE = demo_data().terms
BOUND = FREE.model_copy(update={"redistributable": False, "personal_data": "personal"})
SET, HICUPID = str(demo_set()), str(hicupid_demo_set())
WRITTEN = {task: make_written_run(task, number, model=FAIR) for number, task in enumerate(JudgedTask, start=11)}
COMPARED, RATED, EXTRACTED = (
    WRITTEN[task] for task in (JudgedTask.COMPARISON, JudgedTask.UPLIFT, JudgedTask.EXTRACTION)
)
WORDS = {Task.VERIFICATION: ("accepted", "rejected"), Task.RELEVANCE: ("YES", "NO"), Task.RATING: ("2", "4")}
DIFFERS, AGREES, UNCHECKED = Standing.DIFFERS, Standing.AGREES, Standing.UNCHECKED


def chosen(
    task: Task, number: int = 14, terms: Terms = FREE, data: HumanData = DEMO, kind: str = "demo", **changes: Any
) -> HumanRun:
    """A run whose truth is labels, on the first items of a data set, with some prose."""
    shipped = human_protocol(f"human-{task}-{kind}-v1")
    asked = items_of(shipped, data)
    model = changes.get("model", f"org/model-{number}")
    key = {
        "model": model,
        "protocol": shipped.id,
        "chat_template_hash": CHAT_TEMPLATE,
        "data_sha": data.shown_sha,
    }
    prose = "They told me so."
    rows = answers_to(asked, lambda item, place: WORDS[task][place % 2] if place else prose, terms, **key)
    run = make_human_run(task, number, asked=asked, rows=rows, terms=terms, protocol=shipped.id, **changes)
    plan = make_human_plan(run.id, asked, terms=terms, data_sha=data.sha)
    return run._replace(plan=plan)


def made_up(task: Task, number: int = 15, **changes: Any) -> HumanRun:
    """The same on HiCUPID's made-up users."""
    data = synthetic_data(HicupidData.open(HICUPID), task)
    return chosen(task, number, data=data, kind="synthetic-demo", **changes)


def items_of(protocol: HumanProtocol, data: HumanData) -> tuple[HumanItem, ...]:
    setup = make_human_setup(Task(protocol.task), data)._replace(protocol=protocol, judge=People())
    return tuple(items(setup))


def site_of(folder: Path, *runs: HumanRun) -> LocalStore:
    archive = LocalStore(folder / "store")
    for run in runs:
        write_human_run(archive, run)
    released(archive, folder)
    return LocalStore(folder / "results")


def card(found: Audit, run: HumanRun) -> AuditedCard:
    (own,) = [each for each in found.cards if each.scorecard_id == run.card.id]
    return own


def figures(found: Audit, run: HumanRun) -> set[str]:
    return {each.figure for each in card(found, run).differences}


def verdict_path(run: HumanRun) -> str:
    return layout.verdicts_path(run.plan.judge, run.submission.model, run.id)


def answer_path(run: HumanRun) -> str:
    return layout.generations_path(run.submission.model, run.id)


def is_written(row: OpenVerdict) -> bool:
    return row.counts and row.rater_kind == "model" and not row.question_id.startswith("given/")


def of_scorecard(scorecard: dict[str, Any], name: str) -> dict[str, Any]:
    result: dict[str, Any] = scorecard["result"]
    return next(figure for figure in result["figures"] if figure["name"] == name)


def raise_in_card(results: Store, run: HumanRun, by: Callable[[dict[str, Any]], object]) -> None:
    """Changes a public scorecard in its JSON alone."""
    path = layout.human_scorecards_path(run.submission.model)

    def change_json(rows: list[OpenHumanScorecard]) -> Iterator[OpenHumanScorecard]:
        for row in rows:
            value = json.loads(row.scorecard)
            if row.scorecard_id == run.card.id:
                by(value)
            yield row.model_copy(update={"scorecard": json.dumps(value)})

    change(results, path, OpenHumanScorecard, lambda rows: list(change_json(rows)))
