"""A Hub for a whole session, a data set of its own for each test, and stores that open it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest

from leaderboard.store.hub import HubStore
from leaderboard.store.hub_budget import Bucket, Budget
from tests.hub_server import Account, LocalHub
from tests.small_disk import NO_SMALL_DISK, small_disk

WRITER = "hf_writerThatMustNeverBeSeenAnywhere"
READER = "hf_readerThatMustNeverBeSeenAnywhere"

OpenHub = Callable[..., HubStore]


def boundless() -> Budget:
    """Lets everything through: what a test is not about shall not stop it."""
    return Budget(Bucket(1e9, 1.0), Bucket(1e9, 1.0))


def introduce(hub: LocalHub) -> None:
    hub.tokens |= {WRITER: Account("publisher", ("org",), "write"), READER: Account("visitor", ("org",), "read")}


@pytest.fixture(scope="session")
def plain_uploads() -> Iterator[None]:
    """Large files go over plain HTTP: the local Hub speaks no Xet. Clients read the setting at each upload."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
        yield


@pytest.fixture(scope="session")
def shared_hub(tmp_path_factory: pytest.TempPathFactory, plain_uploads: None) -> Iterator[LocalHub]:
    """One Hub for all tests that do not disturb it."""
    with LocalHub(tmp_path_factory.mktemp("hub")) as hub:
        introduce(hub)
        yield hub


@pytest.fixture
def hub(tmp_path: Path, plain_uploads: None) -> Iterator[LocalHub]:
    """A Hub of one's own: to be limited, disturbed and looked at."""
    with LocalHub(tmp_path / "hub") as hub:
        introduce(hub)
        yield hub


_numbers = itertools.count(1)


def opener(hub: LocalHub, tmp_path: Path) -> OpenHub:
    """Makes a data set, and returns what opens a store in it, each time with a copy of its own."""
    name = f"org/results-{next(_numbers)}"
    copies = itertools.count(1)

    def open_(cache: str = "", **options: Any) -> HubStore:
        folder = tmp_path / (cache or f"copy-{next(copies)}")
        defaults: dict[str, Any] = {"token": WRITER, "fresh_seconds": 0, "budget": boundless(), "endpoint": hub.url}
        return HubStore(name, folder, **(defaults | options))

    open_().create()
    return open_


@pytest.fixture
def open_hub(hub: LocalHub, tmp_path: Path) -> OpenHub:
    """Opens a store in one and the same data set of `hub`, as often as it is called."""
    return opener(hub, tmp_path)


@pytest.fixture
def named_hub(hub: LocalHub, monkeypatch: pytest.MonkeyPatch) -> LocalHub:
    """A Hub that this process takes for the Hub, with a token of somebody who may write."""
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", hub.url)
    template = f"{hub.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setenv("HF_TOKEN", WRITER)
    return hub


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 256 KiB."""
    place = tmp_path / "tiny"
    place.mkdir()
    with small_disk(place, "256k") as small:
        if not small:
            pytest.skip(NO_SMALL_DISK)
        yield place
