"""What holds of a person by now: a function of the events alone."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from leaderboard.labelling.consent import CONSENT, ConsentText
from leaderboard.labelling.records import Agreed, EventKind, Label, PersonEvent, Task

MOST_TAKEN_BACK = 5
"""How often somebody may take back the label of one item."""


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

    agreed: Agreed | None = None
    """What was agreed to last; None if nothing was, or the consent was withdrawn."""
    agreed_at: datetime.datetime | None = None
    labels: tuple[Given, ...] = ()
    """All labels that stand, the oldest first: neither taken back nor withdrawn."""
    withdrew_at: datetime.datetime | None = None
    """When the person last withdrew; stays if the person came back."""
    events: int = 0
    """How many events there are."""
    attended: Mapping[tuple[str, Task, str], bool] = {}
    """Of each attention item, whether the first answer was right: it counts even if it was taken back."""
    taken_back: Mapping[tuple[str, Task, str], int] = {}
    """How often the label of an item was taken back."""

    def may_label(self, text: ConsentText = CONSENT) -> bool:
        """Says whether the text as it is now was agreed to."""
        return self.agreed == Agreed(version=text.version, text_sha=text.sha)

    def of(self, data_set: str, task: Task) -> list[Label]:
        """Returns the labels of a task that stand."""
        return [given.label for given in self.labels if given.label.key[:2] == (data_set, task)]

    def done(self, data_set: str, task: Task) -> frozenset[str]:
        """Returns the items of a task that the person has labelled."""
        return frozenset(label.asked.item_id for label in self.of(data_set, task))

    def last(self, data_set: str, task: Task) -> Given | None:
        """Returns the latest label of a task."""
        return next((given for given in reversed(self.labels) if given.label.key[:2] == (data_set, task)), None)

    @property
    def attention(self) -> tuple[int, int]:
        """How many attention items the person has answered, and how many of these rightly at first."""
        return len(self.attended), sum(self.attended.values())


NOTHING = Standing()
"""What holds of somebody who has done nothing."""


def standing_of(events: Sequence[PersonEvent], before: Standing = NOTHING) -> Standing:
    """Returns what holds after some events.

    Args:
        events: One person's, in order: all of them, or those that came after `before`.
        before: What held before them.
    """
    agreed, agreed_at, withdrew_at = before.agreed, before.agreed_at, before.withdrew_at
    labels = {given.sequence: given for given in before.labels}
    attended, taken_back = dict(before.attended), Counter(before.taken_back)
    for event in events:
        if event.kind is EventKind.AGREED:
            agreed, agreed_at = event.agreed, event.at
        elif event.label is not None:
            labels[event.sequence] = Given(event.sequence, event.at, event.label)
            if event.label.is_right is not None:
                attended.setdefault(event.label.key, event.label.is_right)
        elif event.took_back is not None:
            if (given := labels.pop(event.took_back, None)) is not None:
                taken_back[given.label.key] += 1
        elif event.kind is EventKind.WITHDREW:
            agreed, agreed_at, withdrew_at = None, None, event.at
            labels, attended, taken_back = {}, {}, Counter()
    count = before.events + len(events)
    return Standing(agreed, agreed_at, tuple(labels.values()), withdrew_at, count, attended, dict(taken_back))


def merged(saved: Sequence[PersonEvent], live: Sequence[PersonEvent]) -> tuple[PersonEvent, ...]:
    """Returns a person's events after Redis may have lost some: what the store holds counts, then what Redis alone has.

    What Redis alone has was added to an older copy of itself. A label on an item that is labelled in the store is
    dropped. Taking a label back is kept if that very label is among the others, under whatever number.

    Args:
        saved: As the store has them.
        live: As Redis has them.
    """
    if tuple(live[: len(saved)]) == tuple(saved):
        return tuple(live)
    known, result, standing = set(saved), list(saved), standing_of(saved)
    numbers: dict[int, int] = {}
    for event in live:
        if event in known:
            numbers[event.sequence] = event.sequence
            continue
        changes: dict[str, int] = {"sequence": len(result) + 1}
        if event.label is not None and (standing.agreed is None or event.label.key in _keys(standing.labels)):
            continue
        if event.took_back is not None:
            number = numbers.get(event.took_back, 0)
            if number not in {given.sequence for given in standing.labels}:
                continue
            changes["took_back"] = number
        numbers[event.sequence] = len(result) + 1
        result.append(event.model_copy(update=changes))
        standing = standing_of(result[-1:], standing)
    return tuple(result)


def _keys(labels: Iterable[Given]) -> set[tuple[str, Task, str]]:
    return {given.label.key for given in labels}
