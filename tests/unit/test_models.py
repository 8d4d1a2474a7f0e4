"""Which models are let in: names that stay inside, folders that can be run safely, at the state that was pinned."""

import json
from pathlib import Path

import pytest

from evaluator.errors import Cause, RapportError
from evaluator.models import fetch, model_name, pin
from tests.model_folders import make_model_folder

CHAT = json.dumps({"chat_template": "{{ messages }}"})


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """The one folder from which models are loaded."""
    folder = tmp_path / "data" / "models"
    folder.mkdir(parents=True)
    return folder


def cause_of(call, *arguments) -> Cause:
    """The cause for which a call is refused."""
    with pytest.raises(RapportError) as caught:
        call(*arguments)
    assert caught.value.message.endswith(".")
    assert caught.value.remedy.endswith(".")
    return caught.value.cause


@pytest.mark.parametrize(
    "text", ["org/model", "Qwen/Qwen2.5-7B-Instruct", "a/b", "o_r.g-1/m_o.d-el.v1", "0x/7", "  org/model\n"]
)
def test_a_hub_id_is_taken_as_it_is(models, text):
    assert model_name(text, models) == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "model",
        "org/",
        "/",
        "org//model",
        "org/model/sub",
        "org/model@main",
        "org/mo del",
        "org/mo\ndel",
        "org/mo\0del",
        "org/..",
        "../model",
        "org/a..b",
        "-org/model",
        "org/.model",
        "örg/model",
        "https://hub.example/org/model",
        "org/" + "x" * 97,
        "org:model",
        "org/model;rm",
        "$HOME/model",
    ],
)
def test_what_is_neither_an_id_nor_a_path_inside_is_refused(models, text):
    assert cause_of(model_name, text, models) in (Cause.MALFORMED_ID, Cause.FORBIDDEN_PATH)


def test_a_folder_may_be_named_or_given_by_its_path(models):
    make_model_folder(models, "tiny")
    for text in ("local/tiny", f"{models}/tiny", f"{models}/tiny/", f"{models}/../models/tiny", "local/./tiny"):
        assert model_name(text, models) == "local/tiny"


@pytest.mark.parametrize(
    "text",
    [
        "local/../secrets",
        "local/../../etc",
        "local/tiny/../../../etc",
        "local/tiny/deeper",
        "local/",
        "local/.",
        "local//etc/passwd",
        "/etc/passwd",
        "/",
        "./tiny",
        "../data/models/../secrets",
        "~/model",
        "~root",
        "..\\..\\secrets",
        "org/../../../etc",
        "{models}/../secrets",
        "{models}",
    ],
)
def test_a_path_outside_the_models_folder_is_forbidden(models, text):
    make_model_folder(models.parent, "secrets")
    assert cause_of(model_name, text.replace("{models}", str(models)), models) is Cause.FORBIDDEN_PATH


@pytest.mark.parametrize("text", ["local/tiny\0", "local/.hidden", "local/-tiny", "local/ti ny", "local/" + "x" * 300])
def test_a_folder_needs_a_plain_name(models, text):
    assert cause_of(model_name, text, models) is Cause.MALFORMED_ID


def test_a_link_that_leads_outside_is_forbidden(models):
    outside = make_model_folder(models.parent, "private")
    (models / "tiny").symlink_to(outside, target_is_directory=True)
    assert cause_of(model_name, "local/tiny", models) is Cause.FORBIDDEN_PATH


def test_a_link_to_a_model_beside_it_is_that_model(models):
    make_model_folder(models, "tiny")
    (models / "alias").symlink_to(models / "tiny", target_is_directory=True)
    assert model_name("local/alias", models) == "local/tiny"


def test_a_link_to_itself_is_refused(models):
    (models / "loop").symlink_to(models / "loop")
    assert cause_of(model_name, "local/loop", models) in (Cause.MALFORMED_ID, Cause.FORBIDDEN_PATH)


