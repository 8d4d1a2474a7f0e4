"""What follows from a list of events, and how two lists of one submission become one."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.records import Amendment, AmendmentKind, State, Transition, amendment_version
from leaderboard.submissions.history import (
    History,
    effective_declaration,
    flag_of,
    hiding_of,
    is_flagged,
    is_hidden,
    is_lifted,
    is_paused,
    merge,
    suspicion_of,
    withdrawal_of,
)
from tests.builders import NOON, make_declaration, make_submission

SUBMISSION = make_submission()
(RUN,) = SUBMISSION.run_ids()


def amendment(kind: AmendmentKind, sequence: int = 1, **changes) -> Amendment:
    declared = make_declaration() if kind is AmendmentKind.CORRECTED else None
    values = {"submission_id": SUBMISSION.id, "at": NOON, "actor": "alice", "text": "Because.", "declaration": declared}
    values["schema_version"] = amendment_version(kind)
    return Amendment(kind=kind, sequence=sequence, **(values | changes))


def step(sequence: int, actor: str, after: State = State.QUEUED) -> Transition:
    return Transition(run_id=RUN, sequence=sequence, before=None, after=after, at=NOON, actor=actor, failure=None)


# One line of events; each is told apart by who did it.
pasts = st.lists(st.sampled_from("abc"), max_size=6).map(
    lambda actors: tuple(step(number, actor) for number, actor in enumerate(actors, start=1))
)


@given(pasts, pasts)
def test_nothing_that_was_saved_is_lost_and_numbers_have_no_gap(saved, live):
    merged = merge(saved, live)
    assert merged.events[: len(saved)] == saved
    assert [event.sequence for event in merged.events] == list(range(1, len(merged.events) + 1))


@given(pasts, pasts)
def test_what_redis_alone_holds_stays_if_it_follows_from_the_stores_and_is_named_if_not(saved, live):
    merged = merge(saved, live)
    if live[: len(saved)] == saved:
        assert merged == (live, ())
    else:
        assert merged.events == saved
        differ = [place for place, event in enumerate(live) if saved[place : place + 1] != (event,)]
        assert merged.dropped == (live[differ[0] :] if differ else ())


@given(pasts, pasts)
def test_merging_again_changes_nothing(saved, live):
    once = merge(saved, live).events
    assert merge(saved, once) == (once, ())


@st.composite
def lives(draw):
    """What happens to one submission: events, saves, copies of Redis, returns to them, restorations."""
    return draw(st.lists(st.sampled_from(["event", "save", "copy", "lose", "lose all", "restore"]), max_size=30))


@given(lives())
def test_whatever_happens_between_a_loss_and_its_discovery_what_was_saved_stays(happenings):
    live: list[Transition] = []
    saved: tuple[Transition, ...] = ()
    copies: list[list[Transition]] = [[]]
    whole, number = True, 0
    for happening in happenings:
        if happening == "event":
            number += 1
            live = [*live, step(len(live) + 1, f"actor {number}")]
        elif happening == "save" and whole:  # The publisher's mark keeps it from saving before it has restored.
            assert tuple(live[: len(saved)]) == saved
            saved = tuple(live)
        elif happening == "copy":
            copies.append(live)
        elif happening in ("lose", "lose all"):
            live, whole = copies[-1] if happening == "lose" else [], False
        elif happening == "restore":
            live, whole = list(merge(saved, live).events), True
            assert tuple(live[: len(saved)]) == saved
            assert [event.sequence for event in live] == list(range(1, len(live) + 1))


def test_the_last_correction_counts():
    first = make_declaration(base_model="org/first")
    last = make_declaration(base_model="org/last")
    events = [amendment(AmendmentKind.CORRECTED, declaration=each) for each in (first, last)]
    assert effective_declaration(SUBMISSION, []) == SUBMISSION.declaration
    assert effective_declaration(SUBMISSION, events) == last
    history = History(submission=SUBMISSION, events=(step(1, "alice"), *events))
    assert history.corrected == SUBMISSION.model_copy(update={"declaration": last})


def test_a_pause_lasts_until_it_is_ended():
    pause, resume = amendment(AmendmentKind.PAUSED), amendment(AmendmentKind.RESUMED)
    turns = [[], [pause], [pause, resume], [pause, resume, pause]]
    assert [is_paused(events) for events in turns] == [False, True, False, True]


def test_a_flag_lasts_until_it_is_cleared_and_a_hiding_until_it_is_shown():
    flag, again, clear, hide, show = (
        amendment(AmendmentKind.FLAGGED),
        amendment(AmendmentKind.FLAGGED, text="Again."),
        amendment(AmendmentKind.CLEARED),
        amendment(AmendmentKind.HIDDEN),
        amendment(AmendmentKind.SHOWN),
    )
    turns = [[], [flag], [flag, hide], [flag, hide, clear], [flag, hide, clear, show, again]]
    assert [is_flagged(events) for events in turns] == [False, True, True, False, True]
    assert [is_hidden(events) for events in turns] == [False, False, True, True, False]
    assert [flag_of(events) for events in turns] == [None, flag, flag, None, again]
    assert [hiding_of(events) for events in turns] == [None, None, hide, hide, None]


@pytest.mark.parametrize("decided", ["FLAGGED", "CLEARED", "HIDDEN", "WITHDRAWN"])
def test_a_suspicion_stands_until_somebody_has_decided(decided):
    first = amendment(AmendmentKind.SUSPECTED, about="one")
    second = amendment(AmendmentKind.SUSPECTED, about="two")
    decision = amendment(AmendmentKind[decided])
    between = amendment(AmendmentKind.DISPUTED)
    assert suspicion_of([]) is None
    assert suspicion_of([first, second, between]) is second
    assert suspicion_of([first, decision]) is None
    assert suspicion_of([first, decision, second]) is second


def test_a_lift_and_a_withdrawal_are_for_good():
    lift, resume = amendment(AmendmentKind.LIFTED), amendment(AmendmentKind.RESUMED)
    assert [is_lifted(events) for events in ([], [lift], [lift, resume])] == [False, True, True]
    first, second = (amendment(AmendmentKind.WITHDRAWN, text=text) for text in ("One.", "Two."))
    assert withdrawal_of([first, second]) is first
    assert withdrawal_of([lift]) is None


def test_states_are_where_the_last_steps_led():
    other = f"{SUBMISSION.id}.other"
    events = (
        step(1, "alice", State.CHECKING),
        step(2, "alice", State.CHECKING).model_copy(update={"run_id": other}),
        step(3, "alice", State.QUEUED),
        amendment(AmendmentKind.LIFTED, 4),
        step(5, "worker", State.GENERATING),
    )
    history = History(submission=SUBMISSION, events=events)
    assert history.states == {RUN: State.GENERATING, other: State.CHECKING}
    assert (history.state, history.ended, len(history.transitions)) == (State.CHECKING, False, 4)


def test_an_amendment_needs_a_moment_with_a_time_zone():
    with pytest.raises(ValueError, match="time zone"):
        amendment(AmendmentKind.LIFTED, at=datetime.datetime(2026, 1, 1))
