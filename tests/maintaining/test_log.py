"""Whatever a maintainer does stands in the log, with it and only with it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from redis import Redis
from redis.client import Pipeline

from evaluator.errors import Cause, RapportError
from leaderboard.maintaining.desk import MaintainDesk, place_of_next
from leaderboard.maintaining.records import Act, ActKind
from leaderboard.people import Person
from leaderboard.records import Failure, State, now
from leaderboard.rescoring.checks import JudgeChecks
from leaderboard.rescoring.desk import RescoreMovedMeanwhile
from leaderboard.rescoring.records import RescoreStep
from leaderboard.rescoring.service import RescoreService
from leaderboard.settings import Settings
from leaderboard.submissions import keys
from leaderboard.submissions.ledger import MovedMeanwhile
from leaderboard.submissions.service import SubmissionService
from tests.builders import make_declaration, make_submission
from tests.model_folders import make_model_folder
from tests.rescoring.other_judge import OTHER as OTHER_JUDGE
from tests.rescoring.other_judge import write_judge
from tests.waiting import at_once

ALICE, KEEPER, OTHER = Person("alice"), Person("keeper", maintainer=True), Person("other keeper", maintainer=True)
LOAD_ERROR = Failure(cause=Cause.LOAD_ERROR, message="It does not load.", remedy="Mend it.")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", models=tmp_path / "data" / "models")


@pytest.fixture
def service(settings: Settings, redis: Redis) -> SubmissionService:
    make_model_folder(settings.models, "tiny")
    return SubmissionService(settings, redis)


@pytest.fixture
def rescoring(settings: Settings, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> RescoreService:
    monkeypatch.setattr("leaderboard.rescoring.service.revision_of", lambda judge, settings: "a" * 40)
    return RescoreService(settings.model_copy(update={"judges": write_judge(settings.data / "judges")}), redis)


@pytest.fixture
def log(redis: Redis) -> MaintainDesk:
    return MaintainDesk(redis)


def publish(service: SubmissionService, run_id: str) -> None:
    for state in (State.GENERATING, State.JUDGING, State.SCORING, State.PUBLISHING, State.PUBLISHED):
        assert service.ledger.advance(run_id, state, "worker")


def last(log: MaintainDesk) -> Act:
    return log.acts(count=1)[0]


@pytest.mark.parametrize(
    ("action", "before", "published"),
    [
        *(("cancel", (), False), ("lift", (), False), ("pause", (), False), ("resume", ("pause",), False)),
        *(("withdraw", (), True), ("flag", (), True), ("clear", ("flag",), True)),
        *(("hide", (), True), ("show", ("hide",), True), ("answer", ("dispute",), True)),
    ],
)
def test_what_a_maintainer_does_to_a_submission_is_one_entry(
    service, log, submission, run_id, action, before, published
):
    if published:
        publish(service, run_id)
    for each in before:
        getattr(service, each)(submission.id, KEEPER, "First.")
    count = log.count()
    getattr(service, action)(submission.id, KEEPER, " For a reason. ")
    assert log.count() == count + 1
    act = last(log)
    assert (act.sequence, act.actor, act.kind) == (count + 1, "keeper", ActKind(f"submission.{action}"))
    assert (act.subject, act.reason) == (submission.id, "For a reason.")
    assert abs((now() - act.at).total_seconds()) < 60


def test_what_submitters_do_to_their_own_is_no_entry(service, log, submission, run_id):
    service.ledger.fail(run_id, "worker", LOAD_ERROR)
    service.retry(submission.id, ALICE)
    service.cancel(submission.id, ALICE)
    service.correct(submission.id, ALICE, make_declaration(base_model="org/base"))
    service.withdraw(submission.id, ALICE, "Wrong.")
    assert log.count() == 0


def test_what_maintainers_do_to_their_own_is_one(service, log):
    view = service.submit("local/tiny", None, make_declaration(), KEEPER)
    assert log.count() == 0, "to submit is for everybody"
    service.cancel(view.submission.id, KEEPER)
    assert last(log).kind is ActKind.CANCEL
    service.submit("local/tiny", None, make_declaration(), KEEPER)
    assert (last(log).kind, last(log).subject) == (ActKind.RETRY, view.submission.id)


def test_a_correction_says_what_it_changes_and_one_that_changes_nothing_is_no_entry(service, log, submission):
    corrected = make_declaration(base_model="org/base", publish_answers=not submission.declaration.publish_answers)
    for _ in range(2):
        service.correct(submission.id, KEEPER, corrected, "Told by mail.")
    assert log.count() == 1
    told = last(log)
    assert (told.kind, told.reason) == (ActKind.CORRECT, "Told by mail.")
    old, new = submission.declaration.publish_answers, corrected.publish_answers
    assert told.detail == f"base_model: org/base instead of None; publish_answers: {new} instead of {old}."


def test_an_answer_says_what_it_is_about_and_a_dispute_is_anybodys(service, log, submission, run_id):
    publish(service, run_id)
    service.dispute(submission.id, KEEPER, "Gold is wrong.", about="test_1/7")
    assert log.count() == 0
    service.answer(submission.id, KEEPER, "It is.", about="test_1/7")
    assert last(log).detail == "About test_1/7."


def test_several_runs_are_cancelled_and_retried_by_one_act_each(service, log):
    submission = make_submission(protocols=("one", "two", "three"))
    service.ledger.create(submission)
    service.cancel(submission.id, KEEPER, "All of it.")
    service.retry(submission.id, KEEPER)
    assert [act.kind for act in log.acts()] == [ActKind.RETRY, ActKind.CANCEL]


def test_what_is_refused_is_no_entry(service, log, submission):
    for action in ("resume", "clear", "show", "flag", "answer"):
        with pytest.raises(RapportError):
            getattr(service, action)(submission.id, KEEPER, "Because.")
    with pytest.raises(RapportError, match="A reason is needed"):
        service.hide(submission.id, KEEPER, "")
    assert log.count() == 0


def test_an_entry_and_its_act_are_there_together_or_not_at_all(service, log, submission, run_id):
    """Somebody was faster: then neither of the two is written."""
    act = Act(sequence=1, at=now(), actor="keeper", kind=ActKind.LIFT, subject=submission.id, reason="")
    seen = service.ledger.history(submission.id)
    service.ledger.advance(run_id, State.GENERATING, "worker")
    with pytest.raises(MovedMeanwhile):
        service.ledger.amend(seen, "lifted", "keeper", "", act=act)
    with pytest.raises(MovedMeanwhile):
        service.ledger.move(run_id, State.QUEUED, State.CANCELLED, "keeper", LOAD_ERROR, act=act)
    assert log.count() == 0


def test_an_answer_that_was_lost_on_its_way_makes_no_second_entry(redis, service, log, submission):
    """What a client sends once more, because the connection broke, was done already."""
    script = service.ledger._amend
    calls = []

    def twice(keys, args):
        calls.append(script(keys=keys, args=args))
        return script(keys=keys, args=args)

    service.ledger._amend = twice
    service.lift(submission.id, KEEPER)
    assert (len(calls), log.count()) == (1, 1)


def test_of_two_maintainers_at_once_both_are_there_once_with_numbers_of_their_own(service, log, submission, run_id):
    publish(service, run_id)
    other = make_submission(2)
    service.ledger.create(other)
    at_once(
        *(partial(service.flag, submission.id, each, "Odd.") for each in (KEEPER, OTHER)),
        *(partial(service.lift, other.id, each) for each in (KEEPER, OTHER)),
    )
    acts = log.acts()
    assert [act.sequence for act in acts] == [2, 1]
    assert {(act.kind, act.subject) for act in acts} == {
        (ActKind.FLAG, submission.id),
        (ActKind.LIFT, other.id),
    }


def test_pages_of_the_log_follow_each_other(service, log, redis):
    for number in range(7):
        submission = make_submission(number)
        service.ledger.create(submission)
        service.lift(submission.id, KEEPER)
    assert [act.sequence for act in log.acts(count=3)] == [7, 6, 5]
    assert [act.sequence for act in log.acts(4, count=3)] == [4, 3, 2]
    assert [act.sequence for act in log.acts(1, count=3)] == [1]
    assert log.acts(0) == log.acts(count=0) == ()
    assert [(entry.place, entry.act and entry.act.reason) for entry in log.from_on(6)] == [(6, ""), (7, "")]
    redis.lset(keys.ACTS, 4, "")
    assert [act.sequence for act in log.acts(count=4)] == [7, 6, 4], "a number whose entry is lost stays its own"


def test_what_maintainers_do_with_re_scores_is_in_it(rescoring, log, monkeypatch):
    monkeypatch.setattr(JudgeChecks, "require_passed", lambda *_: None)
    started = rescoring.start(OTHER_JUDGE, ["s-20260301-00000001.demo-v1"], KEEPER, "A better judge.", "all runs")
    rescoring.pause(started.id, KEEPER, "Night.")
    rescoring.resume(started.id, OTHER)
    rescoring.desk.note(started.id, RescoreStep.COMPLETED, "publisher", "1 of 1 runs were judged.")
    rescoring.promote(started.id, KEEPER, "It agrees with people.")
    told = [(act.kind, act.subject, act.actor, act.reason) for act in log.acts()]
    assert told == [
        (ActKind.RESCORE_PROMOTE, started.id, "keeper", "It agrees with people."),
        (ActKind.RESCORE_RESUME, started.id, "other keeper", ""),
        (ActKind.RESCORE_PAUSE, started.id, "keeper", "Night."),
        (ActKind.RESCORE_START, started.id, "keeper", "A better judge."),
    ], "what a program does is none"
    assert log.acts()[-1].detail == f"{OTHER_JUDGE} at {'a' * 40} judges 1 run: all runs"
    with pytest.raises(RescoreMovedMeanwhile):
        rescoring.discard(started.id, KEEPER, "Too late.")
    with pytest.raises(RapportError, match="Only maintainers"):
        rescoring.pause(started.id, ALICE)
    assert log.count() == 4


@pytest.mark.parametrize("entered", [False, True])
def test_an_entry_that_comes_in_between_takes_no_number_from_that_of_a_re_score(
    rescoring, service, log, submission, monkeypatch, entered
):
    started = rescoring.start(OTHER_JUDGE, ["s-20260301-00000001.demo-v1"], KEEPER) if entered else None

    def somebody_is_quick(pipe: Pipeline) -> int:
        place = place_of_next(pipe)
        monkeypatch.setattr("leaderboard.rescoring.desk.place_of_next", place_of_next)
        service.lift(submission.id, OTHER)
        return place

    monkeypatch.setattr("leaderboard.rescoring.desk.place_of_next", somebody_is_quick)
    if started:
        rescoring.pause(started.id, KEEPER)
    else:
        rescoring.start(OTHER_JUDGE, ["s-20260301-00000001.demo-v1"], KEEPER)
    assert [act.sequence for act in log.acts()] == list(range(log.count(), 0, -1))
    assert [act.kind for act in log.acts()][1] is ActKind.LIFT


def test_of_two_who_pause_a_re_score_at_once_one_does(rescoring, log):
    started = rescoring.start(OTHER_JUDGE, ["s-20260301-00000001.demo-v1"], KEEPER)
    answers = at_once(*(partial(rescoring.pause, started.id, each) for each in (KEEPER, OTHER)))
    assert sum(isinstance(answer, RapportError) for answer in answers) == 1
    assert [act.kind for act in log.acts()] == [ActKind.RESCORE_PAUSE, ActKind.RESCORE_START]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"kind": "site.pause"}, "has no subject"),
        ({"subject": None}, "has no subject"),
        ({"of_one": 3}, "says how many submissions"),
        ({"kind": "quota.set"}, "says how many submissions"),
        ({"kind": "quota.unset", "reason": " "}, "needs a reason"),
        ({"kind": "quota.set", "of_one": 1001}, "less than or equal to 1000"),
        ({"reason": "x" * 1001}, "at most 1000 characters"),
    ],
)
def test_an_entry_says_what_its_kind_needs_and_nothing_else(changes, complaint):
    fields = {"sequence": 1, "at": now(), "actor": "keeper", "kind": "submission.lift", "subject": "s", "reason": ""}
    assert Act.model_validate(fields)
    with pytest.raises(ValueError, match=complaint):
        Act.model_validate(fields | {"reason": "Because."} | changes)
