"""What a worker does with an invitation before it loads any model: plan the run, or end it with a cause."""

from pathlib import Path

import pytest
from rq.timeouts import JobTimeoutException

from evaluator.context_mode import Bm25, GoldEvidence, TokenWindow
from evaluator.engines.child import Crashed
from evaluator.errors import Cause, RapportError
from evaluator.generate import generate
from evaluator.hicupid.contexts import FullContexts
from evaluator.hicupid.data import demo_set
from evaluator.identity import folder_digest
from evaluator.judges.spec import load_judge
from leaderboard.people import Person
from leaderboard.records import AmendmentKind, Lane, Plan, State
from leaderboard.settings import Settings
from leaderboard.submissions import keys
from leaderboard.submissions.history import amendments_of
from leaderboard.submissions.needs import need_of
from leaderboard.submissions.order import ServingOrder, WaitingRun, publish_order
from leaderboard.submissions.quotas import counts
from leaderboard.submissions.service import SubmissionService
from tests.builders import make_declaration, make_submission
from tests.model_folders import make_model_folder
from tests.scripted import ScriptedEngine, hello, users_in
from worker import jobs
from worker.jobs import evaluate
from worker.needs import measured
from worker.planning import LEAST_USERS_PER_SHARD, make_plan, prepare
from worker.troubles import MOST_RETRIES

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
    return service.submit("local/tiny", None, make_declaration(), Person("alice"))


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


def test_an_error_that_nobody_foresaw_ends_the_run_without_showing_its_insides(ledger, service, monkeypatch):
    (run,) = submit(service).runs
    monkeypatch.setattr(jobs, "prepare", lambda *_: {}["canary"])
    with pytest.raises(KeyError, match="canary"):
        evaluate(run.id)
    failure = ledger.view(run.id.split(".")[0]).runs[0].failure
    assert (failure.cause, failure.message) == (
        Cause.INFRASTRUCTURE,
        "The worker met an unexpected error (KeyError).",
    )


@pytest.mark.parametrize("lost", [keys.state, lambda run_id: keys.submission(run_id.split(".")[0])])
def test_what_redis_has_lost_is_no_failure_of_the_run(redis, ledger, service, lost):
    (run,) = submit(service).runs
    kept = redis.get(lost(run.id))
    redis.delete(lost(run.id))
    evaluate(run.id)
    redis.set(lost(run.id), kept)
    assert outcome_of(ledger, run.id) == (State.QUEUED, None)


def test_an_unknown_run_changes_nothing(redis, service, caplog):
    before = redis.dbsize()
    evaluate("s-20260301-ffffffff.demo-v1")
    assert redis.dbsize() == before
    assert "the ledger does not know s-20260301-ffffffff.demo-v1" in caplog.text


def test_a_failure_tells_the_engines_last_words_without_secrets(ledger, settings, service, monkeypatch):
    (run,) = submit(service).runs
    monkeypatch.setenv("HF_TOKEN", "canary-in-the-log")
    logs = settings.data / "logs"
    logs.mkdir(parents=True)
    (logs / f"{run.id}.log").write_text(
        "\n".join([f"line {n}" for n in range(30)] + ["with canary-in-the-log", "so long " * 99])
    )
    (settings.models / JUDGE_FOLDER).rename(settings.models / "elsewhere")
    evaluate(run.id)
    said = ledger.view(run.id.split(".")[0]).runs[0].failure.log
    assert len(said) == 20
    assert (said[0], said[-2]) == ("line 12", "with [redacted]")
    assert len(said[-1]) == 300


def test_a_job_whose_time_is_up_without_a_row_is_a_time_out_and_one_with_rows_is_not(
    redis, ledger, settings, service, monkeypatch
):
    (run,) = submit(service).runs

    def slow(*_):
        redis.hincrby(keys.progress(run.id), "generations", rows)
        raise JobTimeoutException

    monkeypatch.setattr(jobs, "prepare", slow)
    rows = 3
    for _ in range(MOST_RETRIES + 2):
        evaluate(run.id)
    assert outcome_of(ledger, run.id) == (State.QUEUED, None)
    rows = 0
    for _ in range(MOST_RETRIES):
        evaluate(run.id)
    assert outcome_of(ledger, run.id) == (State.QUEUED, None)
    evaluate(run.id)
    assert outcome_of(ledger, run.id) == (State.FAILED, Cause.TIMEOUT)


def test_a_worker_that_plans_a_run_notes_what_its_prompts_need(redis, settings, service, monkeypatch):
    view = submit(service)
    (run,) = view.runs
    monkeypatch.setattr(jobs.RunEngines, "source", lambda _: pytest.fail("no engine is needed to know that"))
    with pytest.raises(pytest.fail.Exception):
        evaluate(run.id)
    need = need_of(redis, "demo-v1")
    setup = prepare(view.submission, run.id, settings)
    engine = ScriptedEngine(hello)
    list(generate(setup, users_in(setup), engine, FullContexts(), done={}))
    longest = max(sum(len(message.content) for message in asked.messages) for asked in engine.asked)
    assert (need.items, need.users, need.data_sha) == (24, 4, setup.data.sha)
    assert 0.98 * longest <= need.longest_characters <= 1.02 * longest


