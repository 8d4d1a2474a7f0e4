"""What only all scorecards together tell of one: its rank, and how it compares with the same model's other results."""

from __future__ import annotations

import datetime
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from evaluator.errors import RapportError
from evaluator.hicupid.desiderata import generalisation_gap, long_context_gap
from evaluator.metrics.intervals import Board
from evaluator.metrics.ranks import Rank, rank_board
from evaluator.results import Gap
from leaderboard.board.partners import SEEN, UNSEEN, Partners, find_partners
from leaderboard.board.rankings import Ranking, ranking_of, takes_part, takes_part_under_judge
from leaderboard.board.sums import SumsTable
from leaderboard.open_data import layout
from leaderboard.results import Scorecard

TOO_FEW_USERS = "too few users in common"
NO_SUMS = "its users' sums cannot be read"
REASONS_OF_PLACES = frozenset({TOO_FEW_USERS, NO_SUMS})
"""Why a scorecard does not rank that takes part, or would if its judge decided ranks."""


class Place(NamedTuple):
    """What all scorecards together say of one."""

    rank: Rank | None = None
    """None where it does not rank."""
    unranked_because: tuple[str, ...] = ()
    """Why it does not, if it would by itself."""
    lc: Gap | None = None
    """Whole histories against the needed dialogues; None unless both are there."""
    generalisation: Gap | None = None
    """Unseen users against seen ones; None unless both are there."""
    under_judge: Rank | None = None
    """Among all that differ in nothing but the model, whether or not their judge decides ranks; None where something
    else than that keeps it out."""
    since: datetime.datetime | None = None
    """When a promotion gave its judge the status that it has; None where none did."""


Places = Mapping[str, Place]
"""By scorecard."""


Ranks = Mapping[str, Sequence[Rank | None]]
"""Those of whole rankings, by a digest of all of their sums."""


class WorkedOut(NamedTuple):
    """The places of all scorecards."""

    places: Places
    problems: Mapping[str, str]
    """What is wrong with files, by path."""
    ranks: Ranks
    """To be given to the next call: a ranking whose sums are the same is not worked out again, which takes minutes."""


def work_out_places(
    cards: Iterable[Scorecard], parts: Iterable[tuple[str, bytes]], known: Ranks = MappingProxyType({})
) -> WorkedOut:
    """Ranks scorecards, each ranking by itself, and compares those of one model with each other.

    Where a judge's status is all that keeps scorecards out, they are ranked under that judge, and nowhere else. Parts
    are read one after the other; of each only the sums of what ranks are kept, as arrays.

    Args:
        cards: The scorecards.
        parts: The files of users' sums with their paths. A scorecard without them, or with too few users in common with
            others, does not rank.
        known: Ranks of an earlier call.
    """
    shown = {card.id: card for card in cards}
    rivals = {name for name, card in shown.items() if takes_part(card)}
    judged = {name for name, card in shown.items() if takes_part_under_judge(card)}
    partners = {name: own for name, own in find_partners(shown.values()).items() if any(own)}
    compared = {*partners, *(other for own in partners.values() for other in own if other)}
    problems = {layout.user_scores_path(shown[name].model): "" for name in judged | compared}
    table, gaps = SumsTable(), dict[str, tuple[Gap | None, Gap | None]]()
    for path, content in parts:
        if path not in problems:
            continue
        del problems[path]
        part = SumsTable()
        try:
            here = part.add(content, path, judged | compared)
        except RapportError as error:
            problems[path] = error.message
            continue
        table.take(part, judged & set(here))
        gaps |= {name: _gaps(name, partners[name], part) for name in here if name in partners}
    official, under = (_rankings(shown[name] for name in sorted(some) if name in table) for some in (rivals, judged))
    # Most rankings are the same either way: those of the judge that decides, and of one that never did.
    found = {names: _ranks(table.board(names), known) for names in dict.fromkeys([*official, *under])}
    ranks, under_judge = (
        {name: rank for names in some for name, rank in zip(names, found[names][1], strict=True)}
        for some in (official, under)
    )
    places = {
        name: Place(
            ranks.get(name),
            _why_not(name, table, ranks if name in rivals else under_judge) if name in judged else (),
            *gaps.get(name, (None, None)),
            under_judge=under_judge.get(name),
        )
        for name in shown
    }
    told = {path: words or f"{path} is not there." for path, words in problems.items()}
    return WorkedOut(places, told, dict(found.values()))


def _rankings(cards: Iterable[Scorecard]) -> list[tuple[str, ...]]:
    """Returns the ids of the scorecards of each ranking, in the order given."""
    rankings: dict[Ranking, list[str]] = defaultdict(list)
    for card in cards:
        rankings[ranking_of(card)].append(card.id)
    return list(map(tuple, rankings.values()))


def _ranks(board: Board, known: Ranks) -> tuple[str, Sequence[Rank | None]]:
    """Returns the ranks of a board, and the digest of what they follow from."""
    digest = hashlib.sha256(repr(board.totals.shape).encode())
    for array in board:
        digest.update(np.ascontiguousarray(array).data)
    name = digest.hexdigest()
    return name, known[name] if name in known else rank_board(board)


def _why_not(name: str, table: SumsTable, ranks: Mapping[str, Rank | None]) -> tuple[str, ...]:
    """Says why a scorecard does not rank that takes part."""
    if ranks.get(name):
        return ()
    return (TOO_FEW_USERS,) if name in table else (NO_SUMS,)


def _gaps(name: str, partners: Partners, sums: SumsTable) -> tuple[Gap | None, Gap | None]:
    """Compares a scorecard with its partners, which lie in the same part since they are of the same model."""
    mine = sums.users(name)
    gold, seen = (sums.users(other) if other and other in sums else None for other in partners)
    return (
        long_context_gap(mine, gold, (name, str(partners.gold))) if gold is not None else None,
        generalisation_gap(
            [user for user in mine if user.split == UNSEEN],
            [user for user in seen if user.split == SEEN],
            (f"{name} {UNSEEN}", f"{partners.seen} {SEEN}"),
        )
        if seen is not None
        else None,
    )
