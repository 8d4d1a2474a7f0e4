"""An archive where everything has happened, made once; and what follows from it, made in one go."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from leaderboard.connection import connect
from leaderboard.store.base import Store
from leaderboard.store.local import LocalStore
from leaderboard.store.open import Stores
from leaderboard.submissions import keys
from tests.release.archives import Commit, Site, everything
from tests.release.driving import Clock
from tests.released import derived, released
from tests.store.conftest import hub, open_hub, plain_uploads

__all__ = ["hub", "open_hub", "plain_uploads"]

Contents = dict[str, bytes]


class Past(NamedTuple):
    """An archive with how it came to be, and what everyone may read of it."""

    commits: list[Commit]
    archive: Store
    results: Contents
    requests: Contents


def contents(store: Store) -> Contents:
    """All files of a store that follow from the archive."""
    return derived(store)


@pytest.fixture(scope="session")
def past(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Past:
    folder = tmp_path_factory.mktemp("past")
    with connect(redis_url) as redis:
        redis.flushall()
        redis.set(keys.EPOCH, "tests:0")
        site = everything(redis, folder / "archive")
        redis.flushall()
    stores = released(site.archive, folder)
    return Past(site.commits, site.archive, contents(stores.results), contents(stores.requests))


@pytest.fixture
def site(redis, tmp_path: Path) -> Site:
    return Site(redis, tmp_path / "archive")


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    return Stores(*(LocalStore(tmp_path / name) for name in Stores._fields))


@pytest.fixture
def public() -> Callable[[Stores], tuple[Contents, Contents]]:
    return lambda stores: (contents(stores.results), contents(stores.requests))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / ".released"
