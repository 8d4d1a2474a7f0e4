"""What changed on the board since it was last told: a pure function of the record and the board as it is to be.

A row is written where a scorecard comes or goes, where it begins or ceases to rank, and where its rank under its judge
has moved by a tenth since the last row of it. A new model moves the ranks of thousands by one: a row for each of these,
even once a day, would be five million in a year of 10,000 models with thirty new ones a day, 250 MB. This way it is
about a hundred thousand, 5 MB, and some ten for each model that comes, however many there are.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from evaluator.errors import RapportError
from leaderboard.board.build import BoardRow
from leaderboard.board.changes import Ends, Told, last_told
from leaderboard.board.rankings import ranking_of
from leaderboard.decided import FLAGGED
from leaderboard.open_data import layout
from leaderboard.open_data.changes import (
    ChangeKind,
    ChangeReason,
    OpenChange,
    encode_changes,
    read_changes,
    table_of,
)
from leaderboard.rescoring.promotions import Promotions
from leaderboard.results import JudgeStatus, Scorecard

STEP = 10
"""A move is told once it is this part of the smaller rank: a tenth, and one place at least."""
Reasons: TypeAlias = Mapping[str, ChangeReason]
"""What people decided that made scorecards come or go, by id; those of which nothing is known are left out."""
_Promoted: TypeAlias = tuple[str, str, datetime.datetime]
"""Protocol, judge and moment of a promotion."""


class Standing(NamedTuple):
    """How a scorecard stands on the board that is to be written."""

    model: str
    protocol: str
    judge: str
    judge_status: JudgeStatus
    rank: Ends | None
    """Under its judge; None where it does not rank."""
    total: float | None
    ranked: int
    """How many rank in its ranking."""
    flagged: bool
    rescored: bool
    """Whether a re-score made it."""
    scored_at: datetime.datetime


class Now(NamedTuple):
    """The board that is to be written, and what it follows from."""

    standings: Mapping[str, Standing]
    """By scorecard, in the order of the board."""
    promotions: Promotions
    at: datetime.datetime
    unread: Collection[str] = ()
    """What could not be read for it, as `PublicCards.problems` names it: what stands there is not gone."""


class Recorded(NamedTuple):
    """What becomes of the record of changes."""

    content: bytes | None = None
    """Its file; None if it stays as it is."""
    problem: str = ""
    """Why it cannot be read, in a sentence; it stays as it is then."""


def record(old: bytes | None, now: Now, ask: Callable[[Sequence[str], Sequence[str]], Reasons]) -> Recorded:
    """Returns the record of changes with what is new.

    Where there is none, it begins with all that is on the board, as of when each was scored. Rows of what has gone from
    the board go, and one that names nobody says that something left.

    Args:
        old: The file as it is; None if there is none.
        now: The board that is to be written along with it.
        ask: Says why some scorecards have gone and others have come.
    """
    if old is None:
        rows = [*promoted(now, ()), *began(now)]
        return Recorded(encode_changes(table_of(rows)) if rows else None)
    try:
        table = read_changes(old, layout.CHANGES)
    except RapportError as error:
        return Recorded(problem=f"what changed on the board, which is not told: {error.message} {error.remedy}")
    before = last_told(table)
    gone = [name for name, last in before.items() if name not in now.standings and not _is_unread(name, last, now)]
    new = [name for name, each in now.standings.items() if name not in before and not each.rescored]
    why = ask(gone, new) if gone or new else {}
    rows = [*promoted(now, _promotions_in(table)), *changes(before, now, gone, why)]
    if not rows:
        return Recorded()
    names_gone = pc.is_in(table["scorecard_id"], value_set=pa.array(gone, pa.string()))
    return Recorded(encode_changes(pa.concat_tables([table.filter(pc.invert(names_gone)), table_of(rows)])))


def standings(rows: Iterable[BoardRow], cards: Mapping[str, Scorecard]) -> dict[str, Standing]:
    """Returns how scorecards stand, by id.

    Args:
        rows: Those of the board.
        cards: The scorecards behind them, by id.
    """
    every = list(rows)
    ranked = Counter(ranking_of(row) for row in every if row.rank_under_judge is not None)
    return {
        row.scorecard_id: Standing(
            row.model,
            row.protocol,
            row.judge,
            row.judge_status,
            row.rank_under_judge_interval,
            row.total.value,
            ranked[ranking_of(row)],
            FLAGGED in row.unranked_because,
            cards[row.scorecard_id].rescore_id is not None,
            row.published_at,
        )
        for row in every
    }


def began(now: Now) -> list[OpenChange]:
    """Returns the rows with which a record begins: what is there, as of when it was scored, with the ranks of now."""
    rows = [
        _row("entered", "rescored" if each.rescored else None, name, each, now, at=each.scored_at)
        for name, each in now.standings.items()
    ]
    return sorted(rows, key=lambda row: row.at)


def promoted(now: Now, known: Collection[_Promoted]) -> list[OpenChange]:
    """Returns a row for each promotion that is not known yet."""
    return [
        _unnamed("judge", None, each.protocol, each.judge, "official", now, at=each.at)
        for each in now.promotions.promotions
        if (each.protocol, each.judge, each.at) not in known
    ]


def changes(before: Mapping[str, Told], now: Now, gone: Iterable[str], why: Reasons) -> list[OpenChange]:
    """Returns what is to be told of scorecards: what has gone, then all others in the order of the board.

    While something cannot be read, the ranks are those among others, and no move is told.

    Args:
        before: What was last told of each.
        now: The board.
        gone: Those of them that are no longer on it.
        why: Why scorecards came or went.
    """
    rows = list[OpenChange]()
    for name in gone:
        last = before[name]
        rows.append(_unnamed("left", why.get(name), last.protocol, last.judge, last.judge_status, now, at=now.at))
    known = {(last.model, last.protocol, last.judge) for last in before.values()}
    for name, each in now.standings.items():
        if name not in before:
            again = (each.model, each.protocol, each.judge) in known
            reason = why.get(name) or ("rescored" if each.rescored else "newer_submission" if again else None)
            rows.append(_row("entered", reason, name, each, now, at=now.at))
        elif not now.unread and has_moved(before[name].rank, each.rank):
            last = before[name]
            rows.append(_row("moved", _why_moved(last, each), name, each, now, at=now.at, before=last))
    return rows


def has_moved(before: Ends | None, after: Ends | None) -> bool:
    """Says whether a rank moved by so much that it is told: by a tenth of the smaller one, and by one place at least.

    Example:
        >>> has_moved((3, 5), (4, 5)), has_moved((100, 120), (109, 130)), has_moved((100, 120), (110, 130))
        (True, False, True)
        >>> has_moved(None, (4, 5)), has_moved(None, None), has_moved((3, 5), (3, 9))
        (True, False, False)
    """
    if before is None or after is None:
        return before is not after
    step = abs(after[0] - before[0])
    return step > 0 and step * STEP >= min(after[0], before[0])


def _why_moved(before: Told, after: Standing) -> ChangeReason | None:
    """Says why a scorecard's rank is another; None where others came or went."""
    if after.flagged and after.rank is None:
        return "flagged"
    if before.total != after.total:
        return "rescored"
    return "cleared" if before.rank is None and before.reason == "flagged" else None


