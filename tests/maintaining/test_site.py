"""Submissions are paused, and single submitters have quotas of their own."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from redis import Redis

from evaluator.errors import Cause, RapportError
from leaderboard.checks.records import CheckName, CheckRequest, CheckResult
from leaderboard.checks.run import report
from leaderboard.checks.surroundings import surroundings_of
from leaderboard.maintaining.records import ActKind
from leaderboard.maintaining.service import Maintenance
from leaderboard.maintaining.state import site_of
from leaderboard.people import LOCAL_USER, Person
from leaderboard.records import Failure, State
from leaderboard.settings import Settings
from leaderboard.submissions import keys
from leaderboard.submissions.quotas import limits_of
from leaderboard.submissions.service import SubmissionService
from tests.builders import make_declaration, make_submission
from tests.model_folders import make_model_folder
from tests.waiting import at_once

ALICE, BOB, KEEPER = Person("alice"), Person("bob"), Person("keeper", maintainer=True)
OTHER = Person("other keeper", maintainer=True)
WHY = "The judge is being <b>replaced</b>."


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(data=tmp_path / "data", models=tmp_path / "data" / "models", quota_per_user=1)
    for name in ("one", "two", "three"):
        make_model_folder(settings.models, name)
    return settings


@pytest.fixture
def service(settings: Settings, redis: Redis) -> SubmissionService:
    return SubmissionService(settings, redis)


@pytest.fixture
def maintenance(settings: Settings, redis: Redis) -> Maintenance:
    return Maintenance(settings, redis)


def submit(service: SubmissionService, name: str, person: Person):
    return service.submit(f"local/{name}", None, make_declaration(), person)


def test_while_submissions_are_paused_maintainers_alone_submit(service, maintenance):
    pause = maintenance.pause_submissions(KEEPER, f" {WHY} ")
    assert maintenance.paused() == pause
    assert (pause.reason, pause.actor) == (WHY, "keeper")
    with pytest.raises(RapportError) as caught:
        submit(service, "one", ALICE)
    assert caught.value.cause is Cause.FORBIDDEN
    assert caught.value.message == f"No submission is accepted since {pause.at:%Y-%m-%d %H:%M} UTC: {WHY}"
    assert service.ledger.count() == 0
    assert submit(service, "one", KEEPER).state is State.QUEUED
    maintenance.resume_submissions(OTHER)
    assert maintenance.paused() is None
    assert submit(service, "two", ALICE).state is State.QUEUED
    assert [(act.kind, act.reason) for act in maintenance.desk.acts()] == [
        (ActKind.SITE_RESUME, ""),
        (ActKind.SITE_PAUSE, WHY),
    ]


def test_nothing_is_looked_at_before_a_submission_is_refused(service, maintenance, monkeypatch):
    maintenance.pause_submissions(KEEPER, WHY)
    monkeypatch.setattr("leaderboard.submissions.service.checked", None)
    monkeypatch.setattr(SubmissionService, "_check_disk", None)
    with pytest.raises(RapportError, match="No submission is accepted since"):
        submit(service, "one", ALICE)


def test_a_pause_that_begins_while_a_model_is_looked_at_refuses_it_as_well(service, maintenance, settings):
    """The last word has the script that enters it."""
    maintenance.pause_submissions(KEEPER, WHY)
    with pytest.raises(RapportError, match="No submission is accepted since") as caught:
        service.ledger.create(make_submission(1), limits_of(settings))
    assert caught.value.cause is Cause.FORBIDDEN
    assert service.ledger.count() == 0
    assert service.ledger.create(make_submission(1)) == make_submission(1).id, "maintainers have no limits"


def test_what_is_queued_goes_on_and_is_retried(service, maintenance, submission, run_id):
    failure = Failure(cause=Cause.LOAD_ERROR, message="It does not load.", remedy="Mend it.")
    service.ledger.fail(run_id, "worker", failure)
    maintenance.pause_submissions(KEEPER, WHY)
    assert service.retry(submission.id, ALICE).state is State.QUEUED
    assert service.ledger.advance(run_id, State.GENERATING, "worker")


def test_the_checks_before_a_submission_say_so_and_ask_nobody(settings, redis, maintenance):
    request = CheckRequest("local/one", protocols=("demo-v1",))
    assert report(request, surroundings_of(settings, redis, ALICE)).allowed
    maintenance.pause_submissions(KEEPER, WHY)
    surroundings = surroundings_of(settings, redis, ALICE)
    asked: list[str] = []
    found = report(request, surroundings._replace(alive=lambda: asked.append("workers") or (), models=Path("nowhere")))
    assert not found.allowed
    assert len(found.checks) == len(CheckName)
    results = {check.name: check for check in found.checks}
    quota = results.pop(CheckName.QUOTA)
    assert (quota.result, quota.cause) == (CheckResult.FAILED, Cause.FORBIDDEN)
    assert WHY in quota.message
    assert {check.result for check in results.values()} == {CheckResult.SKIPPED}
    assert asked == []
    assert report(request, surroundings_of(settings, redis, KEEPER)).allowed, "maintainers may submit"


def test_a_pause_is_not_paused_and_what_goes_on_is_not_resumed(maintenance):
    with pytest.raises(RapportError, match="Submissions are not paused"):
        maintenance.resume_submissions(KEEPER)
    answers = at_once(*(partial(maintenance.pause_submissions, each, WHY) for each in (KEEPER, OTHER)))
    (lost,) = [answer for answer in answers if isinstance(answer, RapportError)]
    assert (lost.cause, lost.message) == (Cause.FORBIDDEN, "Submissions are paused already.")
    assert maintenance.desk.count() == 1


@pytest.mark.parametrize("person", [ALICE, Person("maintainer")])
def test_only_maintainers_change_the_site(maintenance, person):
    for change in (
        partial(maintenance.pause_submissions, person, WHY),
        partial(maintenance.resume_submissions, person),
        partial(maintenance.set_quota, person, "alice", 5, "More."),
        partial(maintenance.set_quota, person, "alice", None, "Less."),
    ):
        with pytest.raises(RapportError) as caught:
            change()
        assert caught.value.cause is Cause.FORBIDDEN
    assert maintenance.desk.count() == 0


def test_a_quota_of_its_own_counts_for_one_submitter_and_no_other(service, maintenance, settings, redis):
    maintenance.set_quota(KEEPER, "alice", 2, "A whole series of models.")
    own = maintenance.quotas()["alice"]
    assert (own.of_one, own.reason, own.actor) == (2, "A whole series of models.", "keeper")
    for name in ("one", "two"):
        submit(service, name, ALICE)
    with pytest.raises(RapportError, match="You have used 2 of the 2 submissions") as caught:
        submit(service, "three", ALICE)
    assert caught.value.cause is Cause.QUOTA
    submit(service, "three", BOB)
    with pytest.raises(RapportError, match="You have used 1 of the 1 submissions"):
        service.ledger.create(make_submission(9, submitter="bob", created_at=own.at), limits_of(settings))
    assert [maintenance.used(name).own[:2] for name in ("alice", "bob", "dora")] == [(2, 2), (1, 1), (0, 1)]
    (told,) = [
        check
        for check in report(CheckRequest("local/three"), surroundings_of(settings, redis, ALICE)).checks
        if check.name is CheckName.QUOTA
    ]
    assert told.result is CheckResult.PASSED, "it is covered by bob's"
    maintenance.set_quota(OTHER, "alice", None, "The series is done.")
    assert maintenance.quotas() == {}
    assert service.quotas(ALICE).own[:2] == (2, 1)
    acts = maintenance.desk.acts()
    assert [(act.kind, act.subject, act.of_one) for act in acts] == [
        (ActKind.QUOTA_UNSET, "alice", None),
        (ActKind.QUOTA_SET, "alice", 2),
    ]
    assert acts[1].detail == "2 submissions within 7 days; for all others it is 1."


def test_the_check_tells_a_quota_of_its_own(maintenance, settings, redis):
    maintenance.set_quota(KEEPER, "alice", 7, "A series.")
    checks = report(CheckRequest("local/one"), surroundings_of(settings, redis, ALICE)).checks
    (quota,) = [check for check in checks if check.name is CheckName.QUOTA]
    assert "0 of your 7 submissions are used" in quota.message


def test_a_quota_of_nothing_refuses_all_without_naming_a_day(service, maintenance):
    maintenance.set_quota(KEEPER, "alice", 0, "Spam.")
    with pytest.raises(RapportError, match="nothing of yours is accepted now") as caught:
        submit(service, "one", ALICE)
    assert caught.value.cause is Cause.QUOTA
    with pytest.raises(RapportError, match="nothing of yours is accepted now"):
        service.ledger.create(make_submission(1), limits_of(service._settings)._replace(of_one=0))
    assert "Spam" not in str(caught.value), "the reason is for maintainers"
    assert service.ledger.count() == 0


@pytest.mark.parametrize(
    "name", ["", " ", "a/b", "maintainer", "Publisher", "x" * 97, "-alice", "alice\n[x]", LOCAL_USER]
)
def test_a_quota_is_of_somebody_who_may_submit(maintenance, name):
    with pytest.raises(RapportError, match="no name of somebody who submits") as caught:
        maintenance.set_quota(KEEPER, name, 3, "More.")
    assert caught.value.cause is Cause.DATA_ERROR
    with pytest.raises(RapportError):
        maintenance.used(name)


def test_where_a_local_user_may_submit_it_may_have_a_quota(settings, redis):
    maintenance = Maintenance(settings.model_copy(update={"allow_local_user": True}), redis)
    maintenance.set_quota(KEEPER, LOCAL_USER, 3, "To try it.")
    assert maintenance.used(LOCAL_USER).own.limit == 3


@pytest.mark.parametrize(
    ("number", "reason", "complaint"),
    [
        (-1, "Less.", "is no quota"),
        (1001, "More.", "is no quota"),
        (3, " ", "A reason is needed"),
        (None, "", "A reason is needed"),
        (None, "Less.", "alice has no quota of its own"),
        (3, "x" * 1001, "1000 are kept"),
    ],
)
def test_a_quota_that_makes_no_sense_is_refused(maintenance, number, reason, complaint):
    with pytest.raises(RapportError, match=complaint):
        maintenance.set_quota(KEEPER, "alice", number, reason)
    assert maintenance.desk.count() == 0


def test_two_maintainers_who_set_quotas_at_once_lose_none(maintenance):
    names = [f"user-{number}" for number in range(8)]
    at_once(*(partial(maintenance.set_quota, KEEPER, name, 5, "More.") for name in names))
    assert sorted(maintenance.quotas()) == names
    assert maintenance.desk.count() == 8


def test_nothing_is_decided_while_the_ledger_is_restored(redis, maintenance):
    redis.delete(keys.EPOCH)
    with pytest.raises(RapportError, match="being restored"):
        maintenance.pause_submissions(KEEPER, WHY)
    assert maintenance.desk.count() == 0


def test_the_state_is_what_all_acts_come_to(maintenance):
    maintenance.set_quota(KEEPER, "alice", 5, "More.")
    maintenance.pause_submissions(KEEPER, WHY)
    maintenance.set_quota(KEEPER, "bob", 6, "More.")
    maintenance.set_quota(KEEPER, "alice", 4, "Less.")
    maintenance.resume_submissions(KEEPER)
    maintenance.set_quota(KEEPER, "bob", None, "Enough.")
    maintenance.pause_submissions(OTHER, "Again.")
    found = site_of(entry.act for entry in maintenance.desk.from_on(1) if entry.act)
    assert found == maintenance.desk.site()
    assert found.pause is not None
    assert (found.pause.reason, {name: own.of_one for name, own in found.quotas.items()}) == ("Again.", {"alice": 4})
