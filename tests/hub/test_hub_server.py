"""The local Hub as real clients see it: if this fails, no other test of the Hub means anything."""

import hashlib
import json

import pytest

from tests.hub import calls
from tests.hub_server import Account, Client, Cut, LocalHub, Refuse, Repositories, Slow
from tests.hub_server.fixtures import CANARY

CARD = """---
configs:
- config_name: qa
  data_files:
  - split: test
    path: qa/test.jsonl
---
"""
ROWS = [{"number": number} for number in range(20)]
JSONL = "".join(json.dumps(row) + "\n" for row in ROWS)


@pytest.fixture
def shas(hub: LocalHub) -> list[str]:
    """Two commits of a data set, the second of which has a file less."""
    first = hub.repositories.commit(
        "dataset", "org/set", {"README.md": CARD, "qa/test.jsonl": JSONL, "old.bin": b"old"}, title="first"
    )
    second = hub.repositories.commit("dataset", "org/set", {"old.bin": None}, title="second")
    return [first, second]


def test_a_revision_is_described_alike_by_every_endpoint(hub: LocalHub, client: Client, shas: list[str]) -> None:
    about = client.run(calls.about, "org/set", shas[0]).value
    blob = f"blob {len(JSONL)}\0{JSONL}".encode()
    assert about == {
        "info": shas[0],
        "top": ["README.md", "old.bin", "qa"],
        "below": ["qa/test.jsonl"],
        "files": ["README.md", "old.bin", "qa/test.jsonl"],
        "sizes": {"README.md": len(CARD)},
        "etag": hashlib.sha1(blob).hexdigest(),
        "commit": shas[0],
        "branches": {"main": shas[1]},
    }


def test_a_branch_names_its_newest_commit(client: Client, shas: list[str]) -> None:
    about = client.run(calls.about, "org/set", "main").value
    assert (about["info"], about["files"]) == (shas[1], ["README.md", "qa/test.jsonl"])


def test_commits_are_named_by_what_they_hold(tmp_path_factory: pytest.TempPathFactory) -> None:
    def commit(content: str, kind: str = "model") -> str:
        return Repositories(tmp_path_factory.mktemp("hub")).commit(kind, "org/one", {"a": content})  # type: ignore[arg-type]

    assert commit("a") == commit("a")
    assert len({commit("a"), commit("b"), commit("a", "dataset")}) == 3
    assert len(commit("a")) == 40


def test_a_range_of_a_file_is_sent_alone(hub: LocalHub, client: Client, shas: list[str]) -> None:
    assert client.run(calls.read_range, "org/set", "qa/test.jsonl", 14, 27).value == JSONL.encode()[14:27]
    assert "bytes=14-26" in [request.headers.get("range") for request in hub.requests]


def test_a_data_set_loads_at_a_revision(client: Client, shas: list[str]) -> None:
    assert client.run(calls.rows_of, "org/set", "qa", "test", shas[0]).value == ROWS


def test_a_token_has_an_account(hub: LocalHub, client: Client) -> None:
    hub.tokens[CANARY] = Account("visitor", ("org",), "write")
    assert client.run(calls.user).value == ("visitor", ["org"])
    client.setenv({"HF_TOKEN": "hf_unknown"})
    assert client.run(calls.user).failure.kind == "HfHubHTTPError"


@pytest.mark.parametrize(
    ("name", "path", "revision", "error"),
    [
        ("org/none", "a", None, "RepositoryNotFoundError"),
        ("org/open", "a", "v9", "RevisionNotFoundError"),
        ("org/open", "b", None, "RemoteEntryNotFoundError"),
        ("org/gated", "a", None, "GatedRepoError"),
        ("org/private", "a", None, "RepositoryNotFoundError"),
    ],
)
def test_each_refusal_reaches_the_client_as_its_own_error(
    hub: LocalHub, client: Client, name: str, path: str, revision: str | None, error: str
) -> None:
    hub.repositories.create("model", "org/gated", gated=True)
    hub.repositories.create("model", "org/private", private=True)
    for each in ("org/open", "org/gated", "org/private"):
        hub.repositories.commit("model", each, {"a": "content"})
    assert client.run(calls.file_of, name, path, revision).failure.kind == error


def test_who_was_let_in_may_read(hub: LocalHub, client: Client) -> None:
    hub.tokens[CANARY] = Account("visitor", ("club",), let_in=("org/gated",))
    hub.repositories.create("model", "org/gated", gated=True)
    hub.repositories.create("model", "club/private", private=True)
    for each in ("org/gated", "club/private"):
        hub.repositories.commit("model", each, {"a": "content"})
        assert client.run(calls.file_of, each, "a").value == b"content"


@pytest.mark.parametrize("fault", [Refuse(429, retry_after=0), Cut(), Cut(after_bytes=40)])
def test_clients_get_over_a_passing_fault(hub: LocalHub, client: Client, fault: Refuse | Cut) -> None:
    content = b"x" * 100
    hub.repositories.commit("model", "org/open", {"a": content})
    hub.faults.add("^GET .*/resolve/", fault)
    assert client.run(calls.file_of, "org/open", "a").value == content
    assert len([path for path in hub.asked("GET") if "/resolve/" in path]) == 2


def test_a_fault_strikes_as_often_as_asked_and_only_where_asked(hub: LocalHub, client: Client) -> None:
    hub.repositories.commit("model", "org/open", {"a": "a", "b": "b"})
    hub.faults.add("/resolve/main/a", Refuse(501), times=2)
    assert client.run(calls.file_of, "org/open", "b").value == b"b"
    for _ in range(2):
        assert client.run(calls.file_of, "org/open", "a").failure
    assert client.run(calls.file_of, "org/open", "a").value == b"a"


def test_a_slow_answer_is_a_good_one(hub: LocalHub, client: Client) -> None:
    hub.repositories.commit("model", "org/open", {"a": "a"})
    hub.faults.add("/resolve/", Slow(0.3))
    assert client.run(calls.file_of, "org/open", "a").value == b"a"
