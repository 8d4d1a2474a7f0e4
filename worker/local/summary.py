"""The main figures of a scorecard, for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from evaluator.human.gap import Gap
from evaluator.human.records import RaterKind
from evaluator.results import Rate, Result, Total
from leaderboard.board.human_gaps import with_gaps
from leaderboard.board.human_words import annotators, called, in_full, judges_own, number
from leaderboard.open_data.human_figures import listed_under, listed_under_judge
from leaderboard.results import AnyScorecard, HumanScorecard, Scorecard

_WHOSE = {
    RaterKind.PERSON: "people's own labels",
    RaterKind.CONSENSUS: "a consensus of people",
    RaterKind.TRUTH: "the truth of made-up users",
    RaterKind.SIMULATED: "SIMULATED labels",
}


def summary_of(card: AnyScorecard) -> str:
    """Says in some lines what an evaluation came to."""
    return "\n".join(_human_lines(card) if isinstance(card, HumanScorecard) else _lines(card))


def gaps_of(cards: Iterable[AnyScorecard]) -> Iterator[str]:
    """Yields a line for each gap between an evaluation on labels and one on made-up users."""
    for card in with_gaps(card for card in cards if isinstance(card, HumanScorecard)):
        for gap in card.result.figures:
            if isinstance(gap, Gap):
                stage = listed_under(card.result.task)
                yield f"{card.protocol}, {called(gap.name, card.result.kind)}: {in_full(stage, gap)}"


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


def _human_lines(card: HumanScorecard) -> Iterator[str]:
    """Yields the lines of a human-grounded task: each figure with what it is to be read beside."""
    result = card.result
    yield f"{card.model} under {card.protocol}, beside {_WHOSE[result.kind]}"
    yield (
        f"answered    {result.answered} of {result.items} items of {result.users} users, "
        f"{result.retried} asked twice{_counts(result.invalid)}{_counts(result.failures)}"
    )
    yield f"labels      {result.labels}, {annotators(card)}"
    if (judging := result.judging) is not None:
        yield (
            f"judged      {judging.judged} of {judging.items} by {card.judge} ({card.judge_status}), "
            f"{judging.missing} verdicts missing{_counts(judging.missing_because)}{_counts(judging.defects)}"
        )
    names = [called(figure.name, result.kind) for figure in result.figures]
    width = max(map(len, names), default=0)
    for name, figure in zip(names, result.figures, strict=True):
        yield f"{name:<{width}}  {in_full(listed_under(result.task), figure)}{_judges_own(card, figure.name)}"
    if card.unranked_because:
        yield f"unranked    {', '.join(card.unranked_because)}"


def _judges_own(card: HumanScorecard, name: str) -> str:
    """Writes how far the judge itself agrees with labels, where a figure is worth what that is; nothing elsewhere."""
    result, judging = card.result, card.result.judging
    if judging is None:
        return ""
    own, stage = {figure.name: figure for figure in judging.figures}, listed_under_judge(result.task)
    told = (
        f"; {label} {in_full(stage, own[figure]) if figure in own else number(None)}"
        for label, figure in judges_own(result.task, result.kind, name)
    )
    return "".join(told)


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
