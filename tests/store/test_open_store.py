"""The setting `store` decides where results are kept: three folders, or three data sets on the Hub."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from evaluator.errors import Cause, RapportError
from leaderboard.cli.store import create
from leaderboard.settings import Settings
from leaderboard.store import LocalStore, StoreForbidden, StoreGone, StoreUnavailable, Write
from leaderboard.store.hub import HubStore
from leaderboard.store.open import (
    Stores,
    check_archive_private,
    names_of,
    open_store,
    open_stores,
    repositories,
    settings_at,
)
from tests.hub_server import Account, Drop, LocalHub
from tests.store.conftest import READER

STEM = "hub://org/site"


@pytest.fixture
def site(named_hub: LocalHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalHub:
    """A Hub that the settings of this process lead to, with none of the three data sets."""
    monkeypatch.setenv("RAPPORT_STORE", STEM)
    monkeypatch.setenv("RAPPORT_DATA", str(tmp_path / "data"))
    return named_hub


def visible_to_all(hub: LocalHub) -> dict[str, bool]:
    found = {name: hub.repositories.find("dataset", f"org/site-{name}") for name in Stores._fields}
    return {name: not repository.private for name, repository in found.items() if repository is not None}


def hub_stores() -> list[HubStore]:
    stores = [store for store in open_stores(Settings()) if isinstance(store, HubStore)]
    assert len(stores) == 3
    return stores


def test_nothing_named_is_three_folders_of_this_machine(tmp_path: Path) -> None:
    stores = open_stores(Settings(data=tmp_path))
    for name, store in zip(Stores._fields, stores, strict=True):
        assert isinstance(store, LocalStore)
        store.commit([Write("a", name.encode())], "there")
    written = {path.parts[-3]: path.read_text() for path in tmp_path.glob("*/files/a")}
    assert written == {"store": "archive", "results": "results", "requests": "requests"}
    assert open_store(Settings(data=tmp_path)).read("a") == b"archive"


def test_data_sets_are_opened_without_asking_anyone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    settings = Settings(data=tmp_path, store=STEM)
    for name, store in zip(Stores._fields, open_stores(settings), strict=True):
        assert isinstance(store, HubStore)
        assert store.place == f"hub://org/site-{name}"
        assert (tmp_path / f"hub/org/site-{name}/contents").is_dir()
        with pytest.raises(StoreForbidden, match="without a token"):
            store.commit([Write("a", b"1")], "refused")
    archive = open_store(settings)
    assert isinstance(archive, HubStore)
    assert archive.place == "hub://org/site-archive"


def test_the_three_share_their_calls_and_count_commits_apart(tmp_path: Path) -> None:
    stores = [store for store in open_stores(Settings(data=tmp_path, store=STEM)) if isinstance(store, HubStore)]
    assert len({id(store._budget._calls) for store in stores}) == 1
    assert len({id(store._budget._commits) for store in stores}) == 3


@pytest.mark.parametrize("token", ["hf_a", " hf_a\n"])
def test_the_token_is_taken_as_it_is_pasted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    for store in open_stores(Settings(data=tmp_path, store=STEM)):
        assert isinstance(store, HubStore)
        assert store._client.can_write


@pytest.mark.parametrize("name", ["org/results", "hub://", "hub://results", "hub://a/b/c", "hub://../x", "s3://a/b"])
def test_what_names_no_store_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        Settings(store=name)


@pytest.mark.parametrize("name", ["org/" + "x" * 88, "org/a--b", "org/a-", "org/a..b", "org", "a/b/c", "../x", "ö/x"])
def test_a_name_that_the_hub_would_not_take_is_refused_with_what_it_takes(name: str) -> None:
    for refused in (
        lambda: repositories(f"hub://{name}"),
        lambda: open_stores(settings_at(Settings(), f"hub://{name}")),
    ):
        with pytest.raises(RapportError) as caught:
            refused()
        assert caught.value.cause is Cause.INFRASTRUCTURE
        assert "at most 87 letters" in caught.value.remedy


def test_the_longest_name_is_one_that_the_hub_takes(site: LocalHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORT_STORE", f"hub://org/{'x' * 87}")
    create()
    assert [store.head() for store in hub_stores()]


def test_folders_are_named_without_the_way_to_them(tmp_path: Path) -> None:
    one, other = (names_of(Settings(data=tmp_path / name / "data")) for name in "ab")
    assert one != other
    assert one.results.startswith("data/results (")
    assert str(tmp_path) not in one.results


def test_a_private_archive_and_two_public_data_sets_are_made_by_command(
    site: LocalHub, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for store in open_stores(Settings()):
        with pytest.raises(StoreGone, match="hub://org/site-"):
            store.head()
    create()
    assert visible_to_all(site) == {"archive": False, "results": True, "requests": True}
    assert capsys.readouterr().out.splitlines() == [
        "hub://org/site-archive: made, private",
        "hub://org/site-results: made, public",
        "hub://org/site-requests: made, public",
    ]
    for store in open_stores(Settings()):
        store.commit([Write("a", b"1")], "first")
    monkeypatch.delenv("HF_TOKEN")
    (tmp_path / "data").rename(tmp_path / "elsewhere")
    strangers = open_stores(Settings())
    assert strangers.results.read("a") == strangers.requests.read("a") == b"1"
    with pytest.raises(StoreGone, match="private"):
        strangers.archive.head()


def test_all_three_are_hidden_on_request(site: LocalHub) -> None:
    create(private=True)
    assert visible_to_all(site) == dict.fromkeys(Stores._fields, False)


def test_what_is_there_already_is_told_and_stays_as_it_is(site: LocalHub, capsys: pytest.CaptureFixture[str]) -> None:
    create(private=True)
    archive = hub_stores()[0]
    head = archive.commit([Write("a", b"1")], "there")
    capsys.readouterr()
    create()
    told = capsys.readouterr()
    assert told.out.splitlines() == [f"hub://org/site-{name}: was there, private" for name in Stores._fields]
    assert "hub://org/site-results is NOT public, and stays as it is" in told.err
    assert "site-archive is NOT" not in told.err
    assert visible_to_all(site) == dict.fromkeys(Stores._fields, False)
    assert open_stores(Settings()).archive.head() == head


def test_public_data_sets_that_were_to_be_hidden_are_told(site: LocalHub, capsys: pytest.CaptureFixture[str]) -> None:
    create()
    create(private=True)
    assert "hub://org/site-results is NOT private, and stays as it is" in capsys.readouterr().err
    assert visible_to_all(site) == {"archive": False, "results": True, "requests": True}


def test_a_public_archive_is_refused_loudly_and_nothing_else_is_made(site: LocalHub) -> None:
    site.repositories.commit("dataset", "org/site-archive", {"a": "1"})
    with pytest.raises(RapportError, match="site-archive is PUBLIC") as caught:
        create()
    assert "Make the data set private" in caught.value.remedy
    assert visible_to_all(site) == {"archive": True}


def test_whoever_opens_a_public_archive_is_told(site: LocalHub) -> None:
    create()
    archive = open_stores(Settings()).archive
    check_archive_private(archive)
    site.repositories.create("dataset", "org/site-archive", private=False)
    with pytest.raises(RapportError, match="PUBLIC"):
        check_archive_private(archive)


def test_an_archive_that_does_not_tell_is_not_taken_for_private(site: LocalHub) -> None:
    create()
    archive = hub_stores()[0]
    archive._retry._pause = lambda _: None
    site.faults.add("", Drop(), times=1000)
    with pytest.raises(StoreUnavailable):
        check_archive_private(archive)
    site.faults.clear()
    site.repositories.delete("dataset", "org/site-archive")
    with pytest.raises(StoreGone):
        check_archive_private(archive)


def test_an_archive_in_a_folder_is_as_private_as_the_folder(tmp_path: Path) -> None:
    check_archive_private(LocalStore(tmp_path / "store"))


@pytest.mark.parametrize("token", [READER, "hf_stranger", "hf_unknown"])
def test_a_token_that_may_make_nothing_is_named(site: LocalHub, monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    site.tokens["hf_stranger"] = Account("stranger", (), "write")
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(StoreForbidden) as caught:
        create()
    assert "HF_TOKEN" in caught.value.remedy
    assert token not in f"{caught.value!r} {caught.value}"
    assert visible_to_all(site) == {}


def test_a_token_that_may_make_none_finds_those_that_are_there(
    site: LocalHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    create()
    capsys.readouterr()
    monkeypatch.setenv("HF_TOKEN", READER)
    create()
    assert capsys.readouterr().out.count("was there") == 3


def test_folders_need_no_making(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORT_DATA", str(tmp_path))
    with pytest.raises(RapportError, match="hub://owner/name"):
        create()
