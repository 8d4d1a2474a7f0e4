"""Opens the store that the settings name; nobody else needs to know which one it is."""

from __future__ import annotations

import os

from leaderboard.settings import Settings
from leaderboard.store.base import Store
from leaderboard.store.local import LocalStore

ON_THE_HUB = "hub://"
"""What the name of a store on the Hub begins with."""


def open_store(settings: Settings) -> Store:
    """Returns the store; on the Hub with the token of HF_TOKEN, without one for reading only.

    Opening a store on the Hub asks the Hub nothing, so a process starts while the Hub is down.

    Raises:
        StoreForbidden: If HF_TOKEN cannot be a token.
        StoreError: If the folder cannot be used.

    Example:
        >>> open_store(Settings(store="hub://org/rapport-results"))  # doctest: +SKIP
        <leaderboard.store.hub.HubStore object at 0x...>
    """
    if not settings.store:
        return LocalStore(settings.store_folder)
    from leaderboard.store.hub import HubStore

    repo_id = settings.store.removeprefix(ON_THE_HUB)
    # Whoever pastes a token into a file or a form brings a line break along.
    token = os.environ.get("HF_TOKEN", "").strip()
    return HubStore(repo_id, settings.data / "hub" / repo_id, token or None)
