"""Under whose verdicts a page shows the board: those of one judge, or of the judges that decide ranks."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from leaderboard.board.build import BoardRow, under_judge
from leaderboard.results import JudgeStatus, identity_of

_WORDS: Mapping[JudgeStatus, str] = {
    "official": "decides official ranks",
    "retired": "is retired",
    "candidate": "is a candidate",
    "demo": "is a demo judge",
}
"""What a status says of a judge, in the order in which judges are offered."""
_ORDER: Mapping[str, int] = {status: place for place, status in enumerate(_WORDS)}
_ALL, _OFFICIAL = "all judges", "the official judges"


class Choice(NamedTuple):
    """A board that can be looked at."""

    label: str
    judge: str
    """Under whom; empty under those that decide ranks."""
    here: bool
    """Whether it is the one that is shown."""


class JudgeView(NamedTuple):
    """The board as it is shown."""

    rows: tuple[BoardRow, ...]
    """In the order of the board; under a judge ranked by it."""
    judge: str = ""
    """The judge that was asked for; empty on the board of the judges that decide ranks."""
    whose: str = ""
    """Whose ranks these are, in a sentence; empty where they are the official ones."""
    official: str = ""
    """Under whom the official board is, as words after it; empty where no judge decides ranks of these protocols."""
    choices: tuple[Choice, ...] = ()
    """The other boards and this one; none where there is but one judge."""


def judge_view(rows: Sequence[BoardRow], judge: str = "") -> JudgeView | None:
    """Returns the board under a judge, or without one under those that decide ranks; None if no row is that judge's.

    Args:
        rows: All rows of the board.
        judge: The judge's id, as it stands in an address.
    """
    choices = _choices(rows, judge)
    if not judge:
        return JudgeView(default_rows(rows), choices=choices)
    own = [row for row in rows if row.judge == judge]
    if not own:
        return None
    return JudgeView(tuple(map(under_judge, own)), judge, _whose(judge, own), _official(judge, own, rows), choices)


def default_rows(rows: Iterable[BoardRow]) -> tuple[BoardRow, ...]:
    """Returns the rows that the board shows unasked.

    What a judge said decides nothing where the judge that decides ranks has judged the same model under the same
    protocol. A protocol without a row of such a judge shows what it has.
    """
    every = list(rows)
    decided = {(row.protocol, identity_of(row)) for row in every if row.judge_status == "official"}
    return tuple(
        row for row in every if row.judge_status == "official" or (row.protocol, identity_of(row)) not in decided
    )


def judge_standing(row: BoardRow) -> str:
    """Says what a row's judge decides, as a mark beside its name.

    Example:
        >>> judge_standing(row)  # doctest: +SKIP
        'retired judge since 2026-11-02'
    """
    since = _since(row.judge_status_since)
    return f"decides official ranks{since}" if row.judge_status == "official" else f"{row.judge_status} judge{since}"


def _choices(rows: Sequence[BoardRow], judge: str) -> tuple[Choice, ...]:
    """Returns the boards that can be looked at, the official one first."""
    statuses: dict[str, set[JudgeStatus]] = {}
    for row in rows:
        statuses.setdefault(row.judge, set()).add(row.judge_status)
    if len(statuses) < 2:
        return ()
    said = {name: ", ".join(sorted(own, key=lambda status: _ORDER[status])) for name, own in statuses.items()}
    names = sorted(statuses, key=lambda name: (min(_ORDER[status] for status in statuses[name]), name))
    deciding = [name for name in names if "official" in statuses[name]]
    if len(deciding) == 1 and said[deciding[0]] == "official":
        (own,) = deciding
        first, others = Choice(f"{own} (official)", "", judge in ("", own)), [name for name in names if name != own]
    else:
        first, others = Choice(_OFFICIAL if deciding else _ALL, "", not judge), names
    return (first, *(Choice(f"{name} ({said[name]})", name, name == judge) for name in others))


def _whose(judge: str, own: Iterable[BoardRow]) -> str:
    """Says whose ranks are shown, and what that judge decides of which protocols."""
    every, found = sorted(own, key=lambda row: _ORDER[row.judge_status]), dict[str, set[str]]()
    ranks = any(row.rank_under_judge is not None for row in every)
    shown = f"{'Ranks' if ranks else 'Results'} under {judge}"
    why_none = "" if ranks else " None of them ranks; each row says why."
    for row in every:
        found.setdefault(_WORDS[row.judge_status] + _since(row.judge_status_since), set()).add(row.protocol)
    if len(found) == 1:
        return f"{shown}, which {next(iter(found))}.{why_none}"
    parts = [f"{words} for {_listed(sorted(protocols))}" for words, protocols in found.items()]
    return f"{shown}, which {_listed(parts)}.{why_none}"


def _official(judge: str, own: Iterable[BoardRow], rows: Iterable[BoardRow]) -> str:
    """Says which judges decide ranks of the protocols of some rows."""
    protocols = {row.protocol for row in own}
    deciding: dict[str, set[str]] = {}
    for row in rows:
        if row.judge_status == "official" and row.protocol in protocols:
            deciding.setdefault(row.judge, set()).add(row.protocol)
    if len(deciding) == 1:
        (only,) = deciding
        return "is under it, too" if only == judge else f"is under {only}"
    parts = [f"{name} for {_listed(sorted(of))}" for name, of in sorted(deciding.items())]
    return f"is under {_listed(parts)}" if parts else ""


def _since(moment: datetime.datetime | None) -> str:
    """Writes since which day something holds; nothing where it always did."""
    return "" if moment is None else f" since {moment.astimezone(datetime.UTC):%Y-%m-%d}"


def _listed(names: Sequence[str]) -> str:
    """Writes names one after the other.

    Example:
        >>> _listed(["a"]), _listed(["a", "b", "c"])
        ('a', 'a, b and c')
    """
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