def _is_unread(name: str, last: Told, now: Now) -> bool:
    """Says whether nobody can tell if a scorecard is gone, since the file that it stands in cannot be read."""
    path = layout.scorecards_path(last.model)
    return path in now.unread or f"{path}#{name}" in now.unread


def _promotions_in(table: Any) -> set[_Promoted]:
    """Returns the promotions that a record tells of."""
    told = table.filter(pc.equal(table["kind"], "judge"))
    return set(zip(*(told[name].to_pylist() for name in ("protocol", "judge", "at")), strict=True))


def _row(
    kind: ChangeKind,
    reason: ChangeReason | None,
    name: str,
    each: Standing,
    now: Now,
    *,
    at: datetime.datetime,
    before: Told | None = None,
) -> OpenChange:
    """Returns a row about a scorecard that is on the board."""
    old, old_worst = (before and before.rank) or (None, None)
    new, new_worst = each.rank or (None, None)
    return OpenChange(
        at=at,
        recorded_at=now.at,
        kind=kind,
        reason=reason,
        protocol=each.protocol,
        judge=each.judge,
        judge_status=each.judge_status,
        scorecard_id=name,
        model=each.model,
        rank_before=old,
        rank_before_low=old,
        rank_before_high=old_worst,
        rank_after=new,
        rank_after_low=new,
        rank_after_high=new_worst,
        total_before=before and before.total,
        total_after=each.total,
        ranked=each.ranked,
    )


def _unnamed(
    kind: ChangeKind,
    reason: ChangeReason | None,
    protocol: str,
    judge: str,
    status: JudgeStatus,
    now: Now,
    *,
    at: datetime.datetime,
) -> OpenChange:
    """Returns a row that names no scorecard."""
    under = [each for each in now.standings.values() if (each.protocol, each.judge) == (protocol, judge)]
    return OpenChange(
        at=at,
        recorded_at=now.at,
        kind=kind,
        reason=reason,
        protocol=protocol,
        judge=judge,
        judge_status=status,
        scorecard_id=None,
        model=None,
        rank_before=None,
        rank_before_low=None,
        rank_before_high=None,
        rank_after=None,
        rank_after_low=None,
        rank_after_high=None,
        total_before=None,
        total_after=None,
        ranked=sum(each.rank is not None for each in under),
    )
