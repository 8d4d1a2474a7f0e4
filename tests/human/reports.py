"""Data sets with annotators of known skill, to be reported on."""

from __future__ import annotations

from collections.abc import Iterable

from evaluator.human.data import HumanData
from evaluator.human.layout import About, HumanTables
from evaluator.human.records import Attribute, AttributeLabel, Prompt, RaterKind, Response
from evaluator.human.simulation import SimulatedAnnotator, Truth, simulate_labels

ITEMS, USERS = 200, 20
PER_USER = ITEMS // USERS
HONEST = (2.0, 2.0, 2.0, 2.0)
RANDOM = 0.01


def labelled(skills: Iterable[float] = HONEST, seed: int = 3, kind: RaterKind = RaterKind.PERSON) -> HumanTables:
    """Returns a data set whose annotators, `ann-1` and so on, label every item of every task."""
    crew = [SimulatedAnnotator(annotator_id=f"ann-{place}", skill=skill) for place, skill in enumerate(skills, start=1)]
    found = simulate_labels(_items(), _truth(), crew, seed=seed, per_item=(len(crew), len(crew)))
    found = found._replace(annotators=tuple(row.model_copy(update={"kind": kind}) for row in found.annotators))
    return with_labels(found, lambda label: label.model_copy(update={"kind": kind}))


def with_labels(tables: HumanTables, change) -> HumanTables:
    """Changes every label; None leaves it out."""
    names = ("attribute_labels", "relevance_labels", "response_ratings")
    return tables._replace(
        **{name: tuple(new for row in getattr(tables, name) if (new := change(row)) is not None) for name in names}
    )


def lazy(tables: HumanTables, annotator: str, source: str) -> HumanTables:
    """Puts the labels of `source`, who leaves, in place of the second half of an annotator's labels of attributes."""
    rows = tables.attribute_labels
    own = sorted((row for row in rows if row.annotator_id == annotator), key=lambda row: row.labelled_at)
    late = {row.attribute_id for row in own[len(own) // 2 :]}
    given = {row.attribute_id: row.label for row in rows if row.annotator_id == source}

    def changed(row: AttributeLabel) -> AttributeLabel:
        if row.annotator_id == annotator and row.attribute_id in late:
            return row.model_copy(update={"label": given[row.attribute_id]})
        return row

    return tables._replace(attribute_labels=tuple(changed(row) for row in rows if row.annotator_id != source))


def data_of(tables: HumanTables) -> HumanData:
    return HumanData("a test", "0" * 40, About(title="Made-up labels"), tables)


def _items() -> HumanTables:
    users = [f"u{number:02}" for number in range(USERS)]
    return HumanTables(
        attributes=tuple(
            Attribute(attribute_id=f"a{number}", user_id=users[number % USERS], text="x", evidence=(), origin="test")
            for number in range(ITEMS)
        ),
        prompts=(Prompt(prompt_id="p", text="What shall I cook?", user_ids=tuple(users)),),
        responses=tuple(
            Response(
                response_id=f"r-{user}",
                prompt_id="p",
                user_id=user,
                attribute_ids=tuple(f"a{number}" for number in range(place, ITEMS, USERS)),
                writer="test",
                generic="Soup.",
                personalised="Soup with honey.",
            )
            for place, user in enumerate(users)
        ),
    )


def _truth() -> Truth:
    return Truth(
        {f"a{number}": number % 5 < 3 for number in range(ITEMS)},
        {("p", f"a{number}"): number % 5 == 0 for number in range(ITEMS)},
        {(f"r-u{number % USERS:02}", f"a{number}"): float(number % 3 - 1) for number in range(ITEMS)},
    )
