"""A data set on the Hub is the folder it holds, at one commit, whatever happens to its branch or to the Hub."""

from pathlib import Path

import pytest

from evaluator.errors import Cause
from tests.data_set.layout import Format, small_set, write_set
from tests.data_set.reading import open_sha, read_all
from tests.hub_server import Client, Cut, LocalHub, Refuse
from tests.hub_server.fixtures import CANARY


@pytest.fixture(params=["jsonl", "parquet"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    format: Format = request.param
    return write_set(tmp_path / "set", small_set(), format)


def test_the_hub_says_what_the_folder_says(hub: LocalHub, client: Client, folder: Path) -> None:
    sha = hub.repositories.commit_folder("dataset", "org/set", folder)
    from_hub = client.run(read_all, "org/set").value
    from_folder = read_all(str(folder))
    assert from_hub.sha == sha
    assert from_hub.questions == from_folder.questions
    assert from_hub.histories == from_folder.histories


def test_rows_from_the_hub_are_private_whatever_the_card_says(hub: LocalHub, client: Client, folder: Path) -> None:
    hub.repositories.commit_folder("dataset", "org/set", folder)
    terms = client.run(read_all, "org/set").value.terms
    assert (terms.visibility, terms.redistributable, terms.licence) == ("private", False, None)


def test_opening_fetches_nothing(hub: LocalHub, client: Client, folder: Path) -> None:
    sha = hub.repositories.commit_folder("dataset", "org/set", folder)
    assert client.run(open_sha, "org/set").value == sha
    assert hub.files_sent() == set()


def test_code_in_a_data_set_is_neither_fetched_nor_run(hub: LocalHub, client: Client, folder: Path) -> None:
    hub.repositories.commit_folder("dataset", "org/set", folder)
    hub.repositories.commit("dataset", "org/set", {"set.py": "raise SystemExit(9)", "rows.pkl": b"pickle"})
    assert client.run(read_all, "org/set").value.questions
    assert not hub.files_sent() & {"set.py", "rows.pkl"}


def test_a_branch_that_moves_on_is_read_at_its_new_commit(hub: LocalHub, client: Client, tmp_path: Path) -> None:
    tables = small_set()
    hub.repositories.commit_folder("dataset", "org/set", write_set(tmp_path / "set", tables))
    old = client.run(read_all, "org/set").value
    tables["qa", "test_1"][0]["question"] = "Another?"
    sha = hub.repositories.commit_folder("dataset", "org/set", write_set(tmp_path / "set", tables))
    new = client.run(read_all, "org/set").value
    assert (new.sha, new.questions[0].question) == (sha, "Another?")
    assert old.questions[0].question == "question of 0 on profile"


@pytest.mark.parametrize("where", ["/tree/", "/resolve/.*/README.md", "/resolve/.*/qa/"])
def test_a_cached_revision_never_stands_in_for_one_that_cannot_be_had(
    hub: LocalHub, client: Client, tmp_path: Path, where: str
) -> None:
    tables = small_set()
    hub.repositories.commit_folder("dataset", "org/set", write_set(tmp_path / "set", tables))
    assert client.run(read_all, "org/set").value
    for rows in tables.values():
        for row in rows:
            row["version"] = 2
    write_set(tmp_path / "set", tables)
    hub.repositories.commit("dataset", "org/set", {"README.md": (tmp_path / "set/README.md").read_text() + "Version 2"})
    hub.repositories.commit_folder("dataset", "org/set", tmp_path / "set")
    hub.faults.add(where, Refuse(501), times=50)
    failure = client.run(read_all, "org/set").failure
    assert failure.cause == Cause.INFRASTRUCTURE
    assert "data set org/set" in failure.message


@pytest.mark.parametrize("fault", [Refuse(501), Cut()])
def test_a_hub_that_falters_is_our_fault_and_tells_no_token(
    hub: LocalHub, client: Client, folder: Path, fault: Refuse | Cut
) -> None:
    hub.repositories.commit_folder("dataset", "org/set", folder)
    hub.faults.add("/api/datasets/", fault)
    answer = client.run(read_all, "org/set")
    assert answer.failure.cause == Cause.INFRASTRUCTURE
    assert CANARY not in repr(answer)


@pytest.mark.parametrize(("settings", "cause"), [({"gated": True}, Cause.GATED), ({"private": True}, Cause.NOT_FOUND)])
def test_a_closed_data_set_is_refused_at_opening(
    hub: LocalHub, client: Client, tmp_path: Path, settings: dict[str, bool], cause: Cause
) -> None:
    hub.repositories.create("dataset", "org/set", **settings)
    hub.repositories.commit_folder("dataset", "org/set", write_set(tmp_path / "set", small_set()))
    failure = client.run(open_sha, "org/set").failure
    assert failure.cause == cause
    assert "data set org/set" in failure.message


def test_a_data_set_of_another_layout_is_a_data_error(hub: LocalHub, client: Client) -> None:
    hub.repositories.commit("dataset", "org/set", {"README.md": "# Nothing here", "rows.csv": "a,b\n1,2\n"})
    failure = client.run(read_all, "org/set").failure
    assert failure.cause == Cause.DATA_ERROR
    assert "org/set has no readable split" in failure.message
