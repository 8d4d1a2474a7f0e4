"""Catching a run in a state: Redis tells of every change, and whoever would end the state is frozen at once."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable

from leaderboard.connection import text
from leaderboard.records import State
from leaderboard.submissions import keys
from tests.faults.processes import freeze, send
from tests.faults.site import Site

LASTING = frozenset({State.QUEUED, State.GENERATING, State.JUDGING})
"""States that take long enough to look for a run that is in one."""
_PASSED_BY = {State.SCORING: "publisher", State.PUBLISHING: "publisher", State.CHECKING: "app"}
"""Who ends a state that lasts for milliseconds."""
_SILENCE = 0.2


class Moments:
    """Waits for a run to be in a state.

    Attributes:
        held: Processes that were frozen so that it stays in the state; they go on when they are sent SIGCONT.
    """

    def __init__(self, site: Site, chance: random.Random, held: set[int]) -> None:
        self._site, self._chance, self.held = site, chance, held

    def wait(self, state: State, seconds: float, meanwhile: Callable[[], None]) -> str | None:
        """Returns a run that is in a state; None if none came in time.

        Args:
            state: The state.
            seconds: How long to wait.
            meanwhile: What to do when nothing happens.
        """
        deadline = time.monotonic() + seconds
        with self._site.redis.pubsub(ignore_subscribe_messages=True) as channel:  # type: ignore[no-untyped-call]
            channel.psubscribe(f"__keyspace@0__:{keys.state('*')}")
            while time.monotonic() < deadline:
                if state in LASTING and (there := self._there(state)):
                    return self._chance.choice(there)
                if (message := channel.get_message(timeout=_SILENCE)) is None:
                    meanwhile()
                elif self._is_now(run_id := text(message["channel"]).partition(keys.state(""))[2], state):
                    return run_id
        return None

    def _there(self, state: State) -> list[str]:
        """Returns the runs that are in a state."""
        return [run_id for run_id in self._site.ledger.open_runs() if self._site.ledger.state(run_id) is state]

    def _is_now(self, run_id: str, state: State) -> bool:
        """Says whether a run of which something was told is in the state, and keeps it there."""
        name = _PASSED_BY.get(state)
        pid = self._site.role(name).pid if name else None
        if pid:
            freeze(pid)
        value = self._site.redis.get(keys.state(run_id))
        found = value is not None and text(value) == state
        if pid and found:
            self.held.add(pid)
        elif pid:
            send(pid, signal.SIGCONT)
        return found
