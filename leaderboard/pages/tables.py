"""Lays the board's rows out: a section a protocol, and in it a table a ranking, of which one at a time is shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import combinations
from typing import NamedTuple

from evaluator.errors import RapportError
from evaluator.identity import digest
from evaluator.protocol import HicupidProtocol, PublishedRow, hicupid_protocol, is_reference
from leaderboard.board.build import BoardRow, standing
from leaderboard.board.rankings import Ranking, ranking_of
from leaderboard.scorecards import PROMPTS

_ORDERS = {
    "both": "Each pair is judged in both slot orders.",
    "one": "Each pair is judged in one slot order, drawn for each question.",
}
_HASH = re.compile(r"\b([0-9a-f]{8})[0-9a-f]{32,}\b")


class _Part(NamedTuple):
    """One thing that a table's heading may name."""

    follows: tuple[str, ...]
    """Fields that change it when they change."""
    text: Callable[[BoardRow], str]


_PARTS = {
    "judge": _Part((), lambda row: f"judge {row.judge}"),
    "judge_revision": _Part(("judge",), lambda row: f"judge revision {row.judge_revision[:8]}"),
    "judge_config": _Part(("judge", "judge_revision"), lambda row: f"judge configuration {row.judge_config[:8]}"),
    "prompt_pack": _Part((), lambda row: f"{PROMPTS[row.prompt_pack_status]} prompts {row.prompt_pack[:8]}"),
    "judge_engine": _Part((), lambda row: f"judge engine {row.judge_engine}"),
    "judge_dtype": _Part((), lambda row: f"judge precision {row.judge_dtype}"),
    "data_sha": _Part((), lambda row: f"data {row.data_source} at {row.data_sha[:8]}"),
    "context": _Part((), lambda row: f"context {_HASH.sub(lambda found: found[1], pairs(row.context))}"),
    "protocol_config": _Part(("context",), lambda row: f"protocol configuration {row.protocol_config[:8]}"),
}
"""All of a ranking but its protocol, in the order of headings."""


class Link(NamedTuple):
    """A link to where something else stands."""

    address: str
    label: str


class Table(NamedTuple):
    """The rows of one ranking."""

    id: str
    """The same whatever other tables there are."""
    heading: str
    """What tells it from the other tables of its protocol; empty where it is the only one."""
    rows: list[BoardRow]


class Section(NamedTuple):
    """All that there is of one protocol."""

    protocol: str
    title: str
    """One sentence; empty for a protocol that is no longer shipped."""
    orders: str
    """In how many slot orders its pairs are judged, in a sentence; empty where the title is."""
    tables: list[Table]
    """Those with ranked rows first, then the newest; empty while there is no result."""
    published: tuple[PublishedRow, ...]
    """What others have published under its setting."""


def sections(rows: Iterable[BoardRow], protocols: Iterable[str] = ()) -> list[Section]:
    """Lays rows out by protocol and by ranking.

    Protocols with rows stand first, of these the official one, and then in the order in which they first appear. A
    reference depends on no context, so it stands in every table of its protocol that differs from it in that alone.

    Args:
        rows: The board's rows.
        protocols: Ids of protocols that have a section without a row too, below those with rows.
    """
    by_protocol: dict[str, list[BoardRow]] = {}
    for row in rows:
        by_protocol.setdefault(row.protocol, []).append(row)
    for protocol in protocols:
        by_protocol.setdefault(protocol, [])
    order = sorted(
        by_protocol, key=lambda name: (not by_protocol[name], not (by_protocol[name] and _is_official(name)))
    )
    return [_section(protocol_id, by_protocol[protocol_id]) for protocol_id in order]


def _is_official(protocol_id: str) -> bool:
    """Says whether a protocol is the one whose results may rank officially."""
    protocol = known(protocol_id)
    return protocol is not None and protocol.official


def known(protocol_id: str) -> HicupidProtocol | None:
    """Returns a protocol of HiCUPID, or None for one that is no longer shipped."""
    try:
        return hicupid_protocol(protocol_id)
    except RapportError:
        return None


def pairs(values: Iterable[tuple[str, str]]) -> str:
    """Writes names and values.

    Example:
        >>> pairs([("bm25s", "0.2.0"), ("k1", "1.5")]), pairs([])
        ('bm25s=0.2.0, k1=1.5', 'none')
    """
    return ", ".join(f"{name}={value}" for name, value in values) or "none"


def _section(protocol_id: str, rows: Sequence[BoardRow]) -> Section:
    """Lays out the rows of one protocol."""
    protocol, rankings = known(protocol_id), _rankings(rows)
    differing, tables = _differing(rankings), []
    for ranking, found in rankings.items():
        heading = " · ".join(_PARTS[name].text(found[0]) for name in differing)
        tables.append(Table(digest(ranking)[:8], heading, sorted(found, key=standing)))
    tables.sort(key=_first_ranked_then_newest)
    if protocol is None:
        return Section(protocol_id, "", "", tables, ())
    return Section(protocol_id, protocol.title, _ORDERS[protocol.orders], tables, protocol.published)


def _rankings(rows: Iterable[BoardRow]) -> dict[Ranking, list[BoardRow]]:
    """Groups rows by ranking, models before references."""
    found: dict[Ranking, list[BoardRow]] = {}
    for row in sorted(rows, key=lambda row: is_reference(row.model)):
        ranking, homes = ranking_of(row), []
        if is_reference(row.model):
            homes = [other for other in found if other._replace(context=ranking.context) == ranking]
        for home in homes or [ranking]:
            found.setdefault(home, []).append(row)
    return found


def _differing(rankings: Collection[Ranking]) -> list[str]:
    """Names the fields that tell rankings apart; what differs only because another field does is not named."""

    def apart(name: str, one: Ranking, other: Ranking) -> bool:
        same = all(getattr(one, above) == getattr(other, above) for above in _PARTS[name].follows)
        return same and getattr(one, name) != getattr(other, name)

    return [name for name in _PARTS if any(apart(name, *two) for two in combinations(rankings, 2))]


def _first_ranked_then_newest(table: Table) -> tuple[bool, float, str]:
    """Sorts the tables of a protocol."""
    newest = max(row.published_at for row in table.rows)
    return all(row.rank is None for row in table.rows), -newest.timestamp(), table.id
