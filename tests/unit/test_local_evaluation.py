"""Which calls of `rapport evaluate` go on with one evaluation, and which begin another."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluator.ask import ModelAnswers
from evaluator.engines.base import EndpointSpec
from evaluator.errors import Cause, RapportError
from evaluator.hicupid.contexts import FullContexts
from evaluator.judge import judge
from evaluator.models import PinnedModel
from evaluator.setup import items
from leaderboard.records import Plan
from leaderboard.settings import Settings
from tests.scripted import ScriptedEngine, answers, hello, judging, users_in
from worker.engines import NO_ENDPOINTS, Endpoints
from worker.local.asking import refuse_other_conditions
from worker.local.evaluation import _begin
from worker.local.folder import Evaluation, Folder, open_rows
from worker.local.wanted import Wanted, conditions_of
from worker.planning import Candidate, Conditions

SERVER = EndpointSpec(base_url="http://h/v1", model="m")


def wanted(setup, limit: int | None = None, endpoints: Endpoints = NO_ENDPOINTS) -> Wanted:
    candidate = Candidate(setup.model, setup.adapter, setup.thinking)
    return Wanted(candidate, Conditions(setup.protocol, setup.judge, "builtin", "demo"), endpoints, limit, None)


def told(setup, engine: str = "vllm", **changes) -> tuple[tuple[str, str], ...]:
    return conditions_of(setup, wanted(setup, **changes), Settings(engine=engine))


def begun(folder: Path, setup, limit: int | None = None) -> tuple[Evaluation, Plan]:
    return _begin(Folder(folder), setup, told(setup, limit=limit), limit)


def test_whatever_changes_a_row_makes_another_evaluation(setup):
    others = [
        told(setup._replace(model=PinnedModel("org/model", "b" * 40))),
        told(setup._replace(adapter=PinnedModel("org/lora", "b" * 40))),
        told(setup._replace(thinking=True)),
        told(setup._replace(protocol=setup.protocol.model_copy(update={"orders": "one"}))),
        told(setup._replace(judge=setup.judge.model_copy(update={"retry_temperature": 0.9}))),
        told(setup._replace(judge_revision="r2")),
        told(setup, engine="transformers"),
        told(setup, limit=3),
        told(setup, endpoints=Endpoints(SERVER)),
        told(setup, endpoints=Endpoints(judge=SERVER)),
    ]
    assert told(setup) == told(setup)
    assert len({told(setup), *others}) == len(others) + 1


@pytest.mark.parametrize("which", ["model", "judge"])
@pytest.mark.parametrize("changes", [{"base_url": "http://elsewhere/v1"}, {"model": "other"}, {"flavour": "plain"}])
def test_another_server_or_another_name_on_it_makes_another_evaluation(setup, which, changes):
    here, there = SERVER, SERVER.model_copy(update=changes)
    differing = set(told(setup, endpoints=Endpoints(**{which: here}))) ^ set(
        told(setup, endpoints=Endpoints(**{which: there}))
    )
    assert {name for name, _ in differing} == {f"{which}_server"}


def test_another_limit_of_the_context_makes_another_evaluation(setup):
    short, long = (
        conditions_of(setup, wanted(setup), Settings(engine="vllm", context_tokens=tokens)) for tokens in (4096, 8192)
    )
    assert {name for name, _ in set(short) ^ set(long)} == {"context_tokens"}


@pytest.mark.parametrize("changes", [{"concurrency": 4}, {"request_seconds": 9.0}, {"key_variable": "KEY"}])
def test_how_a_server_is_reached_makes_none(setup, changes):
    otherwise = SERVER.model_copy(update=changes)
    assert told(setup, endpoints=Endpoints(SERVER)) == told(setup, endpoints=Endpoints(otherwise))


def test_a_second_call_finds_submission_and_plan_of_the_first(setup, tmp_path):
    first = begun(tmp_path, setup)
    assert begun(tmp_path, setup) == first
    evaluation, plan = first
    assert plan.run_id == evaluation.submission.run_ids()[0]
    assert (evaluation.submission.model, evaluation.submission.revision) == setup.model


def test_a_folder_of_another_evaluation_is_refused_naming_what_differs(setup, tmp_path):
    begun(tmp_path, setup)
    with pytest.raises(RapportError, match="another evaluation: judge_revision, limit differ") as caught:
        begun(tmp_path, setup._replace(judge_revision="r2"), limit=3)
    assert caught.value.cause is Cause.DATA_ERROR


@pytest.mark.parametrize("limit", [1, 7, 24, 1000])
def test_a_limit_takes_the_first_items_and_so_whole_users_first(setup, tmp_path, limit):
    _, plan = begun(tmp_path, setup, limit)
    assert list(plan.items) == list(items(setup))[:limit]


def test_answers_of_an_engine_that_runs_in_another_way_are_not_mixed(setup, tmp_path):
    evaluation, plan = begun(tmp_path, setup)
    with open_rows(Folder(tmp_path), plan, evaluation) as rows:
        list(rows.generations.append(answers(setup, users_in(setup)[:1])))
        same, other = (
            (ModelAnswers(setup, ScriptedEngine(hello, **changes), FullContexts()), ScriptedEngine(judging))
            for changes in ({}, {"dtype": "bfloat16", "engine": "vllm"})
        )
        refuse_other_conditions(*same, plan, rows, Folder(tmp_path))
        with pytest.raises(RapportError, match="other conditions: dtype, engine differ") as caught:
            refuse_other_conditions(*other, plan, rows, Folder(tmp_path))
    assert caught.value.cause is Cause.DATA_ERROR


@pytest.mark.parametrize("changed", [{"dtype": "bfloat16"}, {"engine": "vllm"}, {"chat_template_hash": "u" * 64}])
def test_verdicts_of_a_judge_that_runs_in_another_way_are_not_mixed(setup, tmp_path, changed):
    evaluation, plan = begun(tmp_path, setup)
    user = users_in(setup)[:1]
    with open_rows(Folder(tmp_path), plan, evaluation) as rows:
        list(rows.generations.append(answers(setup, user)))
        list(rows.verdicts.append(judge(setup, user, rows.generations.rows, ScriptedEngine(judging), ())))
        source = ModelAnswers(setup, ScriptedEngine(hello), FullContexts())
        refuse_other_conditions(source, ScriptedEngine(judging), plan, rows, Folder(tmp_path))
        other = (source, ScriptedEngine(judging, **changed))
        with pytest.raises(RapportError, match=f"The verdicts .* other conditions: {next(iter(changed))} differ"):
            refuse_other_conditions(*other, plan, rows, Folder(tmp_path))
