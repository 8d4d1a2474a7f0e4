"""Talking to a child never takes longer than it may."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator

import pytest

from evaluator.engines.channel import LineChannel

Start = Callable[..., LineChannel]


@pytest.fixture
def start() -> Iterator[Start]:
    children: list[subprocess.Popen[bytes]] = []

    def started(*command: str) -> LineChannel:
        children.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0))
        return LineChannel(children[-1])

    yield started
    for child in children:
        child.kill()
        child.communicate()


def test_lines_far_larger_than_a_pipe_arrive_whole_and_in_order(start: Start) -> None:
    channel = start("sh", "-c", "head -c 3000001 > /dev/null; head -c 3000000 /dev/zero | tr '\\0' x; echo; echo end")

    channel.send(b"y" * 3_000_000, seconds=30)

    assert channel.receive(seconds=30) == b"x" * 3_000_000
    assert channel.receive(seconds=30) == b"end"


def test_a_child_that_says_nothing_is_not_waited_for_longer_than_allowed(start: Start) -> None:
    with pytest.raises(TimeoutError):
        start("sleep", "600").receive(seconds=0.05)


def test_a_child_that_never_ends_its_line_is_not_waited_for_longer_than_allowed(start: Start) -> None:
    with pytest.raises(TimeoutError):
        start("sh", "-c", "while printf x; do sleep 0.01; done").receive(seconds=0.2)


def test_a_child_that_does_not_read_is_not_waited_for_longer_than_allowed(start: Start) -> None:
    with pytest.raises(TimeoutError):
        start("sleep", "600").send(b"x" * 3_000_000, seconds=0.05)


def test_a_child_that_is_gone_is_told_from_one_that_is_slow(start: Start) -> None:
    channel = start("sh", "-c", "exec 0<&-; printf unfinished")

    assert channel.receive(seconds=30) is None
    with pytest.raises(BrokenPipeError):
        channel.send(b"x", seconds=30)
