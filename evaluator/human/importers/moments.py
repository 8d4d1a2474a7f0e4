"""Times as other programs write them."""

from __future__ import annotations

import datetime
import zoneinfo
from typing import NamedTuple

from evaluator.errors import Cause, RapportError


def zone_of(name: str | None) -> datetime.tzinfo | None:
    """Returns the time zone that people who were asked named.

    Raises:
        RapportError: `data_error` if there is none of this name.
    """
    if name is None:
        return None
    try:
        return zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError) as error:
        raise RapportError(
            Cause.DATA_ERROR, f"{name[:100]!r} is no time zone.", "Name one such as UTC or America/Detroit."
        ) from error


class MomentRead(NamedTuple):
    """What became of a written time."""

    moment: str | None
    """ISO 8601 with its distance from UTC."""
    dropped: bool
    """Whether there was a time that is no moment: of no known form, or without a time zone."""


def read_moment(text: str | None, zone: datetime.tzinfo | None) -> MomentRead:
    """Returns the moment that a text in ISO 8601 names.

    Args:
        text: Nothing is no moment and is not dropped.
        zone: Where a time without a zone was; None is unknown.

    Example:
        >>> read_moment("2026-05-01 10:00:00+00:00", None)
        MomentRead(moment='2026-05-01T10:00:00+00:00', dropped=False)
        >>> read_moment("2026-05-01T10:00:00", None)
        MomentRead(moment=None, dropped=True)
    """
    if not text or not text.strip():
        return MomentRead(None, dropped=False)
    try:
        moment = datetime.datetime.fromisoformat(text.strip())
    except ValueError:
        return MomentRead(None, dropped=True)
    if moment.tzinfo is None:
        if zone is None:
            return MomentRead(None, dropped=True)
        moment = moment.replace(tzinfo=zone)
    try:
        return MomentRead(moment.astimezone(datetime.UTC).isoformat(), dropped=False)
    except OverflowError:
        return MomentRead(None, dropped=True)
