"""The labels that people gave on a site, as a data set of people's labels: those, and the items that they are on."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from pydantic import Field

from evaluator.human.labelled import pair_item
from evaluator.human.layout import LABELS, About, HumanTables, with_roster
from evaluator.human.records import (
    Annotator,
    AttributeLabel,
    RaterKind,
    Rating,
    RelevanceLabel,
    ResponseRating,
    Verification,
)
from evaluator.records import Record
from leaderboard.labelling.records import Task
from leaderboard.open_data.people import OpenAnnotator, OpenLabel

ATTENTION = "annotators.json"
"""File beside the tables that says how attentive each annotator was."""

AnyLabel = AttributeLabel | RelevanceLabel | ResponseRating


class Attention(Record):
    """How many attention items, whose answer is known, an annotator answered, and how many of these rightly."""

    annotator: str
    items: int = Field(ge=0)
    right: int = Field(ge=0)


class Collected(NamedTuple):
    """A data set with the labels of a site."""

    tables: HumanTables
    about: About
    labels: int
    """Labels of the site that are in it."""
    unknown: int
    """Labels of the site on items that the data set does not have (any more)."""
    strangers: int
    """Labels of the site that were left out, since it lists nobody of that name who agrees to their use."""
    repeated: int
    """Labels of the site that the data set has already, by the same annotator on the same item."""
    simulated: int
    """Simulated labels of the data set that were left out: they never stand beside people's."""
    withdrawn: int
    """Labels of the data set that were left out, since their annotators have withdrawn since."""
    other_states: Mapping[str, int]
    """How many of `labels` were given on another state of the data set, by the commit or digest of that state."""


def collect(
    tables: HumanTables,
    about: About,
    name: str,
    labels: Iterable[OpenLabel],
    annotators: Sequence[OpenAnnotator],
    sha: str | None = None,
) -> Collected:
    """Returns a data set with the labels that people gave its items on a site.

    Args:
        tables: The data set.
        about: What its card says.
        name: What it is called in labels; labels on other data sets are left alone.
        labels: All public labels of the site.
        annotators: All people who label there; labels of nobody else count, nor of those who agree to nothing by now.
            Who withdrew, withdrew labels that the data set has already, too: those from before, and those of which it
            does not say when they were given.
        sha: Commit or digest of the data set; None if it does not matter which state of it people saw.
    """
    withdrew = {each.annotator: each.withdrawn_at for each in annotators if each.withdrawn_at}
    mine = [label for label in labels if label.data_set == name]
    known = {task: _items(tables, task) for task in (Task.VERIFICATION, Task.RELEVANCE, Task.RATING)}
    people = {table: [row for row in getattr(tables, table) if row.kind is not RaterKind.SIMULATED] for table in LABELS}
    own = {table: [row for row in rows if not _is_withdrawn(row, withdrew)] for table, rows in people.items()}
    there = {_key(row) for rows in own.values() for row in rows}
    agree = {each.annotator for each in annotators if each.consent is not None}
    unknown, strangers, repeated, states = 0, 0, 0, Counter[str]()
    for label in sorted(mine, key=lambda row: (row.created_at, row.item_id, row.annotator)):
        row = _row(label)
        if label.item_id not in known[Task(label.stage)]:
            unknown += 1
        elif label.annotator not in agree:
            strangers += 1
        elif _key(row) in there:
            repeated += 1
        else:
            own[_TABLES[Task(label.stage)]].append(row)
            states[label.data_sha] += 1
    simulated = sum(len(getattr(tables, table)) - len(people[table]) for table in LABELS)
    withdrawn = sum(len(people[table]) for table in LABELS) + states.total() - sum(map(len, own.values()))
    changed = tables._replace(**{table: tuple(rows) for table, rows in own.items()})
    changed = changed._replace(annotators=_annotators(tables, own, agree, withdrew))
    others = {state: count for state, count in sorted(states.items()) if sha not in (None, state)}
    card = _about(about, name, simulated)
    return Collected(changed, card, states.total(), unknown, strangers, repeated, simulated, withdrawn, others)


