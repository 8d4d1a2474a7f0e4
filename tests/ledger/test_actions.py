"""What people do to submissions that were entered, through the real service."""

from functools import partial
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from evaluator.errors import Cause, RapportError
from leaderboard.people import Person
from leaderboard.records import AmendmentKind, Failure, Relation, State
from leaderboard.settings import Settings
from leaderboard.submissions.history import amendments_of
from leaderboard.submissions.quotas import MOST_AMENDMENTS
from leaderboard.submissions.service import SubmissionService
from tests.builders import make_declaration, make_submission
from tests.model_folders import WEIGHTS, make_model_folder
from tests.waiting import at_once

ALICE, BOB, KEEPER = Person("alice"), Person("bob"), Person("keeper", maintainer=True)
LOAD_ERROR = Failure(cause=Cause.LOAD_ERROR, message="It does not load.", remedy="Mend it.")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", models=tmp_path / "data" / "models", quota_per_user=2)


@pytest.fixture
def service(settings: Settings, redis: Redis) -> SubmissionService:
    make_model_folder(settings.models, "tiny")
    return SubmissionService(settings, redis)


def publish(service: SubmissionService, run_id: str) -> None:
    for state in (State.GENERATING, State.JUDGING, State.SCORING, State.PUBLISHING, State.PUBLISHED):
        assert service.ledger.advance(run_id, state, "worker")


def kinds(service: SubmissionService, submission_id: str) -> list[AmendmentKind]:
    return [event.kind for event in amendments_of(service.ledger.history(submission_id).events)]


def test_a_cancelled_run_says_who_stopped_it_and_why_and_goes_on_when_retried(service, submission, run_id):
    service.ledger.advance(run_id, State.GENERATING, "worker")
    view = service.cancel(submission.id, ALICE, " A typo in the name. ")
    assert (view.state, view.runs[0].failure.cause) == (State.CANCELLED, Cause.CANCELLED)
    assert view.runs[0].failure.message == "alice stopped it. A typo in the name."
    assert view.events[-1].actor == "alice"
    assert service.retry(submission.id, ALICE).state is State.QUEUED


def test_cancelling_leaves_alone_what_is_published(service):
    submission = make_submission(protocols=("one", "two", "three"))
    service.ledger.create(submission)
    one, two, three = submission.run_ids()
    for run_id in (one, two, three):
        service.ledger.advance(run_id, State.QUEUED, "alice")
    publish(service, one)
    for state in (State.GENERATING, State.JUDGING, State.SCORING, State.PUBLISHING):
        service.ledger.advance(two, state, "worker")
    view = service.cancel(submission.id, ALICE)
    assert [run.state for run in view.runs] == [State.PUBLISHED, State.PUBLISHING, State.CANCELLED]


@pytest.mark.parametrize(
    "action",
    ["cancel", "retry", "withdraw", "correct", "dispute", "answer", "lift", "pause", "flag", "clear", "hide", "show"],
)
def test_strangers_are_refused_and_change_nothing(service, submission, action):
    before = service.ledger.history(submission.id)
    more = {"correct": (make_declaration(),), "retry": ()}.get(action, ("Because.",))
    with pytest.raises(RapportError) as caught:
        getattr(service, action)(submission.id, BOB, *more)
    assert caught.value.cause is Cause.FORBIDDEN
    assert service.ledger.history(submission.id) == before


def test_an_unknown_submission_is_not_found(service):
    with pytest.raises(RapportError) as caught:
        service.cancel("s-20260101-ffffffff", KEEPER)
    assert caught.value.cause is Cause.NOT_FOUND


def test_withdrawing_stops_the_runs_for_good_and_lets_the_model_be_submitted_anew(service):
    first = service.submit("local/tiny", None, make_declaration(), ALICE)
    view = service.withdraw(first.submission.id, ALICE, "The wrong weights.")
    assert view.state is State.CANCELLED
    assert kinds(service, first.submission.id) == [AmendmentKind.WITHDRAWN]
    with pytest.raises(RapportError, match="withdrawn, and that is for good"):
        service.retry(first.submission.id, ALICE)
    again = service.submit("local/tiny", None, make_declaration(), ALICE)
    assert again.submission.id != first.submission.id
    assert again.state is State.QUEUED