def test_a_folder_is_pinned_to_what_lies_in_it(models):
    make_model_folder(models, "one")
    make_model_folder(models, "same")
    make_model_folder(models, "other", model__safetensors="other weights")
    one, same, other = (pin(f"local/{name}", None, models) for name in ("one", "same", "other"))
    assert one.model == "local/one"
    assert one.sha == same.sha != other.sha
    assert len(one.sha) == 64


def test_a_folder_that_is_not_there_cannot_be_pinned(models):
    assert cause_of(pin, "local/tiny", None, models) is Cause.NOT_FOUND


def test_a_file_is_no_model(models):
    (models / "tiny").write_text("x")
    assert cause_of(pin, "local/tiny", None, models) is Cause.NOT_FOUND


@pytest.mark.parametrize(
    ("lacking", "files", "cause"),
    [
        pytest.param(["config.json"], {}, Cause.LOAD_ERROR, id="no config"),
        pytest.param([], {"config__json": "{"}, Cause.LOAD_ERROR, id="broken config"),
        pytest.param(["model.safetensors"], {}, Cause.UNSAFE_FORMAT, id="no weights"),
        pytest.param(["model.safetensors"], {"pytorch_model__bin": "x"}, Cause.UNSAFE_FORMAT, id="pickle only"),
        pytest.param(["model.safetensors"], {"model__gguf": "x"}, Cause.UNSAFE_FORMAT, id="GGUF only"),
        pytest.param(["tokenizer_config.json"], {}, Cause.NO_CHAT_TEMPLATE, id="no tokenizer settings"),
        pytest.param([], {"tokenizer_config__json": "{}"}, Cause.NO_CHAT_TEMPLATE, id="no chat template"),
        pytest.param([], {"tokenizer_config__json": '{"chat_template": ""}'}, Cause.NO_CHAT_TEMPLATE, id="empty"),
        pytest.param([], {"tokenizer_config__json": "{"}, Cause.LOAD_ERROR, id="broken tokenizer settings"),
        pytest.param([], {"tokenizer_config__json": "[]"}, Cause.LOAD_ERROR, id="tokenizer settings are a list"),
        pytest.param([], {"config__json": '{"auto_map": {"AutoModel": "x.X"}}'}, Cause.UNSAFE_FORMAT, id="own code"),
    ],
)
def test_what_cannot_be_run_safely_or_at_all_is_refused(models, lacking, files, cause):
    make_model_folder(models, "tiny", leave_out=lacking, **files)
    assert cause_of(pin, "local/tiny", None, models) is cause


def test_settings_that_are_not_text_are_refused(models):
    (make_model_folder(models, "tiny") / "tokenizer_config.json").write_bytes(b"\xff\xfe\x00")
    assert cause_of(pin, "local/tiny", None, models) is Cause.LOAD_ERROR


def test_a_chat_template_may_stand_in_a_file_of_its_own(models):
    make_model_folder(models, "tiny", leave_out=["tokenizer_config.json"], chat_template__jinja="{{ messages }}")
    assert pin("local/tiny", None, models).model == "local/tiny"


def test_a_pinned_folder_is_loaded_from_where_it_lies(models):
    folder = make_model_folder(models, "tiny")
    assert fetch(pin("local/tiny", None, models), models) == folder


@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "more.json"])
def test_a_folder_that_has_changed_since_it_was_pinned_is_not_loaded(models, file):
    folder = make_model_folder(models, "tiny")
    pinned = pin("local/tiny", None, models)
    (folder / file).write_text('{"changed": true}')
    assert cause_of(fetch, pinned, models) is Cause.NOT_FOUND


def test_a_folder_that_is_gone_is_not_loaded(models):
    folder = make_model_folder(models, "tiny")
    pinned = pin("local/tiny", None, models)
    folder.rename(models / "moved")
    assert cause_of(fetch, pinned, models) is Cause.NOT_FOUND
