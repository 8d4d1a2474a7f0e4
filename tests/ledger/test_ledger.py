"""The ledger: every step of a run is taken once, numbered without a gap, and never lost."""

from collections import deque
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evaluator.errors import Cause
from leaderboard.records import AmendmentKind, Failure, State, Submission
from leaderboard.submissions import keys
from leaderboard.submissions.history import amendments_of
from leaderboard.submissions.ledger import Ledger, MovedMeanwhile
from leaderboard.submissions.states import ENDED, NEXT, IllegalTransition, check_step
from tests.builders import make_declaration, make_plan, make_submission
from tests.waiting import at_once

FAILURE = Failure(cause=Cause.LOAD_ERROR, message="It does not load.", remedy="Mend it.")


def shortest_way(goal: State) -> list[State]:
    """The states that lead a new run to a state, itself last."""
    ways = deque([[State.CHECKING]])
    while ways:
        way = ways.popleft()
        if way[-1] is goal:
            return way
        ways.extend([*way, after] for after in sorted(NEXT[way[-1]] - set(way)))
    raise AssertionError(f"{goal} cannot be reached")


def enter(ledger: Ledger, state: State, number: int = 1) -> Submission:
    """Enters a submission and leads its run to a state."""
    submission = make_submission(number)
    ledger.create(submission)
    way = shortest_way(state)
    for before, after in pairwise(way):
        ledger.move(submission.run_ids()[0], before, after, "test")
    return submission


def sequences(ledger: Ledger, submission: Submission) -> list[int]:
    return [step.sequence for step in ledger.transitions(submission.id)]


def test_a_new_submission_is_being_checked_run_by_run(ledger):
    submission = make_submission(protocols=("demo-v1", "other"))
    assert ledger.create(submission) == submission.id
    view = ledger.view(submission.id)
    assert view.submission == submission
    assert [(run.id, run.state) for run in view.runs] == [(run_id, State.CHECKING) for run_id in submission.run_ids()]
    assert [(step.sequence, step.before, step.actor) for step in ledger.transitions(submission.id)] == [
        (1, None, "alice"),
        (2, None, "alice"),
    ]
    assert (ledger.active(), ledger.unsaved(), view.saved) == ([submission.id], [submission.id], False)


def test_the_same_model_at_the_same_sha_leads_to_the_submission_that_was_there(ledger):
    first = make_submission(1)
    again = make_submission(2, model=first.model)
    assert [ledger.create(first), ledger.create(again)] == [first.id, first.id]
    with pytest.raises(KeyError, match=again.id):
        ledger.submission(again.id)


LORA = {"adapter": "org/lora", "adapter_revision": "c" * 40}
THINKING = {"declaration": make_declaration(thinking=True)}
OTHERS = [
    {"model": "org/other"},
    {"revision": "b" * 40},
    {"protocols": ("other",)},
    LORA,
    LORA | {"adapter": "org/other-lora"},
    LORA | {"adapter_revision": "d" * 40},
    THINKING,
    LORA | THINKING,
]


def test_whatever_decides_the_answers_makes_another_submission(ledger):
    first = make_submission(1)
    others = [make_submission(2 + number, **({"model": first.model} | each)) for number, each in enumerate(OTHERS)]
    assert [ledger.create(each) for each in (first, *others)] == [first.id, *(each.id for each in others)]
    for number, each in enumerate(others):
        assert ledger.create(each.model_copy(update={"id": f"s-20260302-{number:08x}"})) == each.id


def test_what_decides_no_answer_makes_no_other_submission(ledger):
    first = make_submission(1)
    declared = make_declaration(base_model="org/base", publish_answers=False)
    again = make_submission(2, model=first.model, submitter="bob", declaration=declared)
    assert [ledger.create(first), ledger.create(again)] == [first.id, first.id]


def test_forgetting_one_mode_of_a_model_leaves_the_other_known(ledger):
    plain, thinking = make_submission(1), make_submission(2, model="org/model-1", **THINKING)
    for each in (plain, thinking):
        ledger.create(each)
    ledger.forget_fingerprints(thinking)
    assert ledger.create(make_submission(3, model="org/model-1")) == plain.id
    again = make_submission(4, model="org/model-1", **THINKING)
    assert ledger.create(again) == again.id


def test_what_is_known_under_some_protocols_is_entered_for_the_others_alone(ledger):
    known = make_submission(1, protocols=("second",))
    ledger.create(known)
    again = make_submission(2, model=known.model, protocols=("first", "second", "third"))
    assert ledger.create(again) == again.id
    assert ledger.submission(again.id).protocols == ("first", "third")
    assert [event.run_id for event in ledger.history(again.id).events] == [f"{again.id}.first", f"{again.id}.third"]
    assert ledger.history(known.id).submission == known


