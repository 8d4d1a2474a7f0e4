"""Fixtures for tests that need a Hub; a folder's conftest takes them over by importing them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub_server import Account, Client, LocalHub

CANARY = "hf_canaryThatMustNeverBeSeenAnywhere"
"""The token of all clients: wherever it turns up outside a request's header, a secret has leaked."""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[LocalHub]:
    """A fresh, empty Hub on a free port that knows the token of `client`.

    It runs in this process, so that tests commit to it and look at what it was asked without asking over the wire.
    """
    with LocalHub(tmp_path / "hub") as hub:
        hub.tokens[CANARY] = Account("visitor")
        yield hub


@pytest.fixture
def client(hub: LocalHub, tmp_path: Path) -> Client:
    """Runs code in fresh processes with HF_ENDPOINT at `hub` and an empty HF_HOME.

    Clients read their settings once at import. Patching constants in this process would miss those that were copied
    into URL templates and default arguments, and would depend on what other tests imported before.
    """
    client = Client(hub.url, tmp_path / "home")
    client.setenv({"HF_TOKEN": CANARY})
    return client
