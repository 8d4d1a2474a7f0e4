"""What a run came to by slice, from its items: rates with counts and intervals, clustered by user."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from evaluator.hicupid.questions import QuestionType
from evaluator.hicupid.scoring import HIGHEST_TOTAL, TOTAL_WEIGHTS, cut, rounded, total_of
from evaluator.metrics import student
from evaluator.metrics.intervals import Array, Estimate, linearise
from evaluator.results import Gap, Interval, PairwiseScores, Rate, Scores, Total
from leaderboard.answers.columns import Codes, Mask, Words
from leaderboard.answers.table import LOST, TIED, WON, ItemTable

POSITIONS = ("newest fifth", "second fifth", "middle fifth", "fourth fifth", "oldest fifth")
"""Where in a user's history the oldest dialogue lies that a question needs: whoever reaches that one reaches all."""
FEELINGS = {"POS": "likes", "NEG": "dislikes"}


class SliceKind(StrEnum):
    """What items are sliced by."""

    TYPE = "type"
    SPLIT = "split"
    POSITION = "position"
    CATEGORY = "category"
    SENTIMENT = "sentiment"


class Slice(NamedTuple):
    """The score of the questions of one type that have something in common."""

    kind: SliceKind
    name: str
    """The type itself, a split, one of `POSITIONS`, a category, or one of `FEELINGS`."""
    type: QuestionType
    rate: Rate
    """Persona and profile: win 1, tie one half; schedule: satisfied; all in 0..100."""


class SliceGap(NamedTuple):
    """The score of one slice less that of another one, of questions of one type."""

    kind: SliceKind
    type: QuestionType
    gap: Gap
    """In -100..100 points, with an interval clustered by user."""


class Members(NamedTuple):
    """All slices of one kind, and which items belong to them: each to one at most."""

    kind: SliceKind
    names: tuple[tuple[str, QuestionType], ...]
    """Name and type of each, as they are shown."""
    place: Codes
    """(items,): place of the item's slice in `names`; -1 for none."""


def slices_of(table: ItemTable) -> tuple[Slice, ...]:
    """Returns the slices of a run that have items: by type, split, position, category and sentiment.

    Types stand in the order of `QuestionType`, positions from the newest to the oldest, all others by name. A rate's
    interval is that of a scorecard: clustered by user, none below ten users.
    """
    return tuple(
        Slice(members.kind, *name, rate)
        for members in members_of(table)
        for name, rate in zip(members.names, rates_of(table, table.score, members), strict=True)
    )


def sentiment_gaps(table: ItemTable) -> tuple[SliceGap, ...]:
    """Returns for each type with both how much better likes are served than dislikes, user by user."""
    (members,) = (each for each in members_of(table) if each.kind is SliceKind.SENTIMENT)
    pairs = [
        (type_, members.names.index((FEELINGS["POS"], type_)), members.names.index((FEELINGS["NEG"], type_)))
        for type_ in QuestionType
        if {(word, type_) for word in FEELINGS.values()} <= set(members.names)
    ]
    return tuple(SliceGap(members.kind, type_, _gap(table, members, like, other)) for type_, like, other in pairs)


def scores_of(table: ItemTable, split: str | None = None) -> Scores:
    """Returns the scores of all items or of one split, equal to those of the scorecard.

    Args:
        table: The run.
        split: One of its splits; None for all.
    """
    mine = np.ones(len(table.question_id), dtype=np.bool_) if split is None else table.split.are(split)
    members = _of_types(table, mine)
    rates = {name: _by_type(table, figure, members) for name, figure in _figures(table).items()}
    return Scores(
        **{
            str(type_): PairwiseScores(**{name: found[type_] for name, found in rates.items()})
            for type_ in (QuestionType.PERSONA, QuestionType.PROFILE)
        },
        schedule=rates["score"][QuestionType.SCHEDULE],
        total=_total(table, members),
    )


def members_of(table: ItemTable) -> Iterator[Members]:
    """Yields all kinds of slices with the items of each; those without items are left out, and so is a single split."""
    with np.errstate(invalid="ignore"):
        fifth = np.minimum(np.floor(np.nan_to_num(table.oldest_evidence) * len(POSITIONS)), len(POSITIONS) - 1)
    position = np.where(np.isnan(table.oldest_evidence), -1, fifth.astype(np.intp))
    feeling = np.select([table.sentiment.are(word) for word in FEELINGS], range(len(FEELINGS)), -1)
    yield _of_types(table, np.ones(len(position), dtype=np.bool_))
    if (table.split.code != table.split.code[:1]).any():
        yield _members(SliceKind.SPLIT, table, table.split)
    yield _members(SliceKind.POSITION, table, Words(POSITIONS, position))
    yield _members(SliceKind.CATEGORY, table, table.category)
    yield _members(SliceKind.SENTIMENT, table, Words(tuple(FEELINGS.values()), feeling))


def sums_of(table: ItemTable, figure: Array, members: Members) -> tuple[Array, Array]:
    """Adds up a figure by slice and user.

    Args:
        table: The run.
        figure: (items,): NaN where an item does not count.
        members: Slices of one kind.

    Returns:
        Totals and numbers of items, (slices, users) both.
    """
    counts = (members.place >= 0) & ~np.isnan(figure)
    shape = len(members.names), len(table.users)
    cell = members.place[counts] * shape[1] + table.user[counts]
    size = shape[0] * shape[1]
    totals = np.bincount(cell, weights=figure[counts], minlength=size)
    items = np.bincount(cell, minlength=size)
    return totals.astype(np.float64).reshape(shape), items.astype(np.float64).reshape(shape)


