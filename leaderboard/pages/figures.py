"""How figures are written: each one the same way everywhere, with its interval and its count, or why there is none."""

from __future__ import annotations

from collections.abc import Iterable

from evaluator.metrics.intervals import LEAST_USERS
from evaluator.plurals import several
from evaluator.results import Gap, Interval, PairwiseScores, Rate, Total


def figure(value: float | None) -> str:
    """Writes a figure with one decimal; a missing one as a dash.

    Example:
        >>> figure(37.04), figure(None)
        ('37.0', '–')
    """
    return "–" if value is None else f"{value:.1f}"


def bounds(value: Interval | None) -> str:
    """Writes an interval, or that there is none.

    Example:
        >>> bounds(Interval(low=40, high=60, users=12)), bounds(None)
        ('40.0 to 60.0', 'no interval')
    """
    return "no interval" if value is None else f"{value.low:.1f} to {value.high:.1f}"


def interval(value: Interval | None, users: int) -> str:
    """Writes an interval, or why there is none.

    Example:
        >>> interval(None, 1), interval(None, 40)
        ('no interval: 1 user', 'no interval: too few users')
    """
    if value is not None:
        return bounds(value)
    return f"no interval: {several(users, 'user')}" if users < LEAST_USERS else "no interval: too few users"


def estimate(value: float | None, within: Interval | None) -> str:
    """Writes a figure with its interval in brackets; a missing one has none.

    Example:
        >>> estimate(50, Interval(low=40, high=60, users=12)), estimate(None, None)
        ('50.0 (40.0 to 60.0)', '–')
    """
    return figure(value) if value is None else f"{figure(value)} ({bounds(within)})"


def share(part: int, whole: int) -> str:
    """Writes a share in percent, rounded down: only all of them are 100.0 %.

    Example:
        >>> share(9999, 10000), share(3, 3), share(0, 0)
        ('99.9 %', '100.0 %', '– %')
    """
    return f"{figure(1000 * part // whole / 10 if whole else None)} %"


def judged(value: Rate | Total) -> str:
    """Writes how many items were judged.

    Example:
        >>> judged(Rate(value=50.0, judged=9990, items=10000, interval=None))
        'judged 9,990 of 10,000'
    """
    return f"judged {value.judged:,} of {value.items:,}"


def rate(value: Rate | Total) -> str:
    """Writes a rate or Total with its interval and counts.

    Example:
        >>> rate(Rate(value=50.0, judged=7, items=8, interval=None))
        '50.0 (no interval), of 7 of 8 items (87.5 %)'
    """
    counted = f"of {value.judged:,} of {value.items:,} items ({share(value.judged, value.items)})"
    return f"{estimate(value.value, value.interval)}, {counted}"


def pairwise(scores: PairwiseScores) -> str:
    """Writes how a type compares with gold, one figure a line, each with its interval."""
    named = {"win": scores.win, "tie": scores.tie, "loss": scores.loss, "score": scores.score}
    lines = [f"{name} {estimate(value.value, value.interval)}" for name, value in named.items()]
    of_type = scores.score
    return "\n".join([*lines, f"{judged(of_type)} ({share(of_type.judged, of_type.items)})"])


def gap(value: Gap | None) -> str:
    """Writes a gap with its interval and counts; that there is none is said.

    Example:
        >>> gap(None)
        'missing: only one of the two was evaluated'
    """
    if value is None:
        return "missing: only one of the two was evaluated"
    if value.value is None:
        return "missing: one of the two has nothing judged"
    first, second = value.judged
    return f"{value.value:+.1f} ({bounds(value.interval)}), of {first:,} and {second:,} items, {value.users} users"


def counts(values: Iterable[tuple[str, int]]) -> str:
    """Writes counts by name.

    Example:
        >>> counts([("empty", 2), ("control_tokens", 1)])
        '2 empty, 1 control tokens'
    """
    return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in values)
