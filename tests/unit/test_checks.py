"""The checklist on this machine alone: each line has its own result, and what is wrong stops only what needs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluator.errors import Cause, RapportError
from evaluator.facts import ModelFacts
from leaderboard.checks.findings import Surroundings
from leaderboard.checks.records import Check, CheckName, CheckReport, CheckRequest, CheckResult
from leaderboard.checks.run import checked, report
from tests.model_folders import CONFIG, make_adapter_folder, make_model_folder
from tests.safetensors_files import weights_file

PASSED, WARNED, FAILED, SKIPPED = CheckResult.PASSED, CheckResult.WARNED, CheckResult.FAILED, CheckResult.SKIPPED
CARD = "---\nlicense: mit\n---\nA model."
ABOUT_THE_LEADERBOARD = {CheckName.FIT, CheckName.DUPLICATE, CheckName.QUOTA, CheckName.ESTIMATE}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """The one folder from which models are loaded."""
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


def looked_over(models: Path, model: str = "local/tiny", **more) -> CheckReport:
    return report(CheckRequest(model, **more), Surroundings(models))


def by_name(found: CheckReport) -> dict[CheckName, Check]:
    return {check.name: check for check in found.checks}


def failed(found: CheckReport) -> dict[CheckName, Cause | None]:
    return {check.name: check.cause for check in found.checks if check.refuses}


def skipped(found: CheckReport) -> set[CheckName]:
    return {check.name for check in found.checks if check.result is SKIPPED}


def test_every_line_comes_once_and_in_order(models):
    make_model_folder(models, README__md=CARD)
    found = looked_over(models)
    assert [check.name for check in found.checks] == list(CheckName)
    assert all(check.message.endswith(".") for check in found.checks)


def test_a_good_model_passes_and_its_facts_are_told(models):
    make_model_folder(models, README__md=CARD)
    found = looked_over(models)
    assert found.allowed
    assert (found.model, found.adapter) == ("local/tiny", None)
    assert found.facts == ModelFacts(
        architecture="LlamaForCausalLM",
        parameters=64,
        weight_bytes=128,
        kv_bytes_per_token=16,
        context_length=131_072,
        licence="mit",
    )
    assert skipped(found) == ABOUT_THE_LEADERBOARD | {CheckName.CONTEXT, CheckName.ADAPTER}
    assert by_name(found)[CheckName.SIZE].facts["numbers_BF16"] == 64


def test_what_is_checked_is_pinned_to_what_was_looked_at(models):
    folder = make_model_folder(models, README__md=CARD)
    before = checked(CheckRequest("local/tiny"), Surroundings(models)).model
    (folder / "README.md").write_text(CARD + "\nMore.")
    after = checked(CheckRequest("local/tiny"), Surroundings(models)).model
    assert before.sha != after.sha


def test_a_malformed_id_leaves_nothing_else_to_be_looked_at(models):
    found = looked_over(models, "no model at all")
    assert failed(found) == {CheckName.ID: Cause.MALFORMED_ID}
    assert skipped(found) == set(CheckName) - {CheckName.ID}
    assert not found.allowed
    assert found.facts is None


@pytest.mark.parametrize(
    ("model", "more", "check", "cause"),
    [
        ("reference/gold", {}, CheckName.ID, Cause.MALFORMED_ID),
        ("local/../tiny", {}, CheckName.ID, Cause.FORBIDDEN_PATH),
        ("local/tiny", {"revision": ".."}, CheckName.ID, Cause.MALFORMED_ID),
        ("local/tiny", {"revision": "\x00"}, CheckName.ID, Cause.MALFORMED_ID),
        ("local/tiny", {"revision": "main"}, CheckName.REVISION, Cause.NOT_FOUND),
        ("local/none", {}, CheckName.EXISTS, Cause.NOT_FOUND),
        ("local/tiny", {"adapter": "local/none"}, CheckName.ADAPTER, Cause.NOT_FOUND),
        ("local/tiny", {"adapter": "reference/gold"}, CheckName.ADAPTER, Cause.MALFORMED_ID),
        ("local/tiny", {"adapter": "no id"}, CheckName.ADAPTER, Cause.MALFORMED_ID),
        ("local/tiny", {"adapter_revision": "main"}, CheckName.ADAPTER, Cause.MALFORMED_ID),
    ],
)
def test_what_was_typed_fails_in_the_line_that_it_belongs_to(models, model, more, check, cause):
    make_model_folder(models, README__md=CARD)
    found = looked_over(models, model, **more)
    assert failed(found) == {check: cause}
    assert by_name(found)[check].remedy


@pytest.mark.parametrize(
    ("lacking", "files", "check", "cause"),
    [
        (["config.json"], {}, CheckName.WEIGHTS, Cause.LOAD_ERROR),
        ([], {"config__json": "{"}, CheckName.WEIGHTS, Cause.LOAD_ERROR),
        (["model.safetensors"], {"pytorch_model__bin": "x"}, CheckName.WEIGHTS, Cause.UNSAFE_FORMAT),
        (["model.safetensors"], {"model__gguf": "x"}, CheckName.WEIGHTS, Cause.UNSAFE_FORMAT),
        ([], {"config__json": json.dumps(CONFIG | {"auto_map": {"a": "b"}})}, CheckName.WEIGHTS, Cause.UNSAFE_FORMAT),
        (
            [],
            {"model__safetensors__index__json": '{"weight_map": {"a": "../x.safetensors"}}'},
            CheckName.WEIGHTS,
            Cause.UNSAFE_FORMAT,
        ),
        ([], {"config__json": json.dumps(CONFIG | {"architectures": ["X"]})}, CheckName.ARCHITECTURE, Cause.LOAD_ERROR),
        ([], {"model__safetensors": "weights"}, CheckName.SIZE, Cause.LOAD_ERROR),
        ([], {"model__safetensors": "\x02\0\0\0\0\0\0\0{}"}, CheckName.SIZE, Cause.LOAD_ERROR),
        (["tokenizer_config.json"], {}, CheckName.CHAT_TEMPLATE, Cause.NO_CHAT_TEMPLATE),
        ([], {"tokenizer_config__json": '{"chat_template": 3}'}, CheckName.CHAT_TEMPLATE, Cause.NO_CHAT_TEMPLATE),
        ([], {"chat_template__jinja": " " * (2**20 + 1)}, CheckName.CHAT_TEMPLATE, Cause.LOAD_ERROR),
    ],
)
def test_what_a_repository_lacks_fails_in_one_line_and_independent_ones_go_on(models, lacking, files, check, cause):
    make_model_folder(models, leave_out=lacking, README__md=CARD, **files)
    found = looked_over(models)
    assert failed(found) == {check: cause}
    assert by_name(found)[CheckName.LICENCE].result is PASSED
    assert not found.allowed


def test_without_readable_settings_what_needs_them_says_so(models):
    make_model_folder(models, config__json="{", README__md=CARD)
    found = by_name(looked_over(models))
    for name in (CheckName.ARCHITECTURE, CheckName.SIZE, CheckName.CONTEXT, CheckName.CHAT_TEMPLATE, CheckName.FIT):
        assert found[name].result is SKIPPED, name
    assert "check of weights" in found[CheckName.ARCHITECTURE].message


def test_pickled_weights_are_named_with_the_reason(models):
    make_model_folder(models, leave_out=["model.safetensors"], pytorch_model__bin="x", README__md=CARD)
    message = by_name(looked_over(models))[CheckName.WEIGHTS].message
    assert "'pytorch_model.bin'" in message
    assert "pickled" in message


def test_a_folder_without_a_card_is_let_in_with_a_word_on_it(models):
    make_model_folder(models)
    found = looked_over(models)
    assert found.allowed
    assert by_name(found)[CheckName.LICENCE].result is WARNED


@pytest.mark.parametrize("card", ["---\nlicense: [\n---\n", "---\n- a\n---\n", "---\nlicense: {a: b}\n---\n", "\x00"])
def test_a_card_beyond_reading_names_no_licence(models, card):
    make_model_folder(models, README__md=card)
    assert by_name(looked_over(models))[CheckName.LICENCE].result is WARNED


def test_files_of_a_folder_that_cannot_be_read_are_told_of(models):
    folder = make_model_folder(models, README__md=CARD)
    (folder / "model\udcff.safetensors").write_bytes(b"x")
    assert failed(looked_over(models)) == {CheckName.EXISTS: Cause.NOT_FOUND}


def test_an_adapter_in_the_place_of_a_model_is_recognised(models):
    name = make_adapter_folder(models)
    check = by_name(looked_over(models, name))[CheckName.WEIGHTS]
    assert "is an adapter" in check.message
    assert "as the model" in check.remedy


def adapter(models: Path, config: dict | None = None, tensors: dict | None = None, licence: str = CARD) -> Check:
    """Looks over an adapter on a good model."""
    make_model_folder(models, README__md=CARD)
    name = make_adapter_folder(models)
    if config is not None:
        settings = {"peft_type": "LORA", "r": 4, "base_model_name_or_path": "local/tiny"} | config
        (models / "lora" / "adapter_config.json").write_text(json.dumps(settings))
    if tensors is not None:
        (models / "lora" / "adapter_model.safetensors").write_bytes(weights_file(tensors))
    (models / "lora" / "README.md").write_text(licence)
    return by_name(looked_over(models, adapter=name))[CheckName.ADAPTER]


PREFIX = "base_model.model.model.layers.0.self_attn.q_proj"


def test_an_adapter_of_this_model_passes(models):
    check = adapter(models, {})
    assert check.result is PASSED
    assert len(str(check.facts["adapter_revision"])) == 64


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"base_model_name_or_path": "org/other"}, "'org/other'"),
        ({"base_model_name_or_path": None}, "does not say"),
        ({"base_model_name_or_path": 3}, "does not say"),
        ({"base_model_name_or_path": ""}, "does not say"),
    ],
)
def test_an_adapter_that_may_be_of_another_model_is_let_in_with_a_word_on_it(models, config, told):
    check = adapter(models, config)
    assert check.result is WARNED
    assert told in check.message


def test_an_adapter_without_a_licence_is_let_in_with_a_word_on_it(models):
    assert "no licence" in adapter(models, {}, licence="").message


@pytest.mark.parametrize(
    ("config", "tensors", "told"),
    [
        ({"use_dora": True}, None, "use_dora"),
        ({"r": 1024}, None, "rank 1024"),
        ({}, {f"{PREFIX}.lora_A.weight": ("F32", (4, 9)), f"{PREFIX}.lora_B.weight": ("F32", (8, 4))}, "does not fit"),
        ({}, {f"{PREFIX.replace('.0.', '.7.')}.lora_A.weight": ("F32", (4, 8))}, "does not fit"),
        ({}, {"lm_head.weight": ("F32", (4, 8))}, "whole weights"),
        ({}, {}, "holds no weights"),
    ],
)
def test_an_adapter_that_would_be_applied_wrongly_is_refused(models, config, tensors, told):
    check = adapter(models, config, tensors)
    assert check.result is FAILED
    assert told in check.message


def test_without_its_adapter_nobody_asks_whether_it_is_new(models):
    make_model_folder(models, README__md=CARD)
    asked: list[object] = []
    surroundings = Surroundings(models, known=lambda *about: asked.append(about))
    found = by_name(report(CheckRequest("local/tiny", adapter="local/none"), surroundings))
    assert found[CheckName.DUPLICATE].result is SKIPPED
    assert asked == []


def test_what_is_refused_is_raised_with_the_cause_of_the_first_refusing_line(models):
    make_model_folder(
        models, leave_out=["tokenizer_config.json"], config__json=json.dumps(CONFIG | {"architectures": []})
    )
    with pytest.raises(RapportError, match="names no architecture") as caught:
        checked(CheckRequest("local/tiny"), Surroundings(models))
    assert caught.value.cause is Cause.LOAD_ERROR
    assert caught.value.remedy