def rates_of(table: ItemTable, figure: Array, members: Members) -> list[Rate]:
    """Returns the mean of a figure in 0..100 by slice, with counts and interval."""
    totals, items = sums_of(table, figure, members)
    found = linearise(totals[:, :, None], items[:, :, None], np.ones(1))
    asked = np.bincount(members.place[members.place >= 0], minlength=len(members.names))
    judged = items.sum(axis=1)
    return [
        Rate(
            value=rounded(float(found.value[place])) if judged[place] else None,
            judged=int(judged[place]),
            items=int(asked[place]),
            interval=cut(interval, 0.0, 100.0),
        )
        for place, interval in enumerate(intervals_of(found))
    ]


def intervals_of(found: Estimate) -> list[Interval | None]:
    """Returns the 95 % intervals of several estimates, not cut to the possible range; None below ten users."""
    with np.errstate(invalid="ignore"):
        reach = np.where(found.enough, student.ppf(0.975, found.freedom) * found.deviation, np.nan)
    return [
        Interval(low=float(value - far), high=float(value + far), users=int(users)) if enough else None
        for value, far, users, enough in zip(found.value, reach, found.users, found.enough, strict=True)
    ]


def _members(kind: SliceKind, table: ItemTable, words: Words, mine: Mask | None = None) -> Members:
    """Cuts items by words and by type; words stay in their order."""
    types = _type_codes(table)
    cell = np.where(words.code < 0, -1, words.code * len(QuestionType) + types)
    if mine is not None:
        cell = np.where(mine, cell, -1)
    kinds = tuple(QuestionType)
    there = np.flatnonzero(np.bincount(cell[cell >= 0]))
    place = np.full(len(words.names) * len(kinds) + 1, -1, dtype=np.intp)
    place[there] = np.arange(len(there))
    names = tuple((words.names[one // len(kinds)], kinds[one % len(kinds)]) for one in there.tolist())
    return Members(kind, names, place[cell])


def _of_types(table: ItemTable, mine: Mask) -> Members:
    """Cuts some items by type alone."""
    return _members(SliceKind.TYPE, table, Words(tuple(map(str, QuestionType)), _type_codes(table)), mine)


def _type_codes(table: ItemTable) -> Codes:
    """Returns each item's type by its place in `QuestionType`, (items,)."""
    kinds = list(QuestionType)
    return np.array([kinds.index(QuestionType(name)) for name in table.type.names], dtype=np.intp)[table.type.code]


def _figures(table: ItemTable) -> dict[str, Array]:
    """Returns the figures that a scorecard tells of pairs, (items,) each."""
    shares = {"win": WON, "tie": TIED, "loss": LOST}
    return {name: table.share_of(outcome) for name, outcome in shares.items()} | {"score": table.score}


def _by_type(table: ItemTable, figure: Array, members: Members) -> dict[QuestionType, Rate]:
    """Returns a figure's rate of every type, also of those without items."""
    nothing = Rate(value=None, judged=0, items=0, interval=None)
    found = dict(zip((type_ for _, type_ in members.names), rates_of(table, figure, members), strict=True))
    return {type_: found.get(type_, nothing) for type_ in QuestionType}


def type_sums(table: ItemTable, figure: Array, mine: Mask) -> tuple[Array, Array]:
    """Adds up a figure of some items by user and type, in the order of `TOTAL_WEIGHTS`: (users, types) both."""
    members = _of_types(table, mine)
    totals, items = np.zeros((2, len(table.users), len(TOTAL_WEIGHTS)))
    places = [list(TOTAL_WEIGHTS).index(type_) for _, type_ in members.names]
    totals[:, places], items[:, places] = (sums.T for sums in sums_of(table, figure, members))
    return totals, items


def _total(table: ItemTable, members: Members) -> Total:
    """Returns the paper's Total of some items."""
    mine = members.place >= 0
    totals, items = type_sums(table, table.score, mine)
    found = linearise(totals[None], items[None], np.array(list(TOTAL_WEIGHTS.values())))
    known = len(members.names) == len(TOTAL_WEIGHTS)
    whole = [totals[:, place].sum() / items[:, place].sum() for place in range(3)] if items.any(axis=0).all() else []
    worst = [float(table.worst_score[members.place == place].mean()) for place in range(len(members.names))]
    return Total(
        value=rounded(total_of(*map(float, whole))) if whole else None,
        worst_case=rounded(total_of(*_in_order(members, worst))) if known else None,
        judged=int(items.sum()),
        items=int(mine.sum()),
        interval=cut(intervals_of(found)[0], 0.0, HIGHEST_TOTAL),
    )


def _in_order(members: Members, figures: Sequence[float]) -> list[float]:
    """Returns figures of types in the order of `TOTAL_WEIGHTS`."""
    by_type = dict(zip((type_ for _, type_ in members.names), figures, strict=True))
    return [by_type[type_] for type_ in TOTAL_WEIGHTS]


def _gap(table: ItemTable, members: Members, first: int, second: int) -> Gap:
    """Returns the rate of one slice less that of another one."""
    totals, items = (sums[[first, second]].T[None] for sums in sums_of(table, table.score, members))
    found = linearise(totals, items, np.array([1.0, -1.0]))
    judged = items[0].sum(axis=0)
    return Gap(
        value=rounded(float(found.value[0])) if judged.all() else None,
        interval=cut(intervals_of(found)[0], -100.0, 100.0),
        judged=(int(judged[0]), int(judged[1])),
        users=int(found.users[0]),
        between=(members.names[first][0], members.names[second][0]),
    )
