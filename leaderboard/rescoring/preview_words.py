"""The preview of a re-score in words for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from evaluator.plurals import several
from leaderboard.rescoring.preview_records import Preview, Time, Tokens

_WHY = {
    "not_generated": "never answered",
    "taken_down": "taken down",
}
"""What is said of answers that no judge reads; other causes and defects say it themselves."""


def preview_lines(found: Preview) -> Iterator[str]:
    """Yields a preview line by line, what cannot be read at the end; what could steer a terminal is left out."""
    for line in _lines(found):
        yield "".join(character for character in line if character.isprintable())


def _lines(found: Preview) -> Iterator[str]:
    """Yields the lines."""
    yield f"judge          {found.judge}, {_revision(found)}"
    yield f"runs           {found.runs:,}{f'; {found.unreadable:,} more cannot be read' if found.unreadable else ''}"
    yield f"answers        {found.answers:,} of {found.items:,} items{_unjudged(found)}"
    yield f"  equal        {found.equal_answers:,} say what another one says to the same question: judged with it"
    yield f"verdicts       {found.wanted:,} wanted"
    yield f"  there        {found.there:,}, whichever run they came from{_said_on(found)}"
    kinds = ", ".join(f"{type_} {count:,}" for type_, count in found.missing_by_type)
    yield f"  missing      {found.missing:,}: {kinds}"
    if found.missing:
        yield from _tokens(found.tokens)
        yield from _time(found.time)
    for finding in found.findings:
        yield finding.line()


def _revision(found: Preview) -> str:
    """Says which version of the judge is meant, and what is not known of it."""
    if found.judge_revision is None:
        return "whose commit is not known: no earlier verdict counts, and what is missing may be less"
    prompts = "prompts of any wording" if found.prompts is None else f"prompts {found.prompts}"
    return f"commit {found.judge_revision[:12]}, {prompts}"


def _unjudged(found: Preview) -> str:
    """Says why the other answers are not judged."""
    told = ", ".join(f"{count:,} {_WHY.get(why, why)}" for why, count in found.unjudged)
    return f"; not judged: {told}" if told else ""


def _said_on(found: Preview) -> str:
    """Says what the verdicts that are there were given on."""
    if not found.said_on:
        return ""
    return f"; given on {'; '.join(f'{name} ({rows:,})' for name, rows in found.said_on)}, and on others asked again"


def _tokens(tokens: Tokens | None) -> Iterator[str]:
    """Yields what is expected of tokens."""
    if tokens is None:
        yield "tokens         unknown: of some type of question there is no earlier verdict"
        return
    yield f"prompt tokens  {tokens.prompt_tokens:,} before any come from a cache"
    whose = "this judge's" if tokens.of_this_judge else "other judges'"
    yield f"output tokens  {tokens.output_tokens:,}; both by {tokens.measured:,} of {whose} earlier verdicts"


def _time(time: Time | None) -> Iterator[str]:
    """Yields what is expected of time."""
    if time is None:
        yield "time           unknown: no earlier report tells how fast a judge was"
        return
    whose = "this judge" if time.of_this_judge else "other judges"
    yield (
        f"time           {_span(time.seconds)} for one worker, by {time.verdicts_per_second:.3g} verdicts a second; "
        f"{_span(time.least)} to {_span(time.most)} at the paces of single runs"
    )
    yield (
        f"  measured     {time.verdicts:,} verdicts of {whose} in {several(time.reports, 'report')} of "
        f"{several(time.runs, 'run')}, on {'; '.join(time.made_on)}"
    )


def _span(seconds: float) -> str:
    """Writes a time.

    Example:
        >>> _span(59.0), _span(600.0), _span(360_000.0)
        ('59 s', '10 min', '100.0 h')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"
