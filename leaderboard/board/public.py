"""What the board is made of, as it stands in the public data set: scorecards, their places, and users' sums."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from evaluator.errors import RapportError
from evaluator.hicupid.user_scores import UserScore
from evaluator.metrics.ranks import Rank
from leaderboard.board.places import REASONS_OF_PLACES, Place
from leaderboard.board.rankings import takes_part
from leaderboard.open_data import layout
from leaderboard.open_data.board import OpenPlace
from leaderboard.open_data.figures import REASONS, card_of, gap_of, sums_of
from leaderboard.open_data.files import decode_places
from leaderboard.open_data.records import OpenCard, OpenUserScore
from leaderboard.results import Scorecard
from leaderboard.store.base import NotFound, Store, StoreError
from leaderboard.store.parquet import decode_parquet

NOT_YET = "its rank is being worked out"
UNREAD = "the board's file, which has its rank, cannot be read"
_PARTS = 256
"""Parts that models are spread over."""


class PublicCards(NamedTuple):
    """All public scorecards, and what is wrong with files by path."""

    cards: tuple[Scorecard, ...]
    problems: Mapping[str, str]


class PublicPlaces(NamedTuple):
    """The places that were worked out last, and what is wrong with files by path."""

    known: Mapping[str, tuple[str, Place]]
    """By scorecard: the digest of the rows that it was worked out from, and the place."""
    problems: Mapping[str, str]

    def of(self, card: Scorecard) -> Place:
        """Returns a scorecard's place; one that is newer than the places has none yet."""
        rows_sha, place = self.known.get(card.id, ("", Place()))
        if rows_sha != card.rows_sha:
            place = Place()
        if not takes_part(card):
            return place._replace(rank=None, unranked_because=())
        if not (place.rank or place.unranked_because):
            return place._replace(unranked_because=(UNREAD if self.problems else NOT_YET,))
        return place

    def lag_behind(self, cards: Iterable[Scorecard]) -> bool:
        """Says whether these are the places among other results than those that are there now."""
        there = {(card.id, card.rows_sha) for card in cards if takes_part(card)}
        taken = {
            (name, rows_sha)
            for name, (rows_sha, place) in self.known.items()
            if place.rank or REASONS_OF_PLACES.intersection(place.unranked_because)
        }
        return there != taken


class PublicSums(NamedTuple):
    """Users' sums by scorecard, and what is wrong with files by path."""

    sums: Mapping[str, tuple[UserScore, ...]]
    problems: Mapping[str, str]


def read_cards(results: Store) -> PublicCards:
    """Reads all public scorecards; a file or row that cannot be read costs itself alone.

    Raises:
        StoreError: If the store as a whole cannot be read.
    """
    cards: list[Scorecard] = []
    problems: dict[str, str] = {}
    for path in results.list(layout.SCORECARDS):
        try:
            found = _cards_in(results.read(path), path)
        except (RapportError, StoreError) as error:
            problems[path] = _told(path, error)
            continue
        cards += found.cards
        problems |= found.problems
    return PublicCards(tuple(cards), problems)


def read_places(results: Store) -> PublicPlaces:
    """Reads the places of all scorecards off the board; none if there is no board yet.

    Raises:
        StoreError: If the store as a whole cannot be read.
    """
    try:
        rows = decode_places(results.read(layout.BOARD), layout.BOARD)
    except NotFound:
        return PublicPlaces({}, {})
    except (RapportError, StoreError) as error:
        return PublicPlaces({}, {layout.BOARD: _told(layout.BOARD, error)})
    return PublicPlaces({row.scorecard_id: (row.rows_sha, _place(row)) for row in rows}, {})


def read_sums(results: Store, models: Mapping[str, str]) -> PublicSums:
    """Reads the users' sums of some scorecards; one whose part cannot be read has none.

    Args:
        results: The public data set of results.
        models: The scorecards' ids with their models.
    """
    wanted: dict[str, set[str]] = defaultdict(set)
    for scorecard_id, model in models.items():
        wanted[layout.user_scores_path(model)].add(scorecard_id)
    sums: dict[str, tuple[UserScore, ...]] = {}
    problems: dict[str, str] = {}
    for path, ids in sorted(wanted.items()):
        try:
            rows = decode_parquet(results.read(path), OpenUserScore, path)
        except (RapportError, StoreError) as error:
            problems[path] = _told(path, error)
            continue
        sums |= sums_of(row for row in rows if row.scorecard_id in ids)
    return PublicSums(sums, problems)


@lru_cache(maxsize=_PARTS)
def _cards_in(content: bytes, path: str) -> PublicCards:
    """Reads a part of the scorecards; kept, since most changes of the data set change one part."""
    cards: list[Scorecard] = []
    problems: dict[str, str] = {}
    for row in decode_parquet(content, OpenCard, path):
        try:
            cards.append(card_of(row))
        except RapportError as error:
            problems[f"{path}#{row.id}"] = error.message
    return PublicCards(tuple(cards), problems)


def _place(row: OpenPlace) -> Place:
    """Returns the place of a public row."""
    ranks = row.rank_low is not None and row.rank_high is not None
    return Place(
        Rank(low=row.rank_low, high=row.rank_high) if ranks else None,
        tuple(row.unranked_because.split(REASONS)) if row.unranked_because else (),
        None if row.lc is None else gap_of(row.lc),
        None if row.generalisation is None else gap_of(row.generalisation),
    )


def _told(path: str, error: RapportError | StoreError) -> str:
    """Says in a sentence why a file cannot be read."""
    return error.message if isinstance(error, RapportError) else f"{path} cannot be read: {error}."
