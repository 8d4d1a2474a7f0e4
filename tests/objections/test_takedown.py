"""Objections go with their person, or with what they are about: from the archive, from Redis and from the past."""

from __future__ import annotations

import pytest
from redis import Redis

from evaluator.errors import Cause, RapportError
from leaderboard.objections.desk import ObjectionDesk
from leaderboard.objections.journal import files_of, restore
from leaderboard.objections.records import Decision
from leaderboard.store.open import Stores
from leaderboard.upkeep.findings import FindingKind
from leaderboard.upkeep.reach import look
from leaderboard.upkeep.records import TakedownKind
from leaderboard.upkeep.takedown import take_down
from tests.objections.sites import make_objection, make_objections
from tests.upkeep.conftest import local_stores
from tests.upkeep.sites import fill, findings, kinds, site_of
from tests.upkeep.test_takedown import order, with_mark

__all__ = ["local_stores"]
SECRET = "These are the words of bob."


def test_a_persons_objections_are_nowhere_any_more(local_stores: Stores, redis: Redis) -> None:
    (first, _), archive = fill(local_stores), local_stores.archive
    card = f"{first.id}@demo"
    mine = make_objection("bob", Decision.ACCEPTED, scorecard_id=card, text=SECRET)
    other = make_objection("eve", scorecard_id=card)
    archive.commit(list(files_of([mine, other])), "objections")
    assert restore(with_mark(redis), archive) == 2
    findings(local_stores, repair=True)
    asked = order(TakedownKind.PERSON, "bob")
    assert look(archive, local_stores.results, asked, lambda _: None).files == 1

    take_down(site_of(local_stores, redis), asked)

    assert len(archive.history()) == 1, "nothing before is kept"
    assert not any(SECRET in archive.read(path).decode(errors="replace") for path in archive.list("objections"))
    assert ObjectionDesk(redis).all().objections == (other,)
    assert findings(local_stores) == []
    archive.commit(list(files_of([mine])), "an old copy")
    assert kinds(local_stores) == {FindingKind.TAKEN_DOWN}


def test_those_about_a_submission_go_with_it(local_stores: Stores, redis: Redis) -> None:
    (first, second), archive = fill(local_stores), local_stores.archive
    gone, stays = (make_objection(scorecard_id=f"{run.id}@demo") for run in (first, second))
    archive.commit(list(files_of([gone, stays])), "objections")
    restore(with_mark(redis), archive)
    findings(local_stores, repair=True)
    take_down(site_of(local_stores, redis), order(TakedownKind.SUBMISSION, first.submission.id))
    assert restore(redis, archive) == 0
    assert ObjectionDesk(redis).all().objections == (stays,)
    assert findings(local_stores) == []


def test_what_only_redis_holds_of_a_person_goes_too_and_nobody_elses(local_stores: Stores, redis: Redis) -> None:
    fill(local_stores)
    ObjectionDesk(with_mark(redis)).put(make_objection(), unsaved=True)
    with pytest.raises(RapportError, match="Nothing is stored") as caught:
        take_down(site_of(local_stores, redis), order(TakedownKind.PERSON, "eve"))
    assert caught.value.cause is Cause.NOT_FOUND
    take_down(site_of(local_stores, redis), order(TakedownKind.PERSON, "bob"))
    assert ObjectionDesk(redis).all().total == 0
    assert make_objections(redis).desk.unsaved() == ()
