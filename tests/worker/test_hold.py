"""The publisher's hold: one has it, a dead one's runs out, a living one's does not."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from leaderboard.submissions import keys
from tests.losing import let_hold_run_out
from tests.waiting import until
from worker.hold import Displaced, Hold
from worker.mark import Mark, read_mark

ROOT = Path(__file__).parents[2]


def mark_in(redis) -> Mark | None:
    return read_mark((redis.get(keys.EPOCH) or b"").decode())


@pytest.fixture
def stopping() -> threading.Event:
    return threading.Event()


def test_a_hold_that_is_kept_ends_whoever_else_wants_it(redis, stopping):
    first = Hold(redis)
    assert first.take(stopping)
    with first.kept(), pytest.raises(Displaced, match="Another publisher is at work"):
        Hold(redis).take(stopping)
    assert Hold(redis).take(stopping), "it is given back at the end"


def test_a_dead_publishers_hold_is_waited_for(redis, stopping):
    assert Hold(redis, seconds=0.5).take(stopping)
    second = Hold(redis)
    assert second.take(stopping)
    assert redis.get(keys.PUBLISHER).decode() == second.name


def test_waiting_ends_when_the_waiting_one_is_told_to_stop(redis, stopping):
    assert Hold(redis).take(stopping)
    stopping.set()
    assert not Hold(redis).take(stopping)


def test_a_hold_without_an_end_is_not_waited_for(redis, stopping):
    redis.set(keys.PUBLISHER, "somebody")
    with pytest.raises(Displaced):
        Hold(redis).take(stopping)


def test_giving_back_leaves_anothers_hold_alone(redis, stopping):
    first, second = Hold(redis), Hold(redis)
    assert first.take(stopping)
    let_hold_run_out(redis)
    assert second.take(stopping)
    first.release()
    assert redis.get(keys.PUBLISHER).decode() == second.name


@pytest.fixture
def start(redis_url, tmp_path):
    """Starts a publisher; each has the same folder."""
    started = []

    def start_one() -> subprocess.Popen[str]:
        environment = {**os.environ, "RAPPORT_REDIS_URL": redis_url, "RAPPORT_DATA": str(tmp_path)}
        command = [sys.executable, "-m", "worker", "publish"]
        started.append(subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start_one
    for process in started:
        process.kill()
        process.wait()
        process.stderr.close()


def test_of_two_publishers_the_second_ends_with_a_clear_error(redis, start):
    redis.delete(keys.EPOCH)
    first = start()
    until(lambda: redis.exists(keys.EPOCH), what="the first one is at work", within=60)
    second = start()
    assert second.wait(60) == 1
    assert "Another publisher is at work" in second.stderr.read()
    assert first.poll() is None
    first.terminate()
    assert first.wait(60) == 0
    assert not redis.exists(keys.PUBLISHER)


def test_a_publisher_that_wakes_beside_its_successor_ends_and_restores_nothing(redis, start):
    redis.delete(keys.EPOCH)
    frozen = start()
    until(lambda: redis.exists(keys.EPOCH), what="the first one is at work", within=60)
    frozen.send_signal(signal.SIGSTOP)
    holder, (era, number) = redis.get(keys.PUBLISHER), mark_in(redis)
    start()
    until(lambda: redis.get(keys.PUBLISHER) not in (holder, None), what="the successor takes over", within=60)
    successor = redis.get(keys.PUBLISHER)
    frozen.send_signal(signal.SIGCONT)
    assert frozen.wait(60) == 1
    assert redis.get(keys.PUBLISHER) == successor
    until(lambda: mark_in(redis) not in (None, Mark(era, number), Mark(era, number + 1)), what="it goes on", within=60)
    assert mark_in(redis).era == era, "nothing was lost"
