"""The write side of the local Hub as the real clients see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import huggingface_hub.constants
import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

from tests.hub import calls, write_calls
from tests.hub_server import Account, Client, Limits, LocalHub
from tests.hub_server.fixtures import CANARY

NAME = "org/results"
DATA_SET: dict[str, Any] = {"repo_id": NAME, "repo_type": "dataset"}


@pytest.fixture(autouse=True)
def plain_uploads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Large files go over plain HTTP: the local Hub speaks no Xet."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)


@pytest.fixture
def api(hub: LocalHub) -> HfApi:
    """The client of somebody who may write to `org`, with a data set made."""
    hub.tokens[CANARY] = Account("writer", ("org",), "write")
    api = HfApi(hub.url, token=CANARY)
    api.create_repo(**DATA_SET)
    return api


def add(api: HfApi, files: dict[str, bytes], **options: Any) -> str:
    additions = [CommitOperationAdd(path, content) for path, content in files.items()]
    return str(api.create_commit(**DATA_SET, operations=additions, commit_message="add", **options).oid)


def status_of(call: Callable[[], object]) -> int:
    with pytest.raises(HfHubHTTPError) as caught:
        call()
    return caught.value.response.status_code


def test_a_repository_is_made_once_and_begins_with_a_commit(api: HfApi) -> None:
    assert status_of(lambda: api.create_repo(**DATA_SET)) == 409
    assert api.create_repo(**DATA_SET, exist_ok=True).repo_id == NAME
    assert [commit.title for commit in api.list_repo_commits(**DATA_SET)] == ["initial commit"]
    assert api.list_repo_files(**DATA_SET) == [".gitattributes"]


def test_a_repository_that_was_deleted_is_gone(api: HfApi) -> None:
    api.delete_repo(**DATA_SET)
    with pytest.raises(RepositoryNotFoundError):
        api.dataset_info(NAME)


def test_a_commit_is_told_with_its_words(api: HfApi) -> None:
    head = add(api, {"a": b"1"}, commit_description="and\nmore")
    newest = api.list_repo_commits(**DATA_SET)[0]
    assert (newest.commit_id, newest.title, newest.message, newest.authors) == (head, "add", "and\nmore", ["writer"])
    assert api.list_repo_refs(NAME, repo_type="dataset").branches[0].target_commit == head


def test_a_stale_parent_is_refused_and_changes_nothing(api: HfApi) -> None:
    stale = add(api, {"a": b"1"})
    head = add(api, {"a": b"2"}, parent_commit=stale)
    assert status_of(lambda: add(api, {"b": b"1"}, parent_commit=stale)) == 412
    assert api.dataset_info(NAME).sha == head
    assert "b" not in api.list_repo_files(**DATA_SET)


def test_large_files_are_put_beside_and_come_back(api: HfApi, hub: LocalHub, client: Client) -> None:
    content = bytes(range(256)) * 100
    add(api, {"rows.parquet": content, "empty.parquet": b""})
    assert len(hub.asked("PUT")) == 1
    entry = next(one for one in api.get_paths_info(NAME, ["rows.parquet"], repo_type="dataset"))
    assert entry.lfs.size == len(content)  # type: ignore[union-attr]
    assert client.run(write_calls.dataset_file, NAME, "rows.parquet").value == content


def test_files_and_folders_are_deleted(api: HfApi) -> None:
    add(api, {"a/1": b"1", "a/2": b"2", "b": b"3"})
    operations = [CommitOperationDelete("a/"), CommitOperationDelete("b")]
    api.create_commit(**DATA_SET, operations=operations, commit_message="away")
    assert api.list_repo_files(**DATA_SET) == [".gitattributes"]
    assert status_of(lambda: api.delete_file("b", **DATA_SET)) == 404


def test_equal_folders_have_equal_names_and_changed_ones_others(api: HfApi) -> None:
    def trees() -> dict[str, str]:
        listed = api.list_repo_tree(**DATA_SET, recursive=True)
        return {entry.path: entry.tree_id for entry in listed if hasattr(entry, "tree_id")}

    add(api, {"a/b/1": b"1", "c/1": b"1"})
    before = trees()
    assert before["a/b"] == before["c"] != before["a"]
    add(api, {"a/b/1": b"2"})
    after = trees()
    assert {path for path in before if before[path] != after[path]} == {"a", "a/b"}


@pytest.mark.parametrize("role", ["none", "read"])
def test_only_writers_write(api: HfApi, hub: LocalHub, role: Any) -> None:
    hub.tokens["hf_other"] = Account("other", ("org",), role)
    hub.tokens["hf_stranger"] = Account("stranger", (), "write")
    for token in ("hf_other", "hf_stranger"):
        other = HfApi(hub.url, token=token)
        assert other.whoami()["name"] == hub.tokens[token].name
        assert status_of(lambda other=other: add(other, {"a": b"1"})) == 403  # type: ignore[misc]
        assert status_of(lambda other=other: other.delete_repo(**DATA_SET)) == 403  # type: ignore[misc]
        assert other.list_repo_files(**DATA_SET) == [".gitattributes"]
    assert status_of(lambda: HfApi(hub.url, token=False).create_repo("org/other")) == 401


def test_what_is_private_is_made_private(api: HfApi, hub: LocalHub) -> None:
    api.create_repo("org/secret", repo_type="dataset", private=True)
    assert api.dataset_info("org/secret").private
    hub.tokens["hf_none"] = Account("writer", ("org",), "none")
    for token in (False, "hf_none"):
        with pytest.raises(RepositoryNotFoundError):
            HfApi(hub.url, token=token).dataset_info("org/secret")


def test_long_listings_and_histories_come_in_pages(api: HfApi, hub: LocalHub) -> None:
    add(api, {f"many/{n:04}": b"1" for n in range(1001)})
    for number in range(60):
        hub.repositories.commit("dataset", NAME, {"count": str(number)})
    hub.requests.clear()
    assert len(list(api.list_repo_tree(**DATA_SET, path_in_repo="many"))) == 1001
    assert len(api.list_repo_commits(**DATA_SET)) == 62
    assert len([path for path in hub.asked() if "/tree/" in path]) == 2
    assert len([path for path in hub.asked() if "/commits/" in path]) == 2


def test_a_squashed_history_holds_nothing_that_was_deleted(api: HfApi, hub: LocalHub) -> None:
    old = add(api, {"secret": b"secret", "kept": b"kept"})
    api.delete_file("secret", **DATA_SET)
    api.super_squash_history(**DATA_SET, commit_message="forget")
    assert [commit.title for commit in api.list_repo_commits(**DATA_SET)] == ["forget"]
    assert api.list_repo_files(**DATA_SET) == [".gitattributes", "kept"]
    assert status_of(lambda: list(api.list_repo_tree(**DATA_SET, revision=old))) == 404
    repository = hub.repositories.find("dataset", NAME)
    assert repository
    assert b"secret" not in [path.read_bytes() for path in repository.folder.rglob("*") if path.is_file()]


def test_discussions_are_opened_commented_on_and_listed(api: HfApi, hub: LocalHub) -> None:
    hub.tokens["hf_guest"] = Account("guest")
    opened = api.create_discussion(**DATA_SET, title="A question", description="Why?")
    guest = HfApi(hub.url, token="hf_guest")
    guest.comment_discussion(**DATA_SET, discussion_num=opened.num, comment="Because.")
    told = api.get_discussion_details(**DATA_SET, discussion_num=opened.num)
    assert [(event.author, event.content) for event in told.events] == [  # type: ignore[attr-defined]
        ("writer", "Why?"),
        ("guest", "Because."),
    ]
    for number in range(11):
        api.create_discussion(**DATA_SET, title=f"{number}")
    assert [one.num for one in api.get_repo_discussions(**DATA_SET)] == list(range(1, 13))
    assert status_of(lambda: HfApi(hub.url, token=False).create_discussion(**DATA_SET, title="Spam")) == 401
    assert status_of(lambda: api.get_discussion_details(**DATA_SET, discussion_num=99)) == 404


def test_limits_are_kept_for_each_repository_and_each_sender(api: HfApi, hub: LocalHub) -> None:
    now = [0.0]
    hub.limits = Limits(commits=2, calls=20, clock=lambda: now[0])
    api.create_repo("org/other", repo_type="dataset")
    for number in range(2):
        add(api, {f"{number}": b"1"})
    now[0] = 100.0
    with pytest.raises(HfHubHTTPError) as caught:
        add(api, {"2": b"1"})
    assert (caught.value.response.status_code, caught.value.response.headers["Retry-After"]) == (429, "3500")
    api.create_commit("org/other", [CommitOperationAdd("a", b"1")], commit_message="a", repo_type="dataset")
    hub.tokens["hf_other"] = Account("other")
    other = HfApi(hub.url, token="hf_other")
    for _ in range(20):
        other.whoami()
    assert status_of(other.whoami) == 429
    now[0] = 401.0
    assert other.whoami()["name"] == "other"


def test_a_data_set_is_pushed_and_loaded_again(api: HfApi, hub: LocalHub, client: Client) -> None:
    rows = [{"number": number, "text": f"row {number}"} for number in range(50)]
    assert client.run(write_calls.push_rows, NAME, "board", rows).value is None
    hub.tokens[CANARY] = Account("visitor")
    assert client.run(calls.rows_of, NAME, "board", "train", "main").value == rows
