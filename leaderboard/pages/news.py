"""What changed on the board this week, in a few lines; and all that ever changed, week by week."""

from __future__ import annotations

import datetime
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias
from urllib.parse import quote

from evaluator.plurals import several
from leaderboard.board.changes import WEEK, Changes, Ends, Week
from leaderboard.open_data.changes import OpenChange

SHOWN = 8
"""Lines of news on the board."""
PAGE_LENGTH = 100
"""Changes on a page of a week."""
_OF_EACH = 2
"""Lines that each kind of news has before any kind has more."""
_WENT = {
    "withdrawn": "withdrawn by their submitters",
    "hidden": "hidden by maintainers",
    None: "no longer there",
}
_CAME = {"shown": "shown again", "newer_submission": "another submission of it was there", "rescored": "scored again"}
_MOVED = {
    "flagged": "flagged by a maintainer",
    "cleared": "no longer flagged",
    "rescored": "scored again",
}
_Order: TypeAlias = tuple[bool, float]


class Line(NamedTuple):
    """One change in words."""

    what: str
    name: str
    """The model or judge, which is shown as text; empty where nobody is named."""
    address: str
    """Where more is told of it; empty where nothing is."""
    words: str
    at: datetime.datetime
    note: str = ""
    """What is to be thought of it."""


class News(NamedTuple):
    """What changed in seven days."""

    lines: tuple[Line, ...]
    """At most `SHOWN`."""
    more: int
    """News that are not among these."""
    counts: str
    """How much of each kind there is, as words."""
    within: int
    """Models whose rank moved within its interval, which is no news."""


class ChangesPage(NamedTuple):
    """A page of a week."""

    week: Week | None
    """None if nothing ever changed."""
    lines: tuple[Line, ...]
    """The newest first."""
    rescored: tuple[str, ...]
    """How many results re-scores brought in that week, a sentence a judge."""
    number: int
    last: int
    newer: Week | None
    """The next week in which something changed; None if there is none."""
    older: Week | None


NO_NEWS = News((), 0, "", 0)
NO_PAGE = ChangesPage(None, (), (), 1, 1, None, None)


class LatestNews:
    """Holds the news of one state of the store on one day: they are asked for with every look at the board."""

    def __init__(self) -> None:
        """Knows nothing yet."""
        self._last: tuple[tuple[str, datetime.date], News] | None = None

    def of(self, changes: Changes, now: datetime.datetime) -> News:
        """Returns what `news_of` does."""
        key, last = (str(changes.revision), now.date()), self._last
        if last is None or last[0] != key:
            self._last = last = key, news_of(changes, now)
        return last[1]


