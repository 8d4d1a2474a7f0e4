"""How far the scores of two runs of the same items are apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evaluator.hicupid.outcomes import JudgedItem
from evaluator.hicupid.questions import Item
from evaluator.hicupid.scoring import TOTAL_WEIGHTS, rounded, score_of, sums_by_user, users_of
from evaluator.metrics.intervals import ModelSums, Part, paired_difference, ratio
from evaluator.records import Outcome, Record
from evaluator.results import Interval

Outcomes = Mapping[str, tuple[Outcome | None, ...]]
"""By question id, the outcomes of its slot orders; None is a missing verdict."""


class Apart(Record):
    """One score in both runs, over the items that both have judged in full."""

    there: float | None
    """Of the published run; None without items."""
    here: float | None
    """Of the repeated run."""
    difference: float | None
    """`here` less `there`."""
    interval: Interval | None
    """95 %, of the difference, paired by user; None below ten users."""


class Shift(Record):
    """The scores of the items that both runs have judged in full."""

    items: int
    """Items that count."""
    left_out: int
    """Items of which one of the runs lacks a verdict."""
    mean: Apart
    """Mean score of an item, 0 to 100."""
    total: Apart
    """The Total of these items, 0 to 87.5; nothing unless each question type has one."""


def shift_of(items: Sequence[Item], there: Outcomes, here: Outcomes) -> Shift:
    """Returns how far two runs of the same items are apart.

    Args:
        items: All items.
        there: Of the published run.
        here: Of the repeated one.

    Example:
        >>> shift_of([], {}, {}).mean.difference is None
        True
    """
    counted = [item for item in items if None not in (*there[item.question_id], *here[item.question_id])]
    sides = [[JudgedItem(item, None, side[item.question_id], ()) for item in counted] for side in (there, here)]
    old, new = ([_part(side)] for side in sides)
    old_types, new_types = (_parts_by_type(side) for side in sides)
    return Shift(
        items=len(counted),
        left_out=len(items) - len(counted),
        mean=_apart(old, new),
        total=_apart(old_types, new_types),
    )


def _part(entries: Sequence[JudgedItem]) -> Part:
    """All items' scores by user, without regard to their types."""
    return Part(sums_by_user(entries, users_of(entries), score_of))


def _parts_by_type(entries: Sequence[JudgedItem]) -> list[Part]:
    """The rates of the Total with their weights."""
    users = users_of(entries)
    by_type = {type_: [entry for entry in entries if entry.item.type is type_] for type_ in TOTAL_WEIGHTS}
    return [Part(sums_by_user(by_type[type_], users, score_of), weight) for type_, weight in TOTAL_WEIGHTS.items()]


def _apart(old: Sequence[Part], new: Sequence[Part]) -> Apart:
    """Compares one weighted sum of rates."""
    there, here = _value(old), _value(new)
    if there is None or here is None:
        return Apart(there=there, here=here, difference=None, interval=None)
    users = range(len(new[0].users))
    found = paired_difference(ModelSums(users, new), ModelSums(users, old))
    return Apart(there=rounded(there), here=rounded(here), difference=rounded(found.estimate), interval=found.interval)


def _value(parts: Sequence[Part]) -> float | None:
    """Returns a weighted sum of rates; None if one of them has no item."""
    rates = [(ratio(part.users), part.weight) for part in parts]
    known = [rate * weight for rate, weight in rates if rate is not None]
    return sum(known) if len(known) == len(rates) else None
