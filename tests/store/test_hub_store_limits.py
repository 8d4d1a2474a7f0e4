"""What the Hub takes is never exceeded, and nobody blocks for long because of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.store import StoreBusy, Write
from leaderboard.store.hub_budget import CALLS, COMMITS, Bucket, Budget
from tests.hub_server import Limits, LocalHub, Refuse
from tests.store.conftest import OpenHub, boundless


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def most_within(times: list[float], seconds: float) -> int:
    window: deque[float] = deque()
    most = 0
    for time in times:
        window.append(time)
        while window[0] <= time - seconds:
            window.popleft()
        most = max(most, len(window))
    return most


@pytest.mark.parametrize(("bucket", "seconds", "limit"), [(COMMITS, 3600.0, 128), (CALLS, 300.0, 1000)])
@given(pauses=st.lists(st.floats(0, 120) | st.just(0.0), max_size=60), greedy=st.booleans())
def test_no_rhythm_exceeds_a_limit(
    bucket: Bucket, seconds: float, limit: int, pauses: list[float], greedy: bool
) -> None:
    now, taken = 0.0, []
    for pause in [*pauses, *pauses]:
        now += pause
        for _ in range(limit if greedy else 1):
            if not (wait := bucket.wait(now)):
                bucket = bucket.take(now)
                taken.append(now)
            elif greedy and wait < 60:
                now += wait
    assert most_within(taken, seconds) <= limit


def test_a_lasting_load_is_spread_and_uses_most_of_what_is_allowed(clock: Clock) -> None:
    budget, begin, waits, made = Budget(clock=clock), clock(), [], 0
    while clock() < begin + 10 * 3600:
        wait = budget.take_commit()
        made += not wait
        waits.append(wait)
        clock.pass_(wait)
    assert 100 <= made / 10 <= 128
    assert max(waits) == pytest.approx(36.0)


def test_a_hub_that_counts_never_has_to_refuse(hub: LocalHub, open_hub: OpenHub, clock: Clock) -> None:
    hub.limits = Limits(clock=clock)
    store = open_hub(budget=Budget(clock=clock), clock=clock, pause=clock.pass_)
    for number in range(140):
        clock.pass_(store.condition().commit_in)
        store.commit([Write(f"{number}", b"1")], "on and on")
    assert 429 not in {status for _, _, status in hub.answers}
    assert len(store.list()) == 140
    assert clock() > 1000 + 3600


@pytest.mark.parametrize("headers", [False, True])
def test_without_a_budget_the_hub_refuses_and_says_for_how_long(
    hub: LocalHub, open_hub: OpenHub, clock: Clock, headers: bool
) -> None:
    pauses: list[float] = []
    store = open_hub(budget=Budget(*boundless_buckets(), clock=clock), clock=clock, pause=pauses.append)
    hub.limits = Limits(commits=3, clock=clock, headers=headers)
    for number in range(3):
        store.commit([Write(f"{number}", b"1")], "fine")
    clock.pass_(600)
    with pytest.raises(StoreBusy, match="for the next 3000 seconds") as caught:
        store.commit([Write("3", b"1")], "one too many")
    assert (caught.value.seconds, store.condition().commit_in, pauses) == (3000, 3000, [])
    assert store.read("2") == b"1"
    assert store.condition().current
    asked = len(hub.requests)
    with pytest.raises(StoreBusy):
        store.commit([Write("3", b"1")], "not even sent")
    assert not any("/commit/" in request.path for request in hub.requests[asked:])
    clock.pass_(3000)
    store.commit([Write("3", b"1")], "allowed again")
    assert len(store.history()) == 4


def test_a_short_limit_is_waited_for(hub: LocalHub, open_hub: OpenHub, clock: Clock) -> None:
    store = open_hub(budget=Budget(*boundless_buckets(), clock=clock), clock=clock, pause=clock.pass_)
    hub.faults.add("/commit/", Refuse(429, retry_after=3))
    before = clock()
    store.commit([Write("a", b"1")], "after a moment")
    assert clock() - before >= 3


def test_too_many_calls_stop_everything_but_what_is_known(hub: LocalHub, open_hub: OpenHub, clock: Clock) -> None:
    open_hub().commit([Write("a", b"1"), Write("b", b"2")], "two")
    store = open_hub(budget=Budget(*boundless_buckets(), clock=clock), clock=clock)
    assert store.read("a") == b"1"
    hub.faults.add("/refs", Refuse(429, retry_after=200))
    assert store.read("a") == b"1"
    assert "takes nothing for the next 200 seconds" in store.condition().reason
    with pytest.raises(StoreBusy):
        store.read("b")
    clock.pass_(201)
    assert store.read("b") == b"2"
    assert store.condition().current


def test_our_own_budget_of_calls_is_kept_by_waiting(hub: LocalHub, open_hub: OpenHub, clock: Clock) -> None:
    few = Bucket(size=5, refill=1.0)
    store = open_hub(budget=Budget(Bucket(1e9, 1.0), few, clock), clock=clock, pause=clock.pass_)
    before, asked = clock(), len(hub.requests)
    for number in range(5):
        store.commit([Write(f"{number}", b"1")], "paced")
    calls = len(hub.requests) - asked
    assert clock() - before >= calls - 5
    assert calls >= 15


def test_a_budget_that_is_spent_for_long_is_told_at_once(open_hub: OpenHub, clock: Clock) -> None:
    store = open_hub(budget=Budget(Bucket(2, 1 / 60), Bucket(1e9, 1.0), clock), clock=clock, pause=never)
    store.commit([Write("a", b"1")], "one")
    store.commit([Write("b", b"1")], "two")
    assert store.condition().commit_in == 60
    with pytest.raises(StoreBusy) as caught:
        store.commit([Write("c", b"1")], "three")
    assert caught.value.seconds == 60
    assert caught.value.remedy.startswith("Wait")


def boundless_buckets() -> tuple[Bucket, Bucket]:
    return Bucket(1e9, 1.0), Bucket(1e9, 1.0)


never: Callable[[float], None] = lambda seconds: pytest.fail(f"it waited for {seconds} seconds")  # noqa: E731


def test_a_store_may_be_opened_without_any_budget_of_its_own(open_hub: OpenHub) -> None:
    assert open_hub(budget=boundless()).condition().commit_in == 0
