"""A small Hugging Face Hub for tests: real clients speak to it, and it never leaves 127.0.0.1.

No package offers one that says no in the ways the Hub does: gated, private, gone, throttled, cut off. Each module has
one job: `repositories` keeps commits as plain folders, `accounts` knows who may see what, `endpoints` answers,
`faults` misbehaves on request, `server` speaks HTTP, `client` runs code in a fresh process that takes this for the Hub.

Only the read side is served so far. A write is a new function in `endpoints` on top of `Repositories.commit`.
"""

from tests.hub_server.accounts import Account
from tests.hub_server.client import Answer, Client
from tests.hub_server.faults import Cut, Refuse, Slow
from tests.hub_server.repositories import Repositories
from tests.hub_server.server import LocalHub

__all__ = ["Account", "Answer", "Client", "Cut", "LocalHub", "Refuse", "Repositories", "Slow"]