@pytest.mark.parametrize(
    ("mode", "least", "most"),
    [
        (GoldEvidence(mode="gold"), 100, 10_000),
        (TokenWindow(mode="window", tokens=200), 700, 2000),
        (Bm25(mode="bm25", unit="dialogue", k=2), 300, 10_000),
    ],
)
def test_what_is_needed_depends_on_what_is_shown(settings, service, mode, least, most):
    view = submit(service)
    setup = prepare(view.submission, view.runs[0].id, settings)
    plan = make_plan(view.runs[0].id, setup)
    shown = setup._replace(protocol=setup.protocol.model_copy(update={"context": mode}))
    assert least < measured(shown, plan).longest_characters < most
    assert most < measured(setup, plan).longest_characters


def test_a_paused_run_is_left_alone(redis, ledger, settings, service, monkeypatch):
    view = submit(service)
    ledger.amend(ledger.history(view.submission.id), AmendmentKind.PAUSED, "maintainer", "Too loud.")
    evaluate(view.runs[0].id)
    assert outcome_of(ledger, view.runs[0].id) == (State.QUEUED, None)
    assert int(redis.get(keys.FENCE) or 0) == 0, "nothing was claimed"


def test_a_job_gives_way_after_a_shard_once_it_has_had_its_turn(redis, ledger, leases, settings, service, monkeypatch):
    view = submit(service)
    (run,) = view.runs
    other = WaitingRun(run_id="x", submitter="bob", created_at=view.submission.created_at, lanes=(Lane.GENERATE,))
    taken = []

    def take(work, leases, lease):
        taken.append(lease.task)
        publish_order(redis, ServingOrder(waiting=(other,), working=(("alice", 1),)), 60)

    monkeypatch.setattr(jobs, "run_task", take)
    monkeypatch.setenv("RAPPORT_TURN_SECONDS", "0.000001")
    evaluate(run.id)
    assert len(taken) == 1
    assert leases.free_tasks(ledger.plan(run.id)) == 2, "what it held is given back"


def test_a_run_of_an_unknown_protocol_cannot_be_prepared(settings, service):
    submission = make_submission(protocols=("nosuch",))
    with pytest.raises(RapportError, match="no protocol 'nosuch'"):
        prepare(submission, submission.run_ids()[0], settings)


def test_a_shard_that_lost_too_many_workers_ends_the_run(redis, ledger, leases, settings, service):
    view = submit(service)
    (run,) = view.runs
    plan = ledger.put_plan(make_plan(run.id, prepare(view.submission, run.id, settings)))
    for shard in plan.shards:
        redis.hset(keys.grants(run.id, Lane.GENERATE), shard.id, 4)
    evaluate(run.id)
    assert outcome_of(ledger, run.id) == (State.FAILED, Cause.INFRASTRUCTURE)
    assert leases.free_tasks(plan) == len(plan.shards)


@pytest.mark.parametrize(("answers", "cause"), [(0, Cause.LOAD_ERROR), (3, Cause.CRASHED)], ids=["never", "once"])
def test_a_model_whose_engine_ends_by_itself_at_each_try_fails_and_that_is_not_our_fault(
    redis, ledger, settings, service, monkeypatch, answers, cause
):
    (run,) = submit(service).runs
    tries = []

    def dies(work, leases, lease):
        tries.append(lease.shard_id)
        redis.hset(keys.progress(run.id), "generations", answers)
        redis.delete(keys.trouble(run.id))  # As when a row comes back.
        raise Crashed(Cause.INFRASTRUCTURE, "The engine ended unexpectedly with code 139.", "Try again.")

    monkeypatch.setattr(jobs, "run_task", dies)
    for _ in range(MOST_RETRIES):
        evaluate(run.id)
        assert outcome_of(ledger, run.id) == (State.GENERATING, None)
    evaluate(run.id)
    assert outcome_of(ledger, run.id) == (State.FAILED, cause)
    assert len(tries) == MOST_RETRIES + 1
    history = ledger.history(run.id.split(".")[0])
    assert len(amendments_of(history.events, AmendmentKind.TRIED)) == MOST_RETRIES
    assert counts(history), "it costs the quota, as what the model is to blame for does"


def test_a_worker_leaves_alone_what_does_not_fit_it(redis, ledger, settings, service, monkeypatch):
    (run,) = submit(service).runs
    monkeypatch.setattr(jobs.Rooms, "lanes", lambda _: ())
    monkeypatch.setattr(jobs, "prepare", lambda *_: pytest.fail("there is nothing to prepare"))
    evaluate(run.id)
    assert outcome_of(ledger, run.id) == (State.QUEUED, None)
