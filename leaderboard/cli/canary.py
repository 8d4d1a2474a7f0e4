"""`rapport canary`: sends one small model through the whole site after a deploy, and compares with the last time."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from evaluator.errors import Cause, RapportError
from leaderboard.cli.actions import service_at
from leaderboard.cli.demo import MODEL
from leaderboard.records import Relation, State, TrainingData
from leaderboard.settings import Settings
from leaderboard.submissions.service import THE_MAINTAINER, SubmissionService, declaration_of
from leaderboard.submissions.states import ENDED
from leaderboard.submissions.views import SubmissionView

DIFFERS = 6
"""Exit code where a figure is not what it was."""
FIGURES = (
    *("users", "items", "generations", "judged", "defects", "verdicts", "missing"),
    *("persona", "profile", "schedule", "total", "bleu", "rouge_l", "evidence_recall"),
)
"""The result part of a row."""
CONDITIONS = (
    *("model", "revision", "protocol", "protocol_config", "data_sha", "prompt_pack"),
    *("judge", "judge_revision", "judge_config", "judge_engine", "judge_dtype", "engine", "engine_version", "dtype"),
)
"""What a difference may come from."""
_REASON = "A canary: it only tells whether the site works."
_POLL_SECONDS = 1.0

Row = dict[str, Any]


def canary(
    model: Annotated[str, typer.Argument(help="A small model: owner/name on the Hub, or local/NAME.")] = MODEL,
    url: Annotated[str | None, typer.Option(help="The site; RAPPORT_SITE_URL, or this machine's if left out.")] = None,
    last: Annotated[
        Path | None, typer.Option(help="File that keeps the last one's row; canary.json in RAPPORT_DATA if left out.")
    ] = None,
    minutes: Annotated[float, typer.Option(min=0, help="How long it may take.")] = 60,
) -> None:
    """Submits a model at RAPPORT_REDIS_URL as a maintainer, waits for its row on the page, and withdraws it again.

    Exit code 0 if its figures are those of the last time or there was none, 6 if not, 1 if it failed.
    """
    settings = Settings()
    until = time.monotonic() + 60 * minutes
    site = (url or settings.site_url or f"http://127.0.0.1:{settings.port}").rstrip("/")
    service = service_at(settings)
    view = _ended(service, _entered(service, model), until)
    rows = {run.id.split(".", 1)[1]: _row(site, run.id, until) for run in view.runs}
    service.withdraw(view.submission.id, THE_MAINTAINER, _REASON)
    kept = last or settings.data / "canary.json"
    before: dict[str, Row] = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    changes = [change for protocol, row in rows.items() for change in changes_of(before.get(protocol), row)]
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(before | rows, indent=1), encoding="utf-8")
    for line in changes or [
        "the figures are those of the last canary" if before else "the first canary: nothing to compare"
    ]:
        print(f"{view.submission.id} {line}")
    differs = any(change.split(":")[0] in FIGURES for change in changes)
    raise typer.Exit(DIFFERS if differs else 0)


def changes_of(before: Row | None, row: Row) -> list[str]:
    """Returns what is not as it was, conditions first: a line each.

    Example:
        >>> changes_of({"dtype": "float32", "items": 10}, {"dtype": "bfloat16", "items": 10})
        ['dtype: "float32" became "bfloat16"']
        >>> changes_of(None, {"items": 10})
        []
    """
    if before is None:
        return []
    names = [name for name in (*CONDITIONS, *FIGURES) if before.get(name) != row.get(name)]
    return [f"{name}: {json.dumps(before.get(name))} became {json.dumps(row.get(name))}" for name in names]


def _entered(service: SubmissionService, model: str) -> SubmissionView:
    """Submits the model.

    Raises:
        RapportError: `forbidden` if it is on the board already: nothing would be run.
    """
    declared = declaration_of(
        relation=Relation.NONE,
        base_model=None,
        training_data=TrainingData.NEITHER,
        thinking=False,
        publish_answers=True,
    )
    view = service.submit(model, None, declared, THE_MAINTAINER)
    if view.state is State.PUBLISHED:
        raise RapportError(
            Cause.FORBIDDEN,
            f"{model} has been evaluated as {view.submission.id} already, so nothing would be run.",
            "Name another small model; or withdraw that one, if it is a canary that was cut off.",
        )
    return view


def _ended(service: SubmissionService, view: SubmissionView, until: float) -> SubmissionView:
    """Waits until a submission is published.

    Raises:
        RapportError: With the cause of a run that did not get there, or `timeout`.
    """
    while view.state not in ENDED:
        if time.monotonic() > until:
            raise _late(view.submission.id, f"It is {view.state}")
        time.sleep(_POLL_SECONDS)
        view = service.ledger.view(view.submission.id)
    for run in view.runs:
        if run.failure:
            raise RapportError(run.failure.cause, f"{run.id}: {run.failure.message}", run.failure.remedy)
    return view


def _row(site: str, run_id: str, until: float) -> Row:
    """Reads a row off the page, as soon as it stands there.

    Raises:
        RapportError: `timeout` if it does not, with what the page says instead.
    """
    while True:
        try:
            answer = httpx.get(f"{site}/scorecard", params={"id": run_id}, timeout=10)
            if answer.status_code == httpx.codes.OK:
                return dict(answer.json())
            said = f"The page answers {answer.status_code}"
        except httpx.HTTPError as error:
            said = f"The page does not answer ({type(error).__name__})"
        if time.monotonic() > until:
            raise _late(run_id, said)
        time.sleep(_POLL_SECONDS)


def _late(what: str, said: str) -> RapportError:
    """Says how far it came."""
    return RapportError(
        Cause.TIMEOUT, f"The canary {what} took too long. {said}.", "See `rapport doctor` on each machine."
    )
