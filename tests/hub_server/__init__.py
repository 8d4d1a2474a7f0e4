"""A small Hugging Face Hub for tests: real clients speak to it, and it never leaves 127.0.0.1.

No package offers one that says no in the ways the Hub does: gated, private, gone, throttled, cut off. Each module has
one job: `repositories` keeps commits, `accounts` knows who may see and do what, `endpoints`, `writes` and
`discussions` answer, `routing` finds which, `limits` counts, `faults` misbehaves on request, `server` speaks HTTP, and
`client` runs code in a fresh process that takes this for the Hub.
"""

from tests.hub_server.accounts import Account
from tests.hub_server.client import Answer, Client
from tests.hub_server.faults import Cut, Drop, Hold, Lag, Refuse, Say, Slow
from tests.hub_server.limits import Limits
from tests.hub_server.repositories import Repositories
from tests.hub_server.server import LocalHub

__all__ = [
    "Account",
    "Answer",
    "Client",
    "Cut",
    "Drop",
    "Hold",
    "Lag",
    "Limits",
    "LocalHub",
    "Refuse",
    "Repositories",
    "Say",
    "Slow",
]
