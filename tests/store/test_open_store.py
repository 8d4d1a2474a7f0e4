"""The setting `store` decides where results are kept."""

from __future__ import annotations

from pathlib import Path

import huggingface_hub.constants
import pytest
from pydantic import ValidationError

from evaluator.errors import RapportError
from leaderboard.cli.store import create
from leaderboard.settings import Settings
from leaderboard.store import LocalStore, StoreForbidden, StoreGone, Write
from leaderboard.store.hub import HubStore
from leaderboard.store.open import open_store
from tests.hub_server import LocalHub
from tests.store.conftest import WRITER


def test_nothing_named_is_a_folder_of_this_machine(tmp_path: Path) -> None:
    store = open_store(Settings(data=tmp_path))
    assert isinstance(store, LocalStore)
    store.commit([Write("a", b"1")], "there")
    assert (tmp_path / "store/files/a").read_bytes() == b"1"


def test_a_data_set_is_opened_without_asking_anyone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    store = open_store(Settings(data=tmp_path, store="hub://org/results"))
    assert isinstance(store, HubStore)
    assert (tmp_path / "hub/org/results/contents").is_dir()
    with pytest.raises(StoreForbidden, match="without a token"):
        store.commit([Write("a", b"1")], "refused")


@pytest.mark.parametrize("token", ["hf_a", " hf_a\n"])
def test_the_token_is_taken_as_it_is_pasted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    store = open_store(Settings(data=tmp_path, store="hub://org/results"))
    assert isinstance(store, HubStore)
    assert store._client.can_write


@pytest.mark.parametrize("name", ["org/results", "hub://", "hub://results", "hub://a/b/c", "hub://../x", "s3://a/b"])
def test_what_names_no_store_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        Settings(store=name)


def test_a_data_set_is_made_by_command_and_filled_by_its_name(
    hub: LocalHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", hub.url)
    for name, value in {"STORE": "hub://org/results", "DATA": str(tmp_path)}.items():
        monkeypatch.setenv(f"RAPPORT_{name}", value)
    monkeypatch.setenv("HF_TOKEN", WRITER)
    with pytest.raises(StoreGone, match="hub://org/results"):
        open_store(Settings()).head()
    create(private=True)
    open_store(Settings()).commit([Write("a", b"1")], "first")
    assert open_store(Settings()).read("a") == b"1"
    monkeypatch.delenv("HF_TOKEN")
    (tmp_path / "hub").rename(tmp_path / "elsewhere")
    with pytest.raises(StoreGone, match="private"):
        open_store(Settings()).head()


def test_a_folder_needs_no_making(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORT_DATA", str(tmp_path))
    with pytest.raises(RapportError, match="hub://owner/name"):
        create()
