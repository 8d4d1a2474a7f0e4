"""A re-score that cannot be read stops nobody: the publisher leaves it alone and goes on with all else."""

from __future__ import annotations

import logging

import pytest
from redis import Redis

from leaderboard.rescoring.desk import RescoreDesk
from leaderboard.rescoring.records import Rescore, RescoreEvent, RescoreStatus, RescoreStep
from leaderboard.store import LocalStore, layout
from leaderboard.submissions import keys
from leaderboard.submissions.ledger import Ledger
from tests.builders import NOON, make_submission
from worker.publisher import Publisher
from worker.survey import Surveyor

BROKEN, SOUND = "r-20260301-0a1b2c3d", "r-20260301-0a1b2c3e"


def make_re_score(name: str, *, reason: str = "") -> Rescore:
    """One that waits for nothing: it is paused."""
    steps = (RescoreStep.STARTED, RescoreStep.PAUSED)
    return Rescore(
        id=name,
        judge="other",
        judge_revision="r2",
        judge_config="9" * 64,
        prompt_pack="pack",
        prompt_pack_status="builtin",
        runs=("s-20260301-00000007.demo-v1",),
        created_by="carol",
        created_at=NOON,
        events=tuple(
            RescoreEvent(sequence=number, step=step, at=NOON, actor="carol", reason=reason)
            for number, step in enumerate(steps, start=1)
        ),
    )


@pytest.fixture
def publisher(redis: Redis, ledger: Ledger, store: LocalStore) -> Publisher:
    made = Publisher(redis, ledger, store, journal_seconds=0)
    while made.step():
        pass
    return made


def put(redis: Redis, name: str, value: str) -> None:
    redis.hset(keys.RESCORES, name, value)
    redis.sadd(keys.RESCORES_UNSAVED, name)


@pytest.mark.parametrize("value", ["{}", "no record", make_re_score(SOUND).model_dump_json()])
def test_it_is_told_once_and_all_else_is_stored(redis, ledger, store, publisher, caplog, value):
    put(redis, BROKEN, value)
    put(redis, SOUND, make_re_score(SOUND).model_dump_json())
    ledger.create(submission := make_submission())
    with caplog.at_level(logging.ERROR, "rapport.publisher"):
        for _ in range(4):
            publisher.step()
    assert layout.submission_path(submission.id) in store.list()
    assert layout.rescore_path(SOUND) in store.list()
    assert layout.rescore_path(BROKEN) not in store.list()
    assert redis.smembers(keys.RESCORES_UNSAVED) == {BROKEN.encode()}
    assert caplog.text.count(BROKEN) == 1
    put(redis, BROKEN, make_re_score(BROKEN).model_dump_json())
    publisher.step()
    assert layout.rescore_path(BROKEN) in store.list(), "once it can be read it is stored"


def test_the_reaper_sees_all_others(redis):
    put(redis, BROKEN, "{}")
    put(redis, SOUND, make_re_score(SOUND).model_dump_json())
    assert [each.id for each in RescoreDesk(redis).with_status(RescoreStatus.PAUSED)] == [SOUND]
    assert not Surveyor(redis).look().waiting


def test_what_the_archive_holds_takes_its_place(redis):
    put(redis, BROKEN, "{}")
    put(redis, SOUND, "{}")
    saved = make_re_score(BROKEN)
    desk = RescoreDesk(redis)
    assert desk.restore([saved]) == 1
    assert desk.readable() == (saved,)
    assert redis.hget(keys.RESCORES, SOUND) == b"{}", "what nobody else knows stays as it is"


def test_a_publisher_that_begins_beside_one_goes_on(redis, ledger, store):
    redis.hset(keys.RESCORES, BROKEN, "{}")
    ledger.create(submission := make_submission())
    assert Publisher(redis, ledger, store, journal_seconds=0).step()
    assert layout.submission_path(submission.id) in store.list()
