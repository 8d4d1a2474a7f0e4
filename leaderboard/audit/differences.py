"""Compares what is published with what was recomputed, figure by figure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from evaluator.hicupid.user_scores import UserScore
from evaluator.human.figures import GAP
from evaluator.human.results import HumanResult
from evaluator.records import Terms
from evaluator.results import Result
from leaderboard.audit.human.layouts import laid_out
from leaderboard.audit.records import Difference, Value
from leaderboard.board.build import board_rows
from leaderboard.board.human_gaps import without_gap
from leaderboard.board.places import Place
from leaderboard.open_data.board import FACTS, OpenScorecard
from leaderboard.open_data.figures import open_scorecard
from leaderboard.open_data.human import OpenHumanFigure, OpenHumanScorecard
from leaderboard.open_data.human_figures import open_human_figures, open_human_scorecard
from leaderboard.records import Declaration
from leaderboard.results import HumanScorecard, Scorecard

CLOSE = 1.5e-6
"""Figures are rounded to six digits, and another machine adds up in another order: the last one may differ by one."""
RANKS = (
    "rank",
    "rank_low",
    "rank_high",
    "rank_under_judge",
    "rank_under_judge_low",
    "rank_under_judge_high",
    "unranked_because",
)
"""Columns of the board that follow from all scorecards of a ranking."""
GAPS = ("lc", "generalisation")
"""Columns that follow from several scorecards of a model."""
_DECIDED = ("judge_status_since",)
"""Columns that follow from what maintainers have decided, which no row tells."""
FIGURES = tuple(
    name
    for name in OpenScorecard.model_fields
    if name not in {"schema_version", "scorecard_id", *RANKS, *GAPS, *_DECIDED, *FACTS}
    and all(name not in kind.model_fields for kind in (Scorecard, Declaration, Terms))
)
"""Columns that follow from a scorecard's own rows; all others say where it comes from."""


def in_human_result(published: HumanResult, told: Mapping[str, Any]) -> list[Difference]:
    """Returns what of a scorecard of a human-grounded task is not what its rows come to.

    Args:
        published: Its result.
        told: As much of it as follows, as `laid_out` says it.
    """
    return _apart(_as_much_of(laid_out(published), told), told)


def in_human_rows(
    card: HumanScorecard, row: OpenHumanScorecard, published: Iterable[OpenHumanFigure]
) -> list[Difference]:
    """Returns what of the public rows made from a scorecard of a human-grounded task is not what stands in it.

    Args:
        card: The scorecard with its gap to made-up users.
        row: Its row in the config `human_scorecards`.
        published: Its rows in the config `human_figures`.
    """
    own = without_gap(card)
    columns = OpenHumanScorecard.model_fields.keys() - {"schema_version", "scorecard", *FACTS}
    found = _apart(
        {"human_scorecards": row.model_dump(mode="json", include=columns)},
        {"human_scorecards": open_human_scorecard(own).model_dump(mode="json", include=columns)},
    )
    found += [
        Difference(figure=f"figures.{figure.name}.value", published=figure.value, recomputed=None)
        for figure in own.result.figures
        if GAP in figure.name.split(".")  # It is made of two scorecards, and stored in neither.
    ]
    return found + _apart(*({"human_figures": _by_rater(rows)} for rows in (published, open_human_figures(card))))


def in_result(published: Result, recomputed: Result) -> list[Difference]:
    """Returns the figures of a scorecard that are not what its rows come to."""
    return _apart(published.model_dump(), recomputed.model_dump())


def in_sums(published: Sequence[UserScore], recomputed: Sequence[UserScore]) -> list[Difference]:
    """Returns the users' sums that are not what the rows come to."""
    return _apart({"user_scores": _by_user(published)}, {"user_scores": _by_user(recomputed)})


def in_board(published: OpenScorecard, card: Scorecard, place: Place, columns: Iterable[str]) -> list[Difference]:
    """Returns the columns of the board's row that are not what a scorecard and its place come to.

    Args:
        published: The row.
        card: The scorecard with the figures that are expected.
        place: The place that is expected.
        columns: Those that are compared.
    """
    (row,) = board_rows([card], {card.id: place})
    there, expected = published.model_dump(), open_scorecard(row, card).model_dump()
    return _apart(*({"board": {name: values[name] for name in columns}} for values in (there, expected)))


def _by_user(users: Sequence[UserScore]) -> dict[str, Any]:
    """Lays users' sums out by name, with their number: one that stands there twice shows by it."""
    sums = {
        f"{user.split}/{user.user_id}": {
            name: dict(zip(("sum", "items"), getattr(user, name), strict=True))
            for name in ("persona", "profile", "schedule")
        }
        for user in users
    }
    return {"users": len(users)} | sums


def _by_rater(rows: Iterable[OpenHumanFigure]) -> dict[str, Any]:
    """Lays figures out by whose they are and by name, with their number: one that stands there twice shows by it."""
    every = list(rows)
    return {"rows": len(every)} | {f"{row.rater}.{row.figure}": row.model_dump(mode="json") for row in every}


def _as_much_of(published: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """Returns those parts of a result that follow."""
    return {
        name: _as_much_of(published[name], part) if name in ("figures", "judging") else published[name]
        for name, part in told.items()
        if name in published
    }


def _apart(published: Any, recomputed: Any) -> list[Difference]:
    """Compares two records, part by part."""
    there, expected = dict(_flat(published)), dict(_flat(recomputed))
    return [
        Difference(figure=name, published=there.get(name), recomputed=expected.get(name))
        for name in dict.fromkeys([*expected, *there])
        if not _same(there.get(name), expected.get(name))
    ]


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Value]]:
    """Yields the plain values of a record by their way through it.

    Example:
        >>> dict(_flat({"total": {"value": 50.0}, "defects": (("empty", 2),), "by_split": ({"split": "a", "n": 1},)}))
        {'total.value': 50.0, 'defects.empty': 2, 'by_split.a.split': 'a', 'by_split.a.n': 1}
    """
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _flat(part, f"{name}.{key}" if name else str(key))
    elif isinstance(value, tuple):
        yield from _flat(_by_name(value), name)
    else:
        yield name, value


def _by_name(values: tuple[Any, ...]) -> dict[str, Any]:
    """Lays counts and splits out by name, whatever their order; a name that stands there again gets a number."""
    found: dict[str, Any] = {}
    for value in values:
        name, part = (value["split"], value) if isinstance(value, Mapping) else value
        found[name if name not in found else f"{name} ({len(found)})"] = part
    return found


def _same(published: Value, recomputed: Value) -> bool:
    """Says whether two values are the same, but for the last digit of a figure."""
    if isinstance(published, float) and isinstance(recomputed, float):
        return abs(published - recomputed) <= CLOSE
    return published == recomputed
