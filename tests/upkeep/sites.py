"""A small site whose archive holds published results, one of them in many small files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from redis import Redis

from evaluator.judges.spec import load_judge
from evaluator.protocol import load_protocol
from evaluator.records import Verdict
from leaderboard.records import Batch, Lane, Plan, State, Submission, Transition
from leaderboard.release.derive import all_submissions
from leaderboard.release.release import Release
from leaderboard.scorecards import make_scorecard, make_user_scores
from leaderboard.store import Store, Write, layout
from leaderboard.store.open import Names, Stores
from leaderboard.store.runs import StoredRun, compact
from leaderboard.submissions.history import History
from leaderboard.upkeep.check import check_stores
from leaderboard.upkeep.findings import Finding, FindingKind
from leaderboard.upkeep.takedown import Site
from tests.builders import NOON, make_plan, make_report, make_submission, rows_of
from worker.draining import files_of

NAMES = Names("org/site-archive", "org/site-results", "org/site-requests")
STEPS = [
    State.CHECKING,
    State.QUEUED,
    State.GENERATING,
    State.JUDGING,
    State.SCORING,
    State.PUBLISHING,
    State.PUBLISHED,
]
QUESTION = "test_1/1-persona"
ANSWER = f"Answer to {QUESTION}."
"""Given by every model."""
MARK = "0123456789abcdef:41"


class Run(NamedTuple):
    """One published run."""

    submission: Submission
    plan: Plan

    @property
    def id(self) -> str:
        return self.plan.run_id

    @property
    def card(self) -> tuple[str, str]:
        """Model and id of its scorecard."""
        return self.submission.model, f"{self.id}@demo"


def run_of(number: int) -> Run:
    submission = make_submission(number)
    return Run(submission, make_plan(submission.run_ids()[0]))


def history_of(run: Run, steps: Sequence[State] = STEPS) -> History:
    events = [
        Transition(run_id=run.id, sequence=place, before=before, after=after, at=NOON, actor="alice", failure=None)
        for place, (before, after) in enumerate(zip([None, *steps], steps, strict=False), start=1)
    ]
    return History(submission=run.submission, events=tuple(events))


def quoting(row: Verdict) -> Verdict:
    return row.model_copy(update={"completion": f"'Answer to {row.key.question_id}.' is fine. {row.completion}"})


def batches_of(run: Run) -> Iterator[Batch]:
    """Its rows as a worker hands them over, a shard and lane at a time."""
    for shard in run.plan.shards:
        rows, number = rows_of(run.plan, shard), shard.id.rsplit(".", 1)[1]
        named = {"run_id": run.id, "shard_id": shard.id}
        made, judged = make_report(Lane.GENERATE), make_report(Lane.JUDGE)
        yield Batch(id=f"{number}-000001-0a0a0a0a-0001", **named, generations=rows.generations, report=made)
        verdicts = tuple(map(quoting, rows.verdicts))
        yield Batch(id=f"{number}-000002-0b0b0b0b-0001", **named, verdicts=verdicts, report=judged)


def write_run(archive: Store, run: Run, *, small_files: bool = False) -> None:
    """Writes what a publisher leaves of a run."""
    files = [Write(layout.submission_path(run.submission.id), history_of(run).model_dump_json().encode())]
    files += [file for batch in batches_of(run) for file in files_of([batch])]
    files += [Write(layout.plan_path(run.id), run.plan.model_dump_json().encode())]
    archive.commit(files, f"batches of {run.id} ({MARK})")
    stored = StoredRun(archive, run.id)
    card = make_scorecard(
        run.submission, run.plan, stored.rows(), load_protocol("demo-v1"), load_judge("demo"), (), NOON
    )
    users = make_user_scores(card, run.plan, stored.rows())
    files = [
        Write(layout.scorecard_path(*run.card), card.model_dump_json().encode()),
        Write(layout.user_scores_path(*run.card), users.model_dump_json().encode()),
    ]
    archive.commit([*files, *([] if small_files else compact(stored))], f"scorecard ({MARK})")


def release(stores: Stores) -> None:
    """Brings the public data sets up to date."""
    releasing = Release(stores, NAMES, frozenset())
    assert releasing.bring(all_submissions(stores.archive)) == frozenset()
    releasing.describe()
    releasing.rank()


def fill(stores: Stores) -> list[Run]:
    """Makes a site of two models: the first in a few large files, the second in many small ones."""
    runs = [run_of(1), run_of(2)]
    for run in runs:
        write_run(stores.archive, run, small_files=run is runs[1])
    release(stores)
    return runs


def findings(stores: Stores, *, repair: bool = False) -> list[Finding]:
    return list(check_stores(stores, NAMES, frozenset(), repair=repair))


def kinds(stores: Stores) -> set[FindingKind]:
    return {finding.kind for finding in findings(stores)}


def contents(store: Store) -> dict[str, bytes]:
    return store.read_all(store.list())


def site_of(stores: Stores, redis: Redis | None = None) -> Site:
    return Site(stores, NAMES, frozenset(), redis)
