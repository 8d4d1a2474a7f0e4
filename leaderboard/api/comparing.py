"""Two results of the board against each other, on the users that both have.

Whether two may be compared is decided as for the ranking, and by how much they differ from the users' sums that are
stored beside each scorecard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import product

from evaluator.errors import Cause, RapportError
from evaluator.hicupid.user_scores import UserScore, total_sums
from evaluator.metrics.intervals import LEAST_USERS, Difference, paired_difference
from evaluator.protocol import is_reference
from leaderboard.api.records import Comparison, Side
from leaderboard.board.build import BoardRow
from leaderboard.board.public import read_sums
from leaderboard.board.rankings import Ranking, ranking_of
from leaderboard.store.base import Store

_MOST_NAMED = 10

SumsOf = Callable[[BoardRow], Sequence[UserScore]]
"""Returns the users' sums behind a row."""


def stored_sums(results: Store, row: BoardRow) -> Sequence[UserScore]:
    """Returns the users' sums behind a row of the board.

    Raises:
        RapportError: `not_found` if none are public, `data_error` if they cannot be read.
        StoreError: If the store as a whole cannot be read.
    """
    found = read_sums(results, {row.scorecard_id: row.model})
    if sums := found.sums.get(row.scorecard_id):
        return sums
    if found.problems:
        raise RapportError(Cause.DATA_ERROR, " ".join(found.problems.values()), "Tell the maintainers.")
    raise RapportError(
        Cause.NOT_FOUND,
        f"The users' sums of {row.scorecard_id} are not stored.",
        "It was published before they were kept; only a new run of it can be compared.",
    )


def comparison(rows: Iterable[BoardRow], sums_of: SumsOf, a: str, b: str, protocol: str = "") -> Comparison:
    """Compares two results that are named somehow.

    Args:
        rows: The board.
        sums_of: Reads the users' sums of the two.
        a: A scorecard, run, submission or model.
        b: Another one, whose Total is subtracted.
        protocol: Only results of this one; empty for whichever both have.

    Raises:
        RapportError: `not_found` if one of them has no result, `data_error` if the two differ in what makes results
            comparable or several pairs could be meant.
    """
    first, second = pair_of(tuple(rows), a, b, protocol)
    sums = total_sums({"first": sums_of(first), "second": sums_of(second)})
    found = paired_difference(sums["first"], sums["second"])
    return Comparison(
        protocol=first.protocol,
        judge=first.judge,
        first=_side(first),
        second=_side(second),
        difference=found.estimate,
        low=found.interval.low if found.interval else None,
        high=found.interval.high if found.interval else None,
        p_value=found.p_value,
        users=found.users,
        left_out=found.left_out,
        sentence=said(found, first.model, second.model),
    )


def pair_of(rows: Sequence[BoardRow], a: str, b: str, protocol: str = "") -> tuple[BoardRow, BoardRow]:
    """Returns the one pair of comparable rows that two names can mean.

    Raises:
        RapportError: As of `comparison`.
    """
    pairs = list(product(_named(rows, a, protocol), _named(rows, b, protocol)))
    pairs = [(one, other) for one, other in pairs if one.scorecard_id != other.scorecard_id]
    if not pairs:
        raise RapportError(Cause.DATA_ERROR, f"{a} and {b} are one and the same result.", "Name two results.")
    fitting = [pair for pair in pairs if not differing(*pair)]
    if not fitting:
        raise RapportError(
            Cause.DATA_ERROR,
            f"{a} and {b} cannot be compared: they differ in {_listed(differing(*pairs[0]))}.",
            "Compare results of one table of the board; nothing else is like with like.",
        )
    # A run has a result of each judge that ever decided ranks; whoever names no judge means the one that does now.
    fitting = [pair for pair in fitting if pair[0].judge_status == "official"] or fitting
    if len(fitting) > 1:
        meant = sorted({row.scorecard_id for pair in fitting for row in pair})
        raise RapportError(
            Cause.DATA_ERROR,
            f"{a} and {b} have several results that could be meant: {_listed(meant)}.",
            "Name two of these scorecards, or the protocol.",
        )
    return fitting[0]


def differing(one: BoardRow, other: BoardRow) -> list[str]:
    """Names what keeps two results from being compared; a reference depends on no context."""
    first, second = ranking_of(one), ranking_of(other)
    free = {"context"} if is_reference(one.model) or is_reference(other.model) else set()
    return [name for name in Ranking._fields if name not in free and getattr(first, name) != getattr(second, name)]


def said(found: Difference, first: str, second: str) -> str:
    """Says a difference in words.

    Example:
        >>> from evaluator.results import Interval
        >>> sure = Interval(low=1.25, high=5.0, users=250)
        >>> said(Difference(estimate=3.125, interval=sure, p_value=0.0012, users=250, left_out=2), "org/a", "org/b")
        'org/a scores 3.1 points more than org/b over the 250 users that both have (95 % interval 1.2 to 5.0, \
p = 0.0012): more than chance would give. 2 users that only one has do not count.'
        >>> said(Difference(estimate=0.5, interval=None, p_value=None, users=3, left_out=0), "org/a", "org/b")
        'org/a scores 0.5 points more than org/b over the 3 users that both have: too few for an interval, which \
takes 10.'
    """
    left_out = _left_out(found.left_out)
    if found.estimate is None:
        return f"{first} and {second} share no judged question of some kind, so nothing can be said.{left_out}"
    size, way = abs(found.estimate), "more" if found.estimate > 0 else "less"
    lead = f"{size:.1f} points {way} than" if size else "as many points as"
    over = f"{first} scores {lead} {second} over the {found.users:,} users that both have"
    if found.interval is None or found.p_value is None:
        return f"{over}: too few for an interval, which takes {LEAST_USERS}.{left_out}"
    sure = "more than chance would give" if found.p_value < 0.05 else "chance alone may give as much"
    interval = f"95 % interval {found.interval.low:.1f} to {found.interval.high:.1f}"
    return f"{over} ({interval}, p {_p(found.p_value)}): {sure}.{left_out}"


def _p(value: float) -> str:
    """Writes a p value with two digits.

    Example:
        >>> _p(0.0412), _p(1.0), _p(1e-9)
        ('= 0.041', '= 1', '< 0.0001')
    """
    return "< 0.0001" if value < 0.0001 else f"= {value:.2g}"


def _left_out(count: int) -> str:
    if not count:
        return ""
    return (
        f" {count:,} users that only one has do not count."
        if count > 1
        else " 1 user that only one has does not count."
    )


def _named(rows: Iterable[BoardRow], name: str, protocol: str) -> list[BoardRow]:
    """Returns the rows that a name may mean."""
    found = [row for row in rows if name in (row.scorecard_id, row.run_id, row.submission_id, row.model)]
    if protocol:
        found = [row for row in found if row.protocol == protocol]
    if not found:
        of = f" under the protocol {protocol}" if protocol else ""
        raise RapportError(
            Cause.NOT_FOUND,
            f"The board has no result of {name!r}{of}.",
            "Name a model, submission, run or scorecard that the board shows.",
        )
    return found


def _listed(names: Sequence[str]) -> str:
    """Names things, the first ones if there are many."""
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def _side(row: BoardRow) -> Side:
    return Side(
        scorecard_id=row.scorecard_id,
        run_id=row.run_id,
        model=row.model,
        revision=row.revision,
        adapter=row.adapter,
        total=row.total.value,
    )
