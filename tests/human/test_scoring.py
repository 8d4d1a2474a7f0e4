"""From labels to the figures of a stage: every published one, of the right labels, and None where there is none."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import numpy as np
import pytest

from evaluator.human.demo_data import SEED, SMALL, demo_tables
from evaluator.human.figures import FIGURES, GAP
from evaluator.human.labelled import (
    OTHER,
    PROBLEMATIC,
    RELEVANT,
    Labelled,
    rating_labels,
    relevance_labels,
    verification_labels,
)
from evaluator.human.layout import HumanTables
from evaluator.human.records import RaterKind
from evaluator.human.scoring import HumanFigures, score_classes, score_ratings

SIMULATED = (RaterKind.SIMULATED,)
NOTHING = Labelled((), np.zeros(0, dtype=np.intp), (), np.zeros((0, 0)))

Score = Callable[[Labelled, Mapping[str, float]], HumanFigures]


def verification(labelled: Labelled, said: Mapping[str, float]) -> HumanFigures:
    return score_classes("verification", labelled, said, of=PROBLEMATIC, epsilon=0.1)


def relevance(labelled: Labelled, said: Mapping[str, float]) -> HumanFigures:
    return score_classes("relevance", labelled, said, of=RELEVANT, epsilon=0.1)


def rating(labelled: Labelled, said: Mapping[str, float]) -> HumanFigures:
    openly = {name: place % 2 == 0 for place, name in enumerate(labelled.items)}
    return score_ratings("rating", labelled, said, openly, epsilon=0.1)


STAGES: list[tuple[str, Score, Callable[..., Labelled]]] = [
    ("verification", verification, verification_labels),
    ("relevance", relevance, relevance_labels),
    ("rating", rating, rating_labels),
]


@pytest.fixture(scope="module")
def tables() -> HumanTables:
    return demo_tables(SMALL, SEED)


def usual(labelled: Labelled) -> dict[str, float]:
    """What most annotators say, of each item."""
    return {
        name: float(np.median(row[~np.isnan(row)])) for name, row in zip(labelled.items, labelled.table, strict=True)
    }


def twelve(*columns: list[float]) -> Labelled:
    """Items of twelve users, one each, as annotators label them."""
    table = np.array(columns, dtype=float).T
    names = tuple(f"item-{place:02}" for place in range(12))
    return Labelled(names, np.arange(12), tuple(f"n-{place}" for place in range(table.shape[1])), table)


@pytest.mark.parametrize(("stage", "score", "labels"), STAGES, ids=[stage for stage, _, _ in STAGES])
def test_every_published_figure_of_a_stage_comes_out_and_no_other(stage, score, labels, tables):
    labelled = labels(tables, SIMULATED)
    published = {name.removeprefix(f"{stage}.") for name in FIGURES if name.startswith(f"{stage}.")}
    found = score(labelled, usual(labelled))
    assert set(found) == {name for name in published if not name.endswith(f".{GAP}")}
    untested = {"advantage_probability", "winning_rate"} if stage == "rating" else set()  # Too few items a person.
    everyone = len(set(labelled.users.tolist()))
    assert {name for name, figure in found.items() if figure.users != everyone} == untested
    assert {name for name, figure in found.items() if not figure.labels} == untested


@pytest.mark.parametrize(("stage", "score", "labels"), STAGES, ids=[stage for stage, _, _ in STAGES])
def test_without_labels_or_answers_nothing_is_made_up(stage, score, labels, tables):
    labelled = labels(tables, SIMULATED)
    silent = score(labelled, {})
    assert silent["answered"].value == 0
    of_people = {"answered", "alpha", "mention_effect.one_more_human"}
    assert {name for name, figure in silent.items() if figure.value is not None} <= of_people
    assert all(
        (figure.value, figure.interval, figure.labels) == (None, None, 0) for figure in score(NOTHING, {}).values()
    )


def test_an_item_that_is_not_answered_has_no_part_in_agreement(tables):
    labelled = relevance_labels(tables, SIMULATED)
    said = usual(labelled)
    left_out = dict(list(said.items())[::2])
    some = Labelled(tuple(left_out), labelled.users[::2], labelled.annotators, labelled.table[::2])
    whole, part = relevance(labelled, left_out), relevance(some, left_out)
    assert whole["answered"].value == len(left_out) / len(said)
    for name in ("kappa", "f1", "single_kappa", "selection_ratio", "kappa.one_more_human"):
        assert (whole[name].value, whole[name].labels) == (part[name].value, part[name].labels), name


def test_figures_of_a_hand_made_table():
    labelled = twelve(
        [1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    )
    yes = dict.fromkeys(labelled.items, RELEVANT)
    found = relevance(labelled, yes)
    # Of 36 labels those are compared whose two others agree: all of the 10 unanimous items, one of each other item.
    assert found["kappa"].labels == 32
    assert found["f1"].value == found["f1.always_yes"].value == round(2 * 7 / (7 + 32), 6)
    assert found["kappa"].value == 0
    assert found["matthews"].value is None
    assert found["selection_ratio"].value == round(36 / 9, 6)
    assert found["f1.always_no"].value == 0
    assert found["f1"].interval.users == 12


def test_the_more_a_rater_is_right_the_more_it_agrees(tables):
    labelled, chance = relevance_labels(tables, SIMULATED), random.Random(4)
    right = usual(labelled)
    kappas = []
    for share in (0.0, 0.5, 1.0):
        said = {name: own if chance.random() < share else float(chance.random() < 0.2) for name, own in right.items()}
        kappas.append(relevance(labelled, said)["kappa"].value)
    assert kappas == sorted(kappas)
    assert abs(kappas[0]) < 0.25
    assert kappas[2] > 0.7


def test_ratings_that_are_too_high_show_as_bias_and_cost_no_correlation(tables):
    labelled = rating_labels(tables, SIMULATED)
    said = usual(labelled)
    low, high = rating(labelled, said), rating(labelled, {name: own + 1 for name, own in said.items()})
    assert high["spearman"].value == low["spearman"].value
    assert high["bias"].value == pytest.approx(low["bias"].value + 1)


def test_the_mention_effect_is_that_of_the_items_of_which_it_can_be_told():
    labelled = twelve([3.0] * 12, [3.0] * 12)
    said = {name: 4.0 if place < 3 else 2.5 for place, name in enumerate(labelled.items)}
    openly = {name: place < 3 for place, name in enumerate(labelled.items) if place != 11}
    found = score_ratings("rating", labelled, said, openly, epsilon=0.1)["mention_effect"]
    assert (found.value, found.labels) == (1.5, 11)


def test_labels_of_other_kinds_have_no_part(tables):
    assert relevance_labels(tables, (RaterKind.PERSON,)).items == ()
    assert relevance_labels(tables, (RaterKind.CONSENSUS,)).annotators == ()


def test_classes_are_those_that_matter(tables):
    labelled = verification_labels(tables, SIMULATED)
    accepted = [label for label in tables.attribute_labels if label.label == "accepted"]
    assert int((labelled.table == OTHER).sum()) == len(accepted)
    assert int((labelled.table == PROBLEMATIC).sum()) == len(tables.attribute_labels) - len(accepted)


def test_the_order_of_rows_changes_nothing(tables):
    shuffled = list(tables.relevance_labels)
    random.Random(1).shuffle(shuffled)
    one, other = (
        relevance_labels(some, SIMULATED) for some in (tables, tables._replace(relevance_labels=tuple(shuffled)))
    )
    said = usual(one)
    assert relevance(one, said) == relevance(other, said)
