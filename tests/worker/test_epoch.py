"""The publisher's mark: it goes on while Redis keeps its memory, and never else."""

import threading

import pytest

from leaderboard.submissions import keys
from tests.losing import copy_of, roll_back
from worker.epoch import Epoch, MemoryLost, has_rival


@pytest.fixture
def epoch(redis) -> Epoch:
    epoch = Epoch(redis)
    epoch.begin()
    return epoch


def test_an_epoch_that_was_not_begun_does_not_go_on(redis):
    assert not Epoch(redis).goes_on()
    with pytest.raises(MemoryLost):
        Epoch(redis).check()


def test_it_goes_on_for_as_long_as_nothing_is_lost(epoch):
    assert [epoch.goes_on() for _ in range(3)] == [True] * 3
    epoch.check()


def test_it_ends_with_any_older_copy_and_with_an_empty_redis(redis, epoch):
    copies = []
    for _ in range(3):
        copies.append(copy_of(redis))
        epoch.goes_on()
    for copy in (*copies, {}):
        roll_back(redis, copy)
        assert not epoch.goes_on()
        epoch.begin()


def test_a_copy_of_this_very_moment_has_lost_nothing(redis, epoch):
    epoch.goes_on()
    roll_back(redis, copy_of(redis))
    assert epoch.goes_on()


def test_an_answer_that_was_lost_on_its_way_is_no_loss_of_memory(redis, epoch):
    name, _, count = redis.get(keys.EPOCH).decode().partition(":")
    redis.set(keys.EPOCH, f"{name}:{int(count) + 1}")
    assert epoch.goes_on()


def test_another_publishers_epoch_is_not_ones_own(redis, epoch):
    Epoch(redis).begin()
    assert not epoch.goes_on()


def test_the_mark_of_a_dead_publisher_is_no_rival_and_that_of_a_living_one_is(redis, epoch):
    assert not has_rival(redis, 0.01)
    ended = threading.Event()

    def live() -> None:
        while not ended.is_set():
            epoch.goes_on()

    living = threading.Thread(target=live)
    living.start()
    try:
        assert has_rival(redis, 0.2)
    finally:
        ended.set()
        living.join()
    redis.delete(keys.EPOCH)
    assert not has_rival(redis, 60), "without a mark there is nothing to wait for"
