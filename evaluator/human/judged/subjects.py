"""What the judge of a run is asked about: found from plan and rows alone, so that a run can be scored without its data.

Asking, telling what is left to ask, and scoring all go by these.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from evaluator.human.items import HumanItem, Part
from evaluator.human.judged.extracted import Found, Merger, OfUser, by_what_it_went_by, mergers_of, rows_about, users_in
from evaluator.human.judged.items import content_of
from evaluator.human.labelled import pair_item
from evaluator.human.tasks import JudgedTask
from evaluator.records import Generation, SlotOrder, Verdict


class Subject(NamedTuple):
    """One thing about which one verdict is owed."""

    item: HumanItem
    question_id: str
    """Its name in the verdict's key."""
    content_hash: str
    order: SlotOrder
    attribute_id: str | None = None
    """The attribute in question, where it is one of the data set's."""
    merger: Merger | None = None
    """The attribute in question, where a model extracted it."""

    @property
    def about(self) -> tuple[str, str, SlotOrder]:
        """See `evaluator.hicupid.outcomes.about`."""
        return self.question_id, self.content_hash, self.order


class Pair(NamedTuple):
    """A personalised answer with the generic one of the same model beside it."""

    item: HumanItem
    """That of the personalised answer."""
    generic: Generation
    personalised: Generation

    @property
    def content_hash(self) -> str:
        """Names both answers by what they say."""
        return content_of(str(self.generic.content_hash), str(self.personalised.content_hash))


def prompt_of(item: HumanItem) -> str:
    """Returns the name of the prompt that an item asks to be answered.

    Example:
        >>> from evaluator.human.records import RaterKind
        >>> prompt_of(HumanItem(question_id="p-1/user-2", split="comparison", user_id=0, task=JudgedTask.COMPARISON,
        ...                     person="user-2", labels=(), kind=RaterKind.PERSON, part=Part.PERSONALISED))
        'p-1'
    """
    return item.question_id.split("/", 1)[0]


def pairs_of(items: Iterable[HumanItem], sound: Mapping[str, Generation]) -> dict[str, Pair]:
    """Returns the pairs of which both answers count, by the personalised one's item.

    Args:
        items: All that a writer is asked.
        sound: The answers that count, by item.
    """
    found = {}
    for item in items:
        if item.part is Part.PERSONALISED and item.question_id in sound and prompt_of(item) in sound:
            found[item.question_id] = Pair(item, sound[prompt_of(item)], sound[item.question_id])
    return found


def subjects_of(
    task: JudgedTask, items: Iterable[HumanItem], sound: Mapping[str, Generation], rules: Sequence[Verdict]
) -> list[Subject]:
    """Returns what a judge is asked about some items, in their order.

    Args:
        task: What was asked of the model.
        items: All of some groups.
        sound: The answers that count, by item.
        rules: What rules found; of a user whose extracted attributes were not compared yet none is verified.
    """
    asked = list(items)
    if task is JudgedTask.EXTRACTION:
        found, by_user = by_what_it_went_by(rules), _by_user(asked)
        return [subject for user in users_in(asked, sound) for subject in _of_user(user, by_user[user.person], found)]
    pairs = pairs_of(asked, sound)
    return [subject for item in asked for subject in _of_item(task, item, pairs)]


def _by_user(items: Iterable[HumanItem]) -> dict[str, list[HumanItem]]:
    """Sorts items by user."""
    found: dict[str, list[HumanItem]] = {}
    for item in items:
        found.setdefault(item.person, []).append(item)
    return found


def _of_user(user: OfUser, items: Iterable[HumanItem], found: Found) -> Iterator[Subject]:
    """Yields what a verifier is asked about one user: what was extracted, and what people labelled."""
    if (rows := rows_about(user, found)) is not None:
        for merger in dict.fromkeys(mergers_of(user, rows)):
            yield Subject(user.item, user.person, merger.content_hash, SlotOrder.SINGLE, merger=merger)
    for item in items:
        if item.part is Part.GIVEN and item.unasked is None:
            yield Subject(item, item.question_id, str(item.content_hash), SlotOrder.SINGLE, item.attributes[0])


def _of_item(task: JudgedTask, item: HumanItem, pairs: Mapping[str, Pair]) -> Iterator[Subject]:
    """Yields what a judge is asked about one item."""
    if item.part is Part.GIVEN and item.content_hash is not None and item.unasked is None:
        yield Subject(item, item.question_id, item.content_hash, item.orders[0], item.attributes[0])
    if (pair := pairs.get(item.question_id)) is None:
        return
    if task is JudgedTask.COMPARISON:
        for order in item.orders:
            yield Subject(item, item.question_id, pair.content_hash, order)
    else:
        for attribute_id, order in zip(item.attributes, item.orders, strict=True):
            yield Subject(item, pair_item(item.question_id, attribute_id), pair.content_hash, order, attribute_id)
