"""Keeping what was read for a moment: one reading for a crowd, and nothing kept for long."""

import threading

import pytest

from leaderboard.pages.recent import Recent
from tests.waiting import at_once, until


def test_what_was_read_is_kept_for_a_moment_and_then_read_again():
    moment = [0.0]
    recent = Recent(seconds=1, clock=lambda: moment[0])
    numbers = iter(range(10))
    assert [recent.get("key", lambda: next(numbers)) for _ in range(3)] == [0, 0, 0]
    moment[0] = 1.0
    assert recent.get("key", lambda: next(numbers)) == 1


def test_a_crowd_costs_one_reading():
    recent, asked, read = Recent(seconds=60), [], []

    def slowly() -> int:
        read.append(threading.get_ident())
        until(lambda: len(asked) == 12, what="the whole crowd has asked")
        return 7

    def ask() -> int:
        asked.append(threading.get_ident())
        return recent.get("key", slowly)

    assert at_once(*[ask] * 12) == [7] * 12
    assert len(read) == 1


def test_a_failure_is_told_to_all_and_kept_no_longer_than_a_success():
    moment = [0.0]
    recent = Recent(seconds=1, clock=lambda: moment[0])
    tries = []

    def fail() -> None:
        tries.append(1)
        raise ConnectionError

    for _ in range(3):
        with pytest.raises(ConnectionError):
            recent.get("key", fail)
    assert len(tries) == 1
    moment[0] = 1.5
    assert recent.get("key", lambda: "back") == "back"


def test_odd_keys_do_not_pile_up():
    moment = [0.0]
    recent = Recent(seconds=1, clock=lambda: moment[0])
    for number in range(1000):
        recent.get(number, lambda: None)
        moment[0] += 0.5
    assert len(recent._answers) <= 3
    assert len(recent._until) <= 3
