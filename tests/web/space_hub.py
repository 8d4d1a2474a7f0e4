"""The Hub that a Space reads its results from, on this machine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from leaderboard.store.open import repositories
from tests.hub_server import LocalHub

STORE = "hub://org/rapport"


@contextlib.contextmanager
def hub_with_stores(folder: Path) -> Iterator[LocalHub]:
    """Runs a Hub with the three data sets as `rapport store create` makes them, empty."""
    with LocalHub(folder) as hub:
        names = repositories(STORE)
        for name in names:
            hub.repositories.create("dataset", name, private=name == names.archive)
            hub.repositories.commit("dataset", name, {".gitattributes": b"* text=auto\n"}, title="initial commit")
        yield hub


def settings_for(hub: LocalHub) -> Mapping[str, str]:
    """Returns the environment that leads a Space there."""
    return {"HF_ENDPOINT": hub.url, "RAPPORT_STORE": STORE}