def test_a_withdrawal_wins_over_a_retry_at_the_same_moment(service, submission, run_id):
    service.ledger.fail(run_id, "worker", LOAD_ERROR)
    at_once(
        partial(service.retry, submission.id, ALICE),
        partial(service.withdraw, submission.id, ALICE, "No longer."),
    )
    history = service.ledger.history(submission.id)
    assert history.withdrawn
    assert history.ended


@pytest.mark.parametrize(
    ("action", "missing"),
    [
        *(("withdraw", ""), ("withdraw", "  "), ("dispute", "")),
        *((action, " ") for action in ("flag", "clear", "hide", "show")),
    ],
)
def test_what_needs_a_reason_is_refused_without(service, submission, run_id, action, missing):
    publish(service, run_id)
    with pytest.raises(RapportError, match="A reason is needed") as caught:
        getattr(service, action)(submission.id, KEEPER, missing)
    assert caught.value.cause is Cause.DATA_ERROR


def test_a_text_that_is_too_long_is_refused_not_cut(service, submission):
    with pytest.raises(RapportError, match="1001 characters; 1000 are kept"):
        service.pause(submission.id, KEEPER, "x" * 1001)
    assert service.pause(submission.id, KEEPER, "x" * 1000).events[-1].text == "x" * 1000


def test_a_correction_replaces_what_was_declared_and_is_not_made_twice(service, submission):
    corrected = make_declaration(base_model="org/base", publish_answers=False)
    for _ in range(2):
        view = service.correct(submission.id, ALICE, corrected, "I forgot.")
    assert view.declaration == corrected
    assert view.submission.declaration == submission.declaration
    assert kinds(service, submission.id) == [AmendmentKind.CORRECTED]


def test_whether_a_model_thinks_is_not_corrected(service, submission):
    with pytest.raises(RapportError, match="thinks cannot be corrected") as caught:
        service.correct(submission.id, ALICE, make_declaration(thinking=True))
    assert caught.value.cause is Cause.FORBIDDEN
    assert kinds(service, submission.id) == []


def test_a_dispute_and_its_answer_stand_in_the_history(service, submission, run_id):
    publish(service, run_id)
    service.dispute(submission.id, ALICE, "Gold is wrong here.", about="test_1/7")
    view = service.answer(submission.id, KEEPER, "It is; the question is left out from 2027 on.", about="test_1/7")
    asked, answered = view.events[-2:]
    assert [(each.kind, each.actor, each.about) for each in (asked, answered)] == [
        (AmendmentKind.DISPUTED, "alice", "test_1/7"),
        (AmendmentKind.ANSWERED, "keeper", "test_1/7"),
    ]
    assert [event.sequence for event in view.events] == list(range(1, len(view.events) + 1))


def test_maintainers_lift_pause_and_resume(service, submission):
    service.lift(submission.id, KEEPER)
    service.pause(submission.id, KEEPER, "The judge is being repaired.")
    service.resume(submission.id, KEEPER)
    assert kinds(service, submission.id) == [AmendmentKind.LIFTED, AmendmentKind.PAUSED, AmendmentKind.RESUMED]
    assert service.ledger.unsaved() == [submission.id]
    assert service.ledger.is_urgent()


def test_maintainers_flag_and_clear_hide_and_show(service, submission, run_id):
    publish(service, run_id)
    for action in ("flag", "hide", "clear", "show"):
        view = getattr(service, action)(submission.id, KEEPER, "A look at it.")
        assert view.state is State.PUBLISHED
        assert (view.events[-1].actor, view.events[-1].text) == ("keeper", "A look at it.")
    assert kinds(service, submission.id) == [
        AmendmentKind.FLAGGED,
        AmendmentKind.HIDDEN,
        AmendmentKind.CLEARED,
        AmendmentKind.SHOWN,
    ]
    assert service.ledger.is_urgent()


def test_of_two_who_flag_at_once_one_does(service, submission, run_id):
    publish(service, run_id)
    other = Person("other keeper", maintainer=True)
    answers = at_once(*(partial(service.flag, submission.id, each, "Odd.") for each in (KEEPER, other)))
    assert sum(isinstance(answer, RapportError) for answer in answers) == 1
    assert kinds(service, submission.id) == [AmendmentKind.FLAGGED]


