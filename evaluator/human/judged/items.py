"""Items of the tasks in which a model writes: what it is asked, and what of the data set its judge is asked besides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from evaluator.human.data import HumanData
from evaluator.human.items import Groups, HumanItem, Part, given_labels
from evaluator.human.labelled import OTHER, pair_item, problem_of
from evaluator.human.people import counted_kind
from evaluator.human.records import RaterKind
from evaluator.human.stages.mentions import mentions
from evaluator.human.stages.rating import drawn_order
from evaluator.human.stages.verification import evidence_of
from evaluator.human.stages.writing import SLOT_ORDERS
from evaluator.human.tasks import JudgedTask, Order
from evaluator.identity import digest, text_digest
from evaluator.judges.spec import SLOTS, Orders
from evaluator.records import SlotOrder

_GIVEN = "given"
"""What names of given things begin with: they may be those of other rows."""


class Wished(NamedTuple):
    """For whom a prompt is answered."""

    prompt_id: str
    user_id: str
    attribute_ids: tuple[str, ...]
    """What people called relevant, at least one, in the order of the data."""

    @property
    def name(self) -> str:
        """Names the item."""
        return pair_item(self.prompt_id, self.user_id)


def wished(data: HumanData) -> Iterator[Wished]:
    """Yields the prompts and users of a data set's responses to which people called an attribute relevant.

    An attribute is relevant that more than half of its labels call so.
    """
    kind = counted_kind(data.tables.relevance_labels)
    for prompt_id, user_id in dict.fromkeys((row.prompt_id, row.user_id) for row in data.tables.responses):
        found = []
        for attribute in data.attributes_of.get(user_id, ()):
            labels = data.relevance_labels.get((prompt_id, attribute.attribute_id), ())
            said = [row.relevant for row in labels if row.kind is kind]
            if 2 * sum(said) > len(said):
                found.append(attribute.attribute_id)
        if found:
            yield Wished(prompt_id, user_id, tuple(found))


def comparison_items(data: HumanData, limit: int | None, orders: Orders = "both") -> Iterator[HumanItem]:
    """Yields what a writer is asked whose answers are compared, prompt by prompt.

    Args:
        data: The data set.
        limit: Pairs of answers at most.
        orders: Those in which the judge is asked.
    """
    groups, pairs = Groups(), list(islice(wished(data), limit))
    found = _written(data, JudgedTask.COMPARISON, pairs, groups)
    slots = {"orders": SLOTS[orders]}
    items = [item.model_copy(update=slots) if item.part is Part.PERSONALISED else item for item in found]
    yield from sorted(items, key=lambda item: item.user_id)


def uplift_items(data: HumanData, seed: int, limit: int | None, orders: Orders = "drawn") -> Iterator[HumanItem]:
    """Yields what a writer is asked whose answers are rated attribute by attribute, prompt by prompt.

    The data set's own answers that people rated stand beside them.

    Args:
        data: The data set.
        seed: Draws which of two answers stands first.
        limit: Pairs of answers at most, and of the data set's own only those to the same prompts for the same users.
        orders: Those in which the judge is asked.
    """
    groups, pairs = Groups(), list(islice(wished(data), limit))
    items = []
    for item in _written(data, JudgedTask.UPLIFT, pairs, groups):
        if item.part is Part.PERSONALISED:
            order = order_of(orders, seed, item.question_id)
            item = item.model_copy(update={"order": order, "orders": (SLOT_ORDERS[order],) * len(item.attributes)})
        items.append(item)
    among = None if limit is None else {(pair.prompt_id, pair.user_id) for pair in pairs}
    items += _rated(data, seed, orders, groups, among)
    yield from sorted(items, key=lambda item: item.user_id)


def _written(data: HumanData, task: JudgedTask, pairs: list[Wished], groups: Groups) -> Iterator[HumanItem]:
    """Yields the answers that a writer owes: one for anybody a prompt, and one for each of its users."""
    kind = counted_kind(data.tables.relevance_labels)
    for prompt_id in dict.fromkeys(pair.prompt_id for pair in pairs):
        own = [pair for pair in pairs if pair.prompt_id == prompt_id]
        group = groups.number(prompt_id)
        yield HumanItem(
            question_id=prompt_id,
            split=task,
            user_id=group,
            task=task,
            person=own[0].user_id,
            labels=(),
            kind=kind,
            part=Part.GENERIC,
        )
        for pair in own:
            yield HumanItem(
                question_id=pair.name,
                split=task,
                user_id=group,
                task=task,
                person=pair.user_id,
                labels=(),
                kind=kind,
                part=Part.PERSONALISED,
                attributes=pair.attribute_ids,
            )


def order_of(orders: Orders, seed: int, item_id: str) -> Order:
    """Returns the one order in which a rating judge is shown a pair: its own, or what is drawn.

    Args:
        orders: Those in which it is asked.
        seed: Of the protocol.
        item_id: Of the pair.

    Example:
        >>> order_of("gold_first", 42, "r-1")
        <Order.GENERIC_FIRST: 'generic_first'>
    """
    known = [order for order, slot in SLOT_ORDERS.items() if slot in SLOTS[orders]]
    return known[0] if len(known) == 1 else drawn_order(seed, item_id)


def _rated(
    data: HumanData, seed: int, orders: Orders, groups: Groups, among: set[tuple[str, str]] | None
) -> Iterator[HumanItem]:
    """Yields the data set's own answers that people rated, each with one attribute."""
    kind = counted_kind(data.tables.response_ratings)
    for (response_id, attribute_id), labels in data.response_ratings.items():
        response = data.responses[response_id]
        given = given_labels((row.annotator_id, float(row.rating), row.kind) for row in labels)
        if kind not in given or (among is not None and (response.prompt_id, response.user_id) not in among):
            continue
        order = order_of(orders, seed, response_id)
        yield HumanItem(
            question_id=f"{_GIVEN}/{pair_item(response_id, attribute_id)}",
            split=JudgedTask.UPLIFT,
            user_id=groups.number(response.prompt_id),
            orders=(SLOT_ORDERS[order],),
            task=JudgedTask.UPLIFT,
            person=response.user_id,
            labels=given[kind],
            kind=kind,
            mentioned=mentions(
                data.attributes[attribute_id].text, response.personalised, data.prompts[response.prompt_id].text
            ),
            order=order,
            part=Part.GIVEN,
            attributes=(attribute_id,),
            content_hash=content_of(text_digest(response.generic), text_digest(response.personalised)),
        )


