"""What the publisher makes of amendments, and how many round trips it takes for many submissions."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from evaluator.errors import Cause
from leaderboard.records import AmendmentKind, Failure, State, Tombstone
from leaderboard.results import Scorecard
from leaderboard.store import LocalStore, layout
from leaderboard.store.base import Write
from leaderboard.submissions.entering import SUBMIT_AGAIN
from leaderboard.submissions.history import History
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.states import NEXT, check_step
from tests.builders import make_declaration, make_submission
from tests.losing import copy_of, roll_back
from tests.released import released_board
from worker.publisher import Publisher
from worker.saving import FILES_OF_THE_JOURNAL

FAILURE = Failure(cause=Cause.TIMEOUT, message="Too slow.", remedy="Again.")


@pytest.fixture
def publisher(redis, ledger, store) -> Publisher:
    """A publisher that saves at once only what is urgent."""
    publisher = Publisher(redis, ledger, store, journal_seconds=20, clock=lambda: 0.0)
    step_until_idle(publisher)
    return publisher


def step_until_idle(publisher: Publisher) -> None:
    while publisher.step():
        pass


def saved(store, submission_id: str) -> History:
    return History.model_validate_json(store.read(layout.submission_path(submission_id)))


def amend(ledger, submission_id: str, kind: AmendmentKind, **changes) -> None:
    ledger.amend(ledger.history(submission_id), kind, "alice", "Because.", **changes)


def the_card(store) -> Scorecard:
    (path,) = store.list(layout.SCORECARDS)
    return Scorecard.model_validate_json(store.read(path))


def test_what_people_say_is_saved_at_once(ledger, store, publisher, submission, run_id):
    publisher.step()
    ledger.advance(run_id, State.GENERATING, "worker")
    publisher.step()
    assert ledger.unsaved() == [submission.id], "a step is saved now and then"
    amend(ledger, submission.id, AmendmentKind.LIFTED)
    publisher.step()
    assert saved(store, submission.id) == ledger.history(submission.id)
    assert ledger.unsaved() == []


def test_a_withdrawn_result_leaves_the_board_with_its_reason_kept(ledger, store, publisher, submission, plan, work):
    work()
    work()
    step_until_idle(publisher)
    assert len(released_board(store).rows) == 1
    amend(ledger, submission.id, AmendmentKind.WITHDRAWN)
    step_until_idle(publisher)
    assert released_board(store).rows == ()
    assert len(store.list(layout.SCORECARDS)) == 1, "nothing is deleted"
    tombstone = Tombstone.model_validate_json(store.read(layout.tombstone_path(submission.id)))
    assert (tombstone.actor, tombstone.reason) == ("alice", "Because.")
    head = store.head()
    publisher.step()
    assert store.head() == head


def test_a_withdrawal_whose_maker_died_halfway_still_stops_the_runs(ledger, store, publisher, submission, run_id):
    amend(ledger, submission.id, AmendmentKind.WITHDRAWN)
    step_until_idle(publisher)
    assert ledger.state(run_id) is State.CANCELLED
    assert saved(store, submission.id).ended
    assert ledger.create(make_submission(9, model=submission.model)) == make_submission(9).id


def test_a_correction_changes_the_declaration_of_a_published_scorecard_and_nothing_else(
    ledger, store, publisher, submission, plan, work
):
    work()
    work()
    step_until_idle(publisher)
    before = the_card(store)
    corrected = make_declaration(base_model="org/base")
    amend(ledger, submission.id, AmendmentKind.CORRECTED, declaration=corrected)
    step_until_idle(publisher)
    assert the_card(store) == before.model_copy(update={"declaration": corrected})
    assert released_board(store).rows[0].declaration == corrected
    head = store.head()
    amend(ledger, submission.id, AmendmentKind.DISPUTED)
    step_until_idle(publisher)
    assert the_card(store).declaration == corrected
    assert store.history(1)[0].paths == (layout.submission_path(submission.id),)
    assert store.head() != head


def test_what_was_corrected_before_it_is_scored_is_published_corrected(
    ledger, store, publisher, submission, plan, work
):
    corrected = make_declaration(base_model="org/base")
    amend(ledger, submission.id, AmendmentKind.CORRECTED, declaration=corrected)
    work()
    work()
    step_until_idle(publisher)
    assert the_card(store).declaration == corrected


def test_a_correction_that_came_while_the_scorecard_was_written_is_not_lost(
    monkeypatch, ledger, store, publisher, submission, plan, work
):
    corrected, commit = make_declaration(base_model="org/base"), store.commit

    def correct_first(operations, message, expected_parent=None):
        if message.startswith("scorecard"):
            amend(ledger, submission.id, AmendmentKind.CORRECTED, declaration=corrected)
        return commit(operations, message, expected_parent)

    monkeypatch.setattr(store, "commit", correct_first)
    work()
    work()
    step_until_idle(publisher)
    assert the_card(store).declaration == corrected


def test_a_broken_scorecard_holds_up_no_correction(ledger, store, publisher, submission, plan, work, caplog):
    work()
    work()
    step_until_idle(publisher)
    (path,) = store.list(layout.SCORECARDS)
    store.commit([Write(path, b"{}")], "damage")
    amend(ledger, submission.id, AmendmentKind.CORRECTED, declaration=make_declaration(base_model="org/base"))
    step_until_idle(publisher)
    assert ledger.unsaved() == []
    assert f"not corrected: What is stored as {path}" in caplog.text


class Counted:
    """Counts what a client sends: each call of a connection is one round trip, however much it carries."""

    def __init__(self, monkeypatch, redis: Redis) -> None:
        self.trips = 0
        connection_class = redis.connection_pool.connection_class
        send = connection_class.send_packed_command

        def counted(connection, command, check_health=True):
            self.trips += 1
            return send(connection, command, check_health)

        monkeypatch.setattr(connection_class, "send_packed_command", counted)


def test_a_step_takes_as_many_round_trips_for_many_submissions_as_for_a_few(monkeypatch, redis, ledger, store):
    counted, trips = Counted(monkeypatch, redis), []
    publisher = Publisher(redis, ledger, store, journal_seconds=0)
    step_until_idle(publisher)
    for upto in (3, 3 + FILES_OF_THE_JOURNAL):
        for number in range(3 if upto > 3 else 0, upto):
            ledger.create(make_submission(number))
        before = counted.trips
        publisher.step()
        trips.append(counted.trips - before)
        assert ledger.unsaved() == []
        before = counted.trips
        publisher.step()
        trips.append(counted.trips - before)
    assert trips[2] == trips[0] <= 21, "saving"
    assert trips[3] == trips[1] <= 20, "idling"


happenings = st.lists(
    st.sampled_from(
        ["create", "create", "advance", "advance", "fail", "lift", "publisher", "copy", "older", "nothing"]
    ),
    min_size=5,
    max_size=40,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(happenings, st.randoms(use_true_random=False))
def test_whatever_redis_loses_nothing_that_was_saved_is_lost(redis, tmp_path_factory, happened, random):
    redis.flushall()
    ledger, store = Ledger(redis), LocalStore(tmp_path_factory.mktemp("store"))
    publisher = Publisher(redis, ledger, store, journal_seconds=0)
    copies, known = [copy_of(redis)], dict[str, History]()
    for number, happening in enumerate([*happened, "publisher"]):
        if happening == "publisher":
            step_until_idle(publisher)
            known = check_against(known, ledger, store)
        elif happening == "copy":
            copies.append(copy_of(redis))
        elif happening in ("older", "nothing"):
            roll_back(redis, random.choice(copies) if happening == "older" else {})
        elif happening == "create":
            if ledger.is_open():
                ledger.create(make_submission(number))
        else:
            touch(ledger, happening, random)


def check_against(known: dict[str, History], ledger: Ledger, store: LocalStore) -> dict[str, History]:
    """Looks that store and ledger agree, that all that was known is still there, and that histories hold together."""
    assert ledger.unsaved() == []
    histories = {path: History.model_validate_json(store.read(path)) for path in store.list(layout.SUBMISSIONS)}
    assert known.keys() <= histories.keys()
    for path, history in histories.items():
        assert ledger.history(history.submission.id) == history
        if path in known:
            assert history.events[: len(known[path].events)] == known[path].events
        assert [event.sequence for event in history.events] == list(range(1, len(history.events) + 1))
        for before, after in pairwise(history.transitions):
            assert after.before is before.after
            check_step(before.after, after.after)
        assert {run_id: ledger.state(run_id) for run_id in history.states} == history.states
    assert ledger.count() == len(histories)
    return histories


def touch(ledger: Ledger, happening: str, random) -> None:
    """Lets something happen to one of the submissions, if there is one that it may happen to."""
    ids = sorted(ledger.newest(100))
    if not ids:
        return
    history = ledger.history(random.choice(ids))
    (run_id,) = history.submission.run_ids()
    if happening == "lift":
        ledger.amend(history, AmendmentKind.LIFTED, "keeper", "")
    elif happening == "fail":
        ledger.fail(run_id, "worker", FAILURE)
    elif ahead := sorted(NEXT[ledger.state(run_id)] - {State.FAILED, State.CANCELLED}):
        ledger.advance(run_id, ahead[0], "worker")


def test_a_withdrawal_whose_maker_died_after_the_runs_had_ended_leads_nobody_to_it(
    ledger, store, publisher, submission, run_id
):
    ledger.fail(run_id, "worker", Failure(cause=Cause.LOAD_ERROR, message="No layers.", remedy="Add one."))
    step_until_idle(publisher)
    amend(ledger, submission.id, AmendmentKind.WITHDRAWN)
    step_until_idle(publisher)
    assert ledger.create(make_submission(9, model=submission.model)) == make_submission(9).id


def test_a_worker_that_died_before_it_let_a_model_be_submitted_anew_keeps_nobody_from_it(
    ledger, store, publisher, submission, run_id
):
    ledger.fail(run_id, "gpu-1", Failure(cause=Cause.DATA_ERROR, message="It has changed.", remedy=SUBMIT_AGAIN))
    step_until_idle(publisher)
    assert ledger.create(make_submission(9, model=submission.model)) == make_submission(9).id


def test_what_an_older_copy_of_redis_called_urgent_is_not_saved_again_and_again(redis, ledger, store, submission):
    publisher = Publisher(redis, ledger, store, journal_seconds=60)
    step_until_idle(publisher)
    amend(ledger, submission.id, AmendmentKind.LIFTED)
    older = copy_of(redis)
    step_until_idle(publisher)
    roll_back(redis, older)
    step_until_idle(publisher)
    head = store.head()
    for _ in range(3):
        publisher.step()
    assert store.head() == head
    assert not ledger.is_urgent()
