"""Where everything the leaderboard keeps is kept: one small interface and its backends.

Code that stores or reads results depends on the names below; only the settings know which backend stands behind them.
"""

from leaderboard.store.base import (
    BadPath,
    CommitInfo,
    Condition,
    Conflict,
    Delete,
    NotFound,
    Operation,
    Revision,
    Store,
    StoreBusy,
    StoreCorrupt,
    StoreError,
    StoreForbidden,
    StoreFull,
    StoreGone,
    StoreUnavailable,
    Write,
)
from leaderboard.store.local import LocalStore

__all__ = [
    "BadPath",
    "CommitInfo",
    "Condition",
    "Conflict",
    "Delete",
    "LocalStore",
    "NotFound",
    "Operation",
    "Revision",
    "Store",
    "StoreBusy",
    "StoreCorrupt",
    "StoreError",
    "StoreForbidden",
    "StoreFull",
    "StoreGone",
    "StoreUnavailable",
    "Write",
]
