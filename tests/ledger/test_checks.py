"""What the checks ask of a leaderboard: is it new, may this person submit, how long does it take."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis

from evaluator.errors import Cause
from leaderboard.checks.records import Check, CheckName, CheckReport, CheckRequest, CheckResult
from leaderboard.checks.run import report
from leaderboard.checks.surroundings import surroundings_of
from leaderboard.connection import web_client
from leaderboard.fleet import Fleet
from leaderboard.people import Person
from leaderboard.records import Failure, Lane, State
from leaderboard.settings import Settings
from leaderboard.submissions import keys
from leaderboard.submissions.estimate import Cost
from leaderboard.submissions.measures import note_cost
from leaderboard.submissions.needs import Need, need_of, note_need
from leaderboard.submissions.order import ServingOrder, WaitingRun, note_served, publish_order
from leaderboard.submissions.service import SubmissionService
from tests.announcements import make_announcement
from tests.builders import NOON, make_declaration
from tests.model_folders import make_adapter_folder, make_model_folder

ALICE = Person("alice")
NEED = Need(protocol="demo-v1", data_sha="0" * 64, longest_characters=48_000, items=120, users=20)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    models = tmp_path / "models"
    make_model_folder(models, "tiny")
    make_adapter_folder(models)
    return Settings(data=tmp_path / "data", models=models, protocols=("demo-v1",), quota_per_user=1)


@pytest.fixture
def service(settings: Settings, redis: Redis) -> SubmissionService:
    redis.set(keys.EPOCH, "1")
    return SubmissionService(settings, redis)


def looked_over(settings: Settings, redis: Redis | None, person: Person = ALICE, **more) -> CheckReport:
    return report(CheckRequest("local/tiny", **more), surroundings_of(settings, redis, person))


def line(found: CheckReport, name: CheckName) -> Check:
    return next(check for check in found.checks if check.name is name)


def test_what_a_protocol_needs_is_kept_and_the_latest_note_counts(redis):
    assert need_of(redis, "demo-v1") is None
    note_need(redis, NEED)
    note_need(redis, later := NEED.model_copy(update={"longest_characters": 50_000}))
    assert need_of(redis, "demo-v1") == later
    assert need_of(redis, "official-v1") is None


def test_a_new_model_on_a_live_leaderboard_passes_every_line(settings, service, redis):
    note_need(redis, NEED)
    note_cost(redis, "demo-v1", Cost(items=120, seconds=240.0, parameters=64))
    Fleet(redis).announce(make_announcement(), 60)
    publish_order(redis, ServingOrder(waiting=(), working=()), 60)
    (settings.models / "tiny" / "README.md").write_text("---\nlicense: mit\n---\n")
    found = looked_over(settings, redis)
    assert {check.name for check in found.checks if check.result is not CheckResult.PASSED} == {CheckName.ADAPTER}
    estimate = line(found, CheckName.ESTIMATE)
    assert (estimate.facts["work_seconds"], estimate.facts["waiting_seconds"]) == (240.0, 0.0)
    assert "some 4 minutes, measured on one earlier run of 64 parameters" in estimate.message
    assert "a worker is free" in estimate.message


@pytest.mark.parametrize("state", [State.QUEUED, State.FAILED, State.CANCELLED])
def test_what_was_submitted_before_is_linked_whatever_its_state(settings, service, redis, state):
    view = service.submit("local/tiny", None, make_declaration(), ALICE)
    failure = Failure(cause=Cause.TIMEOUT, message="Too slow.", remedy="Again.") if state is State.FAILED else None
    if state is not State.QUEUED:
        service.ledger.move(view.runs[0].id, State.QUEUED, state, "someone", failure)
    found = looked_over(settings, redis)
    check = line(found, CheckName.DUPLICATE)
    assert check.result is CheckResult.WARNED
    assert check.facts == {"demo-v1": view.submission.id}
    assert f"({state})" in check.message
    assert found.allowed


def test_what_is_there_already_costs_no_quota(settings, service, redis):
    service.submit("local/tiny", None, make_declaration(), ALICE)
    assert line(looked_over(settings, redis), CheckName.QUOTA).result is CheckResult.PASSED


def test_a_protocol_that_was_added_since_is_new_and_what_is_known_is_linked(settings, service, redis):
    view = service.submit("local/tiny", None, make_declaration(), ALICE)
    both = settings.model_copy(update={"protocols": ("demo-v1", "official-v1"), "quota_per_user": 2})
    found = looked_over(both, redis, protocols=both.protocols)
    check = line(found, CheckName.DUPLICATE)
    assert check.facts == {"demo-v1": view.submission.id}
    assert "It is entered for official-v1 alone." in check.message
    assert line(found, CheckName.QUOTA).message.startswith("1 of your 2 submissions are used")


@pytest.mark.parametrize("more", [{"thinking": True}, {"adapter": "local/lora"}])
def test_the_same_model_run_otherwise_is_new_and_counts(settings, service, redis, more):
    service.submit("local/tiny", None, make_declaration(), ALICE)
    found = looked_over(settings, redis, **more)
    assert line(found, CheckName.DUPLICATE).result is CheckResult.PASSED
    quota = line(found, CheckName.QUOTA)
    assert (quota.result, quota.cause) == (CheckResult.FAILED, Cause.QUOTA)
    assert "UTC" in quota.remedy
    assert not found.allowed


def test_another_person_and_a_maintainer_have_quotas_of_their_own(settings, service, redis):
    service.submit("local/tiny", None, make_declaration(), ALICE)
    for person, told in ((Person("bob"), "0 of your 1"), (Person("carol", maintainer=True), "Maintainers")):
        check = line(looked_over(settings, redis, person, thinking=True), CheckName.QUOTA)
        assert check.result is CheckResult.PASSED
        assert told in check.message


def test_where_nothing_was_measured_no_time_is_made_up(settings, redis):
    check = line(looked_over(settings, redis), CheckName.ESTIMATE)
    assert check.result is CheckResult.WARNED
    assert set(check.facts.values()) == {None}


def test_where_no_run_has_ended_the_minutes_are_worked_out_and_called_so(settings, redis):
    note_need(redis, NEED)
    check = line(looked_over(settings, redis), CheckName.ESTIMATE)
    assert "worked out and not measured" in check.message
    assert check.facts["gpu_minutes"] is not None


@pytest.mark.parametrize(
    ("parameters", "seconds", "told"),
    [
        (70_000_000_000, None, "worked out and not measured"),
        (
            256,
            120.0,
            "some 2 minutes (1 minute to 4 minutes), worked out and not measured, scaled from one earlier run",
        ),
    ],
)
def test_what_another_size_took_is_scaled_or_left_out_and_called_so(settings, redis, parameters, seconds, told):
    note_need(redis, NEED)
    note_cost(redis, "demo-v1", Cost(items=120, seconds=240.0, parameters=parameters))
    check = line(looked_over(settings, redis), CheckName.ESTIMATE)
    assert check.facts["work_seconds"] == seconds
    assert told in check.message


def test_whoever_was_served_of_late_waits_the_longer(settings, redis):
    note_need(redis, NEED)
    note_cost(redis, "demo-v1", Cost(items=120, seconds=240.0, parameters=64))
    Fleet(redis).announce(make_announcement(), 60)
    waits = WaitingRun(
        run_id="s-20260101-00000001.demo-v1", submitter="bob", created_at=NOON, lanes=(Lane.GENERATE,), parameters=64
    )
    publish_order(redis, ServingOrder(waiting=(waits,), working=()), 60)
    note_served(redis, "alice")
    assert line(looked_over(settings, redis), CheckName.ESTIMATE).facts["waiting_seconds"] == 240.0
    note_served(redis, "bob")
    assert line(looked_over(settings, redis), CheckName.ESTIMATE).facts["waiting_seconds"] == 0.0


def test_a_redis_that_is_gone_is_told_apart_from_a_model_that_is_wrong(settings, tmp_path):
    found = looked_over(settings, web_client(f"unix://{tmp_path}/nobody.sock"))
    asked = {check.name for check in found.checks if check.result is CheckResult.UNANSWERED}
    assert asked == {
        CheckName.CONTEXT,
        CheckName.FIT,
        CheckName.DUPLICATE,
        CheckName.QUOTA,
        CheckName.ESTIMATE,
    }
    assert {check.cause for check in found.checks if check.refuses} == {Cause.INFRASTRUCTURE}
    assert line(found, CheckName.SIZE).result is CheckResult.PASSED
    assert not found.allowed


def test_a_note_of_another_version_says_nothing_of_the_model(settings, redis):
    redis.set(keys.need("demo-v1"), "{}")
    check = line(looked_over(settings, redis), CheckName.CONTEXT)
    assert (check.result, check.cause) == (CheckResult.UNANSWERED, Cause.DATA_ERROR)
