"""The cells of a comparison's tables: figures with their intervals, and a dash for what is not there."""

from __future__ import annotations

from collections.abc import Iterable

from evaluator.human.report.text import NONE
from evaluator.metrics.intervals import Difference
from evaluator.metrics.ranks import Rank
from evaluator.metrics.sameness import Agreement
from evaluator.results import Interval, Total
from leaderboard.rescoring.comparison import Figure


def causes(counts: Iterable[tuple[str, int]]) -> str:
    """Writes what verdicts are missing for."""
    return ", ".join(f"{name} {number:,}" for name, number in counts) or "nothing"


def total(found: Total) -> str:
    """Writes a Total with its interval."""
    return NONE if found.value is None else f"{found.value:.1f} {ends(found.interval)}"


def difference(found: Difference) -> str:
    """Writes a difference with its interval."""
    return NONE if found.estimate is None else f"{signed(found.estimate)} {ends(found.interval)}"


def rank(found: Rank | None) -> str:
    """Writes a rank with its interval.

    Example:
        >>> rank(Rank(low=1, high=2)), rank(None)
        ('1 [1, 2]', '-')
    """
    return NONE if found is None else f"{found.rank} [{found.low}, {found.high}]"


def figure(found: Figure) -> tuple[str, str]:
    """Writes a figure and its interval."""
    return NONE if found.value is None else f"{found.value:.3f}", ends(found.interval, 3)


def judged_of(found: Agreement) -> str:
    """Writes how many a share is of, and of how many that there could be."""
    return f"{found.compared:,} of {found.compared + found.missing:,}"


def share(found: Agreement) -> tuple[str, str]:
    """Writes a share in percent and its interval; one below ten users has a star, as it takes all to be independent."""
    if found.low is None or found.high is None:
        return number(found.percent), NONE
    return number(found.percent), f"[{found.low:.1f}, {found.high:.1f}]{'' if found.clustered_by == 'user' else '*'}"


def number(value: float | None) -> str:
    """Writes a figure with one decimal."""
    return NONE if value is None else f"{value:.1f}"


def signed(value: float | None, digits: int = 1) -> str:
    """Writes a figure with its sign."""
    return NONE if value is None else f"{value:+.{digits}f}"


def ends(interval: Interval | None, digits: int = 1) -> str:
    """Writes an interval.

    Example:
        >>> ends(Interval(low=1.25, high=3.0, users=12)), ends(None)
        ('[1.2, 3.0]', '-')
    """
    return NONE if interval is None else f"[{interval.low:.{digits}f}, {interval.high:.{digits}f}]"
