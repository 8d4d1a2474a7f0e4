"""Waves: users in their order, as many together as the engine's cache holds."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.generate import sampling_of
from evaluator.hicupid.contexts import FullContexts
from evaluator.hicupid.selection import UserItems
from evaluator.setup import questions_of
from evaluator.waves import pack, waves
from tests.scripted import ScriptedEngine, hello, users_in


def tokens_of(setup, user) -> int:
    """What one user takes of the cache at least: his history once, and room for each answer."""
    engine = ScriptedEngine(hello)
    history = setup.data.history(user.split, user.user_id)
    shown = FullContexts().of(history, questions_of(setup, user))[0].messages
    return engine.count_tokens([shown])[0] + sampling_of(setup).max_tokens * len(questions_of(setup, user))


@given(sizes=st.lists(st.integers(0, 30), max_size=12), capacity=st.integers(1, 40))
def test_waves_keep_everybody_in_order_and_never_overflow_unless_one_user_does_alone(sizes, capacity):
    users = [UserItems("test_2", number) for number in range(len(sizes))]
    packed = list(pack(users, lambda user: sizes[user.user_id], capacity))
    assert [user for wave in packed for user in wave] == users
    assert all(packed)
    for wave in packed:
        assert len(wave) == 1 or sum(sizes[user.user_id] for user in wave) <= capacity
    for wave, following in pairwise(packed):
        assert sum(sizes[user.user_id] for user in (*wave, following[0])) > capacity


def test_a_cache_that_holds_everybody_makes_one_wave(setup):
    engine = ScriptedEngine(hello, kv_cache_tokens=10**9)
    assert list(waves(setup, users_in(setup), engine, FullContexts())) == [tuple(users_in(setup))]


def test_a_cache_that_holds_nobody_makes_a_wave_of_each(setup):
    engine = ScriptedEngine(hello, kv_cache_tokens=1)
    assert list(waves(setup, users_in(setup), engine, FullContexts())) == [(user,) for user in users_in(setup)]


def test_a_user_takes_room_for_history_and_answers(setup):
    first, second, *_ = users_in(setup)
    least = tokens_of(setup, first) + tokens_of(setup, second)
    too_small = ScriptedEngine(hello, kv_cache_tokens=least)
    assert len(list(waves(setup, [first, second], too_small, FullContexts()))) == 2


@pytest.mark.parametrize("capacity", [1, 10**9])
def test_a_user_of_whom_nothing_is_asked_takes_no_room(setup, capacity):
    nothing = setup._replace(only=frozenset())
    engine = ScriptedEngine(hello, kv_cache_tokens=capacity)
    assert list(waves(nothing, users_in(setup), engine, FullContexts())) == [tuple(users_in(setup))]


def test_a_server_that_does_not_tell_its_cache_gets_more_than_one_user_at_a_time(setup):
    engine = ScriptedEngine(hello, kv_cache_tokens=None)
    assert len(next(waves(setup, users_in(setup), engine, FullContexts()))) > 1


class _Uncounting(ScriptedEngine):
    """Stands for a server that counts no tokens."""

    def count_tokens(self, conversations):
        raise AssertionError("a server that does not tell its cache is not asked to count")


def test_a_server_that_counts_no_tokens_gets_its_users_by_the_length_of_their_histories(setup, monkeypatch):
    engine, users = _Uncounting(hello, kv_cache_tokens=None), users_in(setup)
    assert [user for wave in waves(setup, users, engine, FullContexts()) for user in wave] == users

    monkeypatch.setattr("evaluator.waves._UNKNOWN_CAPACITY", 1)
    assert list(waves(setup, users, engine, FullContexts())) == [(user,) for user in users]
