"""Quotas: counted where submissions are entered, and of no cost where the fault is ours."""

import datetime
from functools import partial

import pytest

from evaluator.errors import Cause, RapportError
from leaderboard.people import Person
from leaderboard.records import Failure, State, now
from leaderboard.submissions import journal, keys
from leaderboard.submissions.history import History
from leaderboard.submissions.ledger import IdTaken
from leaderboard.submissions.quotas import (
    MOST_FREE,
    MOST_RETRIES,
    MOST_RETRIES_OF_OURS,
    Limits,
    counts,
    minute,
    quotas_of,
    retry_refusal,
)
from leaderboard.submissions.restoring import trim_counted
from tests.builders import make_submission
from tests.unit.test_history import step
from tests.waiting import at_once

ALICE = Person("alice")
ONE = Limits(of_one=1, of_all=100, days=7)
LATER = datetime.timedelta(days=7)


def make(number: int, submitter: str = "alice", **changes):
    return make_submission(number, submitter=submitter, created_at=now(), **changes)


def used(redis, limits: Limits = ONE, person: Person = ALICE, at: datetime.datetime | None = None):
    quotas = quotas_of(redis, person, limits, at or now())
    return quotas.own.used, quotas.everyone.used


def end(ledger, submission, cause: Cause) -> None:
    """Ends a submission's runs, as the publisher then saves it."""
    failure = Failure(cause=cause, message="No.", remedy="Yes.")
    for run_id in submission.run_ids():
        if cause is Cause.CANCELLED:
            assert ledger.cancel(run_id, "alice", failure)
        else:
            assert ledger.fail(run_id, "worker", failure)
    ledger.note_saved([ledger.history(submission.id)])


def test_whoever_has_used_up_a_quota_is_told_from_when_on_the_next_one_is_accepted(redis, ledger):
    first = make(1)
    ledger.create(first, ONE)
    with pytest.raises(RapportError, match="You have used 1 of the 1 submissions that are accepted") as caught:
        ledger.create(make(2), ONE)
    assert caught.value.cause is Cause.QUOTA
    assert f"from {minute(first.created_at + LATER)} on" in caught.value.remedy
    assert ledger.count() == 1
    assert used(redis) == (1, 1)


def test_of_ten_requests_at_once_a_quota_of_one_lets_one_pass(redis, ledger):
    answers = at_once(*[partial(ledger.create, make(number), ONE) for number in range(10)])
    assert sum(isinstance(answer, str) for answer in answers) == 1
    assert {answer.cause for answer in answers if not isinstance(answer, str)} == {Cause.QUOTA}
    assert ledger.count() == 1


def test_each_person_has_a_quota_and_all_together_have_one(ledger):
    limits = Limits(of_one=1, of_all=2, days=7)
    ledger.create(make(1, "alice"), limits)
    ledger.create(make(2, "bob"), limits)
    with pytest.raises(RapportError, match="All submitters together have used 2"):
        ledger.create(make(3, "carol"), limits)


def test_what_is_known_uses_up_no_quota(ledger):
    first = make(1)
    ledger.create(first, ONE)
    assert ledger.create(make(2, model=first.model), ONE) == first.id


def test_maintainers_have_no_quota(redis, ledger):
    keeper = Person("keeper", maintainer=True)
    assert quotas_of(redis, keeper, ONE, now()) is None
    for number in range(3):
        ledger.create(make(number, "keeper"), None)
    assert ledger.count() == 3


@pytest.mark.parametrize("free", [{"submitter": "maintainer"}, {"model": "reference/gold"}, {"by_maintainer": True}])
def test_references_and_what_maintainers_submit_take_nothing_from_others(redis, ledger, free):
    ledger.create(make(1, **free), None)
    ledger.note_saved([ledger.history(make(1).id)])
    assert used(redis) == (0, 0)


def test_a_submission_counts_for_some_days(redis, ledger):
    first = make(1)
    ledger.create(first, ONE)
    later = first.created_at + LATER + datetime.timedelta(seconds=1)
    assert used(redis, at=later) == (0, 0)
    assert ledger.create(make_submission(2, created_at=later), ONE) == make_submission(2).id


@pytest.mark.parametrize("cause", [cause for cause in Cause if cause.is_ours])
def test_a_failure_of_ours_costs_nothing_once_it_is_saved(redis, ledger, cause):
    first = make(1)
    ledger.create(first, ONE)
    end(ledger, first, cause)
    assert used(redis) == (0, 0)
    ledger.create(make(2), ONE)


@pytest.mark.parametrize("cause", [Cause.TIMEOUT, Cause.OUT_OF_MEMORY, Cause.LOAD_ERROR, Cause.CONTEXT_OVERFLOW])
def test_a_failure_of_the_model_costs_what_it_did(redis, ledger, cause):
    first = make(1)
    ledger.create(first, ONE)
    end(ledger, first, cause)
    assert used(redis) == (1, 1)


def test_cancelling_costs_nothing_before_any_work_began(redis, ledger):
    idle, busy = make(1), make(2)
    limits = Limits(2, 100, 7)
    for submission in (idle, busy):
        ledger.create(submission, limits)
        ledger.advance(submission.run_ids()[0], State.QUEUED, "alice")
    ledger.advance(busy.run_ids()[0], State.GENERATING, "worker")
    for submission in (idle, busy):
        end(ledger, submission, Cause.CANCELLED)
    assert used(redis) == (1, 1)


def test_one_run_that_cost_something_is_enough(redis, ledger):
    submission = make(1, protocols=("one", "two"))
    ledger.create(submission, ONE)
    infrastructure = Failure(cause=Cause.INFRASTRUCTURE, message="No.", remedy="Yes.")
    ledger.fail(submission.run_ids()[0], "worker", infrastructure)
    ledger.note_saved([ledger.history(submission.id)])
    assert used(redis) == (1, 1)
    ledger.fail(submission.run_ids()[1], "worker", infrastructure)
    ledger.note_saved([ledger.history(submission.id)])
    assert used(redis) == (0, 0)


