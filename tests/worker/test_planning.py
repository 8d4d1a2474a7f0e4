"""Planning: what a run asks is fixed with everything that decides its answers, and cut into shards of a few users."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluator.context_mode import Dense
from evaluator.errors import Cause, RapportError
from evaluator.judges.spec import load_judge
from evaluator.models import pin
from evaluator.protocol import EvaluationProtocol, load_protocol
from evaluator.setup import HicupidSetup
from leaderboard.settings import Settings
from tests.builders import make_submission
from tests.model_folders import make_model_folder
from worker.planning import (
    Candidate,
    Conditions,
    OutdatedPlan,
    candidate_of,
    check_unchanged,
    make_plan,
    make_setup,
    prepare,
)

RUN = "s-20260301-00000001.demo-v1"
DEMO = load_protocol("demo-v1")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    for name in ("tiny", "encoder", load_judge("demo").model.removeprefix("local/")):
        make_model_folder(tmp_path / "models", name)
    return Settings(data=tmp_path / "data", models=tmp_path / "models")


def setup_under(settings: Settings, protocol: EvaluationProtocol = DEMO, model: str = "local/tiny") -> HicupidSetup:
    candidate = Candidate(pin(model, None, settings.models), None, thinking=False)
    return make_setup(candidate, Conditions(protocol, load_judge("demo"), "builtin", "demo"), settings)


def dense(**changes: object) -> EvaluationProtocol:
    context = Dense(mode="dense", encoder="local/encoder", unit="utterance", k=3)
    return DEMO.model_copy(update={"context": context, **changes})


def test_a_submission_tells_adapter_thinking_and_consent():
    declared = make_submission().declaration.model_copy(update={"thinking": True})
    changes = {"adapter": "org/lora", "adapter_revision": "b" * 40, "declaration": declared}
    candidate = candidate_of(make_submission(model="org/model", **changes))
    assert candidate.model == ("org/model", "a" * 40)
    assert candidate.adapter == ("org/lora", "b" * 40)
    assert candidate.thinking
    assert candidate_of(make_submission()).adapter is None


def test_a_reference_is_planned_like_a_model(settings):
    submission = make_submission(model="reference/gold", revision=pin("reference/gold", None, settings.models).sha)
    setup = prepare(submission, submission.run_ids()[0], settings)
    assert setup.model.is_reference
    assert make_plan(RUN, setup).items == make_plan(RUN, setup_under(settings)).items


def test_an_encoder_is_pinned_with_the_plan_and_a_changed_one_is_another_plan(settings):
    setup = setup_under(settings, dense())
    plan = make_plan(RUN, setup)
    assert isinstance(setup.protocol.context, Dense)
    assert setup.protocol.context.revision == pin("local/encoder", None, settings.models).sha
    check_unchanged(plan, setup_under(settings, dense()))
    (settings.models / "encoder" / "model.safetensors").write_text("trained a little longer")
    with pytest.raises(OutdatedPlan, match="protocol has changed"):
        check_unchanged(plan, setup_under(settings, dense()))


def test_a_plan_names_protocol_and_judge_by_their_whole_content(settings):
    plan = make_plan(RUN, setup_under(settings))
    assert (plan.protocol_config, plan.judge_config) == (DEMO.digest(), load_judge("demo").digest())
    reworded = DEMO.model_copy(update={"thought_tokens": 7})
    assert make_plan(RUN, setup_under(settings, reworded)).protocol_config != plan.protocol_config


def test_a_judge_stays_at_the_commit_of_the_plan(settings):
    hub_judge = load_judge("demo").model_copy(update={"model": "org/judge"})
    candidate = Candidate(pin("local/tiny", None, settings.models), None, thinking=False)
    conditions = Conditions(DEMO, hub_judge, "builtin", "demo")
    planned = make_plan(RUN, setup_under(settings)).model_copy(update={"judge_revision": "b" * 40})
    assert make_setup(candidate, conditions, settings, planned).judge_revision == "b" * 40
    with pytest.raises(RapportError, match="org/judge"):
        make_setup(candidate, conditions, settings, planned.model_copy(update={"judge": "other"}))


def test_a_local_judge_that_changed_is_noticed_although_the_run_is_planned(settings):
    planned = make_plan(RUN, setup_under(settings))
    folder = settings.models / load_judge("demo").model.removeprefix("local/")
    (folder / "model.safetensors").write_text("trained a little longer")
    submission = make_submission(model="local/tiny", revision=pin("local/tiny", None, settings.models).sha)
    with pytest.raises(OutdatedPlan, match="judge"):
        check_unchanged(planned, prepare(submission, submission.run_ids()[0], settings, planned))


def test_an_encoder_that_is_not_there_is_named(settings):
    context = Dense(mode="dense", encoder="local/nowhere", unit="utterance", k=3)
    with pytest.raises(RapportError, match="nowhere") as caught:
        setup_under(settings, dense(context=context))
    assert caught.value.cause is Cause.NOT_FOUND


def test_an_unknown_prompt_pack_is_named(settings):
    candidate = Candidate(pin("local/tiny", None, settings.models), None, thinking=False)
    with pytest.raises(RapportError, match="0123456789abcdef") as caught:
        make_setup(candidate, Conditions(DEMO, load_judge("demo"), "0123456789abcdef", "demo"), settings)
    assert caught.value.cause is Cause.NOT_FOUND


def test_a_limited_run_plans_its_questions_and_their_users_alone(settings):
    whole = make_plan(RUN, setup_under(settings))
    first = whole.items[:7]
    limited = make_plan(RUN, setup_under(settings)._replace(only=frozenset(item.question_id for item in first)))
    assert limited.items == first
    asked = {user for shard in limited.shards for user in shard.users}
    assert asked == {(item.split, item.user_id) for item in first}
