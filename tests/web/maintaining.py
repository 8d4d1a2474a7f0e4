"""The maintainers' pages alone, which are there sooner than the whole site, and submissions in every state."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from redis import Redis
from starlette.staticfiles import StaticFiles

from evaluator.errors import Cause
from leaderboard.guard import guard
from leaderboard.pages.maintain.pages import MaintainPages
from leaderboard.pages.maintain.routes import maintain_routes
from leaderboard.pages.reader import Reader
from leaderboard.pages.render import STATIC
from leaderboard.people import LOCAL_USER
from leaderboard.records import Failure, State, Submission
from leaderboard.settings import Settings
from leaderboard.store.local import LocalStore
from leaderboard.submissions.ledger import Ledger
from tests.builders import make_submission

HOSTILE = '</p><script>document.title="owned"</script><img src=x onerror=\'document.title="owned"\'>'
WAY = (State.CHECKING, State.QUEUED, State.GENERATING, State.JUDGING, State.SCORING, State.PUBLISHING, State.PUBLISHED)


def pages_app(redis: Redis | None, folder: Path, gradio_app: FastAPI | None = None, **settings: Any) -> FastAPI:
    """The pages behind the guard, for the marked local user as a maintainer unless settings say otherwise."""
    site = Settings(**{"data": folder, "allow_local_user": True, "maintainers": (LOCAL_USER,)} | settings)
    app = FastAPI(redirect_slashes=False)
    app.mount("/site", StaticFiles(directory=STATIC))
    results, requests = LocalStore(folder / "results"), LocalStore(folder / "requests")
    pages = MaintainPages(site, redis, Reader(results, requests, Ledger(redis) if redis else None))
    app.router.routes[:0] = maintain_routes(pages, gradio_app or FastAPI())
    guard(app, site)
    return app


def visitor_of(redis: Redis | None, folder: Path, gradio_app: FastAPI | None = None, **settings: Any) -> TestClient:
    """Somebody on these pages."""
    app = pages_app(redis, folder, gradio_app, **settings)
    return TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)


def enter(ledger: Ledger, number: int, state: State = State.QUEUED, **changes: Any) -> Submission:
    """Enters a submission and takes its run on to a state."""
    submission = make_submission(number, **changes)
    ledger.create(submission)
    (run_id,) = submission.run_ids()
    for before, after in itertools.pairwise(WAY):
        if before is state:
            break
        ledger.move(run_id, before, after, "gpu-1")
    return submission


def fail(ledger: Ledger, number: int, cause: Cause = Cause.CRASHED, message: str = "It ended.", **changes: Any) -> str:
    """Enters a submission whose run failed; returns its id."""
    submission = enter(ledger, number, **changes)
    failure = Failure(cause=cause, message=message, remedy="Look at it.", log=("the last line",))
    ledger.move(submission.run_ids()[0], State.QUEUED, State.FAILED, "gpu-1", failure)
    return submission.id
