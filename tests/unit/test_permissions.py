"""Who may do what to a submission, and when."""

import pytest

from leaderboard.people import Person
from leaderboard.records import AmendmentKind, State
from leaderboard.submissions.permissions import OF_MAINTAINERS, Action, may, refusal
from leaderboard.submissions.states import ENDED
from tests.builders import make_submission
from tests.unit.test_history import SUBMISSION, amendment, step

ALICE, MALLORY, KEEPER = Person("alice"), Person("mallory"), Person("keeper", maintainer=True)
POSSIBLE_IN = {
    Action.CANCEL: set(State) - ENDED - {State.PUBLISHING},
    Action.RETRY: {State.FAILED, State.CANCELLED},
    Action.WITHDRAW: set(State),
    Action.CORRECT: set(State),
    Action.DISPUTE: {State.PUBLISHED},
    Action.LIFT: set(State) - ENDED,
    Action.PAUSE: set(State) - ENDED,
    Action.FLAG: {State.PUBLISHED},
    Action.HIDE: set(State),
}


def events_in(state: State, *kinds: AmendmentKind):
    return (step(1, "alice", state), *(amendment(kind, place) for place, kind in enumerate(kinds, start=2)))


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("action", sorted(POSSIBLE_IN))
def test_each_action_is_possible_in_its_states_and_no_other(action, state):
    assert may(KEEPER, action, SUBMISSION, events_in(state)) is (state in POSSIBLE_IN[action])


@pytest.mark.parametrize("action", sorted(set(Action) - OF_MAINTAINERS))
def test_submitters_may_do_to_their_own_what_strangers_may_not(action):
    for state in POSSIBLE_IN[action]:
        assert may(ALICE, action, SUBMISSION, events_in(state))
        assert refusal(MALLORY, action, SUBMISSION, events_in(state)) == (
            f"Only alice and maintainers may {action} this submission."
        )


@pytest.mark.parametrize("action", sorted(OF_MAINTAINERS))
def test_some_things_are_for_maintainers_alone(action):
    assert refusal(ALICE, action, SUBMISSION, events_in(State.QUEUED)) == f"Only maintainers may {action} a submission."


@pytest.mark.parametrize("name", ["Alice", "alice ", "ALICE", "alicе"])
def test_names_are_compared_exactly(name):
    assert not may(Person(name), Action.CANCEL, SUBMISSION, events_in(State.QUEUED))


def test_what_the_command_line_entered_is_not_of_whoever_bears_that_name():
    entered = make_submission(submitter="maintainer")
    assert not may(Person("maintainer"), Action.CANCEL, entered, events_in(State.QUEUED))
    assert may(KEEPER, Action.CANCEL, entered, events_in(State.QUEUED))


def test_of_several_runs_one_that_can_be_stopped_is_enough():
    other = step(2, "alice", State.GENERATING).model_copy(update={"run_id": f"{SUBMISSION.id}.other"})
    events = (*events_in(State.PUBLISHED), other)
    assert may(ALICE, Action.CANCEL, SUBMISSION, events)
    assert may(ALICE, Action.DISPUTE, SUBMISSION, events)


def test_what_stands_already_is_not_done_again():
    assert not may(KEEPER, Action.LIFT, SUBMISSION, events_in(State.QUEUED, AmendmentKind.LIFTED))
    assert not may(KEEPER, Action.PAUSE, SUBMISSION, events_in(State.QUEUED, AmendmentKind.PAUSED))
    assert may(KEEPER, Action.RESUME, SUBMISSION, events_in(State.QUEUED, AmendmentKind.PAUSED))
    assert "it is not paused" in refusal(KEEPER, Action.RESUME, SUBMISSION, events_in(State.QUEUED))


def test_a_mark_is_put_and_taken_away_in_turn():
    flagged = events_in(State.PUBLISHED, AmendmentKind.FLAGGED)
    assert "flagged already" in refusal(KEEPER, Action.FLAG, SUBMISSION, flagged)
    assert may(KEEPER, Action.CLEAR, SUBMISSION, flagged)
    cleared = events_in(State.PUBLISHED, AmendmentKind.FLAGGED, AmendmentKind.CLEARED)
    assert may(KEEPER, Action.FLAG, SUBMISSION, cleared)
    assert "it is not flagged, and nothing is suspected" in refusal(KEEPER, Action.CLEAR, SUBMISSION, cleared)


def test_what_a_program_suspects_is_cleared_though_nothing_is_flagged():
    assert may(KEEPER, Action.CLEAR, SUBMISSION, events_in(State.PUBLISHED, AmendmentKind.SUSPECTED))
    flagged = events_in(State.PUBLISHED, AmendmentKind.SUSPECTED, AmendmentKind.FLAGGED, AmendmentKind.CLEARED)
    assert not may(KEEPER, Action.CLEAR, SUBMISSION, flagged)


def test_what_is_hidden_is_shown_and_nothing_else():
    hidden = events_in(State.PUBLISHED, AmendmentKind.HIDDEN)
    assert "hidden already" in refusal(KEEPER, Action.HIDE, SUBMISSION, hidden)
    assert may(KEEPER, Action.SHOW, SUBMISSION, hidden)
    assert "it is not hidden" in refusal(KEEPER, Action.SHOW, SUBMISSION, events_in(State.PUBLISHED))


def test_only_what_is_disputed_is_answered():
    assert "nothing of it is disputed" in refusal(KEEPER, Action.ANSWER, SUBMISSION, events_in(State.PUBLISHED))
    assert may(KEEPER, Action.ANSWER, SUBMISSION, events_in(State.PUBLISHED, AmendmentKind.DISPUTED))


@pytest.mark.parametrize("action", sorted(Action))
def test_nothing_is_done_to_what_was_withdrawn(action):
    events = events_in(State.FAILED, AmendmentKind.PAUSED, AmendmentKind.WITHDRAWN)
    assert refusal(KEEPER, action, SUBMISSION, events) == "It was withdrawn, and that is for good."
