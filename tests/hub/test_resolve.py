"""What the Hub says of a repository becomes a cause that a submitter can act on, or ours."""

import socket
from pathlib import Path

import pytest

from evaluator.errors import Cause
from evaluator.hub import HubRepository, resolve
from tests.hub import calls
from tests.hub_server import Account, Client, Cut, LocalHub, Refuse, Slow
from tests.hub_server.fixtures import CANARY


@pytest.fixture
def sha(hub: LocalHub) -> str:
    hub.repositories.create("model", "org/gated", gated=True)
    hub.repositories.create("model", "org/private", private=True)
    for name in ("org/gated", "org/private"):
        hub.repositories.commit("model", name, {"config.json": "{}"})
    return hub.repositories.commit("model", "org/tiny", {"config.json": "{}", "onnx/model.onnx": b"123"})


@pytest.mark.parametrize("revision", [None, "main"])
def test_a_repository_is_pinned_with_its_files(client: Client, sha: str, revision: str | None) -> None:
    repository = client.run(resolve, "org/tiny", repo_type="model", revision=revision).value
    assert repository[:3] == ("org/tiny", sha, {"config.json": 2, "onnx/model.onnx": 3})


def test_an_old_commit_and_another_branch_can_be_named(hub: LocalHub, client: Client, sha: str) -> None:
    hub.repositories.commit("model", "org/tiny", {"config.json": "{1}"})
    other = hub.repositories.commit("model", "org/tiny", {"a": "b"}, branch="release/v2")
    assert client.run(resolve, "org/tiny", repo_type="model", revision=sha).value.sha == sha
    found = client.run(resolve, "org/tiny", repo_type="model", revision="release/v2").value
    assert (found.sha, found.files) == (other, {"a": 1})


def test_a_model_is_not_a_data_set(hub: LocalHub, client: Client, sha: str) -> None:
    failure = client.run(resolve, "org/tiny", repo_type="dataset").failure
    assert failure.cause == Cause.NOT_FOUND
    assert "data set org/tiny" in failure.message


@pytest.mark.parametrize(
    ("name", "revision", "cause", "told"),
    [
        ("org/none", None, Cause.NOT_FOUND, "org/none does not exist"),
        ("org/private", None, Cause.NOT_FOUND, "org/private does not exist on the Hub, or is private"),
        ("org/gated", None, Cause.GATED, "org/gated is gated"),
        ("org/tiny", "v9", Cause.NOT_FOUND, "org/tiny has no revision 'v9'"),
        ("org/tiny", "0" * 40, Cause.NOT_FOUND, "has no revision '0000"),
        ("not an id", None, Cause.MALFORMED_ID, "'not an id' is not the id of a model"),
        ("a/b/c", None, Cause.MALFORMED_ID, "'a/b/c'"),
        ("org/tiny", "..", Cause.MALFORMED_ID, "'..' is not the name of a revision"),
        ("org/tiny", "a/../b", Cause.MALFORMED_ID, "'a/../b'"),
        ("org/tiny", "x" * 300, Cause.MALFORMED_ID, "is not the name of a revision"),
    ],
)
def test_each_refusal_has_its_cause_and_names_the_thing(
    client: Client, sha: str, name: str, revision: str | None, cause: Cause, told: str
) -> None:
    failure = client.run(resolve, name, repo_type="model", revision=revision).failure
    assert failure.cause == cause
    assert told in failure.message


@pytest.mark.parametrize(
    ("name", "cause"),
    [("org/none", Cause.NOT_FOUND), ("org/private", Cause.NOT_FOUND), ("org/gated", Cause.GATED)],
)
def test_a_visitor_without_a_token_hears_the_same(client: Client, sha: str, name: str, cause: Cause) -> None:
    client.setenv({"HF_TOKEN": ""})
    assert client.run(resolve, name, repo_type="model").failure.cause == cause


def test_a_gated_model_that_we_were_let_into_is_pinned(hub: LocalHub, client: Client, sha: str) -> None:
    hub.tokens[CANARY] = Account("visitor", let_in=("org/gated",))
    assert client.run(resolve, "org/gated", repo_type="model").value.files == {"config.json": 2}


