"""What maintainers leave in Redis of judges reaches the archive, whatever lies beside it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import NamedTuple

import pytest
from redis import Redis

from evaluator.records import Record
from leaderboard.judge_board.desk import JudgeQualities
from leaderboard.rescoring.checks import JudgeChecks, name_of
from leaderboard.store import LocalStore, layout
from leaderboard.store.base import Write
from leaderboard.submissions import keys
from leaderboard.submissions.ledger import Ledger
from tests.builders import make_submission
from tests.judge_board.public_rows import make_check, make_computed
from worker.publisher import Publisher

BROKEN = "demo/0a1b2c3d4e5f6071"


class Sort(NamedTuple):
    """One of the two that are handed over, and where it lies."""

    records: str
    unsaved: str
    path: Callable[[str], str]
    put: Callable[[Redis, str], tuple[str, Record]]
    """Leaves the record of a judge in Redis; returns it with its name."""
    desk: Callable[[Redis], JudgeQualities | JudgeChecks]


def put_quality(redis: Redis, judge: str) -> tuple[str, Record]:
    computed = make_computed(judge)
    JudgeQualities(redis).put([computed])
    return computed.name, computed


def put_check(redis: Redis, judge: str) -> tuple[str, Record]:
    check = make_check(judge)
    JudgeChecks(redis).put(check)
    return name_of(check), check


QUALITY = Sort(
    keys.JUDGE_QUALITY, keys.JUDGE_QUALITY_UNSAVED, layout.judge_quality_path, put_quality, lambda r: JudgeQualities(r)
)
CHECK = Sort(keys.JUDGE_CHECKS, keys.JUDGE_CHECKS_UNSAVED, layout.judge_check_path, put_check, lambda r: JudgeChecks(r))
both = pytest.mark.parametrize("sort", [QUALITY, CHECK], ids=["quality", "check"])


def put_raw(redis: Redis, sort: Sort, name: str, value: str) -> None:
    redis.hset(sort.records, name, value)
    redis.sadd(sort.unsaved, name)


def waiting(redis: Redis, sort: Sort) -> set[str]:
    return {name.decode() for name in redis.smembers(sort.unsaved)}


@pytest.fixture
def publisher(redis: Redis, ledger: Ledger, store: LocalStore) -> Publisher:
    made = Publisher(redis, ledger, store, journal_seconds=0)
    while made.step():
        pass
    return made


@both
@pytest.mark.parametrize("value", ["{}", "no record", '{"schema_version":2}'])
def test_one_that_cannot_be_read_is_told_once_and_stops_nothing(redis, ledger, store, publisher, caplog, sort, value):
    put_raw(redis, sort, BROKEN, value)
    name, record = sort.put(redis, "sound")
    ledger.create(submission := make_submission())
    with caplog.at_level(logging.ERROR, "rapport.judges"):
        for _ in range(4):
            publisher.step()
    assert store.read(sort.path(name)) == record.model_dump_json().encode()
    assert layout.submission_path(submission.id) in store.list()
    assert sort.path(BROKEN) not in store.list()
    assert waiting(redis, sort) == {BROKEN}, "it is not called saved"
    assert caplog.text.count(BROKEN) == 1
    redis.hset(sort.records, BROKEN, '{"schema_version":3}')
    with caplog.at_level(logging.ERROR, "rapport.judges"):
        publisher.step()
    assert caplog.text.count(BROKEN) == 2, "it is another one by now"


@both
def test_one_that_lies_under_the_name_of_another_is_not_stored_there(redis, store, publisher, sort):
    _, record = sort.put(redis, "sound")
    put_raw(redis, sort, BROKEN, record.model_dump_json())
    publisher.step()
    assert sort.path(BROKEN) not in store.list()
    assert waiting(redis, sort) == {BROKEN}


@both
def test_one_that_was_saved_and_is_broken_bothers_nobody(redis, store, publisher, sort):
    redis.hset(sort.records, BROKEN, "{}")
    name, _ = sort.put(redis, "sound")
    publisher.step()
    assert sort.path(name) in store.list()


@both
def test_what_was_replaced_or_broken_while_it_was_saved_goes_on_waiting(redis, sort):
    desk, known = sort.desk(redis), dict(sort.put(redis, judge) for judge in ("first", "second", "third"))
    first, second, _ = known
    saved: Mapping[str, Record] = desk.unsaved()
    assert saved == known
    redis.hset(sort.records, first, "{}")
    field = "runs" if sort is QUALITY else "questions"
    redis.hset(sort.records, second, known[second].model_copy(update={field: 77}).model_dump_json())
    desk.note_saved(saved)  # type: ignore[arg-type]
    assert waiting(redis, sort) == {first, second}


@both
def test_a_file_that_cannot_be_read_keeps_no_other_from_coming_back(redis, store, sort, caplog):
    name, record = sort.put(redis, "sound")
    broken = Write(sort.path("demo/0a1b2c3d4e5f6071" + ("-0a1b2c3d4e5f" if sort is CHECK else "")), b"{}")
    store.commit([broken, Write(sort.path(name), record.model_dump_json().encode())], "damage")
    redis.flushall()
    with caplog.at_level(logging.ERROR, "rapport.judges"):
        sort.desk(redis).restore(store)
    assert sort.desk(redis).all() == {name: record}
    assert broken.path in caplog.text
