"""A model from the Hub is looked over before it is queued, pinned at a commit, and fetched without pickle or code."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from evaluator.errors import Cause
from evaluator.models import PinnedModel, fetch, pin
from tests.hub import calls
from tests.hub_server import Answer, Client, Cut, LocalHub, Refuse
from tests.hub_server.fixtures import CANARY

NO_MODELS = Path("no-models-here")
NOT_RETRIED = Refuse(501)
"""The client repeats requests after most other statuses for up to half a minute."""
MODEL: dict[str, bytes | str | None] = {
    "config.json": '{"model_type": "llama"}',
    "generation_config.json": '{"do_sample": false}',
    "model.safetensors": b"weights",
    "tokenizer.json": '{"version": "1.0"}',
    "tokenizer_config.json": '{"chat_template": "{{ messages }}"}',
}


def without(*names: str, **more: bytes | str) -> dict[str, bytes | str | None]:
    """Returns the files of a good model but for some; `__` in a name stands for a dot."""
    kept = {name: content for name, content in MODEL.items() if name not in names}
    return kept | {name.replace("__", "."): content for name, content in more.items()}


def pinned(hub: LocalHub, client: Client, files: Mapping[str, bytes | str | None]) -> Answer:
    hub.repositories.commit("model", "org/tiny", files)
    return client.run(pin, "org/tiny", None, NO_MODELS)


def test_a_model_is_pinned_at_its_commit_without_its_weights(hub: LocalHub, client: Client) -> None:
    sha = hub.repositories.commit("model", "org/tiny", MODEL)
    assert client.run(pin, "org/tiny", None, NO_MODELS).value == ("org/tiny", sha)
    assert hub.files_sent() == {"config.json", "tokenizer_config.json"}


def test_a_revision_is_pinned_at_its_commit(hub: LocalHub, client: Client) -> None:
    first = hub.repositories.commit("model", "org/tiny", MODEL)
    hub.repositories.commit("model", "org/tiny", {"config.json": None})
    assert client.run(pin, "org/tiny", first, NO_MODELS).value.sha == first


def test_a_pinned_model_stays_the_same_when_its_branch_moves_on(hub: LocalHub, client: Client) -> None:
    sha = pinned(hub, client, MODEL).value.sha
    hub.repositories.commit("model", "org/tiny", {"model.safetensors": b"other weights", "tokenizer.json": None})
    folder = client.run(fetch, PinnedModel("org/tiny", sha), NO_MODELS).value
    assert (folder / "model.safetensors").read_bytes() == b"weights"
    assert (folder / "tokenizer.json").exists()


def test_only_weights_settings_and_tokenizer_are_fetched(hub: LocalHub, client: Client) -> None:
    wanted = MODEL | {
        "chat_template.jinja": "{{ messages }}",
        "merges.txt": "a b",
        "model.safetensors.index.json": '{"weight_map": {}}',
        "tokenizer.model": b"pieces",
    }
    refused: dict[str, bytes | str | None] = {
        "README.md": "# Tiny",
        "modeling_tiny.py": "raise SystemExit",
        "model.gguf": b"gguf",
        "onnx/model.safetensors": b"twice",
        "original/consolidated.00.pth": b"pickle",
        "pytorch_model.bin": b"pickle",
        "tokenizer.pkl": b"pickle",
        "tokenizer.py": "raise SystemExit",
        "training_args.bin": b"pickle",
    }
    hub.repositories.commit("model", "org/tiny", wanted | refused)
    fetched = client.run(calls.pin_and_fetch, "org/tiny").value
    assert set(fetched) == hub.files_sent() == set(wanted)
    assert fetched["model.safetensors"] == b"weights"


def test_a_template_may_stand_in_a_file_of_its_own(hub: LocalHub, client: Client) -> None:
    files = without("tokenizer_config.json", chat_template__jinja="{{ messages }}")
    assert pinned(hub, client, files).value.model == "org/tiny"


@pytest.mark.parametrize(
    "files",
    [
        without("tokenizer_config.json"),
        without(tokenizer_config__json="{}"),
        without(tokenizer_config__json='{"chat_template": null}'),
        without(tokenizer_config__json="{}", chat_template__json='{"chat_template": "for processors only"}'),
        without(tokenizer_config__json="{}", chat_template__jinja=""),
    ],
)
def test_a_base_model_is_refused_when_submitted(
    hub: LocalHub, client: Client, files: dict[str, bytes | str | None]
) -> None:
    failure = pinned(hub, client, files).failure
    assert failure.cause == Cause.NO_CHAT_TEMPLATE
    assert "org/tiny" in failure.message


@pytest.mark.parametrize(
    "files",
    [
        without("model.safetensors", pytorch_model__bin=b"pickle"),
        without("model.safetensors", model__gguf=b"gguf"),
        without("model.safetensors") | {"onnx/model.safetensors": b"not what is loaded"},
    ],
)
def test_a_model_without_safetensors_is_refused(
    hub: LocalHub, client: Client, files: dict[str, bytes | str | None]
) -> None:
    failure = pinned(hub, client, files).failure
    assert failure.cause == Cause.UNSAFE_FORMAT
    assert "org/tiny has no safetensors" in failure.message
    assert hub.files_sent() == set()


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
def test_a_model_that_needs_code_of_its_own_is_refused(hub: LocalHub, client: Client, name: str) -> None:
    settings = {"auto_map": {"AutoModelForCausalLM": "modeling_tiny.Tiny"}, "chat_template": "{{ messages }}"}
    failure = pinned(hub, client, MODEL | {name: json.dumps(settings)}).failure
    assert failure.cause == Cause.UNSAFE_FORMAT
    assert "code of its own" in failure.message
    assert name in failure.message


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (without("config.json"), "org/tiny has no config.json"),
        (without(config__json="{"), "config.json of org/tiny is not a JSON object"),
        (without(config__json="[]"), "config.json of org/tiny is not a JSON object"),
        (without(tokenizer_config__json=b"\xff\xfe"), "tokenizer_config.json of org/tiny is not a JSON object"),
    ],
)
def test_a_model_with_unreadable_settings_is_refused(
    hub: LocalHub, client: Client, files: dict[str, bytes | str | None], told: str
) -> None:
    failure = pinned(hub, client, files).failure
    assert failure.cause == Cause.LOAD_ERROR
    assert told in failure.message


def test_settings_of_an_unlikely_size_are_not_even_fetched(hub: LocalHub, client: Client) -> None:
    failure = pinned(hub, client, without(tokenizer_config__json=b" " * (16 * 2**20 + 1))).failure
    assert failure.cause == Cause.LOAD_ERROR
    assert "larger than 16 MB" in failure.message
    assert "tokenizer_config.json" not in hub.files_sent()


def test_a_gated_model_is_refused_before_it_is_queued(hub: LocalHub, client: Client) -> None:
    hub.repositories.create("model", "org/tiny", gated=True)
    assert pinned(hub, client, MODEL).failure.cause == Cause.GATED


@pytest.mark.parametrize(
    ("settings", "cause"),
    [
        ({"private": True}, Cause.NOT_FOUND),
        ({"gated": True}, Cause.GATED),
    ],
)
def test_a_model_that_was_closed_after_it_was_pinned_says_so(
    hub: LocalHub, client: Client, settings: dict[str, bool], cause: Cause
) -> None:
    sha = hub.repositories.commit("model", "org/tiny", MODEL)
    hub.repositories.create("model", "org/tiny", **settings)
    failure = client.run(fetch, PinnedModel("org/tiny", sha), NO_MODELS).failure
    assert failure.cause == cause
    assert "org/tiny" in failure.message


def test_a_commit_that_is_gone_says_so(hub: LocalHub, client: Client) -> None:
    hub.repositories.commit("model", "org/tiny", MODEL)
    failure = client.run(fetch, PinnedModel("org/tiny", "0" * 40), NO_MODELS).failure
    assert failure.cause == Cause.NOT_FOUND


@pytest.mark.parametrize("where", ["^GET .*/config.json", "^GET .*/tokenizer_config.json"])
def test_a_hub_that_fails_while_settings_are_read_is_our_fault(hub: LocalHub, client: Client, where: str) -> None:
    hub.faults.add(where, NOT_RETRIED)
    answer = pinned(hub, client, MODEL)
    assert answer.failure.cause == Cause.INFRASTRUCTURE
    assert CANARY not in repr(answer)


def test_a_hub_that_fails_while_weights_are_fetched_is_our_fault(hub: LocalHub, client: Client) -> None:
    sha = hub.repositories.commit("model", "org/tiny", MODEL)
    hub.faults.add("^GET .*/model.safetensors", NOT_RETRIED)
    answer = client.run(fetch, PinnedModel("org/tiny", sha), NO_MODELS)
    assert answer.failure.cause == Cause.INFRASTRUCTURE
    assert "org/tiny" in answer.failure.message
    assert CANARY not in repr(answer)


def test_a_download_that_was_cut_off_is_taken_up_where_it_stopped(hub: LocalHub, client: Client) -> None:
    weights = bytes(range(256)) * 200
    hub.repositories.commit("model", "org/tiny", MODEL | {"model.safetensors": weights})
    hub.faults.add("^GET .*/model.safetensors", Cut(after_bytes=20_000))
    assert client.run(calls.pin_and_fetch, "org/tiny").value["model.safetensors"] == weights


def test_what_was_fetched_is_not_fetched_again(hub: LocalHub, client: Client) -> None:
    hub.repositories.commit("model", "org/tiny", MODEL)
    first = client.run(calls.pin_and_fetch, "org/tiny").value
    assert client.run(calls.pin_and_fetch, "org/tiny").value == first
    assert len([path for path in hub.asked("GET") if path.endswith(".safetensors")]) == 1