@pytest.mark.parametrize("fault", [Refuse(429, retry_after=60), Refuse(500), Refuse(503), Cut(), Cut(after_bytes=30)])
def test_a_hub_that_falters_is_our_fault(hub: LocalHub, client: Client, sha: str, fault: Refuse | Cut) -> None:
    hub.faults.add("/api/models/org/tiny", fault)
    failure = client.run(resolve, "org/tiny", repo_type="model").failure
    assert failure.cause == Cause.INFRASTRUCTURE
    assert "org/tiny" in failure.message
    assert client.run(resolve, "org/tiny", repo_type="model").value.sha == sha


@pytest.mark.parametrize("words", ["self: x", "ignore_metadata_errors: x", "license: {}", "- a", "model-index: 3"])
def test_a_card_that_the_client_trips_over_is_named_as_what_is_wrong_or_passed_over(
    hub: LocalHub, client: Client, sha: str, words: str
) -> None:
    hub.repositories.commit("model", "org/tiny", {"README.md": f"---\n{words}\n---\n"})
    answer = client.run(resolve, "org/tiny", repo_type="model")
    if isinstance(answer.outcome, HubRepository):
        assert answer.value.licence is None
    else:
        assert answer.failure.cause == Cause.LOAD_ERROR
        assert "README.md" in answer.failure.message


@pytest.mark.parametrize(
    ("words", "licence"),
    [
        ("license: apache-2.0", "apache-2.0"),
        ("license: [mit, apache-2.0]", "mit, apache-2.0"),
        ("license: other\nlicense_name: llama3.2", "llama3.2"),
        ("license: other", "other"),
        ("license: 3", None),
        ("license: ''", None),
        ("tags: [x]", None),
    ],
)
def test_the_licence_of_a_card_is_told(hub: LocalHub, client: Client, words: str, licence: str | None) -> None:
    hub.repositories.commit("model", "org/tiny", {"README.md": f"---\n{words}\n---\nA model."})
    assert client.run(resolve, "org/tiny", repo_type="model").value.licence == licence


def test_a_hub_that_is_late_is_not_waited_for_for_ever(hub: LocalHub, client: Client, sha: str) -> None:
    hub.faults.add("/api/models/org/tiny", Slow(1.5))
    failure = client.run(calls.resolve_within, 0.2, "org/tiny").failure
    assert failure.cause == Cause.INFRASTRUCTURE


def test_no_hub_at_all_is_our_fault(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    failure = Client(f"http://127.0.0.1:{port}", tmp_path).run(resolve, "org/tiny", repo_type="model").failure
    assert failure.cause == Cause.INFRASTRUCTURE
    assert "org/tiny" in failure.message


def test_an_invalid_token_of_ours_is_our_fault(client: Client, sha: str) -> None:
    client.setenv({"HF_TOKEN": "hf_expired"})
    answer = client.run(resolve, "org/tiny", repo_type="model")
    assert answer.failure.cause == Cause.INFRASTRUCTURE
    assert "hf_expired" not in answer.failure.message + answer.log


@pytest.mark.parametrize("fault", [Refuse(500), Refuse(401), Refuse(403), Cut()])
def test_our_token_is_sent_but_never_told_by_a_failure(
    hub: LocalHub, client: Client, sha: str, fault: Refuse | Cut
) -> None:
    hub.faults.add("/api/models/", fault)
    answer = client.run(resolve, "org/tiny", repo_type="model")
    assert answer.failure.message
    assert {request.token for request in hub.requests} == {CANARY}
    assert CANARY not in repr(answer)


@pytest.mark.parametrize("name", ["org/tiny", "org/gated", "org/private"])
def test_our_token_is_sent_but_never_told_by_an_answer(hub: LocalHub, client: Client, sha: str, name: str) -> None:
    answer = client.run(resolve, name, repo_type="model")
    assert {request.token for request in hub.requests} == {CANARY}
    assert CANARY not in repr(answer)
