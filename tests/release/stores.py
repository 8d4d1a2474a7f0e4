"""Stores whose calls are counted, and can be made to fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from leaderboard.store.base import Store

CALLS = ("head", "read", "read_all", "list", "commit", "history")


class Watched:
    """A store that tells of each call, with its first argument, before it is made."""

    def __init__(self, store: Store, told: Callable[[str, Any], None]) -> None:
        self._store, self._told = store, told

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if name not in CALLS:
            return found

        def call(*arguments: Any, **options: Any) -> Any:
            self._told(name, arguments[0] if arguments else None)
            return found(*arguments, **options)

        return call
