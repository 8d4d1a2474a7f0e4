"""`rapport status`, `logs`, `history` and what people do to submissions: at a site, or at RAPPORT_REDIS_URL."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from redis import Redis

from evaluator.errors import Cause, RapportError
from leaderboard.api.records import Logs, Submission
from leaderboard.api.telling import logs_of, submission_of
from leaderboard.cli.options import AsJson, Url
from leaderboard.cli.remote import Site
from leaderboard.cli.remote_commands import exit_code, follow
from leaderboard.cli.remote_words import heading, history_line, log_lines, status_lines
from leaderboard.connection import connect
from leaderboard.records import Relation, TrainingData
from leaderboard.settings import Settings
from leaderboard.submissions.measures import read_log
from leaderboard.submissions.outlook import read_outlooks
from leaderboard.submissions.service import THE_MAINTAINER, SubmissionService

Id = Annotated[str, typer.Argument(help="Id of the submission, such as s-20260101-0a1b2c3d.")]
Reason = Annotated[str, typer.Option(help="Why, for the history; at most 1000 characters.")]
About = Annotated[str | None, typer.Option(help="Question or verdict that it is about; all of it if left out.")]

_SIMPLE = {
    "cancel": "Stops its runs; what was finished is kept for a retry.",
    "withdraw": "Stops its runs and takes its results off the board, for good; needs a reason.",
    "lift": "Puts it before all that are not lifted; for maintainers.",
    "pause": "Keeps workers from it until it is resumed; for maintainers.",
    "resume": "Ends a pause; for maintainers.",
}
"""Commands that take a reason and nothing else."""
_AT_THE_REDIS = {
    "flag": "Marks its results for all to see; they do not rank until cleared.",
    "clear": "Takes the mark away, or answers what a program suspected.",
    "hide": "Takes its results off the board until they are shown again.",
    "show": "Puts its results back on the board.",
}
"""Commands that need a reason, of maintainers alone, and so not for those whom a token names."""


def service_at(settings: Settings) -> SubmissionService:
    """Returns the way in to the leaderboard that the settings lead to.

    Raises:
        RapportError: As of `redis_at`.
    """
    remedy = "Name a site with --url, set it to the Redis of the leaderboard, or use `rapport demo`."
    return SubmissionService(settings, redis_at(settings, remedy))


def redis_at(settings: Settings, remedy: str) -> Redis:
    """Returns the Redis of the leaderboard that the settings name.

    Raises:
        RapportError: `infrastructure` with a remedy if they name none.
    """
    if not settings.redis_url:
        raise RapportError(Cause.INFRASTRUCTURE, "RAPPORT_REDIS_URL is not set.", remedy)
    return connect(settings.redis_url)


def add_to(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    for command in (status, logs, history, retry, correct, dispute, answer):
        app.command()(command)
    for name, does in _SIMPLE.items():
        app.command(name, help=does)(_simple(name))
    for name, does in _AT_THE_REDIS.items():
        app.command(name, help=f"{does} For maintainers, at RAPPORT_REDIS_URL.")(_deciding(name))


def _simple(name: str) -> Callable[..., None]:
    """Returns a command that takes a reason and nothing else."""

    def act(submission_id: Id, reason: Reason = "", url: Url = None, as_json: AsJson = False) -> None:
        _print(_done(name, url, submission_id, reason=reason), as_json)

    return act


def _deciding(name: str) -> Callable[..., None]:
    """Returns a command that needs a reason and the site's Redis."""

    def act(submission_id: Id, reason: Reason, as_json: AsJson = False) -> None:
        _print(_done(name, None, submission_id, reason=reason), as_json)

    return act


def retry(submission_id: Id, url: Url = None, as_json: AsJson = False) -> None:
    """Takes up again what failed or was cancelled, where it stopped."""
    _print(_done("retry", url, submission_id), as_json)


