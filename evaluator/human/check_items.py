"""Findings on items: whether enough annotators have labelled each, and whether what they gave can be compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from evaluator.human.check_rows import Checked
from evaluator.human.findings import Finding, Problem
from evaluator.human.layout import KEYS, LABELS
from evaluator.human.records import RaterKind

_AS_ONE = (RaterKind.CONSENSUS, RaterKind.TRUTH)
"""Labels in which nobody disagrees."""


class _Item(NamedTuple):
    """Something that people label."""

    key: tuple[str, ...]
    table: str
    """Where it stands: its own table, or that of its first label."""
    number: int
    name: str
    """How it is called in a sentence."""


def item_findings(checked: Checked) -> Iterator[Finding]:
    """Yields items with too few labels or labels of several kinds."""
    for table, items in (
        ("attribute_labels", _attributes(checked)),
        ("relevance_labels", _pairs(checked)),
        ("response_ratings", _served(checked)),
    ):
        labels = _labels(checked, table)
        for item in items:
            if item.key not in checked.reading.unread[table]:
                yield from _item_findings(checked, item, labels.get(item.key, ()))
    yield from _prompts(checked)
    yield from _mixed_simulated(checked)


def _item_findings(checked: Checked, item: _Item, labels: Sequence[Any]) -> Iterator[Finding]:
    """Yields what is to be said of one item."""
    single = {label.annotator_id for label in labels if label.kind not in _AS_ONE}
    has_consensus = any(label.kind in _AS_ONE for label in labels)
    if not labels:
        yield checked.finding(Problem.UNLABELLED, item.table, item.number, f"Nobody has labelled {item.name}.")
    elif not single:
        message = f"Of {item.name} there is a consensus and no single label."
        yield checked.finding(Problem.CONSENSUS_ONLY, item.table, item.number, message)
    elif len(single) == 1:
        message = f"Only {min(single)} has labelled {item.name}."
        yield checked.finding(Problem.ONE_ANNOTATOR, item.table, item.number, message)
    if single and has_consensus:
        message = f"Of {item.name} there is a consensus beside single labels, which it may contain."
        yield checked.finding(Problem.MIXED_CONSENSUS, item.table, item.number, message)


def _labels(checked: Checked, table: str) -> dict[tuple[str, ...], list[Any]]:
    """Sorts the labels of a table by item."""
    found: dict[tuple[str, ...], list[Any]] = {}
    for _, label in checked.rows(table):
        found.setdefault(_key(table, label), []).append(label)
    return found


def _key(table: str, label: Any) -> tuple[str, ...]:
    """Returns the item that a label is of."""
    return tuple(getattr(label, column) for column in KEYS[table][:-1])


def _attributes(checked: Checked) -> Iterable[_Item]:
    """Yields each attribute."""
    for number, attribute in checked.rows("attributes"):
        yield _Item((attribute.attribute_id,), "attributes", number, "it")


def _pairs(checked: Checked) -> Iterable[_Item]:
    """Yields each pair of a prompt and an attribute that has a label: nobody has to label all that could be."""
    seen: set[tuple[str, ...]] = set()
    for number, label in checked.rows("relevance_labels"):
        key = _key("relevance_labels", label)
        if key not in seen:
            seen.add(key)
            yield _Item(key, "relevance_labels", number, "this pair")


def _served(checked: Checked) -> Iterable[_Item]:
    """Yields each attribute that a response was written from."""
    for number, response in checked.rows("responses"):
        for name in response.attribute_ids:
            yield _Item((response.response_id, name), "responses", number, f"how it serves {name}")


def _prompts(checked: Checked) -> Iterator[Finding]:
    """Yields prompts of which no pair is labelled."""
    labelled = {label.prompt_id for _, label in checked.rows("relevance_labels")}
    labelled |= {prompt_id for prompt_id, _ in checked.reading.unread["relevance_labels"]}
    for number, prompt in checked.rows("prompts"):
        if prompt.prompt_id not in labelled:
            message = "Nobody has labelled what is relevant for it."
            yield checked.finding(Problem.UNLABELLED, "prompts", number, message)


def _mixed_simulated(checked: Checked) -> Iterator[Finding]:
    """Yields the first simulated label of each table, if people's stand anywhere in the same data set."""
    simulated: dict[str, list[int]] = {}
    others = False
    for table in LABELS:
        for number, label in checked.rows(table):
            if label.kind == RaterKind.SIMULATED:
                simulated.setdefault(table, []).append(number)
            else:
                others = True
    for table, numbers in simulated.items() if others else ():
        message = f"{len(numbers)} labels of this table are simulated, in one data set with people's."
        yield checked.finding(Problem.MIXED_SIMULATED, table, numbers[0], message)
