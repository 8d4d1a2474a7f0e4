"""A data set on the Hub is the folder it holds, at one commit, whatever happens to its branch or to the Hub."""

from pathlib import Path

import pytest

from evaluator.errors import Cause
from evaluator.hicupid.data import HUB_DATA_SET
from tests.data_set.layout import Format, small_set, write_set
from tests.data_set.reading import EVALUATED, open_sha, open_sha_in, open_terms, read_all
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


def test_hicupids_own_rows_are_public_and_its_text_is_not_whatever_its_card_says(
    hub: LocalHub, client: Client, folder: Path
) -> None:
    card = (folder / "README.md").read_text()
    (folder / "README.md").write_text(card.replace("- synthetic", "- chats"))
    hub.repositories.commit_folder("dataset", HUB_DATA_SET, folder)
    terms = client.run(read_all, HUB_DATA_SET).value.terms
    assert (terms.visibility, terms.redistributable, terms.licence) == ("public", False, None)
    assert terms.personal_data == "synthetic"


@pytest.mark.parametrize(
    ("said", "visibility", "licence", "personal_data"),
    [
        ("license: apache-2.0\ntags: [synthetic]", "public", "apache-2.0", "synthetic"),
        ("license: cc-by-nc-4.0\ntags: [synthetic]", "private", "cc-by-nc-4.0", "synthetic"),
        ("license: apache-2.0\ntags: [chats]", "public", "apache-2.0", "personal"),
        ("license: [apache-2.0, mit]", "private", None, "personal"),
        ("pretty_name: Chats", "private", None, "personal"),
    ],
)
def test_the_terms_of_any_other_data_set_are_those_of_its_card(
    hub: LocalHub, client: Client, said: str, visibility: str, licence: str | None, personal_data: str
) -> None:
    hub.repositories.commit("dataset", "org/set", {"README.md": f"---\n{said}\n---\n"})
    terms = client.run(open_terms, "org/set").value
    assert (terms.visibility, terms.licence, terms.personal_data) == (visibility, licence, personal_data)
    assert terms.redistributable == (visibility == "public")


def test_a_data_set_without_a_card_is_taken_to_be_of_real_people(hub: LocalHub, client: Client) -> None:
    hub.repositories.commit("dataset", "org/set", {"rows.csv": "a,b\n1,2\n"})
    terms = client.run(open_terms, "org/set").value
    assert (terms.visibility, terms.licence, terms.personal_data) == ("private", None, "personal")


def test_a_card_that_cannot_be_read_is_a_data_error(hub: LocalHub, client: Client) -> None:
    hub.repositories.commit("dataset", "org/set", {"README.md": "---\nlicense: [\n---\n"})
    failure = client.run(open_terms, "org/set").failure
    assert failure.cause == Cause.DATA_ERROR
    assert "The card of org/set cannot be read" in failure.message


def test_opening_hicupid_fetches_nothing(hub: LocalHub, client: Client, folder: Path) -> None:
    sha = hub.repositories.commit_folder("dataset", HUB_DATA_SET, folder)
    assert client.run(open_sha, HUB_DATA_SET).value == sha
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
    assert client.run(read_all, "org/set", EVALUATED, old.sha).value == old


def test_a_folder_does_not_pass_for_hicupid_by_its_name(hub: LocalHub, client: Client, tmp_path: Path) -> None:
    sha = hub.repositories.commit_folder("dataset", HUB_DATA_SET, write_set(tmp_path / "real", small_set()))
    write_set(tmp_path / HUB_DATA_SET, small_set())
    assert client.run(open_sha_in, str(tmp_path), HUB_DATA_SET).value == sha
    assert client.run(open_sha_in, str(tmp_path), f"./{HUB_DATA_SET}").value != sha


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
