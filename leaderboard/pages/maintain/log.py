"""The log of what maintainers did, newest first, as an address asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from fastapi.responses import Response

from leaderboard.maintaining.desk import MaintainDesk
from leaderboard.maintaining.records import Act, ActKind
from leaderboard.pages.asking import page_number
from leaderboard.pages.maintain.pages import Site, Visit, shown

LOG = "/maintain/log"
PAGE_LENGTH = 50
LOOKED_AT = 2000
"""Acts that one request looks at; where few of them fit, the page says so and leads on."""
_PIECE = 250
_LONGEST_WORD = 200


class WantedActs(NamedTuple):
    """Which acts an address asks for; whatever is none of these words asks for nothing."""

    subject: str = ""
    actor: str = ""
    kind: ActKind | None = None
    start: int | None = None
    """Sequence number of the newest one; None is the newest there is."""

    def takes(self, act: Act) -> bool:
        """Says whether an act is one of these."""
        return (
            (not self.subject or act.subject == self.subject)
            and (not self.actor or act.actor == self.actor)
            and (self.kind is None or act.kind is self.kind)
        )

    def address(self, **changes: object) -> str:
        """Returns the address that asks for the same, with changes; what asks for nothing is left out."""
        told = {name: str(value) for name, value in {**self._asdict(), **changes}.items() if value}
        return f"{LOG}?{urlencode(told)}" if told else LOG


class Found(NamedTuple):
    """A page of the log."""

    acts: tuple[Act, ...]
    looked_at: int
    """Acts that were looked at for it."""
    older: int | None
    """Where the next page begins; None if this is the last."""


def wanted_in(query: Mapping[str, str]) -> WantedActs:
    """Reads what an address asks for.

    Example:
        >>> wanted_in({"kind": "site.pause", "start": "x", "actor": "carol"}).address(start=7)
        '/maintain/log?actor=carol&kind=site.pause&start=7'
    """
    start = query.get("start", "")
    return WantedActs(
        subject=query.get("subject", "").strip()[:_LONGEST_WORD],
        actor=query.get("actor", "").strip()[:_LONGEST_WORD],
        kind=next((each for each in ActKind if each == query.get("kind")), None),
        start=page_number(start) if start.isdigit() else None,
    )


def log_page(site: Site, visit: Visit) -> Response:
    """What maintainers did, page by page."""
    wanted, desk = wanted_in(visit.query), MaintainDesk(site.redis)
    return shown(
        "maintain/log.html",
        visit,
        LOG,
        wanted=wanted,
        found=find(desk, wanted),
        total=desk.count(),
        kinds=list(ActKind),
    )


def find(desk: MaintainDesk, wanted: WantedActs) -> Found:
    """Returns the acts that fit, from where they are wanted on; it stops after a page, or after so many looked at."""
    last = desk.count()
    place = last if wanted.start is None else min(wanted.start, last)
    found: list[Act] = []
    looked_at = 0
    while place > 0 and looked_at < LOOKED_AT:
        for act in desk.acts(place, min(_PIECE, place)):
            if wanted.takes(act):
                found.append(act)
                if len(found) == PAGE_LENGTH:
                    older = act.sequence - 1
                    return Found(tuple(found), looked_at + place - older, older or None)
        looked_at += min(_PIECE, place)
        place -= _PIECE
    return Found(tuple(found), looked_at, max(place, 0) or None)
