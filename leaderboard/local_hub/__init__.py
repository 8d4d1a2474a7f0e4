"""A small stand-in for the Hugging Face Hub on this machine, for the demo and for tests; never the real one.

Real clients speak to it, and it never leaves 127.0.0.1. Each module has one job: `repositories` keeps commits,
`accounts` knows who may see and do what, `endpoints`, `writes` and `discussions` answer clients and `pages` people,
`routing` finds which, and `server` speaks HTTP. `demo` is about the one that `rapport demo --hub` runs.
"""

from leaderboard.local_hub.accounts import Account
from leaderboard.local_hub.repositories import Repositories
from leaderboard.local_hub.server import LocalHub

__all__ = ["Account", "LocalHub", "Repositories"]
