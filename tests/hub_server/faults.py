"""What can go wrong between a client and the Hub, for the next requests of a test's choice."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass

from leaderboard.local_hub.messages import HubError, Request, Response


@dataclass(frozen=True)
class Refuse:
    """Answers with an error of the Hub's own, such as 429 or 500."""

    status: int
    retry_after: int | None = None
    """Seconds that the client is told to wait."""
    late: bool = False
    """Does what was asked before it says no, as a gateway does that has lost patience."""

    def error(self) -> HubError:
        waiting = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return HubError(self.status, f"Refused with {self.status}", **waiting)


@dataclass(frozen=True)
class Slow:
    """Answers properly, but late."""

    seconds: float


@dataclass(frozen=True)
class Hold:
    """Answers properly once a gate is opened."""

    gate: threading.Event


@dataclass(frozen=True)
class Cut:
    """Does what was asked, then breaks the connection off: before any answer, or after some bytes of its body."""

    after_bytes: int | None = None


@dataclass(frozen=True)
class Drop:
    """Breaks the connection off before anything was done."""


@dataclass(frozen=True)
class Lag:
    """Names the commit before the newest one as a branch's newest, as replicas do for a moment."""


@dataclass(frozen=True)
class Say:
    """Answers whatever a test wants said: what lies, leads elsewhere, or is no answer at all."""

    response: Response


Fault = Refuse | Slow | Hold | Cut | Drop | Lag | Say


@dataclass
class _Planned:
    pattern: re.Pattern[str]
    fault: Fault
    left: int


class Faults:
    """The faults to come."""

    def __init__(self) -> None:
        self._planned: list[_Planned] = []
        self._lock = threading.Lock()

    def add(self, pattern: str, fault: Fault, times: int = 1) -> None:
        """Plans a fault for the next requests in whose "METHOD /path" the pattern is found."""
        with self._lock:
            self._planned.append(_Planned(re.compile(pattern), fault, times))

    def clear(self) -> None:
        """Forgets all faults to come."""
        with self._lock:
            self._planned.clear()

    def waiting(self) -> int:
        """Returns how many requests have yet to be met by one."""
        with self._lock:
            return sum(planned.left for planned in self._planned)

    def take(self, request: Request) -> Fault | None:
        """Returns the fault for a request, and counts it as used."""
        with self._lock:
            for planned in self._planned:
                if planned.left and planned.pattern.search(f"{request.method} {request.path}"):
                    planned.left -= 1
                    return planned.fault
        return None
