"""Where all submissions stand: read once, and later only what has changed; and which disputes are open."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from redis import Redis

from evaluator.errors import Cause
from leaderboard.pages.maintain.index import Index
from leaderboard.pages.maintain.marks import Mark, open_disputes
from leaderboard.people import Person
from leaderboard.records import Amendment, AmendmentKind, State, amendment_version
from leaderboard.settings import Settings
from leaderboard.submissions import keys, views
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.service import SubmissionService
from tests.builders import NOON
from tests.web.maintaining import enter, fail

DISPUTED, ANSWERED = AmendmentKind.DISPUTED, AmendmentKind.ANSWERED


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The submissions whose histories are read."""
    found: list[str] = []
    histories = views.read_histories

    def reading(redis: Redis, names: list[str]) -> Any:
        found.extend(names)
        return histories(redis, names)

    monkeypatch.setattr("leaderboard.submissions.reading.read_histories", reading)
    return found


def test_a_history_is_read_once_and_again_when_something_happens(redis: Redis, ledger: Ledger, read: list[str]) -> None:
    names = [enter(ledger, number).id for number in range(5)]
    index = Index(redis)
    assert [each.id for each in index.look().standings] == names[::-1]
    assert sorted(read) == names
    read.clear()
    assert index.look().unread == 0
    assert read == []
    ledger.amend(ledger.history(names[2]), AmendmentKind.PAUSED, "carol", "")
    new = fail(ledger, 7, Cause.GATED)
    read.clear()
    seen = index.look()
    assert sorted(read) == [names[2], new]
    assert [each.id for each in seen.with_mark(Mark.PAUSED)] == [names[2]]
    (failed,) = seen.standings[0].failed
    assert (failed.run_id, failed.cause) == (f"{new}.demo-v1", Cause.GATED)
    assert seen.standings[0].state is State.FAILED


def test_no_request_reads_more_than_its_part(redis: Redis, ledger: Ledger, read: list[str]) -> None:
    names = [enter(ledger, number).id for number in range(5)]
    index = Index(redis, read_at_once=2)
    found = []
    for _ in range(3):
        seen = index.look()
        found.append((len(seen.standings), seen.total, seen.unread))
    assert found == [(2, 5, 3), (4, 5, 1), (5, 5, 0)]
    assert read == names[::-1], "the newest first"


def test_what_cannot_be_read_is_counted_and_hides_nothing_else(redis: Redis, ledger: Ledger, read: list[str]) -> None:
    broken, whole = enter(ledger, 1).id, enter(ledger, 2).id
    redis.rpush(keys.events(broken), "{}")
    index = Index(redis)
    for _ in range(2):
        seen = index.look()
        assert ([each.id for each in seen.standings], seen.unreadable, seen.unread) == ([whole], 1, 0)
        read.clear()
    assert index.look() == seen
    assert read == []
    redis.rpop(keys.events(broken))
    assert index.look().unreadable == 0


def test_what_is_gone_is_forgotten(redis: Redis, ledger: Ledger) -> None:
    name = enter(ledger, 1).id
    index = Index(redis)
    assert index.look().total == 1
    redis.zrem(keys.SUBMISSIONS, name)
    assert index.look() == ((), 0, 0)


def test_the_marks_of_a_submission_are_what_stands(redis: Redis, ledger: Ledger) -> None:
    service, carol = SubmissionService(Settings(), redis), Person("carol", maintainer=True)
    index, name = Index(redis), enter(ledger, 1, State.PUBLISHED).id

    def marks() -> set[Mark]:
        return set(index.look().standings[0].marks)

    ledger.amend(ledger.history(name), AmendmentKind.SUSPECTED, "publisher", "All the same.", about=f"{name}.demo-v1")
    assert marks() == {Mark.SUSPECTED}
    service.flag(name, carol, "It repeats one sentence.")
    assert marks() == {Mark.FLAGGED}
    service.hide(name, carol, "It names people.")
    ledger.amend(ledger.history(name), DISPUTED, "bob", "It does not.")
    assert marks() == {Mark.FLAGGED, Mark.HIDDEN, Mark.DISPUTED}
    service.clear(name, carol, "By mistake.")
    service.show(name, carol, "By mistake.")
    service.answer(name, carol, "It did not.")
    assert marks() == set()
    service.lift(waiting := enter(ledger, 2).id, carol)
    assert index.look().standings[0].marks == {Mark.LIFTED}
    ledger.move(f"{waiting}.demo-v1", State.QUEUED, State.GENERATING, "gpu-1")
    service.cancel(waiting, carol)
    assert index.look().standings[0].marks == frozenset()
    service.withdraw(name, carol, "Gone.")
    assert set(index.look().standings[1].marks) == {Mark.WITHDRAWN}


def said(*what: tuple[AmendmentKind, str | None]) -> list[Amendment]:
    """Disputes and answers, each about something, in their order."""
    places = itertools.count(1)
    return [
        Amendment(
            schema_version=amendment_version(kind),
            kind=kind,
            submission_id="s-20260301-00000001",
            sequence=next(places),
            at=NOON,
            actor="bob",
            text="Why.",
            about=about,
        )
        for kind, about in what
    ]


@pytest.mark.parametrize(
    ("what", "left"),
    [
        ([], []),
        ([(DISPUTED, "q1")], [1]),
        ([(DISPUTED, "q1"), (ANSWERED, "q1")], []),
        ([(DISPUTED, "q1"), (ANSWERED, "q2")], [1]),
        ([(DISPUTED, "q1"), (DISPUTED, None), (ANSWERED, None)], [1]),
        ([(DISPUTED, "q1"), (DISPUTED, "q2"), (ANSWERED, None)], []),
        ([(DISPUTED, "q1"), (DISPUTED, "q1"), (ANSWERED, "q1"), (DISPUTED, "q1")], [4]),
    ],
)
def test_a_dispute_is_open_until_it_is_answered(what: list[tuple[AmendmentKind, str | None]], left: list[int]) -> None:
    assert [each.sequence for each in open_disputes(said(*what))] == left