def test_of_many_who_pause_at_once_one_does(service, submission):
    answers = at_once(*[partial(service.pause, submission.id, KEEPER)] * 8)
    assert sum(isinstance(answer, RapportError) for answer in answers) == 7
    assert kinds(service, submission.id) == [AmendmentKind.PAUSED]


def fail(service: SubmissionService, run_id: str, cause: Cause = Cause.LOAD_ERROR) -> None:
    failure = Failure(cause=cause, message="No.", remedy="Yes.")
    assert service.ledger.fail(run_id, "worker", failure)


def test_a_model_that_keeps_failing_is_not_retried_for_ever_but_by_maintainers(service, submission, run_id):
    for _ in range(5):
        fail(service, run_id)
        service.retry(submission.id, ALICE)
    fail(service, run_id)
    with pytest.raises(RapportError, match="taken up again 5 times") as caught:
        service.retry(submission.id, ALICE)
    assert caught.value.cause is Cause.QUOTA
    assert service.retry(submission.id, KEEPER).state is State.QUEUED


def test_a_retry_counts_against_the_quota_again(service):
    first = service.submit("local/tiny", None, make_declaration(), ALICE)
    fail(service, first.runs[0].id, Cause.INFRASTRUCTURE)
    service.ledger.note_saved([service.ledger.history(first.submission.id)])
    assert service.quotas(ALICE).own.used == 0
    service.retry(first.submission.id, ALICE)
    assert service.quotas(ALICE).own.used == 1


def test_nobody_corrects_or_disputes_a_submission_without_end(service, submission, run_id):
    publish(service, run_id)
    for number in range(MOST_AMENDMENTS - 1):
        service.dispute(submission.id, ALICE, f"Verdict {number} is wrong.")
    service.correct(submission.id, ALICE, make_declaration(relation=Relation.MEMBER))
    for refused in (
        partial(service.dispute, submission.id, ALICE, "One more is wrong."),
        partial(service.correct, submission.id, ALICE, make_declaration(relation=Relation.NONE)),
    ):
        with pytest.raises(RapportError, match="20 times within 7 days; 20 are the most") as refusal:
            refused()
        assert refusal.value.cause is Cause.QUOTA
    service.dispute(submission.id, KEEPER, "A maintainer may.")
    service.withdraw(submission.id, ALICE, "For good.")
    assert kinds(service, submission.id)[-2:] == [AmendmentKind.DISPUTED, AmendmentKind.WITHDRAWN]


def test_a_quota_holds_for_submitting_and_not_for_maintainers(service, settings):
    for number in range(3):
        make_model_folder(settings.models, f"model-{number}", model__safetensors=WEIGHTS[:-1] + chr(number + 1))
    for number in range(2):
        service.submit(f"local/model-{number}", None, make_declaration(), ALICE)
    with pytest.raises(RapportError) as caught:
        service.submit("local/model-2", None, make_declaration(), ALICE)
    assert caught.value.cause is Cause.QUOTA
    assert service.quotas(ALICE).own == (2, 2, service.quotas(ALICE).own.next_at)
    assert service.quotas(KEEPER) is None
    assert service.submit("local/model-2", None, make_declaration(), KEEPER).state is State.QUEUED


def test_a_redis_that_went_away_is_told_without_its_address(monkeypatch, service, submission):
    def gone(*_: object) -> None:
        raise RedisConnectionError("at redis://:canary@host")

    monkeypatch.setattr(service.ledger, "histories", gone)
    with pytest.raises(RapportError, match="Redis does not answer") as caught:
        service.cancel(submission.id, ALICE)
    assert caught.value.cause is Cause.INFRASTRUCTURE
    assert "canary" not in str(caught.value)


def test_a_retry_that_comes_second_leaves_what_the_first_one_has_set_going(ledger, redis, tmp_path, submission):
    (run_id,) = submission.run_ids()
    ledger.cancel(run_id, "alice", LOAD_ERROR)
    seen = ledger.history(submission.id)
    ledger.advance(run_id, State.QUEUED, "alice")
    ledger.advance(run_id, State.GENERATING, "gpu-1")
    SubmissionService(Settings(data=tmp_path), redis).take_up(seen, Person(submission.submitter))
    assert ledger.state(run_id) is State.GENERATING
