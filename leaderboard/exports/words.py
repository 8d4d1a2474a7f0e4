"""What stands in words where a format has no place of its own for it."""

from __future__ import annotations

from evaluator.results import Interval, Total
from leaderboard.exports.entry import Entry


def interval_words(interval: Interval | None) -> str:
    """Writes an interval for reading.

    Example:
        >>> interval_words(Interval(low=40.0, high=52.5, users=250))
        '95 % interval 40.00 to 52.50, 250 users'
        >>> interval_words(None)
        'no interval: fewer than ten users'
    """
    if interval is None:
        return "no interval: fewer than ten users"
    return f"95 % interval {interval.low:.2f} to {interval.high:.2f}, {interval.users} users"


def worst_case_words(total: Total) -> str:
    """Writes what the Total would be if every missing verdict were a loss.

    Example:
        >>> worst_case_words(Total(value=None, worst_case=None, judged=0, items=0, interval=None))
        'worst case missing'
    """
    return "worst case " + ("missing" if total.worst_case is None else f"{total.worst_case:.2f}")


def conditions(entry: Entry) -> list[str]:
    """Lists what was asked of whom, and who judged it."""
    card = entry.card
    return [
        f"model revision {card.revision}",
        *([f"adapter {card.adapter} at {card.adapter_revision}"] if card.adapter else []),
        *(["thinking"] if card.declaration.thinking else []),
        f"protocol {card.protocol}",
        f"judge {card.judge} at {card.judge_revision} ({card.judge_status})",
    ]


def standing(entry: Entry) -> str:
    """Says which rank a result has, or why it has none."""
    row = entry.row
    if row.rank is None:
        return f"not ranked: {', '.join(row.unranked_because) or 'it has no Total'}"
    low, high = row.rank_interval or (row.rank, row.rank)
    return f"rank {row.rank} ({low} to {high})"
