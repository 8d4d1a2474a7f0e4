"""Objections, and sites on which people object."""

from __future__ import annotations

import datetime
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from redis import Redis
from starlette.middleware.sessions import SessionMiddleware

from leaderboard.guard import guard
from leaderboard.objections.records import Decision, Objection, Reply
from leaderboard.objections.service import Answered, Objections
from leaderboard.people import Person
from leaderboard.settings import Settings
from leaderboard.store.local import LocalStore
from tests.builders import NOON
from tests.model_page.sites import pages_app
from tests.web.test_maintain import SECRET

BOB, CAROL = Person("bob"), Person("carol", maintainer=True)
CARD = "s-20260301-00000001.demo-v1@demo"
ON = Answered(CARD, "test_1/7", "org/model", "alice")


class Clock:
    """A minute passes between any two looks."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime.datetime:
        self.now += datetime.timedelta(minutes=1)
        return self.now


def make_objections(redis: Redis, **settings: Any) -> Objections:
    return Objections(Settings(**settings), redis, Clock())


def make_objection(person: str = "bob", decision: Decision | None = None, **changes: Any) -> Objection:
    """An objection as it is stored, with a reply if something is decided."""
    at = NOON + datetime.timedelta(hours=1)
    reply = None if decision is None else Reply(decision=decision, text="Looked at.", at=at, actor="carol")
    told = {**ON._asdict(), "person": person, "ground": "gold", "text": "It is not.", "at": NOON, "reply": reply}
    return Objection.model_validate(told | changes)


def guarded(store: LocalStore, redis: Redis | None, **settings: Any) -> TestClient:
    """Somebody on pages behind the guard, where people log in."""
    gradio_app = FastAPI()
    gradio_app.add_middleware(SessionMiddleware, secret_key=SECRET)
    told = {"allow_local_user": False} | settings
    app = pages_app(store, redis=redis, gradio_app=gradio_app, **told)
    guard(app, Settings(**told))
    return TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)