def test_a_refused_duplicate_leaves_nothing_behind(ledger):
    known = make_submission(1, protocols=("first", "second"))
    ledger.create(known)
    refused = make_submission(2, model=known.model, protocols=("second", "first"))
    assert ledger.create(refused) == known.id
    assert (ledger.count(), ledger.histories([refused.id])) == (1, [])


def test_of_many_who_submit_the_same_model_at_once_one_is_entered(ledger):
    submissions = [make_submission(number, model="org/model") for number in range(8)]
    views = at_once(*[lambda one=one: ledger.view(ledger.create(one)) for one in submissions])
    (covering,) = {view.submission.id for view in views}
    assert ledger.newest(10) == [covering]
    assert sequences(ledger, ledger.submission(covering)) == [1]


def test_a_model_can_be_submitted_anew_once_its_fingerprints_are_forgotten(ledger):
    first, again = make_submission(1), make_submission(2, model="org/model-1")
    ledger.create(first)
    ledger.forget_fingerprints(first)
    assert ledger.create(again) == again.id


def test_a_step_is_kept_with_time_actor_and_place(ledger):
    submission = enter(ledger, State.CHECKING)
    (run_id,) = submission.run_ids()
    ledger.move(run_id, State.CHECKING, State.QUEUED, "bob")
    step = ledger.transitions(submission.id)[-1]
    assert (step.sequence, step.before, step.after, step.actor) == (2, State.CHECKING, State.QUEUED, "bob")
    assert step.at > submission.created_at
    assert ledger.state(run_id) is State.QUEUED


def test_only_steps_of_the_table_are_taken_from_any_state(ledger):
    for number, before in enumerate(State):
        submission = enter(ledger, before, number)
        (run_id,) = submission.run_ids()
        steps = ledger.transitions(submission.id)
        for after in set(State) - NEXT[before]:
            with pytest.raises(IllegalTransition):
                ledger.move(run_id, before, after, "test")
            assert not ledger.advance(run_id, after, "test")
        assert ledger.state(run_id) is before
        assert ledger.transitions(submission.id) == steps


def test_a_run_that_is_elsewhere_is_not_moved(ledger, run_id):
    with pytest.raises(MovedMeanwhile, match="no longer generating"):
        ledger.move(run_id, State.GENERATING, State.JUDGING, "late")
    assert ledger.state(run_id) is State.QUEUED


def test_of_many_who_take_the_same_step_at_once_one_succeeds(ledger, submission, run_id):
    attempts = at_once(*[partial(ledger.move, run_id, State.QUEUED, State.GENERATING, f"worker-{n}") for n in range(8)])
    assert sorted(map(str, map(type, attempts))) == sorted([str(type(None))] + [str(MovedMeanwhile)] * 7)
    assert sequences(ledger, submission) == [1, 2, 3]


def test_of_many_who_see_the_next_step_one_takes_it(ledger, run_id):
    assert sorted(at_once(*[partial(ledger.advance, run_id, State.GENERATING, "w")] * 8)) == [False] * 7 + [True]


def test_a_race_between_two_ends_has_one_winner(ledger, submission, run_id):
    outcomes = at_once(
        partial(ledger.move, run_id, State.QUEUED, State.CANCELLED, "alice"),
        partial(ledger.move, run_id, State.QUEUED, State.GENERATING, "worker"),
    )
    assert sum(outcome is None for outcome in outcomes) == 1
    assert ledger.transitions(submission.id)[-1].after is ledger.state(run_id)


def test_sequence_numbers_have_no_gap_however_many_runs_move_at_once(ledger):
    submission = make_submission(protocols=tuple(f"protocol-{number}" for number in range(8)))
    ledger.create(submission)

    def lead(run_id: str) -> None:
        for after in (State.QUEUED, State.GENERATING, State.JUDGING, State.SCORING):
            assert ledger.advance(run_id, after, "worker")

    assert at_once(*[partial(lead, run_id) for run_id in submission.run_ids()]) == [None] * 8
    assert sequences(ledger, submission) == list(range(1, 8 * 5 + 1))


@pytest.mark.parametrize("state", sorted(set(State) - ENDED))
def test_a_run_can_fail_from_any_open_state(ledger, state):
    submission = enter(ledger, state)
    (run_id,) = submission.run_ids()
    assert ledger.fail(run_id, "worker", FAILURE)
    view = ledger.view(submission.id)
    assert (view.state, view.runs[0].failure) == (State.FAILED, FAILURE)


@pytest.mark.parametrize("state", sorted(ENDED))
def test_a_run_that_has_ended_does_not_fail_any_more(ledger, state):
    submission = enter(ledger, state)
    before = ledger.transitions(submission.id)
    assert not ledger.fail(submission.run_ids()[0], "worker", FAILURE)
    assert ledger.transitions(submission.id) == before


