"""What maintainers have decided about a submission, and what its history calls it, in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from leaderboard.records import AmendmentKind, Event
from leaderboard.submissions.history import flag_of, hiding_of

_IN_WORDS: Mapping[AmendmentKind, str] = {
    AmendmentKind.SUSPECTED: "suspected by a program: a maintainer decides",
    AmendmentKind.FLAGGED: "flagged: does not rank until cleared",
    AmendmentKind.CLEARED: "cleared: no mark any more",
    AmendmentKind.HIDDEN: "hidden: off the board until shown again",
    AmendmentKind.SHOWN: "shown again",
}
"""Of those kinds whose name alone does not say what follows from them."""


def kind_in_words(kind: AmendmentKind) -> str:
    """Says what was added to a submission.

    Example:
        >>> kind_in_words(AmendmentKind.WITHDRAWN), kind_in_words(AmendmentKind.SHOWN)
        ('withdrawn', 'shown again')
    """
    return _IN_WORDS.get(kind, kind.value)


def decisions(events: Iterable[Event]) -> list[tuple[str, str]]:
    """Returns what stands of maintainers' decisions about a submission's results, each with its public reason."""
    history = tuple(events)
    found = (
        ("Hidden by a maintainer; its results are not on the board", hiding_of(history)),
        ("Flagged by a maintainer; its results do not rank", flag_of(history)),
    )
    return [(standing, amendment.text) for standing, amendment in found if amendment]
