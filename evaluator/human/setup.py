"""A run of a human-grounded task: what stays the same throughout, and which items that makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

from evaluator.hicupid.prompts import PromptPack
from evaluator.human.data import HumanData
from evaluator.human.items import Groups, HumanItem, given_labels
from evaluator.human.judged.items import comparison_items, extraction_items, uplift_items
from evaluator.human.labelled import RELEVANT, pair_item, problem_of
from evaluator.human.people import counted_kind
from evaluator.human.stages.mentions import mentions
from evaluator.human.stages.rating import drawn_order
from evaluator.human.stages.verification import evidence_of
from evaluator.human.stages.wording import Wording
from evaluator.human.tasks import AnyTask, JudgedTask, Task
from evaluator.judges.rater import Rater, orders_of
from evaluator.models import PinnedModel
from evaluator.protocol import HumanProtocol
from evaluator.records import Terms


class HumanSetup(NamedTuple):
    """Everything that a run of a human-grounded task is made of, apart from engines."""

    model: PinnedModel
    adapter: PinnedModel | None
    """LoRA weights on top of the model."""
    thinking: bool
    """Whether the model was declared to think before it answers."""
    data: HumanData
    protocol: HumanProtocol
    wording: Wording
    pack: PromptPack
    """Of a judge that compares answers; others need none."""
    judge: Rater
    judge_revision: str
    """That of the labels where people judge."""
    terms: Terms
    """The data set's terms, narrowed by what the submitter consented to."""
    only: frozenset[str] | None = None
    """Ids of the items that are asked, for trying; None asks all that the protocol asks."""

    @property
    def prompt_pack(self) -> str:
        """Names what is said, in an answer's key."""
        return self.wording.name


def items(setup: HumanSetup) -> Iterator[HumanItem]:
    """Yields every item that the run asks, group by group.

    Raises:
        RapportError: `data_error` if an attribute names a conversation that is not its user's.
    """
    known = _ITEMS[setup.protocol.task](setup)
    return (item for item in known if setup.only is None or item.question_id in setup.only)


def _verification(setup: HumanSetup) -> Iterator[HumanItem]:
    """Yields attributes, by the conversation that their evidence begins with."""
    data, groups, kind = setup.data, Groups(), counted_kind(setup.data.tables.attribute_labels)
    found = []
    for attribute in data.tables.attributes:
        labels = data.attribute_labels.get(attribute.attribute_id, ())
        given = given_labels((row.annotator_id, problem_of(row.label), row.kind) for row in labels)
        if kind not in given:
            continue
        shown = evidence_of(attribute, data.conversations_of.get(attribute.user_id, ()))
        item = HumanItem(
            question_id=attribute.attribute_id,
            split=Task.VERIFICATION,
            user_id=groups.number(shown[0].conversation_id if shown else attribute.user_id),
            task=Task.VERIFICATION,
            person=attribute.user_id,
            labels=given[kind],
            kind=kind,
            unasked=None if shown else "no_evidence",
        )
        found.append(item)
    yield from sorted(found, key=lambda item: item.user_id)


def _relevance(setup: HumanSetup) -> Iterator[HumanItem]:
    """Yields pairs of a prompt and an attribute, prompt by prompt."""
    data, groups, kind = setup.data, Groups(), counted_kind(setup.data.tables.relevance_labels)
    found = []
    for (prompt_id, attribute_id), labels in data.relevance_labels.items():
        given = given_labels((row.annotator_id, RELEVANT * row.relevant, row.kind) for row in labels)
        if kind in given:
            item = HumanItem(
                question_id=pair_item(prompt_id, attribute_id),
                split=Task.RELEVANCE,
                user_id=groups.number(prompt_id),
                task=Task.RELEVANCE,
                person=data.attributes[attribute_id].user_id,
                labels=given[kind],
                kind=kind,
            )
            found.append(item)
    yield from sorted(found, key=lambda item: item.user_id)


def _rating(setup: HumanSetup) -> Iterator[HumanItem]:
    """Yields pairs of a response and an attribute, response by response."""
    data, groups, kind = setup.data, Groups(), counted_kind(setup.data.tables.response_ratings)
    found = []
    for (response_id, attribute_id), labels in data.response_ratings.items():
        given = given_labels((row.annotator_id, float(row.rating), row.kind) for row in labels)
        if kind not in given:
            continue
        response = data.responses[response_id]
        prompt, attribute = data.prompts[response.prompt_id], data.attributes[attribute_id]
        item = HumanItem(
            question_id=pair_item(response_id, attribute_id),
            split=Task.RATING,
            user_id=groups.number(response_id),
            task=Task.RATING,
            person=response.user_id,
            labels=given[kind],
            kind=kind,
            mentioned=mentions(attribute.text, response.personalised, prompt.text),
            order=drawn_order(setup.protocol.order_seed, response_id),
        )
        found.append(item)
    yield from sorted(found, key=lambda item: item.user_id)


def _first(known: Callable[[HumanSetup], Iterator[HumanItem]]) -> Callable[[HumanSetup], Iterator[HumanItem]]:
    """Takes only as many items as the protocol asks."""
    return lambda setup: islice(known(setup), setup.protocol.limit)


_ITEMS: dict[AnyTask, Callable[[HumanSetup], Iterator[HumanItem]]] = {
    Task.VERIFICATION: _first(_verification),
    Task.RELEVANCE: _first(_relevance),
    Task.RATING: _first(_rating),
    JudgedTask.EXTRACTION: lambda setup: extraction_items(setup.data, setup.protocol.limit),
    JudgedTask.COMPARISON: lambda setup: comparison_items(setup.data, setup.protocol.limit, orders_of(setup.judge)),
    JudgedTask.UPLIFT: lambda setup: uplift_items(
        setup.data, setup.protocol.order_seed, setup.protocol.limit, orders_of(setup.judge)
    ),
}