def extraction_items(data: HumanData, limit: int | None) -> Iterator[HumanItem]:
    """Yields the conversations of each user, and the attributes of the same users that people labelled.

    Args:
        data: The data set.
        limit: Users at most.

    Raises:
        RapportError: `data_error` if an attribute names a conversation that is not its user's.
    """
    kind = counted_kind(data.tables.attribute_labels)
    users = (user_id for user_id in data.user_ids if user_id in data.conversations_of)
    for group, user_id in enumerate(islice(users, limit)):
        given = list(_verified(data, user_id, group, kind))
        accepted = [item for item in given if is_accepted(item)]
        for conversation in data.conversations_of[user_id]:
            shown = (item for item in accepted if conversation.conversation_id in item.evidence)
            yield HumanItem(
                question_id=conversation.conversation_id,
                split=JudgedTask.EXTRACTION,
                user_id=group,
                task=JudgedTask.EXTRACTION,
                person=user_id,
                labels=(),
                kind=kind,
                part=Part.CONVERSATION,
                attributes=tuple(item.attributes[0] for item in shown),
            )
        yield from given


def _verified(data: HumanData, user_id: str, group: int, kind: RaterKind) -> Iterator[HumanItem]:
    """Yields the attributes of a user that people labelled."""
    for attribute in data.attributes_of.get(user_id, ()):
        labels = data.attribute_labels.get(attribute.attribute_id, ())
        given = given_labels((row.annotator_id, problem_of(row.label), row.kind) for row in labels)
        if kind not in given:
            continue
        shown = evidence_of(attribute, data.conversations_of[user_id])
        evidence = tuple(sorted(each.conversation_id for each in shown))
        yield HumanItem(
            question_id=f"{_GIVEN}/{attribute.attribute_id}",
            split=JudgedTask.EXTRACTION,
            user_id=group,
            orders=(SlotOrder.SINGLE,) if shown else (),
            task=JudgedTask.EXTRACTION,
            person=user_id,
            labels=given[kind],
            kind=kind,
            part=Part.GIVEN,
            attributes=(attribute.attribute_id,),
            evidence=evidence,
            content_hash=claim_content(attribute.text, evidence),
            unasked=None if shown else "no_evidence",
        )


def is_accepted(item: HumanItem) -> bool:
    """Says whether more than half of an attribute's labels accept it."""
    return 2 * sum(label.number == OTHER for label in item.labels) > len(item.labels)


def claim_content(text: str, evidence: Sequence[str]) -> str:
    """Names an attribute by what a verifier reads of it.

    Args:
        text: The attribute.
        evidence: Names of the conversations that it was taken from, sorted.
    """
    return digest([text, list(evidence)])


def given_response(item: HumanItem) -> str:
    """Returns the name of the response that a given item is about."""
    return item.question_id.removeprefix(f"{_GIVEN}/").split("/", 1)[0]


def content_of(generic_hash: str, personalised_hash: str) -> str:
    """Names a pair of answers by what both say: the verdict on one of them hangs on the other as well.

    Args:
        generic_hash: SHA-256 of the answer for anybody.
        personalised_hash: SHA-256 of the answer for one user.
    """
    return digest([generic_hash, personalised_hash])
