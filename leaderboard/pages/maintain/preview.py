"""What a re-score would take, in words for a page: what is measured with its counts, and what is unknown as such."""

from __future__ import annotations

from collections.abc import Iterator

from evaluator.plurals import several
from leaderboard.rescoring.preview_records import Preview, Time, Tokens

_WHY = {"not_generated": "never answered", "taken_down": "taken down"}
"""What is said of answers that no judge reads; other causes and defects say it themselves."""


def preview_facts(found: Preview) -> list[tuple[str, str]]:
    """Returns what a preview says, each with its name, in the order in which it is read."""
    return list(_facts(found))


def _facts(found: Preview) -> Iterator[tuple[str, str]]:
    """Yields names and values."""
    commit = found.judge_revision[:12] if found.judge_revision else None
    yield "Judge", f"{found.judge}, " + (f"commit {commit}" if commit else "whose commit is not known")
    if found.judge_revision is None:
        yield "Unknown", "Without its commit no earlier verdict counts as there: what is missing may be less."
    if found.prompts is None:
        yield "Unknown", "The wording of its prompts: verdicts under any wording count as there."
    yield "Runs to judge", f"{found.runs:,}" + (f"; {found.unreadable:,} more cannot be read" * bool(found.unreadable))
    yield "Answers to judge", f"{found.answers:,} of {found.items:,} questions"
    if found.unjudged:
        yield "Not judged", ", ".join(f"{count:,} {_WHY.get(why, why)}" for why, count in found.unjudged)
    yield "Equal answers", f"{found.equal_answers:,}, judged once with those that say the same to the same question"
    yield "Verdicts wanted", f"{found.wanted:,}"
    yield "There already", f"{found.there:,}, whichever run they came from"
    if found.said_on:
        told = "; ".join(f"{name} ({rows:,})" for name, rows in found.said_on)
        yield "Given on", f"{told}. On another engine or precision everything is asked again."
    kinds = ", ".join(f"{type_} {count:,}" for type_, count in found.missing_by_type)
    yield "To be asked", f"{found.missing:,}: {kinds}"
    if found.missing:
        yield from _tokens(found.tokens)
        yield from _time(found.time)


def _tokens(tokens: Tokens | None) -> Iterator[tuple[str, str]]:
    """Yields what is expected of tokens."""
    if tokens is None:
        yield "Tokens", "unknown: of some type of question there is no earlier verdict"
        return
    yield "Prompt tokens", f"{tokens.prompt_tokens:,}, before any come from a cache"
    yield "Output tokens", f"{tokens.output_tokens:,}"
    whose = "this judge's" if tokens.of_this_judge else "other judges'"
    yield "Tokens are told from", f"{tokens.measured:,} of {whose} earlier verdicts; no interval, as they are no sample"


def _time(time: Time | None) -> Iterator[tuple[str, str]]:
    """Yields what is expected of time."""
    if time is None:
        yield "Time", "unknown: no earlier report tells how fast a judge was"
        return
    yield (
        "Time for one worker",
        f"{span(time.seconds)} at {time.verdicts_per_second:.3g} verdicts a second, without loading; "
        f"{span(time.least)} to {span(time.most)} at the paces of the fastest and the slowest run",
    )
    whose = "this judge" if time.of_this_judge else "other judges"
    yield (
        "Time is told from",
        f"{time.verdicts:,} verdicts of {whose} in {several(time.reports, 'report')} of "
        f"{several(time.runs, 'run')}, on {'; '.join(time.made_on)}",
    )


def span(seconds: float) -> str:
    """Writes a time.

    Example:
        >>> span(59.0), span(600.0), span(360_000.0)
        ('59 s', '10 min', '100.0 h')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"
