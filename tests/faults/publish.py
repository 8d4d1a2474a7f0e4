"""The publisher as it is, on a Hub without a limit on commits and with less patience: `python -m tests.faults.publish`.

An hour's commits would be spent within a minute of a campaign, and a Hub that is silent would be waited for too long.
"""

from __future__ import annotations

import sys
from typing import Any

from leaderboard.store import hub
from tests.faults.site import boundless
from worker.__main__ import main

SILENT_SECONDS = 2.0
"""How long the Hub may be silent."""


class HastyStore(hub.HubStore):
    """A store that gives up on a silent Hub sooner, and may commit as often as it likes."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """See `HubStore`."""
        super().__init__(*arguments, **{"timeout_seconds": SILENT_SECONDS, "budget": boundless()} | named)


if __name__ == "__main__":
    hub.HubStore = HastyStore  # type: ignore[misc]
    sys.exit(main(["publish"]))
