"""Asking for reports: by whom, how many, and what of them is kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from redis import Redis

from evaluator.errors import Cause, RapportError
from leaderboard.people import Person
from leaderboard.records import now
from leaderboard.rescoring import reports
from leaderboard.rescoring.reports import Report, ReportDesk, ReportState
from tests.rescoring.other_judge import OTHER
from tests.rescoring.rescores import CAROL
from tests.waiting import at_once

DAVE = Person("dave", maintainer=True)


@pytest.fixture
def desk(redis: Redis) -> ReportDesk:
    return ReportDesk(redis)


def test_the_same_thing_asked_twice_at_once_is_one_report(redis: Redis, desk: ReportDesk) -> None:
    found = at_once(
        *[lambda: desk.ask_preview(CAROL, OTHER, models=("b", "a"))] * 4,
        *[lambda: desk.ask_preview(DAVE, OTHER, models=("a", "b"))] * 4,
    )
    assert not [each for each in found if isinstance(each, Exception)]
    assert len({each.id for each in found if isinstance(each, Report)}) == 1
    assert len(desk.recent()) == 1
    others = [desk.ask_preview(CAROL, OTHER), desk.ask_start(CAROL, OTHER), desk.ask_preview(CAROL, "demo")]
    assert len({each.id for each in (*others, found[0]) if isinstance(each, Report)}) == 4
    assert [each.id for each in desk.recent()][:3] == [each.id for each in reversed(others)]
    assert [each.id for each in desk.recent(1)] == [others[-1].id]


def test_what_somebody_asks_while_another_is_about_to_is_found(
    redis: Redis, desk: ReportDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.ask_preview(CAROL, "demo")
    read, meanwhile = reports._readable, list[Report]()

    def read_slowly(values: list[bytes | str | None]) -> list[Report]:
        found = read(values)
        if not meanwhile:
            monkeypatch.undo()
            meanwhile.append(desk.ask_preview(DAVE, OTHER))
        return found

    monkeypatch.setattr(reports, "_readable", read_slowly)
    assert desk.ask_preview(CAROL, OTHER) == meanwhile[0]
    assert len(desk.recent()) == 2


def test_so_many_wait_and_no_more(redis: Redis, desk: ReportDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(reports.MOST_WAITING):
        desk.ask_preview(CAROL, f"judge-{number}")
    with pytest.raises(RapportError) as refused:
        desk.ask_preview(CAROL, OTHER)
    assert refused.value.cause is Cause.QUOTA
    assert desk.ask_preview(DAVE, "judge-3").asked_by == "carol", "what is asked already is no further one"


def test_so_many_are_kept_and_no_more(redis: Redis, desk: ReportDesk) -> None:
    waits = desk.ask_preview(CAROL, "oldest")
    for number in range(reports.MOST_KEPT + 3):
        asked = desk.ask_preview(CAROL, f"judge-{number}")
        ready = {"state": ReportState.READY, "ended_at": now()}
        desk.change(asked.id, lambda report, told=ready: report.model_copy(update=told), result="{}")
        desk.tell(asked.id, "reading")
    kept = desk.recent(1000)
    assert len(kept) == reports.MOST_KEPT + 1
    assert waits.id in {each.id for each in kept}, "what waits is not dropped"
    assert len(redis.keys("rapport:report:*")) == 3 * reports.MOST_KEPT + 1
    assert all(0 < redis.ttl(name) <= reports.KEPT_FOR.total_seconds() for name in redis.keys("rapport:report:*"))


def test_only_maintainers_ask(redis: Redis, desk: ReportDesk) -> None:
    eve = Person("eve")
    for ask in (
        lambda: desk.ask_preview(eve, OTHER),
        lambda: desk.ask_start(eve, OTHER),
        lambda: desk.ask_comparison(eve, "r-20260101-0a1b2c3d"),
    ):
        with pytest.raises(RapportError) as refused:
            ask()
        assert refused.value.cause is Cause.FORBIDDEN
    assert redis.keys("rapport:report*") == []


@pytest.mark.parametrize(
    "ask",
    [
        lambda desk: desk.ask_preview(CAROL, "../demo"),
        lambda desk: desk.ask_preview(CAROL, OTHER, models=("x" * 201,)),
        lambda desk: desk.ask_start(CAROL, OTHER, reason="x" * 1001),
        lambda desk: desk.ask_comparison(CAROL, "r-1"),
    ],
)
def test_what_makes_no_sense_is_refused_where_it_is_asked(
    redis: Redis, desk: ReportDesk, ask: Callable[[ReportDesk], Report]
) -> None:
    with pytest.raises(RapportError) as refused:
        ask(desk)
    assert refused.value.cause is Cause.DATA_ERROR
    assert redis.keys("rapport:report*") == []


def test_what_is_not_there_is_not_found(redis: Redis, desk: ReportDesk) -> None:
    for ask in (
        lambda: desk.get("report-20260101-0a1b2c3d"),
        lambda: desk.ask_comparison(CAROL, "r-20260101-0a1b2c3d"),
    ):
        with pytest.raises(RapportError) as refused:
            ask()
        assert refused.value.cause is Cause.NOT_FOUND
