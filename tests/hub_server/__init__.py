"""The small Hub of `leaderboard.local_hub`, made to say no: throttled, cut off, slow, lying.

No package offers one that says no in the ways the Hub does. `limits` counts, `faults` misbehaves on request, `server`
brings both to the wire, and `client` runs code in a fresh process that takes this for the Hub.
"""

from leaderboard.local_hub import Account, Repositories
from tests.hub_server.client import Answer, Client
from tests.hub_server.faults import Cut, Drop, Hold, Lag, Refuse, Say, Slow
from tests.hub_server.limits import Limits
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
