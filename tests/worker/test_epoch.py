"""The publisher's mark: it goes on while Redis keeps its memory, and never else."""

import pytest

from leaderboard.store.base import StoreUnavailable, Write
from leaderboard.submissions import keys
from tests.losing import copy_of, let_hold_run_out, roll_back
from worker.epoch import Epoch, MemoryLost
from worker.hold import Displaced, Hold
from worker.mark import Mark, read_mark, saved_mark, signed


@pytest.fixture
def file(tmp_path):
    return tmp_path / "data" / ".mark"


@pytest.fixture
def epoch(redis, file) -> Epoch:
    epoch = Epoch(redis, Hold(redis), file)
    epoch.begin(None)
    return epoch


@pytest.fixture
def successor(redis, file):
    """Starts the publisher after one that has died."""

    def start() -> Epoch:
        let_hold_run_out(redis)
        return Epoch(redis, Hold(redis), file)

    return start


def mark_in(redis) -> Mark:
    mark = read_mark(redis.get(keys.EPOCH).decode())
    assert mark is not None
    return mark


def test_an_epoch_that_was_not_begun_does_not_go_on(redis):
    assert not Epoch(redis, Hold(redis)).goes_on()
    with pytest.raises(MemoryLost):
        Epoch(redis, Hold(redis)).check()


def test_it_goes_on_for_as_long_as_nothing_is_lost(redis, epoch):
    assert [epoch.goes_on() for _ in range(3)] == [True] * 3
    assert epoch.check() == mark_in(redis)


def test_it_ends_with_any_older_copy_and_with_an_empty_redis(redis, epoch):
    copies = []
    for _ in range(3):
        copies.append(copy_of(redis))
        epoch.goes_on()
    for copy in (*copies, {}):
        roll_back(redis, copy)
        assert not epoch.goes_on()
        epoch.begin(None)


def test_a_copy_of_this_very_moment_has_lost_nothing(redis, epoch):
    epoch.goes_on()
    roll_back(redis, copy_of(redis))
    assert epoch.goes_on()


def test_an_answer_that_was_lost_on_its_way_is_no_loss_of_memory(redis, epoch):
    redis.set(keys.EPOCH, str(mark_in(redis).next))
    assert epoch.goes_on()


def test_after_the_death_of_a_publisher_the_next_one_goes_on_from_its_mark(redis, epoch, successor):
    epoch.check()
    before = mark_in(redis)
    assert successor().resume(None)
    assert mark_in(redis) == before.next


def test_a_publisher_that_died_between_redis_and_its_file_has_lost_nothing(redis, epoch, successor, file):
    epoch.check()
    noted = file.read_bytes()
    epoch.check()
    file.write_bytes(noted)
    assert successor().resume(None)


@pytest.mark.parametrize("content", [None, b"", b"\xff", b"0123456789abcdef:7\n\n", b"0123456789abcdef:"])
def test_a_file_that_was_lost_or_broken_or_is_anothers_is_not_gone_on_from(epoch, successor, file, content):
    epoch.check()
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    assert not successor().resume(None)


def test_an_older_file_is_not_gone_on_from(epoch, successor, file):
    older = file.read_bytes()
    for _ in range(2):
        epoch.check()
    file.write_bytes(older)
    assert not successor().resume(None)


def test_an_older_redis_or_an_empty_one_is_not_gone_on_from(redis, epoch, successor):
    older = copy_of(redis)
    epoch.check()
    for copy in (older, {}):
        roll_back(redis, copy)
        assert not successor().resume(None)


def test_an_older_copy_of_redis_and_the_file_together_is_told_by_the_store(redis, epoch, successor):
    """As a copy of a whole machine brings both back, while the store is elsewhere."""
    saved = mark_in(redis)._replace(number=mark_in(redis).number + 5)
    assert not successor().resume(saved), "the store holds what was committed later"
    assert not successor().resume(Mark("0123456789abcdef", 0)), "or in a later era"


def test_an_era_under_which_nothing_was_saved_yet_is_gone_on_from(redis, file, successor):
    saved = Mark("0123456789abcdef", 41)
    successor().begin(saved)
    assert successor().resume(saved)


def test_the_store_tells_the_mark_of_its_newest_commit_whatever_people_have_added(store):
    assert saved_mark(store) is None
    for number, mark in enumerate((Mark("0123456789abcdef", 1), Mark("fedcba9876543210", 0))):
        store.commit([Write("a", bytes([number]))], signed("rows", mark))
    store.commit([Write("b", b"1")], "by hand (of a person)")
    assert saved_mark(store) == Mark("fedcba9876543210", 0)


def test_the_mark_of_another_publisher_that_is_alive_is_neither_raised_nor_replaced(redis, epoch):
    mark = mark_in(redis)
    late = Epoch(redis, Hold(redis))
    for change in (late.end, lambda: late.begin(None)):
        with pytest.raises(Displaced, match="Another publisher is at work"):
            change()
    assert mark_in(redis) == mark
    assert epoch.goes_on()


def test_a_publisher_that_was_frozen_and_has_a_successor_does_not_take_it_for_a_loss(epoch, successor):
    assert successor().resume(None)
    for step in (epoch.goes_on, epoch.check, epoch.end):
        with pytest.raises(Displaced):
            step()


def test_a_publisher_that_was_frozen_and_has_none_goes_on(redis, epoch):
    let_hold_run_out(redis)
    assert epoch.goes_on()
    with pytest.raises(Displaced):
        Epoch(redis, Hold(redis)).end()


def test_a_file_that_cannot_be_written_stops_what_was_to_be_committed(epoch, file):
    file.unlink()
    file.mkdir()
    with pytest.raises(StoreUnavailable):
        epoch.check()
