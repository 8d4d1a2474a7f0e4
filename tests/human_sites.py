"""Archives with runs of the human-grounded suite, as a publisher leaves them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leaderboard.records import Amendment, AmendmentKind, Batch, State, Transition, amendment_version
from leaderboard.store import Store, Write, layout
from leaderboard.store.runs import StoredRun, compact
from leaderboard.submissions.history import History
from tests.builders import NOON
from tests.human_runs import HumanRun
from worker.draining import files_of

STEPS = (
    State.CHECKING,
    State.QUEUED,
    State.GENERATING,
    State.JUDGING,
    State.SCORING,
    State.PUBLISHING,
    State.PUBLISHED,
)


def history_of(run: HumanRun, steps: Sequence[State] = STEPS) -> History:
    events = [
        Transition(run_id=run.id, sequence=place, before=before, after=after, at=NOON, actor="alice", failure=None)
        for place, (before, after) in enumerate(zip([None, *steps], steps, strict=False), start=1)
    ]
    return History(submission=run.submission, events=tuple(events))


def amended(history: History, kind: AmendmentKind, **changes: Any) -> History:
    """Returns a history that goes on with something that a person did."""
    event = Amendment(
        schema_version=amendment_version(kind),
        kind=kind,
        submission_id=history.submission.id,
        sequence=len(history.events) + 1,
        at=NOON,
        actor="alice",
        text="Because.",
        **changes,
    )
    return history.model_copy(update={"events": (*history.events, event)})


def write_human_run(archive: Store, run: HumanRun, *, small_files: bool = False) -> None:
    """Writes what a publisher leaves of a run."""
    named, rows = {"run_id": run.id, "shard_id": run.plan.shards[0].id}, run.rows
    made, judged = rows.reports
    batches = [
        Batch(id="0000-000001-0a0a0a0a-0001", **named, generations=tuple(rows.generations), report=made),
        Batch(id="0000-000002-0b0b0b0b-0001", **named, verdicts=tuple(rows.verdicts), report=judged),
    ]
    card = run.card
    files = [
        Write(layout.submission_path(run.submission.id), history_of(run).model_dump_json().encode()),
        Write(layout.plan_path(run.id), run.plan.model_dump_json().encode()),
        *(file for batch in batches for file in files_of([batch])),
        Write(layout.human_scorecard_path(card.model, card.id), card.model_dump_json().encode()),
    ]
    archive.commit(files, f"rows of {run.id}")
    if not small_files:
        archive.commit(compact(StoredRun(archive, run.id)), f"scorecard of {run.id}")
