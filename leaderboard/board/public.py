"""What the board is made of, as it stands in the public data set: scorecards, their places, and users' sums."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from evaluator.errors import RapportError
from evaluator.hicupid.user_scores import UserScore
from evaluator.metrics.ranks import Rank
from evaluator.protocol import hicupid_protocol
from leaderboard.board.places import REASONS_OF_PLACES, Place
from leaderboard.board.rankings import OF_JUDGE, takes_part, takes_part_under_judge
from leaderboard.board.sharing import Parsed, once, shared
from leaderboard.open_data import layout
from leaderboard.open_data.board import OpenPlace
from leaderboard.open_data.figures import REASONS, card_of, gap_of, sums_of
from leaderboard.open_data.files import decode_places
from leaderboard.open_data.records import OpenUserScore, WholeCard
from leaderboard.results import JUDGE_REASONS, JudgeStatus, Scorecard
from leaderboard.store.base import NotFound, Store, StoreError
from leaderboard.store.parquet import decode_parquet

NOT_YET = "its rank is being worked out"
UNREAD = "the board's file, which has its rank, cannot be read"


class PublicCards(NamedTuple):
    """All public scorecards, and what is wrong with files by path."""

    cards: tuple[Scorecard, ...]
    problems: Mapping[str, str]


class OfJudge(NamedTuple):
    """Scorecards that one version of a judge has judged under one protocol: promotions decide of them together."""

    protocol: str
    judge: str
    judge_revision: str
    judge_config: str


class PublicPlaces(NamedTuple):
    """The places that were worked out last, whose judge decided ranks then, and what is wrong with files by path."""

    known: Mapping[str, tuple[str, Place]]
    """By scorecard: the digest of the rows that it was worked out from, and the place."""
    problems: Mapping[str, str]
    statuses: Mapping[str, JudgeStatus] = MappingProxyType({})
    """By scorecard: the status of its judge."""
    versions: Mapping[OfJudge, JudgeStatus] = MappingProxyType({})
    """By version of a judge: its status, where all of its scorecards tell the same."""
    deciding: Mapping[str, frozenset[str]] = MappingProxyType({})
    """By protocol: the judges that decide its ranks."""

    def as_told(self, card: Scorecard) -> Scorecard | None:
        """Returns a scorecard with the status that its judge has on the board; None until the board takes it in.

        A promotion changes all scorecards of a protocol, in several commits, and then the board, in one. Until that
        one, readers see the old judge's ranks and nothing of the new one.
        """
        status = self.statuses.get(card.id) or self.versions.get(_version_of(card))
        if status == card.judge_status:
            return card
        if status is None:
            deciding = self.deciding.get(card.protocol)
            is_promoted = card.judge_status == "official" and deciding is not None and card.judge not in deciding
            return None if is_promoted else card
        reason, left = JUDGE_REASONS.get(status), [each for each in card.unranked_because if each not in OF_JUDGE]
        reasons = (reason, *left) if reason else tuple(left)
        return card.model_copy(update={"judge_status": status, "unranked_because": reasons})

    def of(self, card: Scorecard) -> Place:
        """Returns the place of a scorecard as it is told; one that is newer than the places has none yet."""
        rows_sha, place = self.known.get(card.id, ("", Place()))
        if rows_sha != card.rows_sha:
            place = Place()
        if not takes_part_under_judge(card):
            return place._replace(rank=None, under_judge=None, unranked_because=())
        if takes_part(card):
            rank, reasons = place.rank, place.unranked_because
        else:
            rank, reasons = place.under_judge, tuple(each for each in place.unranked_because if each not in OF_JUDGE)
            place = place._replace(rank=None, unranked_because=reasons)
        if not (rank or reasons):
            return place._replace(unranked_because=(UNREAD if self.problems else NOT_YET,))
        return place

    def lag_behind(self, cards: Iterable[Scorecard]) -> bool:
        """Says whether these are the places among other results than those that are there now."""
        there = {(card.id, card.rows_sha) for card in cards if takes_part_under_judge(card)}
        taken = {
            (name, rows_sha)
            for name, (rows_sha, place) in self.known.items()
            if place.rank or place.under_judge or REASONS_OF_PLACES.intersection(place.unranked_because)
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
            problems[path] = told(path, error)
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
        return _places_in(results.read(layout.BOARD), layout.BOARD)
    except NotFound:
        return PublicPlaces({}, {})
    except (RapportError, StoreError) as error:
        return PublicPlaces({}, {layout.BOARD: told(layout.BOARD, error)})


@Parsed
def _places_in(content: bytes, path: str) -> PublicPlaces:
    """Reads the board's file; kept, since scorecards change without it."""
    rows = decode_places(content, path)
    return PublicPlaces(
        {row.scorecard_id: (row.rows_sha, _place(row)) for row in rows},
        {},
        {row.scorecard_id: row.judge_status for row in rows},
        _statuses_of(rows),
        _deciding_of(rows),
    )


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
            problems[path] = told(path, error)
            continue
        sums |= sums_of(row for row in rows if row.scorecard_id in ids)
    return PublicSums(sums, problems)


@Parsed
def _cards_in(content: bytes, path: str) -> PublicCards:
    """Reads a part of the scorecards; kept, since most changes of the data set change one part."""
    cards: list[Scorecard] = []
    problems: dict[str, str] = {}
    for row in decode_parquet(content, WholeCard, path, only_its_columns=True):
        try:
            cards.append(card_of(row))
        except RapportError as error:
            problems[f"{path}#{row.id}"] = error.message
    return PublicCards(tuple(shared(map(once, cards))), problems)


def _place(row: OpenPlace) -> Place:
    """Returns the place of a public row."""
    return Place(
        _rank(row.rank_low, row.rank_high),
        tuple(row.unranked_because.split(REASONS)) if row.unranked_because else (),
        None if row.lc is None else gap_of(row.lc),
        None if row.generalisation is None else gap_of(row.generalisation),
        _rank(row.rank_under_judge_low, row.rank_under_judge_high),
        row.judge_status_since,
    )


def _rank(low: int | None, high: int | None) -> Rank | None:
    """Returns a rank by its ends."""
    return None if low is None or high is None else Rank(low=low, high=high)


def _version_of(of: OpenPlace | Scorecard) -> OfJudge:
    """Names the version of a judge that has judged something."""
    return OfJudge(*(getattr(of, name) for name in OfJudge._fields))


def _statuses_of(rows: Iterable[OpenPlace]) -> Mapping[OfJudge, JudgeStatus]:
    """Returns the status of each version of a judge of which all rows tell the same."""
    found: dict[OfJudge, set[JudgeStatus]] = defaultdict(set)
    for row in rows:
        found[_version_of(row)].add(row.judge_status)
    return {version: status for version, (status, *others) in found.items() if not others}


def _deciding_of(rows: Iterable[OpenPlace]) -> Mapping[str, frozenset[str]]:
    """Returns who decides the ranks of each protocol: the judges of its official rows, or without any its own."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        found[row.protocol].update([row.judge] if row.judge_status == "official" else [])
    return {protocol: frozenset(judges or _own_judge(protocol)) for protocol, judges in found.items()}


def _own_judge(protocol: str) -> set[str]:
    """Returns the judge that a protocol's own file names; none of a protocol that is no longer shipped."""
    try:
        return {hicupid_protocol(protocol).judge}
    except RapportError:
        return set()


def told(path: str, error: RapportError | StoreError) -> str:
    """Says in a sentence why a file cannot be read."""
    return error.message if isinstance(error, RapportError) else f"{path} cannot be read: {error}."
