"""`rapport demo`: the whole leaderboard on one machine, with nothing to configure."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from evaluator.demo_model import DEMO_MODEL, ORIGIN
from evaluator.errors import Cause, RapportError
from evaluator.models import LOCAL
from leaderboard.connection import connect
from leaderboard.embedded import embedded_services
from leaderboard.people import Person
from leaderboard.records import Declaration, Relation, State, TrainingData
from leaderboard.settings import Settings
from leaderboard.store.local import LocalStore
from leaderboard.submissions.service import SubmissionService
from leaderboard.submissions.states import ENDED
from leaderboard.submissions.views import SubmissionView

if TYPE_CHECKING:
    from leaderboard.board.build import BoardRow

log = logging.getLogger("rapport.demo")

MODEL = LOCAL + DEMO_MODEL
SUBMITTER = Person("demo", maintainer=True)
"""Whoever runs a demo maintains it."""
_POLL_SECONDS = 0.5
_ATTEMPTS = 20
_PAUSE_SECONDS = 3.0
_PORTS_TRIED = 50


def demo_settings(data: Path) -> Settings:
    """Returns the settings of the demo: everything below one folder, apart from models, which are shared."""
    return Settings().model_copy(update={"data": data, "allow_local_user": True})


def run_once(data: Path, model: str, as_json: bool) -> None:
    """Evaluates a model without a page and prints its row.

    Raises:
        RapportError: With the cause, if the submission is refused or its run fails.
    """
    from leaderboard.board.build import find_row  # Its statistics would slow every other command's start.

    with embedded_services(demo_settings(data)) as settings:
        redis = connect(settings.redis_url)
        service = SubmissionService(settings, redis)
        view = _wait(service, submit_demo(service, settings, model).submission.id)
        for run in view.runs:
            if run.failure:
                raise RapportError(run.failure.cause, run.failure.message, run.failure.remedy)
            if run.state is not State.PUBLISHED:
                raise RapportError(
                    Cause.CANCELLED, f"The run {run.id} is {run.state}.", "Run this again: it goes on where it stopped."
                )
        row = find_row(LocalStore(settings.store_folder), view.runs[0].id)
    print(row.model_dump_json(indent=2) if as_json else _sentence(row))


def serve(data: Path, model: str, port: int) -> None:
    """Serves the page until Ctrl-C, and evaluates a model meanwhile."""
    from leaderboard import web

    with embedded_services(demo_settings(data)) as settings:
        redis = connect(settings.redis_url)
        service = SubmissionService(settings, redis)
        listener = _listen(port)
        actual = listener.getsockname()[1]
        if actual != port:
            log.warning("port %d is taken; using %d", port, actual)
        log.info("the board is at http://127.0.0.1:%d (Ctrl-C ends everything)", actual)
        threading.Thread(target=_submit_in_background, args=(service, settings, model), daemon=True).start()
        web.serve(web.create_app(settings, redis), [listener], log_level="warning")


def submit_demo(service: SubmissionService, settings: Settings, model: str) -> SubmissionView:
    """Submits the demo model as the web form would; converts it first if setting up did not.

    Raises:
        RapportError: If the submission is refused.
    """
    if not (settings.models / DEMO_MODEL / "README.md").is_file():
        log.info("converting the demo model, about a minute")
        command = [sys.executable, "-m", "leaderboard.cli", "demo-model", "--models", str(settings.models)]
        # A process of its own: conversion needs torch, which this one must never import.
        if subprocess.run(command, check=False, stdout=sys.stderr).returncode:
            raise RapportError(Cause.NOT_FOUND, "The demo model could not be converted.", "Run `make setup`.")
    declaration = Declaration(
        relation=Relation.NONE,
        base_model=ORIGIN if model == MODEL else None,
        training_data=TrainingData.NEITHER,
        thinking=False,
        publish_answers=True,
    )
    view = _patiently(lambda: service.submit(model, None, declaration, SUBMITTER))
    log.info("submission %s of %s is %s", view.submission.id, view.submission.model, view.state)
    return view


def _patiently(submit: Callable[[], SubmissionView]) -> SubmissionView:
    """Submits, again if the fault is ours: a publisher that has just been started again is at work soon."""
    for _ in range(_ATTEMPTS):
        try:
            return submit()
        except RapportError as error:
            if error.cause is not Cause.INFRASTRUCTURE:
                raise
            log.warning("%s", error)
            time.sleep(_PAUSE_SECONDS)
    return submit()


def _submit_in_background(service: SubmissionService, settings: Settings, model: str) -> None:
    """Submits the model and its references while the page is already up; a refusal is said, and the page goes on."""
    try:
        submit_demo(service, settings, model)
        service.submit_references(settings.protocols)
    except RapportError as error:
        log.error("the demo could not submit: %s", error)


def _wait(service: SubmissionService, submission_id: str) -> SubmissionView:
    """Waits until a submission has ended, telling each new state."""
    told = ""
    while True:
        view = service.ledger.view(submission_id)
        progress = view.runs[0].progress
        line = f"{view.state}: {progress.generations} answers, {progress.verdicts} verdicts"
        if line != told:
            log.info("%s", line)
            told = line
        if view.state in ENDED:
            return view
        time.sleep(_POLL_SECONDS)


def _listen(port: int) -> socket.socket:
    """Takes the wanted port, or the next free one."""
    for candidate in range(port, port + _PORTS_TRIED):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", candidate))
        except OSError:
            listener.close()
            continue
        listener.listen(128)
        return listener
    raise RapportError(
        Cause.INFRASTRUCTURE,
        f"No free port between {port} and {port + _PORTS_TRIED - 1}.",
        "Choose another one with --port.",
    )


def _sentence(row: BoardRow) -> str:
    """Says a row in one line."""
    total = "no Total" if row.total.value is None else f"Total {row.total.value:.1f}"
    return (
        f"{row.model}: {total}, {row.verdicts} verdicts, {row.missing} missing, judge {row.judge} ({row.judge_status})"
    )
