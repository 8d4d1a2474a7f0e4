"""The main figures of a scorecard, for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from evaluator.results import Rate, Result, Total
from leaderboard.records import Scorecard


def summary(card: Scorecard) -> str:
    """Says in some lines what an evaluation came to."""
    return "\n".join(_lines(card))


def _lines(card: Scorecard) -> Iterator[str]:
    """Yields the lines."""
    result = card.result
    yield f"{card.model} under {card.protocol}, judged by {card.judge} ({card.judge_status})"
    yield f"Total       {_total(result.total)}"
    yield f"persona     {_rate(result.persona.score)}"
    yield f"profile     {_rate(result.profile.score)}"
    yield f"schedule    {_rate(result.schedule)}"
    yield f"answered    {result.generations} of {result.items} items{_counts(result.failures)}"
    yield f"judged      {_share(result)}, {result.missing} verdicts missing{_counts(result.missing_because)}"
    yield f"defects     {sum(number for _, number in result.defects)}{_counts(result.defects)}"
    if card.unranked_because:
        yield f"unranked    {', '.join(card.unranked_because)}"


def _total(total: Total) -> str:
    """Writes the Total with its interval."""
    worst = "" if total.worst_case is None else f", at worst {total.worst_case:.1f}"
    if total.value is None:
        return f"none: not every question type has a judged item{worst}"
    interval = f" [{total.interval.low:.1f}, {total.interval.high:.1f}]" if total.interval else " (no interval)"
    return f"{total.value:.1f}{interval}{worst}"


def _rate(rate: Rate) -> str:
    """Writes a rate with its interval and what it rests on."""
    if rate.value is None:
        return f"none of {rate.items} items"
    interval = f" [{rate.interval.low:.1f}, {rate.interval.high:.1f}]" if rate.interval else ""
    return f"{rate.value:.1f}{interval} of {rate.judged} items"


def _share(result: Result) -> str:
    """Writes the judged share."""
    return "nothing" if result.judged_share is None else f"{100 * result.judged_share:.1f} %"


def _counts(counts: Iterable[tuple[str, int]]) -> str:
    """Writes counts by name in brackets; nothing if there are none.

    Example:
        >>> _counts([("empty", 2), ("repetition", 1)])
        ' (empty 2, repetition 1)'
    """
    told = ", ".join(f"{name} {number}" for name, number in counts)
    return f" ({told})" if told else ""
