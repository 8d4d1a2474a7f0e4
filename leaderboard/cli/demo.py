"""`rapport demo`: the whole leaderboard on one machine, with nothing to configure."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from evaluator.demo_model import DEMO_MODEL, ORIGIN
from evaluator.errors import Cause, RapportError
from evaluator.models import LOCAL
from evaluator.protocol import HicupidProtocol, HumanProtocol, load_protocol
from leaderboard.connection import connect
from leaderboard.embedded import embedded_services
from leaderboard.judge_servers import refuse_servers_of_nobody
from leaderboard.local_hub.demo import STEM, DemoHub, demo_hub
from leaderboard.people import Person
from leaderboard.records import Declaration, Relation, State, TrainingData, protocol_of, submission_of
from leaderboard.settings import Settings
from leaderboard.store.base import Revision, Store
from leaderboard.store.open import ON_THE_HUB, names_of, open_stores, repositories
from leaderboard.submissions.service import SubmissionService
from leaderboard.submissions.states import ENDED
from leaderboard.submissions.views import SubmissionView

if TYPE_CHECKING:
    from leaderboard.api.records import AgreementRow
    from leaderboard.board.build import BoardRow

log = logging.getLogger("rapport.demo")

MODEL = LOCAL + DEMO_MODEL
SUBMITTER = Person("demo", maintainer=True)
"""Whoever runs a demo maintains it."""
_POLL_SECONDS = 0.5
_ATTEMPTS = 20
_PAUSE_SECONDS = 3.0
_PORTS_TRIED = 50
_RELEASE_SECONDS = 120.0
_HUB_FOLDER = "hub-demo"
"""Below the folder of the demo: two demos with different stores share nothing."""


class _Released(NamedTuple):
    """What everyone may read of a submission."""

    row: BoardRow | None
    """Of the first protocol of HiCUPID; None where there was none."""
    agreement: list[AgreementRow]
    """Of each human-grounded task, as the API gives it; says whose labels it is about."""
    revision: Revision
    """Of the public results, which hold all of it."""


def demo_settings(data: Path) -> Settings:
    """Returns the settings of the demo: everything below one folder, apart from models, which are shared."""
    return Settings().model_copy(update={"data": data, "allow_local_user": True})


@contextlib.contextmanager
def _services(data: Path, model: str, on_hub: bool) -> Iterator[Settings]:
    """Runs everything beside the page; with a local Hub, also says where to look at it.

    Raises:
        RapportError: `not_found` for a model that the local Hub cannot have; as of `embedded_services` and
            `refuse_servers_of_nobody`.
    """
    refuse_servers_of_nobody(demo_settings(data))
    if not on_hub:
        with embedded_services(demo_settings(data)) as settings:
            yield settings
        return
    if not model.startswith(LOCAL):
        raise RapportError(
            Cause.NOT_FOUND, "The local Hub has no models.", f"Name {LOCAL}NAME, or leave out --hub for {model}."
        )
    hub = demo_hub()
    with embedded_services(demo_settings(data / _HUB_FOLDER).model_copy(update={"store": STEM}), hub) as settings:
        _tell_of(hub)
        yield settings


def _tell_of(hub: DemoHub) -> None:
    """Says where the data sets are and how to load them."""
    names = repositories(STEM)
    log.info("the local Hub is at %s; nothing on it leaves this machine", hub.url)
    for name in (names.results, names.requests):
        log.info("look at %s/datasets/%s", hub.url, name)
    loading = f'load_dataset("{names.results}", "board", split="train", token=False)'
    script = f"from datasets import load_dataset; print({loading}.to_pandas())"
    log.info("once a row is published, try: HF_ENDPOINT=%s python -c '%s'", hub.url, script)


def run_once(data: Path, model: str, as_json: bool, on_hub: bool) -> None:
    """Evaluates a model without a page; prints its row, and how far it agrees with labels, saying whose they are.

    As JSON also where all of it was released, and at which revision.

    Raises:
        RapportError: With the cause, if the submission is refused or its run fails.
    """
    with _services(data, model, on_hub) as settings:
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
        found = _released(open_stores(settings).results, [run.id for run in view.runs])
    print(json.dumps(_told(found, settings), indent=2) if as_json else "\n".join(_lines(found)))


def _told(found: _Released, settings: Settings) -> dict[str, Any]:
    """Returns the row, the rows of the API's `agreement`, and the data set that all were released in."""
    row = found.row.model_dump(mode="json") if found.row else {}
    released = {"data_set": names_of(settings).results.removeprefix(ON_THE_HUB), "revision": found.revision}
    return row | {"agreement": found.agreement, "results": released}


def _released(results: Store, run_ids: Sequence[str]) -> _Released:
    """Returns what came of the published runs of a submission, which follows a moment after.

    Raises:
        RapportError: `infrastructure` if it does not.
    """
    # Statistics and pyarrow would slow every other command's start.
    from leaderboard.api.telling import agreement_of
    from leaderboard.board.build import find_row
    from leaderboard.board.human import read_human_cards
    from leaderboard.board.public import read_places
    from leaderboard.scorecards import scorecard_id

    protocols = {run_id: load_protocol(protocol_of(run_id)) for run_id in run_ids}
    first = next((run_id for run_id, protocol in protocols.items() if isinstance(protocol, HicupidProtocol)), None)
    wanted = {scorecard_id(run_id, each.judge) for run_id, each in protocols.items() if isinstance(each, HumanProtocol)}
    until = time.monotonic() + _RELEASE_SECONDS
    while time.monotonic() < until:
        with contextlib.suppress(KeyError):
            known = read_places(results).known  # Before the row, which then has the place that is known.
            row = find_row(results, first) if first else None
            agreement = [agreement_of(card) for card in read_human_cards(results).cards if card.id in wanted]
            if len(agreement) == len(wanted) and (row is None or row.scorecard_id in known):
                return _Released(row, agreement, results.head())
        time.sleep(0.2)
    raise RapportError(
        Cause.INFRASTRUCTURE,
        f"The results of {submission_of(run_ids[0])} were stored but not all released.",
        "See logs/publish.log.",
    )


def serve(data: Path, model: str, port: int, on_hub: bool = False) -> None:
    """Serves the page until Ctrl-C, and evaluates a model meanwhile."""
    from leaderboard import web

    with _services(data, model, on_hub) as settings:
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
        line = _how_far(view)
        if line != told:
            log.info("%s", line)
            told = line
        if view.state in ENDED:
            return view
        time.sleep(_POLL_SECONDS)


def _how_far(view: SubmissionView) -> str:
    """Says how far the runs of a submission have come, all together."""
    answers, verdicts = (sum(getattr(run.progress, name) for run in view.runs) for name in ("generations", "verdicts"))
    done = sum(run.state is State.PUBLISHED for run in view.runs)
    results = f", {done} of {len(view.runs)} results" if len(view.runs) > 1 else ""
    return f"{view.state}: {answers} answers, {verdicts} verdicts{results}"


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


def _lines(found: _Released) -> Iterator[str]:
    """Yields the row in one line, then the main figures of each human-grounded task; whose labels is always said."""
    from leaderboard.cli.remote_words import agreement_lines

    if found.row:
        yield _sentence(found.row)
    if found.agreement:
        yield agreement_lines(found.agreement)


def _sentence(row: BoardRow) -> str:
    """Says a row in one line."""
    total = "no Total" if row.total.value is None else f"Total {row.total.value:.1f}"
    return (
        f"{row.model}: {total}, {row.verdicts} verdicts, {row.missing} missing, judge {row.judge} ({row.judge_status})"
    )