def news_of(changes: Changes, now: datetime.datetime) -> News:
    """Returns what changed today and on the six days before, in UTC.

    A model whose rank moved several times is one line, from its first rank in these days to its last. It is news where
    no rank is left open to it both before and after.

    Args:
        changes: All that ever changed.
        now: The present moment.

    Raises:
        RapportError: `data_error` if a row cannot be read.

    Example:
        >>> from leaderboard.board.changes import NO_CHANGES
        >>> news_of(NO_CHANGES, datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)) == NO_NEWS
        True
    """
    today = now.astimezone(datetime.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    span = changes.since(today - WEEK + datetime.timedelta(days=1))
    rows = span.rows()[::-1]
    judges = [_of_judge(row, span.rescored) for row in rows if row.kind == "judge"]
    new, moved, within = _of_models(rows)
    kinds = {"new judge": judges, "new": new, "moved": moved, "left": _left(rows)}
    lines = _some([*kinds.values()])
    gone = sum(row.kind == "left" for row in rows)
    sizes = {"new judge": len(judges), "new": len(new), "moved": len(moved), "left": gone}
    counts = ", ".join(f"{number:,} {kind}" for kind, number in sizes.items() if number)
    return News(lines, sum(map(len, kinds.values())) - len(lines), counts, within)


def changes_page(changes: Changes, week: str, number: int) -> ChangesPage | None:
    """Returns a page of what changed in a week; None if nothing changed in the week that was asked for.

    Args:
        changes: All that ever changed.
        week: Its Monday as `2026-11-02`, as it stands in an address; the newest week if empty.
        number: Which page of it; one that is too high gives the last.

    Raises:
        RapportError: `data_error` if a row cannot be read.
    """
    weeks = changes.weeks()
    if not weeks and not week:
        return NO_PAGE
    place = next((place for place, each in enumerate(weeks) if week in ("", each.begins.isoformat())), None)
    if place is None:
        return None
    begins = datetime.datetime.combine(weeks[place].begins, datetime.time(), datetime.UTC)
    span = changes.between(begins, begins + WEEK)
    last = max(1, -(-span.size // PAGE_LENGTH))
    page = min(number, last)
    rows = span.rows((page - 1) * PAGE_LENGTH, PAGE_LENGTH)
    return ChangesPage(
        weeks[place],
        tuple(_line(row) for row in rows),
        tuple(_brought(protocol, judge, count) for (protocol, judge), count in sorted(span.rescored.items())),
        page,
        last,
        weeks[place - 1] if place else None,
        weeks[place + 1] if place + 1 < len(weeks) else None,
    )


def _line(row: OpenChange) -> Line:
    """Returns one row as a line."""
    if row.kind == "judge":
        return _of_judge(row, {})
    if row.kind == "left":
        return _went(row.reason, row.protocol, 1, row.at)
    if row.kind == "entered":
        return _came(row, row)
    return _moves(row, row)


def _of_models(rows: Sequence[OpenChange]) -> tuple[list[Line], list[Line], int]:
    """Returns new models by rank, those that moved by how far, and how many moved within their interval.

    Ranks of judges that decide them come first.
    """
    by_card: dict[str, list[OpenChange]] = defaultdict(list)
    for row in rows:
        if row.scorecard_id is not None:
            by_card[row.scorecard_id].append(row)
    new, moved, within = list[tuple[_Order, Line]](), list[tuple[_Order, Line]](), 0
    for own in by_card.values():
        first, last = own[0], own[-1]
        if first.kind == "entered":
            new.append(((last.judge_status != "official", last.rank_after or float("inf")), _came(first, last)))
        elif is_within(_before(first), _after(last)):
            within += _before(first) != _after(last)
        else:
            far = -_distance(_before(first), _after(last))
            moved.append(((last.judge_status != "official", far), _moves(first, last)))
    return _in_order(new), _in_order(moved), within


def _in_order(lines: Iterable[tuple[_Order, Line]]) -> list[Line]:
    """Returns lines by what stands beside them."""
    return [line for _, line in sorted(lines, key=lambda each: each[0])]


def is_within(before: Ends | None, after: Ends | None) -> bool:
    """Says whether a move is no news: the same ranks are left open, some of them at least, or none either way.

    Example:
        >>> is_within((1, 3), (3, 4)), is_within((1, 2), (3, 4)), is_within(None, (1, 2)), is_within(None, None)
        (True, False, False, True)
    """
    if before is None or after is None:
        return before is after
    return before[0] <= after[1] and after[0] <= before[1]


def _distance(before: Ends | None, after: Ends | None) -> float:
    """Says how far a rank moved, as a ratio; coming into a ranking or out of it is furthest."""
    if before is None or after is None:
        return float("inf")
    return max(before[0], after[0]) / min(before[0], after[0])


def _came(first: OpenChange, last: OpenChange) -> Line:
    """Says that a model is new."""
    rank = _place(_after(last))
    words = f"rank {rank} of {last.ranked:,}" if rank else "it does not rank"
    return _of_model("New", last, _joined(words, _under(last), _CAME.get(first.reason or "", "")), first.at)


def _moves(first: OpenChange, last: OpenChange) -> Line:
    """Says how a model's rank moved between two rows."""
    before, after, reason = _before(first), _after(last), _MOVED.get(last.reason or "", "")
    if after is None:
        what, words = "Ranks no more", f"it had rank {_place(before)}"
    elif before is None:
        what, words = "Ranks now", f"rank {_place(after)} of {last.ranked:,}"
    else:
        what = "Up" if after[0] < before[0] else "Down"
        words = f"from rank {_place(before)} to {_place(after)} of {last.ranked:,}"
    line = _of_model(what, last, _joined(words, _under(last), reason), last.at)
    return line._replace(note="within its interval: no news") if is_within(before, after) else line


def _left(rows: Iterable[OpenChange]) -> list[Line]:
    """Says how many results went and why; nobody names them any more."""
    went = [row for row in rows if row.kind == "left"]
    counted = Counter((row.reason, row.protocol) for row in went)
    latest = {(row.reason, row.protocol): row.at for row in went}
    return [_went(*key, count, latest[key]) for key, count in counted.most_common()]


def _went(reason: str | None, protocol: str, count: int, at: datetime.datetime) -> Line:
    why = _WENT.get(reason, _WENT[None])
    return Line("Left", "", "", f"{several(count, 'result')} of {protocol}, {why}", at)


def _of_judge(row: OpenChange, rescored: Mapping[tuple[str, str], int]) -> Line:
    """Says that another judge decides ranks."""
    count = rescored.get((row.protocol, row.judge), 0)
    words = f"decides the ranks of {row.protocol}" + (f"; it scored {several(count, 'result')} again" if count else "")
    return Line("New judge", row.judge, f"/judge?id={quote(row.judge, safe='')}", words, row.at)


def _brought(protocol: str, judge: str, count: int) -> str:
    return f"{several(count, 'result')} of {protocol} came of a re-score by {judge}."


def _of_model(what: str, row: OpenChange, words: str, at: datetime.datetime) -> Line:
    return Line(what, row.model or "", f"/model?id={quote(row.scorecard_id or '', safe='')}", words, at)


def _under(row: OpenChange) -> str:
    """Says in which ranking a rank is."""
    by = "" if row.judge_status == "official" else f" under {row.judge}, a {row.judge_status} judge"
    return f"{row.protocol}{by}"


def _joined(*words: str) -> str:
    return ", ".join(filter(None, words))


def _before(row: OpenChange) -> Ends | None:
    low, high = row.rank_before_low, row.rank_before_high
    return None if low is None or high is None else (low, high)


def _after(row: OpenChange) -> Ends | None:
    low, high = row.rank_after_low, row.rank_after_high
    return None if low is None or high is None else (low, high)


def _place(ends: Ends | None) -> str:
    """Writes a rank with the ranks that the data leave open; nothing where there is none.

    Example:
        >>> _place((3, 5)), _place((3, 3)), _place(None)
        ('3 (3–5)', '3', '')
    """
    if ends is None:
        return ""
    low, high = ends
    return str(low) if low == high else f"{low:,} ({low:,}–{high:,})"


def _some(kinds: Sequence[Sequence[Line]]) -> tuple[Line, ...]:
    """Returns as many lines as are shown: some of each kind, and of the first kinds as many as there is room for."""
    taken = [min(_OF_EACH, len(lines)) for lines in kinds]
    for place, lines in enumerate(kinds):
        taken[place] += min(len(lines) - taken[place], max(0, SHOWN - sum(taken)))
    return tuple(line for lines, count in zip(kinds, taken, strict=True) for line in lines[:count])
