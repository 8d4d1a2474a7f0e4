"""Objections under the access lists of docs/security.md: the page and the publisher may do all of it, and no more."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from redis import Redis
from redis.exceptions import NoPermissionError

from evaluator.errors import RapportError
from leaderboard.connection import connect
from leaderboard.objections.desk import ObjectionDesk
from leaderboard.objections.journal import restore
from leaderboard.objections.records import Decision
from leaderboard.store.local import LocalStore
from leaderboard.submissions import keys
from tests.ledger.test_access_lists import denied, urls
from tests.objections.sites import BOB, CAROL, ON, make_objections
from worker.objections import ObjectionSaver

__all__ = ["urls"]


def test_page_and_publisher_do_all_of_their_work(redis: Redis, urls: Mapping[str, str], store: LocalStore) -> None:
    redis.set(keys.EPOCH, "tests:0")
    with connect(urls["web"]) as web, connect(urls["publisher"]) as publisher:
        objections = make_objections(web, objections_per_day=2)
        for question in ("test_1/7", "test_1/8"):
            objections.enter(BOB, ON._replace(question_id=question), "gold", "It is not.")
        with pytest.raises(RapportError, match="within a day"):
            objections.enter(BOB, ON._replace(question_id="test_1/9"), "gold", "It is not.")
        for each, decision in zip(objections.desk.waiting().objections, Decision, strict=True):
            objections.reply(CAROL, each.id, decision, "Looked at.")
        for name in ("by", "about"):
            assert len(getattr(objections, name)(BOB, 0, 9)) == 3
        assert objections.known(BOB, ON.scorecard_id, ON.question_id).own is not None
        part = ObjectionSaver(publisher, 0).gather(at_once=False)
        assert part is not None
        store.commit(part.operations, part.words)
        part.then()
        assert ObjectionDesk(publisher).unsaved() == ()
        redis.delete(*redis.scan_iter("rapport:objection*"))
        assert restore(publisher, store) == 2
        publisher_desk = ObjectionDesk(publisher)
        publisher_desk.forget(publisher_desk.everything())
        assert ObjectionDesk(web).all().total == 0
    assert denied(redis) == []


@pytest.mark.parametrize("role", ["worker", "reaper"])
def test_no_other_role_writes_any(redis: Redis, urls: Mapping[str, str], role: str) -> None:
    redis.set(keys.EPOCH, "tests:0")
    with connect(urls[role]) as other, pytest.raises((RapportError, NoPermissionError)):
        make_objections(other).enter(BOB, ON, "gold", "It is not.")
    assert ObjectionDesk(redis).all().total == 0