def test_of_many_workers_who_report_a_failure_one_is_heard(ledger, run_id):
    assert sorted(at_once(*[partial(ledger.fail, run_id, "w", FAILURE)] * 8)) == [False] * 7 + [True]


def test_a_failure_is_shown_only_while_the_run_has_failed(ledger, submission, run_id):
    ledger.fail(run_id, "worker", FAILURE)
    ledger.advance(run_id, State.QUEUED, "alice")
    assert ledger.view(submission.id).runs[0].failure is None


def test_what_the_ledger_does_not_know_is_a_key_error(ledger):
    for ask in (ledger.state, ledger.submission, ledger.view):
        with pytest.raises(KeyError, match="s-20260301-ffffffff"):
            ask("s-20260301-ffffffff")


def test_the_newest_submissions_come_first(ledger):
    for number in (2, 1, 3):
        ledger.create(make_submission(number))
    newest = [make_submission(number).id for number in (3, 2)]
    assert ledger.newest(2) == newest


def test_the_first_plan_stays(ledger, run_id):
    first, second = make_plan(run_id), make_plan(run_id, users=(1, 2, 3))
    assert ledger.plan(run_id) is None
    assert [ledger.put_plan(first), ledger.put_plan(second), ledger.plan(run_id)] == [first] * 3


def test_progress_counts_rows_against_the_plan(redis, ledger, run_id):
    assert ledger.progress(run_id) == (0, None, 0, None)
    assert ledger.progress(run_id).share == 0
    ledger.put_plan(make_plan(run_id))
    redis.hincrby(keys.progress(run_id), "generations", 3)
    redis.hincrby(keys.progress(run_id), "verdicts", 5)
    assert ledger.progress(run_id) == (3, 6, 5, 10)
    assert ledger.progress(run_id).share == 0.5


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["one", "two"]), st.sampled_from(State), st.booleans()), max_size=25))
def test_every_history_that_the_ledger_can_write_replays_to_its_states(redis, wishes):
    redis.flushall()
    redis.set(keys.EPOCH, "tests:0")
    ledger, submission = Ledger(redis), make_submission(protocols=("one", "two"))
    ledger.create(submission)
    for protocol, wish, amended in wishes:
        run_id = f"{submission.id}.{protocol}"
        if wish is State.FAILED:
            ledger.fail(run_id, "worker", FAILURE)
        elif wish is State.CANCELLED:
            ledger.cancel(run_id, "alice", FAILURE)
        else:
            ledger.advance(run_id, wish, "worker")
        if amended:
            ledger.amend(ledger.history(submission.id), AmendmentKind.LIFTED, "keeper", "")
    history = ledger.history(submission.id)
    assert [event.sequence for event in history.events] == list(range(1, len(history.events) + 1))
    for run_id in submission.run_ids():
        steps = [step for step in history.transitions if step.run_id == run_id]
        assert steps[0].before is None
        for before, after in pairwise(steps):
            assert after.before is before.after
            check_step(before.after, after.after)
        assert history.states[run_id] is steps[-1].after is ledger.state(run_id)
    assert ledger.open_runs() == [run_id for run_id in submission.run_ids() if ledger.state(run_id) not in ENDED]


def test_an_amendment_decided_on_an_older_history_is_not_made(ledger, submission, run_id):
    seen = ledger.history(submission.id)
    ledger.advance(run_id, State.GENERATING, "worker")
    with pytest.raises(MovedMeanwhile):
        ledger.amend(seen, AmendmentKind.PAUSED, "keeper", "")
    assert amendments_of(ledger.history(submission.id).events) == []


def test_a_text_that_looks_like_a_number_of_an_event_stays_as_it_is(ledger, submission):
    odd = 'a "sequence":1, and %1 \\ "'
    ledger.amend(ledger.history(submission.id), AmendmentKind.LIFTED, odd, odd)
    event = ledger.history(submission.id).events[-1]
    assert (event.sequence, event.actor, event.text) == (3, odd, odd)


def test_what_was_done_is_not_done_again_when_the_answer_to_it_was_lost(monkeypatch, ledger, submission, run_id):
    for name in ("_move", "_amend", "_create"):
        script = getattr(ledger, name)
        monkeypatch.setattr(ledger, name, lambda script=script, **given: (script(**given), script(**given))[1])
    assert ledger.advance(run_id, State.GENERATING, "worker")
    ledger.amend(ledger.history(submission.id), AmendmentKind.LIFTED, "keeper", "")
    assert [event.sequence for event in ledger.history(submission.id).events] == [1, 2, 3, 4]
    again = make_submission(2)
    assert ledger.create(again) == again.id
    assert ledger.count() == 2
