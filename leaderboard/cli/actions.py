"""`rapport status`, `history` and what a maintainer does to submissions at RAPPORT_REDIS_URL."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import typer

from evaluator.errors import Cause, RapportError
from leaderboard.connection import connect
from leaderboard.pages.times import outlook_sentences, progress_of
from leaderboard.records import Amendment, Event, Relation, TrainingData, protocol_of
from leaderboard.settings import Settings
from leaderboard.submissions.estimate import Estimate
from leaderboard.submissions.measures import read_log
from leaderboard.submissions.outlook import Outlook, read_outlooks
from leaderboard.submissions.service import THE_MAINTAINER, SubmissionService, declaration_of
from leaderboard.submissions.views import RunView, SubmissionView

Id = Annotated[str, typer.Argument(help="Id of the submission, such as s-20260101-0a1b2c3d.")]
Reason = Annotated[str, typer.Option(help="Why, for the history; at most 1000 characters.")]
About = Annotated[str | None, typer.Option(help="Question or verdict that it is about; all of it if left out.")]

_SIMPLE = {
    "cancel": "Stops its runs; what was finished is kept for a retry.",
    "withdraw": "Stops its runs and takes its results off the board, for good; needs a reason.",
    "lift": "Puts it before all that are not lifted.",
    "pause": "Keeps workers from it until it is resumed.",
    "resume": "Ends a pause.",
}
"""Commands that take a reason and nothing else."""


def service_at(settings: Settings) -> SubmissionService:
    """Returns the way in to the leaderboard that the settings lead to.

    Raises:
        RapportError: `infrastructure` if they lead to none.
    """
    if not settings.redis_url:
        raise RapportError(
            Cause.INFRASTRUCTURE,
            "RAPPORT_REDIS_URL is not set.",
            "Set it to the Redis of the leaderboard, or use `rapport demo`.",
        )
    return SubmissionService(settings, connect(settings.redis_url))


def add_to(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    for command in (status, history, retry, correct, dispute, answer):
        app.command()(command)
    for name, does in _SIMPLE.items():
        app.command(name, help=does)(_simple(name))


def _simple(name: str) -> Callable[[str, str], None]:
    """Returns a command that takes a reason and nothing else."""

    def act(submission_id: Id, reason: Reason = "") -> None:
        service = service_at(Settings())
        _print(getattr(service, name)(submission_id, THE_MAINTAINER, reason))

    return act


def retry(submission_id: Id) -> None:
    """Takes up again what failed or was cancelled, where it stopped."""
    _print(service_at(Settings()).retry(submission_id, THE_MAINTAINER))


def correct(
    submission_id: Id,
    relation: Annotated[Relation | None, typer.Option(help="How the submitter stands to the model's owner.")] = None,
    base_model: Annotated[str | None, typer.Option(help="Model that it is derived from; '' for none.")] = None,
    training_data: Annotated[TrainingData | None, typer.Option(help="Which part of HiCUPID it was trained on.")] = None,
    publish_answers: Annotated[bool | None, typer.Option(help="Whether its answers may be shown.")] = None,
    reason: Reason = "",
) -> None:
    """Corrects what was declared of a model; what is left out stays, and scorecards follow."""
    service = service_at(Settings())
    given = {"relation": relation, "training_data": training_data, "publish_answers": publish_answers}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if base_model is not None:
        changes["base_model"] = base_model or None
    declared = declaration_of(**(service.view(submission_id).declaration.model_dump() | changes))
    _print(service.correct(submission_id, THE_MAINTAINER, declared, reason))


def dispute(submission_id: Id, reason: Reason, about: About = None) -> None:
    """Notes that something about a result is said to be wrong."""
    _print(service_at(Settings()).dispute(submission_id, THE_MAINTAINER, reason, about))


def answer(submission_id: Id, reason: Reason, about: About = None) -> None:
    """Answers a dispute."""
    _print(service_at(Settings()).answer(submission_id, THE_MAINTAINER, reason, about))


def history(submission_id: Id) -> None:
    """Prints all that has happened to a submission, oldest first."""
    for event in service_at(Settings()).view(submission_id).events:
        print(_shown(_told(event)))


def status(
    submission_id: Id, as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False
) -> None:
    """Prints where a submission is, how far, and what to do if it failed."""
    settings = Settings()
    service = service_at(settings)
    view = service.view(submission_id)
    redis = connect(settings.redis_url)
    outlooks = read_outlooks(redis, [view])
    if as_json:
        runs = [_run_values(run, outlooks.get(run.id), read_log(redis, run.id)) for run in view.runs]
        print(json.dumps(_values(view) | {"runs": runs}, indent=2))
        return
    _print(view)
    for run in view.runs:
        for line in _run_lines(run, outlooks.get(run.id), read_log(redis, run.id)):
            print(_shown(line))


def _print(view: SubmissionView) -> None:
    """Prints a submission's id and state."""
    print(f"{view.submission.id} {view.state}")


