"""Which steps a run may take, and what its submission's state is."""

from collections import deque
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.records import State
from leaderboard.submissions.states import ENDED, NEXT, IllegalTransition, check_step, submission_state

THE_WAY = [
    State.CHECKING,
    State.QUEUED,
    State.GENERATING,
    State.JUDGING,
    State.SCORING,
    State.PUBLISHING,
    State.PUBLISHED,
]
states = st.sampled_from(State)


def reachable(start: State) -> set[State]:
    """All states that may come after a state, however many steps it takes."""
    found: set[State] = set()
    waiting = deque([start])
    while waiting:
        for after in NEXT[waiting.popleft()] - found:
            found.add(after)
            waiting.append(after)
    return found


@given(states, states)
def test_only_steps_of_the_table_pass(before, after):
    if after in NEXT[before]:
        check_step(before, after)
    else:
        with pytest.raises(IllegalTransition, match=f"from {before} to {after}"):
            check_step(before, after)


def test_every_state_has_a_place_in_the_table():
    assert set(NEXT) == set(State)


def test_the_usual_way_leads_from_checking_to_published():
    for before, after in pairwise(THE_WAY):
        check_step(before, after)


@given(states)
def test_no_step_is_skipped_on_the_usual_way(start):
    later = THE_WAY[THE_WAY.index(start) + 2 :] if start in THE_WAY else []
    assert not NEXT[start] & set(later)


@pytest.mark.parametrize("state", sorted(set(State) - ENDED))
def test_every_open_state_can_reach_both_ends_and_fail_at_once(state):
    assert {State.PUBLISHED, State.FAILED} <= reachable(state)
    check_step(state, State.FAILED)


@pytest.mark.parametrize("state", sorted(set(State) - ENDED - {State.PUBLISHING}))
def test_whoever_submitted_may_stop_a_run_until_it_is_being_published(state):
    check_step(state, State.CANCELLED)


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED])
def test_a_run_that_failed_or_was_stopped_can_be_taken_up_again_and_nothing_else(state):
    assert NEXT[state] == {State.QUEUED}


def test_what_is_published_stays_published():
    assert reachable(State.PUBLISHED) == set()


def test_no_state_follows_itself():
    assert not [state for state in State if state in NEXT[state]]


ALL_COMBINATIONS = [runs for length in (1, 2, 3) for runs in product(State, repeat=length)]


def test_a_submission_is_where_its_run_furthest_behind_is():
    for runs in ALL_COMBINATIONS:
        places = [THE_WAY.index(state) for state in runs if state not in ENDED]
        if places:
            assert submission_state(runs) is THE_WAY[min(places)], runs


def test_a_submission_whose_runs_have_all_ended_is_in_the_worst_of_their_states():
    worst_first = [State.FAILED, State.CANCELLED, State.PUBLISHED]
    for runs in ALL_COMBINATIONS:
        if set(runs) <= ENDED:
            assert submission_state(runs) is worst_first[min(worst_first.index(state) for state in runs)], runs


def test_one_runs_state_is_its_submissions():
    assert [submission_state([state]) for state in State] == list(State)


def test_a_submission_without_runs_has_no_state():
    with pytest.raises(ValueError, match="at least one run"):
        submission_state([])