def correct(
    submission_id: Id,
    relation: Annotated[Relation | None, typer.Option(help="How the submitter stands to the model's owner.")] = None,
    base_model: Annotated[str | None, typer.Option(help="Model that it is derived from; '' for none.")] = None,
    training_data: Annotated[TrainingData | None, typer.Option(help="Which part of HiCUPID it was trained on.")] = None,
    publish_answers: Annotated[bool | None, typer.Option(help="Whether its answers may be shown.")] = None,
    reason: Reason = "",
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Corrects what was declared of a model; what is left out stays, and scorecards follow."""
    given = {
        "relation": relation,
        "base_model": base_model,
        "training_data": training_data,
        "publish_answers": publish_answers,
    }
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if url:
        _print(_done("correct", url, submission_id, reason=reason, **changes), as_json)
        return
    service = service_at(Settings())
    if base_model is not None:
        changes["base_model"] = base_model or None
    from leaderboard.api.endpoints import changed  # It knows the board, whose tables slow every command's start.

    declared = changed(service.view(submission_id).declaration, changes)
    _print(submission_of(service.correct(submission_id, THE_MAINTAINER, declared, reason)), as_json)


def dispute(submission_id: Id, reason: Reason, about: About = None, url: Url = None, as_json: AsJson = False) -> None:
    """Notes that something about a result is said to be wrong."""
    _print(_done("dispute", url, submission_id, reason=reason, about=about or ""), as_json)


def answer(submission_id: Id, reason: Reason, about: About = None, url: Url = None, as_json: AsJson = False) -> None:
    """Answers a dispute; for maintainers."""
    _print(_done("answer", url, submission_id, reason=reason, about=about or ""), as_json)


def history(submission_id: Id, url: Url = None) -> None:
    """Prints all that has happened to a submission, oldest first."""
    if url:
        found = Site(url).call("status", Submission, submission_id=submission_id)
    else:
        found = submission_of(service_at(Settings()).view(submission_id))
    for event in found["events"]:
        print(history_line(event))


def status(
    submission_id: Id,
    url: Url = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it has ended, and end as it did.")] = False,
    as_json: AsJson = False,
) -> None:
    """Prints where a submission is, how far, and what to do if it failed.

    With --wait it ends with 0 if all was published, 4 if something failed, 5 if something was cancelled.
    """
    read = _reading(url, submission_id)
    found = follow(read, lambda line: print(line, file=sys.stderr, flush=True)) if wait else read()
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        print("\n".join(status_lines(found)))
    if wait:
        raise typer.Exit(exit_code(found))


def logs(submission_id: Id, url: Url = None, as_json: AsJson = False) -> None:
    """Prints the last lines that the engines of a submission have written, without secrets."""
    if url:
        found = Site(url).call("logs", Logs, submission_id=submission_id)
    else:
        settings = Settings()
        view = service_at(settings).view(submission_id)
        redis = connect(settings.redis_url)
        found = logs_of(view, {run.id: read_log(redis, run.id) for run in view.runs})
    print(json.dumps(found, indent=2) if as_json else "\n".join(log_lines(found)))


def _reading(url: str | None, submission_id: str) -> Callable[[], Submission]:
    """Returns what asks once where a submission is."""
    if url:
        site = Site(url)
        return lambda: site.call("status", Submission, submission_id=submission_id)
    settings = Settings()
    service = service_at(settings)
    redis = connect(settings.redis_url)

    def read() -> Submission:
        view = service.view(submission_id)
        outlooks = read_outlooks(redis, [view])
        return submission_of(view, outlooks, {run_id: read_log(redis, run_id) for run_id in outlooks})

    return read


def _done(name: str, url: str | None, submission_id: str, **arguments: Any) -> Submission:
    """Does something to a submission: at a site as whoever the token names, else as the maintainer."""
    if url:
        return Site(url, acts=True).call(name, Submission, submission_id=submission_id, **arguments)
    return submission_of(getattr(service_at(Settings()), name)(submission_id, THE_MAINTAINER, **arguments))


def _print(found: Submission, as_json: bool) -> None:
    """Prints what became of a submission."""
    print(json.dumps(found, indent=2) if as_json else heading(found))