def _shown(line: str) -> str:
    """Returns a line that a terminal shows and does not obey."""
    return line if line.isprintable() else ascii(line)


def _told(event: Event) -> str:
    """Writes an event in one line."""
    begins = f"{event.sequence:3} {event.at:%Y-%m-%d %H:%M:%S}"
    if isinstance(event, Amendment) and event.trial:
        trial = event.trial
        because = f"{trial.failure.cause}: {trial.failure.message} {trial.told}"
        return f"{begins} {protocol_of(trial.run_id)} {event.kind} by {event.actor}: {because}"
    if isinstance(event, Amendment):
        about = f" (about {event.about})" if event.about else ""
        return f"{begins} {event.kind}{about} by {event.actor}: {event.text}".removesuffix(": ")
    because = f": {event.failure.cause}: {event.failure.message}" if event.failure else ""
    return f"{begins} {protocol_of(event.run_id)} {event.after} by {event.actor}{because}"


def _run_lines(run: RunView, outlook: Outlook | None, log: tuple[str, ...]) -> Iterator[str]:
    """Yields what is to be said of a run."""
    yield f"{protocol_of(run.id)} {run.state}: {progress_of(run)}".removesuffix(": ")
    for sentence in outlook_sentences(run, outlook):
        yield f"  {sentence}"
    if run.failure:
        yield f"  {run.failure.cause}: {run.failure.message} {run.failure.remedy}"
    for line in run.failure.log if run.failure else log:
        yield f"  | {line}"


def pinned(view: SubmissionView) -> dict[str, Any]:
    """Returns what was submitted, and where it is, for JSON."""
    entered = view.submission
    named = {name: getattr(entered, name) for name in ("model", "revision", "adapter", "adapter_revision")}
    return {"submission_id": entered.id, **named, "state": view.state}


def _values(view: SubmissionView) -> dict[str, Any]:
    """Returns what is known of a submission, for JSON."""
    entered = view.submission
    declared = view.declaration.model_dump(mode="json")
    about = {"submitter": entered.submitter, "created_at": entered.created_at.isoformat(), "declaration": declared}
    return {**pinned(view), **about, "saved": view.saved}


def _run_values(run: RunView, outlook: Outlook | None, log: tuple[str, ...]) -> dict[str, Any]:
    """Returns what is known of a run, for JSON; times are in seconds."""
    return {
        "run_id": run.id,
        "state": run.state,
        "progress": run.progress._asdict(),
        "failure": run.failure and run.failure.model_dump(mode="json"),
        "log": list(log),
        "outlook": outlook
        and {
            "position": outlook.position,
            "waiting": outlook.waiting,
            "workers": outlook.workers,
            "paused": outlook.paused,
            "begins": _estimate_values(outlook.begins),
            "lasts": _estimate_values(outlook.lasts),
            "pace": outlook.pace and outlook.pace._asdict(),
        },
    }


def _estimate_values(estimate: Estimate | None) -> dict[str, float] | None:
    """Returns an estimate for JSON."""
    return None if estimate is None else {"seconds": estimate.seconds, "measurements": estimate.measurements}
