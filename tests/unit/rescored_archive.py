"""Archives of published runs, as small as a test wants them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from evaluator.hicupid.prompts import builtin_pack
from evaluator.hicupid.questions import Item
from evaluator.judges.prompt import wording_of
from evaluator.judges.spec import load_judge
from evaluator.records import Generation, Verdict
from leaderboard.records import Lane, Plan, ShardReport, State, Submission, Transition
from leaderboard.rescoring.selection import Filters, SelectedRun, select
from leaderboard.store import Store, Write, layout
from leaderboard.store.rows import encode_rows
from leaderboard.store.runs import StoredRun, compact
from leaderboard.submissions.history import History
from tests.builders import (
    NOON,
    SCHEDULE,
    TIE,
    YES,
    make_generation,
    make_input_key,
    make_plan,
    make_report,
    make_scorecard,
    make_submission,
    make_verdict,
    make_verdict_key,
)

JUDGE = load_judge("demo")
REVISION = "r1"
WORDING = wording_of(builtin_pack())


class Run(NamedTuple):
    """A run that is to be written."""

    plan: Plan
    generations: Sequence[Generation]
    verdicts: Sequence[Verdict] = ()


def run_id_of(number: int) -> str:
    return make_submission(number).run_ids()[0]


def answer_to(item: Item, text: str = "", **changes: Any) -> Generation:
    return make_generation(make_input_key(item.question_id), text or f"Answer to {item.question_id}.", **changes)


def verdicts_on(item: Item, row: Generation, key: dict[str, Any] | None = None, **changes: Any) -> list[Verdict]:
    """The demo judge's verdicts on an answer, one an order; `key` changes their keys and `changes` the rows."""
    told = {"judge_prompt_pack": WORDING, "decoding": JUDGE.decoding(item.type)} | (key or {})
    return [
        make_verdict(row, YES if item.type is SCHEDULE else TIE, order, make_verdict_key(row, order, **told), **changes)
        for order in item.orders
    ]


def a_run(number: int, key: dict[str, Any] | None = None, *, judged: bool = True, text: str = "") -> Run:
    """A run of six questions, two of each type, all answered; with ten verdicts if it was judged."""
    plan = make_plan(run_id_of(number))
    rows = [answer_to(item, text) for item in plan.questions]
    said = [verdict for item, row in zip(plan.questions, rows, strict=True) for verdict in verdicts_on(item, row, key)]
    return Run(plan, rows, said if judged else ())


def write_rows(store: Store, run: Run, *, small_files: bool = False, report: ShardReport | None = None) -> None:
    """Writes a run's plan and rows: one batch of answers, one of verdicts, a report with each."""
    name = run.plan.run_id
    batches = {
        "0000-000001-0a0a0a0a-0001": (run.generations, (), make_report(Lane.GENERATE)),
        "0000-000002-0b0b0b0b-0001": ((), run.verdicts, report or make_report(Lane.JUDGE)),
    }
    files = [Write(layout.plan_path(name), run.plan.model_dump_json().encode())]
    for batch, kinds in batches.items():
        folders = (layout.generations_folder, layout.verdicts_folder, layout.reports_folder)
        for folder, rows in zip(folders, (*kinds[:2], [kinds[2]]), strict=True):
            if rows:
                files.append(Write(layout.batch_path(folder(name), batch), encode_rows(rows)))
    store.commit(files, f"rows of {name}")
    if not small_files:
        store.commit(compact(StoredRun(store, name)), f"compacted {name}")


def write_card(store: Store, number: int, judge: str = "demo", *, old_place: bool = False, **changes: Any) -> str:
    """Writes a scorecard of a run; returns where."""
    submission, run_id = make_submission(number), run_id_of(number)
    own = {"id": f"{run_id}@{judge}", "submission_id": submission.id, "run_id": run_id, "judge": judge}
    card = make_scorecard(submission.model, **(own | changes))
    path = (layout.old_scorecard_path if old_place else layout.scorecard_path)(card.model, card.id)
    store.commit([Write(path, card.model_dump_json().encode())], f"scorecard {card.id}")
    return path


def write_history(store: Store, submission: Submission, *events: Any) -> None:
    published = Transition(
        run_id=submission.run_ids()[0],
        sequence=1,
        before=None,
        after=State.CHECKING,
        at=NOON,
        actor="alice",
        failure=None,
    )
    history = History(submission=submission, events=(published, *events))
    path = layout.submission_path(submission.id)
    store.commit([Write(path, history.model_dump_json().encode())], f"history of {submission.id}")


def publish(store: Store, number: int, run: Run | None = None, *, small_files: bool = False, **report: Any) -> Run:
    """Writes a whole published run."""
    run = run or a_run(number)
    write_rows(store, run, small_files=small_files, report=make_report(Lane.JUDGE, **report))
    write_card(store, number)
    write_history(store, make_submission(number))
    return run


def all_runs(store: Store) -> tuple[SelectedRun, ...]:
    return select(store, Filters())