def test_what_counts_is_told_by_the_histories_alone_after_a_loss(redis, ledger, store):
    paid, free = make(1), make(2)
    for submission in (paid, free):
        ledger.create(submission)
    end(ledger, free, Cause.DISK_FULL)
    histories = ledger.histories([paid.id, free.id])
    store.commit([write for history in histories for write in journal.files_of(history)], "journal")
    redis.flushall()
    journal.restore(redis, store)
    assert used(redis) == (1, 1)
    assert [counts(history) for history in histories] == [True, False]


@pytest.mark.parametrize("days", [-400, -3, 3, 400])
def test_a_clock_that_jumps_locks_nobody_out_for_long(redis, ledger, days):
    """A submission was dated by a clock that went wrong by some days; then the clock was set right."""
    wrong = make_submission(1, created_at=now() + datetime.timedelta(days=days))
    ledger.create(wrong, ONE)
    quotas = quotas_of(redis, ALICE, ONE, now())
    assert quotas.own.used <= 1
    if quotas.own.next_at:
        assert quotas.own.next_at <= now() + 2 * LATER
    after = now() + 2 * LATER + datetime.timedelta(seconds=1)
    assert ledger.create(make_submission(2, created_at=after), ONE) == make_submission(2).id


def test_an_id_that_is_taken_is_refused_whatever_it_names(ledger, redis):
    first = make(1)
    ledger.create(first)
    before = ledger.history(first.id)
    with pytest.raises(IdTaken):
        ledger.create(first.model_copy(update={"model": "org/other"}), ONE)
    assert ledger.history(first.id) == before
    assert redis.zcard(keys.COUNTED) == 1


def again(*causes: Cause | None) -> History:
    """A submission that was taken up again after each of some ends."""
    submission = make_submission(created_at=now())
    events = [step(1, "alice", State.CHECKING).model_copy(update={"at": now()})]
    for cause in causes:
        failure = cause and Failure(cause=cause, message="No.", remedy="Yes.")
        for after, why in ((State.FAILED, failure), (State.QUEUED, None)):
            changes = {"sequence": len(events) + 1, "before": events[-1].after, "failure": why, "at": now()}
            events.append(step(1, "alice", after).model_copy(update=changes))
    return History(submission=submission, events=tuple(events))


@pytest.mark.parametrize(("cause", "most"), [(Cause.LOAD_ERROR, MOST_RETRIES), (Cause.DISK_FULL, MOST_RETRIES_OF_OURS)])
def test_taking_up_again_is_limited_whoever_was_to_blame_and_says_until_when(cause, most):
    assert retry_refusal(again(*[cause] * (most - 1)), ONE, now()) is None
    error = retry_refusal(history := again(*[cause] * most), ONE, now())
    assert error is not None
    assert error.cause is Cause.QUOTA
    assert minute(history.transitions[2].at + LATER) in error.remedy
    assert retry_refusal(history, ONE, now() + LATER) is None


def test_what_a_maintainer_has_taken_up_again_is_not_held_against_the_submitter():
    history = again(*[Cause.LOAD_ERROR] * MOST_RETRIES)
    by_keeper = [event.model_copy(update={"actor": "keeper"}) for event in history.events]
    assert retry_refusal(history.model_copy(update={"events": tuple(by_keeper)}), ONE, now()) is None


def enter_and_cancel(ledger, *numbers: int) -> None:
    for number in numbers:
        submission = make(number)
        assert ledger.create(submission, ONE) == submission.id
        end(ledger, submission, Cause.CANCELLED)


def test_what_costs_nothing_is_not_entered_without_end(redis, ledger, store):
    enter_and_cancel(ledger, *range(ONE.entered))
    assert ONE.entered == 1 + MOST_FREE
    assert used(redis) == (0, 0)
    with pytest.raises(RapportError, match=f"You have entered {ONE.entered} submissions of late") as caught:
        ledger.create(make(99), ONE)
    assert caught.value.cause is Cause.QUOTA
    assert "UTC" in caught.value.remedy
    assert ledger.create(make(100, "bob"), ONE) == make(100).id
    later = now() + LATER + datetime.timedelta(seconds=1)
    assert ledger.create(make_submission(101, created_at=later), ONE) == make_submission(101).id
    assert redis.zcard(keys.entered_by("alice")) == 1, "what counts no longer is forgotten"


def test_what_was_entered_is_told_by_the_histories_after_a_loss(redis, ledger, store):
    enter_and_cancel(ledger, 1, 2)
    histories = ledger.histories([make(1).id, make(2).id])
    store.commit([write for history in histories for write in journal.files_of(history)], "journal")
    redis.flushall()
    journal.restore(redis, store)
    assert quotas_of(redis, ALICE, ONE, now()).entered.used == 2


def test_what_no_window_reaches_any_more_leaves_the_counted_ones_and_nothing_else_does(redis, ledger):
    year = datetime.timedelta(days=365)
    at = now()
    for number, age in enumerate((year, year - datetime.timedelta(hours=1), 2 * year)):
        ledger.create(make_submission(number, submitter=f"user-{number}", created_at=at - age))
    redis.set(keys.submission(make_submission(2).id), "broken")
    trim_counted(redis, at)
    assert [name.decode() for name in redis.zrange(keys.COUNTED, 0, -1)] == [make_submission(1).id]
    assert not redis.exists(keys.counted_of("user-0"))
    assert redis.exists(keys.counted_of("user-1"))
