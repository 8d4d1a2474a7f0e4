"""What an audit has found, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from leaderboard.audit.records import Audit, AuditedCard, Difference, Standing, Value

MOST_CARDS = 50
"""Scorecards that are listed of each standing; `--json` lists all."""
MOST_DIFFERENCES = 20
"""Differences that are listed of each scorecard."""
_LONGEST = 300
"""Characters of a line: what is told was written by anyone."""


def describe(found: Audit) -> str:
    """Says in some lines what has been found; what could steer a terminal is left out."""
    lines = (*_head(found), *_listed(found, Standing.DIFFERS), *_listed(found, Standing.UNCHECKED), *_end(found))
    return "\n".join(map(_plain, lines))


def _head(found: Audit) -> Iterator[str]:
    """Yields how much was checked, and how it stands."""
    yield f"revision      {found.revision}"
    yield f"scorecards    {found.scorecards:,}{' of ' + ', '.join(found.models) if found.models else ''}"
    yield f"rows read     {found.rows:,}"
    yield f"agreeing      {found.agreeing:,}"
    yield f"differing     {found.differing:,}"
    yield f"not checkable {found.unchecked:,}"
    yield f"ranks, gaps   {f'not compared: {found.places_unchecked}' if found.places_unchecked else 'compared'}"
    for problem in found.problems:
        yield f"unreadable    {problem}"
    if found.without_card:
        yield f"left over     {len(found.without_card):,} files without a scorecard, such as {found.without_card[0]}"


def _listed(found: Audit, standing: Standing) -> Iterator[str]:
    """Yields the first scorecards of a standing."""
    cards = [card for card in found.cards if card.standing is standing]
    for card in cards[:MOST_CARDS]:
        yield f"{'differs' if standing is Standing.DIFFERS else 'not checkable'}: {card.scorecard_id}, {card.model}"
        yield from (f"  {line}" for line in _said(card))
    if len(cards) > MOST_CARDS:
        yield f"and {len(cards) - MOST_CARDS:,} more; --json lists all"


def _said(card: AuditedCard) -> Iterator[str]:
    """Yields what does not follow, and what could not be checked."""
    yield from map(_difference, card.differences[:MOST_DIFFERENCES])
    if len(card.differences) > MOST_DIFFERENCES:
        yield f"and {len(card.differences) - MOST_DIFFERENCES:,} more figures"
    yield from card.unchecked


def _difference(found: Difference) -> str:
    """Writes a figure as it is and as it should be.

    Example:
        >>> _difference(Difference(figure="total.value", published=51.0, recomputed=50.0))
        'total.value: 51.0 published, 50.0 recomputed'
    """
    return f"{found.figure}: {_value(found.published)} published, {_value(found.recomputed)} recomputed"


def _value(value: Value) -> str:
    return "nothing" if value is None else str(value)


def _end(found: Audit) -> Iterator[str]:
    """Yields what it comes to."""
    if found.differing:
        yield f"Of {found.differing:,} of {found.scorecards:,} scorecards something does not follow from public rows."
        if found.moved:
            yield "The data set changed while it was read, which may be all of it: audit it again."
    elif found.rows:
        yield "Everything that was checked follows from public rows."
    else:
        yield "Nothing could be checked."


def _plain(line: str) -> str:
    """Returns a line without what could steer a terminal, and no longer than one can read."""
    printable = "".join(character for character in line if character.isprintable())
    return printable if len(printable) <= _LONGEST else f"{printable[:_LONGEST]}..."
