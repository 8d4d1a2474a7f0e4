"""From what the ledger and the board hold to what the API answers: pure functions, nothing is decided here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from evaluator.human.results import NamedFigure
from leaderboard.api.records import (
    AgreementFigure,
    AgreementRow,
    Checklist,
    Declared,
    Estimated,
    Expected,
    Failed,
    Happened,
    Logs,
    Paced,
    Progress,
    Row,
    Run,
    RunLog,
    Submission,
    Summary,
)
from leaderboard.board.build import BoardRow
from leaderboard.checks.records import CheckReport
from leaderboard.open_data.human_figures import listed_under, listed_under_judge, why_no_interval
from leaderboard.pages.times import outlook_sentences
from leaderboard.records import Amendment, Declaration, Event, Failure, protocol_of
from leaderboard.results import HumanScorecard
from leaderboard.submissions.estimate import Estimate
from leaderboard.submissions.outlook import Outlook
from leaderboard.submissions.views import RunView, SubmissionView

RunLines = Mapping[str, tuple[str, ...]]
"""The last lines that engines have written, by run."""


def checklist_of(found: CheckReport) -> Checklist:
    """Returns what was found of a model that was looked over."""
    return cast(Checklist, found.model_dump(mode="json"))


def summary_of(view: SubmissionView) -> Summary:
    """Returns a submission as a list shows it."""
    entered = view.submission
    return Summary(
        submission_id=entered.id,
        model=entered.model,
        revision=entered.revision,
        adapter=entered.adapter,
        adapter_revision=entered.adapter_revision,
        state=view.state.value,
        submitter=entered.submitter,
        created_at=entered.created_at.isoformat(),
    )


def submission_of(
    view: SubmissionView, outlooks: Mapping[str, Outlook] | None = None, logs: RunLines | None = None
) -> Submission:
    """Returns all that is known of a submission.

    Args:
        view: The submission.
        outlooks: Of its runs that have not ended, by id.
        logs: The last lines of these, by id.
    """
    told = outlooks or {}
    lines = logs or {}
    return Submission(
        **summary_of(view),
        declaration=_declared(view.declaration),
        saved=view.saved,
        runs=[_run(run, told.get(run.id), lines.get(run.id, ())) for run in view.runs],
        events=[happened(event) for event in view.events],
    )


def logs_of(view: SubmissionView, logs: RunLines) -> Logs:
    """Returns the last lines of a submission's runs: of one that failed, those that its failure keeps."""
    return Logs(
        submission_id=view.submission.id,
        runs=[
            RunLog(
                run_id=run.id,
                protocol=protocol_of(run.id),
                state=run.state.value,
                lines=list(run.failure.log if run.failure else logs.get(run.id, ())),
            )
            for run in view.runs
        ],
    )


def happened(event: Event) -> Happened:
    """Returns an event as a line of the history."""
    if isinstance(event, Amendment):
        trial = event.trial
        what, about = event.kind.value, event.about
        protocol = protocol_of(trial.run_id) if trial else None
        text = f"{_because(trial.failure)} {trial.told}" if trial else event.text
    else:
        what, about, protocol = event.after.value, None, protocol_of(event.run_id)
        text = _because(event.failure) if event.failure else ""
    return Happened(
        sequence=event.sequence,
        at=event.at.isoformat(),
        what=what,
        protocol=protocol,
        about=about,
        actor=event.actor,
        text=text,
    )