def _annotators(
    tables: HumanTables, own: Mapping[str, Iterable[AnyLabel]], agree: Collection[str], withdrew: Collection[str]
) -> tuple[Annotator, ...]:
    """Returns whose labels count: people of the data set who have not withdrawn all of them, and those of the site."""
    stand = {row.annotator_id for rows in own.values() for row in rows}
    kinds = {
        row.annotator_id: row.kind
        for row in with_roster(tables).annotators
        if row.kind is not RaterKind.SIMULATED and (row.annotator_id in stand or row.annotator_id not in withdrew)
    }
    kinds |= dict.fromkeys(agree, RaterKind.PERSON)
    return tuple(Annotator(annotator_id=name, kind=kind) for name, kind in sorted(kinds.items()))


def _is_withdrawn(row: AnyLabel, withdrew: Mapping[str, datetime.datetime]) -> bool:
    """Says whether a label's annotator withdrew after it was given, or it does not say when that was."""
    at = withdrew.get(row.annotator_id)
    return at is not None and (row.labelled_at is None or row.labelled_at <= at)


def attention_of(annotators: Iterable[OpenAnnotator]) -> tuple[Attention, ...]:
    """Returns the record of each annotator who has answered an attention item, by name."""
    return tuple(
        Attention(annotator=each.annotator, items=each.attention_items, right=each.attention_right)
        for each in sorted(annotators, key=lambda each: each.annotator)
        if each.attention_items
    )


_TABLES = {
    Task.VERIFICATION: "attribute_labels",
    Task.RELEVANCE: "relevance_labels",
    Task.RATING: "response_ratings",
}


def _items(tables: HumanTables, task: Task) -> frozenset[str]:
    """Returns the items of a task that a data set can have labels on."""
    attributes = {row.attribute_id: row.user_id for row in tables.attributes}
    if task is Task.VERIFICATION:
        return frozenset(attributes)
    if task is Task.RATING:
        return frozenset(pair_item(row.response_id, each) for row in tables.responses for each in row.attribute_ids)
    return frozenset(
        pair_item(prompt.prompt_id, name)
        for prompt in tables.prompts
        for name, user_id in attributes.items()
        if user_id in prompt.user_ids
    )


def _row(label: OpenLabel) -> AnyLabel:
    """Returns a label as a row of its table.

    Raises:
        ValueError: If it is none of its stage.
    """
    first, _, last = label.item_id.partition("/")
    task = Task(label.stage)
    if task is Task.VERIFICATION:
        said = Verification(label.word or "")
        return AttributeLabel(
            annotator_id=label.annotator, labelled_at=label.created_at, attribute_id=first, label=said
        )
    if task is Task.RELEVANCE:
        return RelevanceLabel(
            annotator_id=label.annotator,
            labelled_at=label.created_at,
            prompt_id=first,
            attribute_id=last,
            relevant=label.word == "YES",
        )
    return ResponseRating(
        annotator_id=label.annotator,
        labelled_at=label.created_at,
        response_id=first,
        attribute_id=last,
        rating=Rating(int(label.number or 0)),
    )


def _key(row: AnyLabel) -> tuple[str, str, str]:
    """Names a label: its table's item, and the annotator."""
    if isinstance(row, AttributeLabel):
        return "", row.attribute_id, row.annotator_id
    first = row.prompt_id if isinstance(row, RelevanceLabel) else row.response_id
    return first, row.attribute_id, row.annotator_id


def _about(about: About, name: str, simulated: int) -> About:
    """Returns what the card of the new data set says."""
    gone = f" {simulated} simulated labels of it are left out." if simulated else ""
    source = f"The items of {name}, with labels that people gave on a labelling page of Rapport.{gone}"
    text = "Labels that were given on the labelling page are under CC BY 4.0."
    own = "" if simulated else about.text
    return about.model_copy(
        update={"title": f"{about.title.replace(' (simulated labels)', '')}, labelled", "source": source}
        | {"text": f"{own}\n\n{text}".strip()}
    )
