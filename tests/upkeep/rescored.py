"""A small archive in which a re-score has judged every run anew, as a publisher leaves it."""

from __future__ import annotations

from collections.abc import Sequence

from evaluator.judges.spec import load_judge
from evaluator.protocol import load_protocol
from evaluator.records import Verdict
from leaderboard.records import Batch, Lane
from leaderboard.rescoring.promotions import Promotion, Promotions
from leaderboard.rescoring.records import Rescore, RescoreEvent, RescoreStep, judging_id
from leaderboard.rescoring.rows import rows_under
from leaderboard.results import Scorecard
from leaderboard.scorecards import make_scorecard, make_user_scores
from leaderboard.store import Store, Write, layout
from leaderboard.store.base import Operation
from leaderboard.store.runs import StoredRun, compact
from tests.builders import NOON, make_report
from tests.upkeep.sites import MARK, Run, batches_of
from worker.draining import files_of

OTHER = "other"
"""Its judge."""
RESCORE = "r-20260302-0a1b2c3d"
_STEPS = {
    RescoreStep.STARTED: (RescoreStep.STARTED,),
    RescoreStep.COMPLETED: (RescoreStep.STARTED, RescoreStep.COMPLETED),
    RescoreStep.DISCARDED: (RescoreStep.STARTED, RescoreStep.COMPLETED, RescoreStep.DISCARDED),
    RescoreStep.PROMOTED: (RescoreStep.STARTED, RescoreStep.COMPLETED, RescoreStep.PROMOTED),
}


def rescore_of_runs(runs: Sequence[Run], last: RescoreStep) -> Rescore:
    """A re-score of some runs after one of its steps."""
    events = tuple(
        RescoreEvent(sequence=number, step=step, at=NOON, actor="carol", reason="A better judge.")
        for number, step in enumerate(_STEPS[last], start=1)
    )
    return Rescore(
        id=RESCORE,
        judge=OTHER,
        judge_revision="r2",
        judge_config="9" * 64,
        prompt_pack="pack",
        prompt_pack_status="builtin",
        runs=tuple(run.id for run in runs),
        created_by="carol",
        created_at=NOON,
        events=events,
    )


def said_by_other(row: Verdict) -> Verdict:
    """The same, said by the other judge."""
    key = row.key.model_copy(update={"rater": OTHER, "rater_revision": "r2"})
    return row.model_copy(update={"key": key, "verdict_key": key.digest(), "completion": f"Other: {row.completion}"})


def judging_of(run: Run) -> str:
    """The judging of a run."""
    return judging_id(RESCORE, run.id)


def judged_batches(run: Run) -> list[Batch]:
    """What a worker hands over of a judging, a batch a shard."""
    return [
        batch.model_copy(
            update={
                "run_id": judging_of(run),
                "shard_id": f"{judging_of(run)}.{batch.id[:4]}",
                "verdicts": tuple(map(said_by_other, batch.verdicts)),
                "report": make_report(Lane.JUDGE),
            }
        )
        for batch in batches_of(run)
        if batch.verdicts
    ]


def write_judging(archive: Store, run: Run, *, scored: bool = True, small_files: bool = False) -> None:
    """Writes what a re-score leaves of a run: its verdicts, and its scorecard unless it is still open."""
    name, changes = judging_of(run), {"judge": OTHER, "judge_revision": "r2", "judge_config": "9" * 64}
    plan = run.plan.model_copy(update=changes | {"run_id": name})
    files: list[Operation] = [file for batch in judged_batches(run) for file in files_of([batch])]
    archive.commit([*files, Write(layout.plan_path(name), plan.model_dump_json().encode())], f"batches ({MARK})")
    if not scored:
        return
    rows = rows_under(archive, StoredRun(archive, run.id), RESCORE)
    judge = load_judge("demo").model_copy(update={"id": OTHER, "status": "candidate"})
    made = make_scorecard(
        run.submission, plan.model_copy(update={"run_id": run.id}), rows, load_protocol("demo-v1"), judge, (), NOON
    )
    card = Scorecard.model_validate(dict(made) | {"rescore_id": RESCORE, "schema_version": 2})
    files = [
        Write(layout.rescored_card_path(RESCORE, card.id), card.model_dump_json().encode()),
        Write(
            layout.rescored_users_path(RESCORE, card.id), make_user_scores(card, plan, rows).model_dump_json().encode()
        ),
        *([] if small_files else compact(StoredRun(archive, name))),
    ]
    archive.commit(files, f"scorecard of {name} ({MARK})")


def write_rescore(archive: Store, runs: Sequence[Run], last: RescoreStep = RescoreStep.COMPLETED) -> Rescore:
    """Writes a re-score of some runs, the last of which is in small files, and is being judged while it goes on.

    Promotion puts the scorecards with all others too, and names the judge.
    """
    for run in runs:
        is_last = run is runs[-1]
        write_judging(archive, run, scored=not is_last or last is not RescoreStep.STARTED, small_files=is_last)
    rescore = rescore_of_runs(runs, last)
    archive.commit([Write(layout.rescore_path(RESCORE), rescore.model_dump_json().encode())], f"re-score ({MARK})")
    if last is RescoreStep.PROMOTED:
        promote(archive, runs, rescore)
    return rescore


def promote(archive: Store, runs: Sequence[Run], rescore: Rescore) -> None:
    """Carries a promotion out."""
    copies = [
        Write(path(run.submission.model, card), archive.read(own(RESCORE, card)))
        for run in runs
        for card in [f"{run.id}@{OTHER}"]
        for path, own in (
            (layout.scorecard_path, layout.rescored_card_path),
            (layout.user_scores_path, layout.rescored_users_path),
        )
    ]
    promotion = Promotion(
        protocol="demo-v1",
        judge=OTHER,
        judge_revision=rescore.judge_revision,
        judge_config=rescore.judge_config,
        rescore_id=RESCORE,
        at=NOON,
        actor="carol",
        reason="It agrees better with people.",
    )
    promotions = Promotions(promotions=(promotion,))
    archive.commit([*copies, Write(layout.PROMOTIONS, promotions.model_dump_json().encode())], f"promotion ({MARK})")
