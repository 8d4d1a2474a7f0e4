"""Labelling under the access lists of docs/security.md: the page and the publisher may do all of it."""

from __future__ import annotations

from collections.abc import Mapping

from redis import Redis

from leaderboard.connection import connect
from leaderboard.labelling import journal
from leaderboard.labelling.desk import Desk
from leaderboard.labelling.records import Task
from leaderboard.store.local import LocalStore
from leaderboard.submissions.keys import EPOCH
from tests.labelling.people import ALICE, BOB, SmallPool, agree, label_next, make_labelling
from tests.ledger.test_access_lists import denied
from worker.labels import LabelSaver


def test_page_and_publisher_do_all_of_their_work(redis: Redis, urls: Mapping[str, str], store: LocalStore) -> None:
    redis.set(EPOCH, "tests:0")
    with connect(urls["web"]) as web, connect(urls["publisher"]) as publisher:
        labelling = make_labelling(web, {Task.RELEVANCE: SmallPool(("p1/a1", "p1/a2", "p1/a3"))})
        agree(labelling, ALICE, BOB)
        label_next(labelling, ALICE, Task.RELEVANCE, "YES")
        label_next(labelling, BOB, Task.RELEVANCE, "NO")
        labelling.go_back(ALICE, Task.RELEVANCE)
        shown = labelling.next(ALICE, Task.RELEVANCE).shown
        assert shown is not None
        labelling.skip(ALICE, Task.RELEVANCE, shown.token)
        labelling.next(ALICE, Task.RELEVANCE)
        labelling.withdraw(ALICE)
        part = LabelSaver(publisher, 0).gather(at_once=False)
        assert part is not None
        store.commit(part.operations, part.words)
        part.then()
        assert Desk(publisher).unsaved() == []
        redis.delete(*redis.scan_iter("rapport:label:*"))
        assert journal.restore(publisher, store) == 2
        Desk(publisher).forget(BOB)
        assert Desk(web).people() == [ALICE]
    assert denied(redis) == []
