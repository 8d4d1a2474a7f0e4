"""Where everything the leaderboard keeps is kept: one small interface and its backends.

Code that stores or reads results depends on the names below; only the settings know which backend stands behind them.
"""

from leaderboard.store.base import (
    BadPath,
    CommitInfo,
    Conflict,
    Delete,
    NotFound,
    Operation,
    Revision,
    Store,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreUnavailable,
    Write,
)
from leaderboard.store.local import LocalStore

__all__ = [
    "BadPath",
    "CommitInfo",
    "Conflict",
    "Delete",
    "LocalStore",
    "NotFound",
    "Operation",
    "Revision",
    "Store",
    "StoreCorrupt",
    "StoreError",
    "StoreFull",
    "StoreUnavailable",
    "Write",
]
