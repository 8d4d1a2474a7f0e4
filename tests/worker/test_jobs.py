"""What a worker does with an invitation before it loads any model: plan the run, or end it with a cause."""

from pathlib import Path

import pytest

from evaluator.errors import Cause, RapportError
from evaluator.hicupid.data import demo_set
from evaluator.identity import folder_digest
from evaluator.judges.spec import load_judge
from leaderboard.records import Plan, State
from leaderboard.settings import Settings
from leaderboard.submissions import keys
from leaderboard.submissions.service import SubmissionService
from tests.builders import make_declaration, make_submission
from tests.model_folders import make_model_folder
from worker.jobs import evaluate
from worker.planning import LEAST_USERS_PER_SHARD, make_plan, prepare

JUDGE_FOLDER = load_judge("demo").model.removeprefix("local/")


@pytest.fixture
def settings(redis_url, tmp_path: Path, monkeypatch) -> Settings:
    """Settings as a worker reads them from its environment, the demo data set among them."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    for name, value in {"REDIS_URL": redis_url, "DATA": tmp_path / "data", "MODELS": tmp_path / "models"}.items():
        monkeypatch.setenv(f"RAPPORT_{name}", str(value))
    return Settings()


@pytest.fixture
def service(settings, redis) -> SubmissionService:
    make_model_folder(settings.models, "tiny")
    make_model_folder(settings.models, JUDGE_FOLDER)
    return SubmissionService(settings, redis)


def submit(service: SubmissionService):
    return service.submit("local/tiny", None, make_declaration(), "alice")


def outcome_of(ledger, run_id: str) -> tuple[State, Cause | None]:
    run = ledger.view(run_id.split(".")[0]).runs[0]
    return run.state, run.failure.cause if run.failure else None


def test_a_plan_asks_every_user_once_in_shards_of_a_few(settings, service):
    view = submit(service)
    (run,) = view.runs
    plan: Plan = make_plan(run.id, prepare(view.submission, run.id, settings))
    users = [user for shard in plan.shards for user in shard.users]
    assert len(set(users)) == len(users) == 4
    assert all(len(shard.users) == LEAST_USERS_PER_SHARD for shard in plan.shards)
    assert {(item.split, item.user_id) for item in plan.items} == set(users)
    assert len({shard.id for shard in plan.shards}) == 2
    assert (plan.data_source, plan.data_sha) == ("demo", folder_digest(demo_set()))


def test_answers_stay_private_where_the_submitter_did_not_consent(settings, service):
    for consents, visibility in [(True, "public"), (False, "private")]:
        submission = make_submission(declaration=make_declaration(publish_answers=consents))
        setup = prepare(submission, submission.run_ids()[0], settings)
        assert setup.terms.visibility == visibility


def test_a_run_that_has_ended_is_left_alone(ledger, service):
    (run,) = submit(service).runs
    ledger.move(run.id, State.QUEUED, State.CANCELLED, "alice")
    evaluate(run.id)
    assert outcome_of(ledger, run.id) == (State.CANCELLED, None)
    assert ledger.plan(run.id) is None


def test_a_run_without_its_judge_fails_with_that_cause(ledger, settings, service):
    (run,) = submit(service).runs
    (settings.models / JUDGE_FOLDER).rename(settings.models / "elsewhere")
    evaluate(run.id)
    assert outcome_of(ledger, run.id) == (State.FAILED, Cause.JUDGE_ERROR)


@pytest.mark.parametrize(
    ("field", "cause"),
    [
        ("data_sha", Cause.DATA_ERROR),
        ("judge_revision", Cause.JUDGE_ERROR),
        ("judge_config", Cause.JUDGE_ERROR),
        ("prompt_pack", Cause.JUDGE_ERROR),
    ],
)
def test_a_run_whose_conditions_have_changed_since_it_was_planned_fails_and_can_be_submitted_anew(
    ledger, settings, service, field, cause
):
    view = submit(service)
    (run,) = view.runs
    plan = make_plan(run.id, prepare(view.submission, run.id, settings))
    ledger.put_plan(plan.model_copy(update={field: "as it was before"}))
    evaluate(run.id)
    assert outcome_of(ledger, run.id) == (State.FAILED, cause)
    again = submit(service)
    assert again.submission.id != view.submission.id, "its plan is fixed, so only a new run can be planned anew"
    assert again.state is State.QUEUED


def test_an_error_that_nobody_foresaw_ends_the_run_without_showing_its_insides(redis, ledger, service):
    (run,) = submit(service).runs
    kept = redis.get(keys.submission(run.id.split(".")[0]))
    redis.delete(keys.submission(run.id.split(".")[0]))
    with pytest.raises(KeyError):
        evaluate(run.id)
    redis.set(keys.submission(run.id.split(".")[0]), kept)
    failure = ledger.view(run.id.split(".")[0]).runs[0].failure
    assert (failure.cause, failure.message) == (
        Cause.INFRASTRUCTURE,
        "The worker met an unexpected error (KeyError).",
    )


def test_an_unknown_run_is_an_error_for_the_log_and_changes_nothing(redis, service):
    before = redis.dbsize()
    with pytest.raises(KeyError, match="s-20260301-ffffffff"):
        evaluate("s-20260301-ffffffff.demo-v1")
    assert redis.dbsize() == before


def test_a_run_of_an_unknown_protocol_cannot_be_prepared(settings, service):
    submission = make_submission(protocols=("nosuch",))
    with pytest.raises(RapportError, match="no protocol 'nosuch'"):
        prepare(submission, submission.run_ids()[0], settings)


def test_a_shard_that_lost_too_many_workers_ends_the_run(redis, ledger, leases, settings, service):
    view = submit(service)
    (run,) = view.runs
    plan = ledger.put_plan(make_plan(run.id, prepare(view.submission, run.id, settings)))
    for shard in plan.shards:
        redis.hset(keys.grants(run.id), shard.id, 4)
    evaluate(run.id)
    assert outcome_of(ledger, run.id) == (State.FAILED, Cause.INFRASTRUCTURE)
    assert leases.free_shards(plan) == len(plan.shards)