def row_of(row: BoardRow) -> Row:
    """Returns the main figures of a row of the board."""
    low, high = row.rank_interval or (None, None)
    low_there, high_there = row.rank_under_judge_interval or (None, None)
    interval = row.total.interval
    return Row(
        scorecard_id=row.scorecard_id,
        run_id=row.run_id,
        submission_id=row.submission_id,
        model=row.model,
        revision=row.revision,
        adapter=row.adapter,
        adapter_revision=row.adapter_revision,
        submitter=row.submitter,
        protocol=row.protocol,
        judge=row.judge,
        judge_status=row.judge_status,
        rank=row.rank,
        rank_low=low,
        rank_high=high,
        judge_status_since=row.judge_status_since.isoformat() if row.judge_status_since else None,
        rank_under_judge=row.rank_under_judge,
        rank_under_judge_low=low_there,
        rank_under_judge_high=high_there,
        total=row.total.value,
        total_low=interval.low if interval else None,
        total_high=interval.high if interval else None,
        persona=row.persona.score.value,
        profile=row.profile.score.value,
        schedule=row.schedule.value,
        users=row.users,
        items=row.items,
        judged=row.judged,
        missing=row.missing,
        unranked_because=list(row.unranked_because),
        published_at=row.published_at.isoformat(),
    )


def agreement_of(card: HumanScorecard) -> AgreementRow:
    """Returns how far a model agrees with people at one task, every figure of it."""
    result = card.result
    return AgreementRow(
        scorecard_id=card.id,
        run_id=card.run_id,
        submission_id=card.submission_id,
        model=card.model,
        revision=card.revision,
        adapter=card.adapter,
        adapter_revision=card.adapter_revision,
        thinking=card.declaration.thinking,
        submitter=card.submitter,
        protocol=card.protocol,
        task=result.task.value,
        judge=card.judge,
        label_kind=result.kind.value,
        items=result.items,
        answered=result.answered,
        answered_share=result.answered_share,
        invalid=sum(count for _, count in result.invalid),
        users=result.users,
        annotators=result.annotators,
        labels=result.labels,
        figures=[_agreement(listed_under(result.task), figure) for figure in result.figures],
        judge_figures=[
            _agreement(listed_under_judge(result.task), figure)
            for figure in (result.judging.figures if result.judging else ())
        ],
        unranked_because=list(card.unranked_because),
        published_at=card.created_at.isoformat(),
    )


def _agreement(stage: str, figure: NamedFigure) -> AgreementFigure:
    """Returns one figure of those listed under a stage."""
    return AgreementFigure(
        name=figure.name,
        value=figure.value,
        low=figure.interval.low if figure.interval else None,
        high=figure.interval.high if figure.interval else None,
        why_no_interval=why_no_interval(stage, figure),
        labels=figure.labels,
        users=figure.users,
    )


def _because(failure: Failure) -> str:
    """Names a failure as the history does."""
    return f"{failure.cause}: {failure.message}"


def _declared(declaration: Declaration) -> Declared:
    return Declared(
        relation=declaration.relation.value,
        base_model=declaration.base_model,
        training_data=declaration.training_data.value,
        thinking=declaration.thinking,
        publish_answers=declaration.publish_answers,
    )


def _run(run: RunView, outlook: Outlook | None, lines: tuple[str, ...]) -> Run:
    failure = run.failure
    return Run(
        run_id=run.id,
        protocol=protocol_of(run.id),
        state=run.state.value,
        progress=Progress(
            generations=run.progress.generations,
            items=run.progress.items,
            verdicts=run.progress.verdicts,
            verdicts_wanted=run.progress.verdicts_wanted,
        ),
        failure=_failed(failure) if failure else None,
        log=list(lines),
        outlook=_expected(run, outlook) if outlook else None,
    )


def _failed(failure: Failure) -> Failed:
    return Failed(cause=failure.cause.value, message=failure.message, remedy=failure.remedy, log=list(failure.log))


def _expected(run: RunView, outlook: Outlook) -> Expected:
    pace = outlook.pace
    return Expected(
        position=outlook.position,
        waiting=outlook.waiting,
        workers=outlook.workers,
        paused=outlook.paused,
        begins=_estimated(outlook.begins),
        lasts=_estimated(outlook.lasts),
        pace=pace
        and Paced(
            rows_per_second=pace.rows_per_second,
            tokens_per_second=pace.tokens_per_second,
            measurements=pace.measurements,
        ),
        sentences=outlook_sentences(run, outlook),
    )


def _estimated(estimate: Estimate | None) -> Estimated | None:
    return estimate and Estimated(seconds=estimate.seconds, measurements=estimate.measurements)
