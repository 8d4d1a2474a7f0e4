"""Who acts: as the server knows them, never as a request says."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

LOCAL_USER = "local user (development)"
"""Everybody, where the development flag is set; no name on the Hub holds a space or a bracket."""
RESERVED = frozenset({"demo", "maintainer", "publisher", "reaper"})
"""Names that the leaderboard itself signs with; nobody of the Hub acts under one of them."""

_HUB_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_ORGANISATION = "org:"
_HELD_UP = ("missingMFA", "pendingSSO", "securityRestrictions")
"""What the Hub notes of a member who has not yet done what the organisation asks of its members."""


class Person(NamedTuple):
    """Somebody who submits, cancels, corrects or maintains.

    Example:
        >>> Person("alice").maintainer
        False
    """

    name: str
    """Name on the Hub, `maintainer` on the command line, or that of the marked local user."""
    maintainer: bool = False
    """Whether the leaderboard's own people count this one among them."""


def local_person(maintainers: Collection[str]) -> Person:
    """Returns the marked local user, a maintainer only if listed under that name.

    Example:
        >>> local_person(()), local_person([LOCAL_USER]).maintainer
        (Person(name='local user (development)', maintainer=False), True)
    """
    return Person(LOCAL_USER, LOCAL_USER in maintainers)


def hub_person(profile: Mapping[str, object], maintainers: Collection[str]) -> Person | None:
    """Returns whom a profile of the Hub names; None if it names nobody who may act here.

    Args:
        profile: Claims of the identity provider, as the server received them: `preferred_username` is the name on the
            Hub, `orgs` the organisations, each with its own `preferred_username`. Their `name` is free text.
        maintainers: Names on the Hub, and organisations as `org:NAME`; compared exactly.

    Example:
        >>> hub_person({"preferred_username": "alice", "orgs": [{"preferred_username": "lab"}]}, ["org:lab"])
        Person(name='alice', maintainer=True)
        >>> hub_person({"preferred_username": "maintainer"}, [])
    """
    name = profile.get("preferred_username")
    if not isinstance(name, str) or not _HUB_NAME.fullmatch(name) or name.lower() in RESERVED:
        return None
    ours = {entry.removeprefix(_ORGANISATION) for entry in maintainers if entry.startswith(_ORGANISATION)}
    return Person(name, name in maintainers or not ours.isdisjoint(_organisations(profile)))


def _organisations(profile: Mapping[str, object]) -> set[str]:
    """Returns the organisations that count a person among them in full."""
    listed = profile.get("orgs")
    found = [org for org in listed if isinstance(org, dict)] if isinstance(listed, list) else []
    return {
        name
        for org in found
        if isinstance(name := org.get("preferred_username"), str) and not any(org.get(note) for note in _HELD_UP)
    }
