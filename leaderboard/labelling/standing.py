"""What holds of a person by now: a function of the events alone."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from leaderboard.labelling.consent import CONSENT, ConsentText
from leaderboard.labelling.records import Agreed, EventKind, Label, PersonEvent, Task


class Given(NamedTuple):
    """A label that stands."""

    sequence: int
    at: datetime.datetime
    label: Label


class Standing(NamedTuple):
    """What holds of one person.

    Example:
        >>> standing_of(()).labels
        ()
    """

    agreed: Agreed | None
    """What was agreed to last; None if nothing was, or the consent was withdrawn."""
    agreed_at: datetime.datetime | None
    labels: tuple[Given, ...]
    """All labels that stand, the oldest first: neither taken back nor withdrawn."""
    withdrew_at: datetime.datetime | None
    """When the person last withdrew; stays if the person came back."""
    events: int
    """How many events there are."""

    def may_label(self, text: ConsentText = CONSENT) -> bool:
        """Says whether the text as it is now was agreed to."""
        return self.agreed == Agreed(version=text.version, text_sha=text.sha)

    def done(self, data_set: str, task: Task) -> frozenset[str]:
        """Returns the items of a task that the person has labelled."""
        return frozenset(given.label.asked.item_id for given in self.labels if given.label.key[:2] == (data_set, task))

    def last(self, task: Task) -> Given | None:
        """Returns the latest label of a task."""
        return next((given for given in reversed(self.labels) if given.label.asked.task is task), None)

    @property
    def attention(self) -> tuple[int, int]:
        """How many attention items the person has answered, and how many of these rightly."""
        right = [given.label.is_right for given in self.labels if given.label.is_right is not None]
        return len(right), sum(right)


def standing_of(events: Sequence[PersonEvent]) -> Standing:
    """Returns what holds after some events.

    Args:
        events: All of one person's, in order.
    """
    agreed: Agreed | None = None
    agreed_at = withdrew_at = None
    labels: dict[int, Given] = {}
    for event in events:
        if event.kind is EventKind.AGREED:
            agreed, agreed_at = event.agreed, event.at
        elif event.label is not None:
            labels[event.sequence] = Given(event.sequence, event.at, event.label)
        elif event.took_back is not None:
            labels.pop(event.took_back, None)
        elif event.kind is EventKind.WITHDREW:
            agreed, agreed_at, withdrew_at = None, None, event.at
            labels.clear()
    return Standing(agreed, agreed_at, tuple(labels.values()), withdrew_at, len(events))


def merged(saved: Sequence[PersonEvent], live: Sequence[PersonEvent]) -> tuple[PersonEvent, ...]:
    """Returns a person's events after Redis may have lost some: what the store holds counts, then what Redis alone has.

    What Redis alone has was added to an older copy of itself. A label on an item that is labelled in the store is
    dropped, and so is taking back a label that has another number now.

    Args:
        saved: As the store has them.
        live: As Redis has them.
    """
    if tuple(live[: len(saved)]) == tuple(saved):
        return tuple(live)
    known, result = set(saved), list(saved)
    for event in live:
        if event in known or event.kind is EventKind.TOOK_BACK:
            continue
        standing = standing_of(result)
        if event.label is not None and (standing.agreed is None or event.label.key in _keys(standing.labels)):
            continue
        result.append(event.model_copy(update={"sequence": len(result) + 1}))
    return tuple(result)


def _keys(labels: Iterable[Given]) -> set[tuple[str, Task, str]]:
    return {given.label.key for given in labels}
