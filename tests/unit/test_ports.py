"""The demo takes the wanted port, or says that it uses another one."""

import socket

import pytest

from evaluator.errors import RapportError
from leaderboard.cli import demo


@pytest.fixture
def taken():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def test_a_free_port_is_taken():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]

    with demo._listen(free) as listener:
        assert listener.getsockname() == ("127.0.0.1", free)


def test_a_taken_port_leads_to_another_one(taken):
    with demo._listen(taken) as listener:
        assert listener.getsockname()[1] > taken


def test_without_any_free_port_the_demo_says_what_to_do(taken, monkeypatch):
    monkeypatch.setattr(demo, "_PORTS_TRIED", 1)

    with pytest.raises(RapportError, match="--port"):
        demo._listen(taken)
