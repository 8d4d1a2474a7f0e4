"""Simulated annotators label as their skill and bias say, the same labels for the same seed, and say what they are."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from evaluator.human.demo_data import SMALL, generate_demo
from evaluator.human.layout import LABELS, HumanTables
from evaluator.human.records import Attribute, RaterKind, Rating, Verification
from evaluator.human.simulation import Effects, SimulatedAnnotator, Truth, simulate_labels

NONE = Effects(user=0, item=0)
ITEMS = 4_000


def attributes(count: int, users: int = 20) -> HumanTables:
    return HumanTables(
        attributes=tuple(
            Attribute(attribute_id=f"a{number}", user_id=f"u{number % users}", text="x", evidence=(), origin="test")
            for number in range(count)
        )
    )


def annotators(*skills: float, **bias: float) -> list[SimulatedAnnotator]:
    return [
        SimulatedAnnotator(annotator_id=f"sim-{number}", skill=skill, **bias)
        for number, skill in enumerate(skills, start=1)
    ]


def truth(share: float = 0.5, count: int = ITEMS) -> Truth:
    """Knows that the first items hold."""
    return Truth(
        {f"a{number}": number < share * count for number in range(count)},
        {("p", f"a{number}"): number < share * count for number in range(count)},
        {("r", f"a{number}"): 1.0 if number < share * count else 0.0 for number in range(count)},
    )


def test_every_label_says_that_it_is_simulated() -> None:
    labelled = simulate_labels(attributes(20), truth(count=20), annotators(1, 1, 1), seed=1)
    labels = [*labelled.attribute_labels, *labelled.relevance_labels, *labelled.response_ratings]
    assert len(labels) == 3 * 3 * 20
    assert {label.kind for label in labels} == {RaterKind.SIMULATED}


@pytest.mark.parametrize("skill", [0.5, 2.0])
@pytest.mark.parametrize("inclusive", [-1.0, 0.0, 0.5])
def test_the_share_of_yes_is_that_of_the_model(skill: float, inclusive: float) -> None:
    (annotator,) = annotators(skill, inclusive=inclusive)
    known = truth()
    labelled = simulate_labels(attributes(ITEMS), known, [annotator], seed=3, per_item=(1, 1), effects=NONE)
    for holds in (True, False):
        found = [
            label.relevant for label in labelled.relevance_labels if known.relevant["p", label.attribute_id] is holds
        ]
        expected = annotator.chance_of_relevant(holds)
        error = math.sqrt(expected * (1 - expected) / len(found))
        assert abs(sum(found) / len(found) - expected) < 4 * error + 0.005


def test_more_skill_is_fewer_mistakes_in_every_task() -> None:
    crew = annotators(0.3, 1.0, 4.0)
    labelled = simulate_labels(attributes(ITEMS), truth(), crew, seed=5, effects=NONE)
    known = truth()
    right = {
        "verification": Counter(
            label.annotator_id
            for label in labelled.attribute_labels
            if (label.label is Verification.ACCEPTED) == known.makes_sense[label.attribute_id]
        ),
        "relevance": Counter(
            label.annotator_id
            for label in labelled.relevance_labels
            if label.relevant == known.relevant["p", label.attribute_id]
        ),
        "response": Counter(
            label.annotator_id
            for label in labelled.response_ratings
            if label.rating == 3 + known.uplift["r", label.attribute_id]
        ),
    }
    for counts in right.values():
        assert counts["sim-1"] < counts["sim-2"] < counts["sim-3"]


@pytest.mark.parametrize("bias", ["accepting", "inclusive", "generous"])
def test_a_bias_moves_its_own_task_and_no_other(bias: str) -> None:
    def means(**given: float) -> dict[str, float]:
        crew = annotators(1.0, **given)
        labelled = simulate_labels(attributes(ITEMS), truth(), crew, seed=7, per_item=(1, 1))
        return {
            "accepting": sum(each.label is Verification.ACCEPTED for each in labelled.attribute_labels) / ITEMS,
            "inclusive": sum(each.relevant for each in labelled.relevance_labels) / ITEMS,
            "generous": sum(each.rating for each in labelled.response_ratings) / ITEMS,
        }

    plain, biased = means(), means(**{bias: 1.0})
    assert biased[bias] > plain[bias] + 0.05
    assert [name for name in plain if biased[name] != plain[name]] == [bias]


def test_an_annotator_who_drifts_says_yes_more_often_in_the_end() -> None:
    (annotator,) = annotators(1.0, drift=2.0)
    labelled = simulate_labels(attributes(ITEMS), truth(), [annotator], seed=9, per_item=(1, 1))
    ordered = sorted(labelled.relevance_labels, key=lambda label: label.labelled_at)
    early, late = ordered[: ITEMS // 4], ordered[-ITEMS // 4 :]
    assert sum(label.relevant for label in late) > 1.3 * sum(label.relevant for label in early)


def test_what_annotators_share_makes_them_agree() -> None:
    def agreement(effects: Effects) -> float:
        labelled = simulate_labels(
            attributes(ITEMS), truth(), annotators(1.0, 1.0), seed=11, per_item=(2, 2), effects=effects
        )
        pairs = zip(labelled.relevance_labels[::2], labelled.relevance_labels[1::2], strict=True)
        return sum(one.relevant == other.relevant for one, other in pairs) / ITEMS

    assert agreement(NONE) + 0.05 < agreement(Effects(user=0, item=2.0))
    assert agreement(NONE) + 0.05 < agreement(Effects(user=2.0, item=0))


def test_each_item_has_as_many_annotators_as_asked_for_and_each_of_them_once() -> None:
    labelled = simulate_labels(attributes(500), truth(count=500), annotators(1, 1, 1, 1, 1), seed=13, per_item=(2, 4))
    names: dict[str, list[str]] = {}
    for label in labelled.attribute_labels:
        names.setdefault(label.attribute_id, []).append(label.annotator_id)
    assert {len(set(each)) for each in names.values()} == {len(each) for each in names.values()} == {2, 3, 4}
    shares = Counter(label.annotator_id for label in labelled.attribute_labels)
    assert min(shares.values()) > 0.8 * max(shares.values())


def test_each_annotator_sees_the_items_in_an_order_of_his_own() -> None:
    labelled = simulate_labels(attributes(50), truth(count=50), annotators(1, 1), seed=15, per_item=(2, 2))
    orders = []
    for name in ("sim-1", "sim-2"):
        own = [label for label in labelled.attribute_labels if label.annotator_id == name]
        assert len({label.labelled_at for label in own}) == 50
        orders.append([label.attribute_id for label in sorted(own, key=lambda label: label.labelled_at)])
    assert orders[0] != orders[1]
    assert orders[0] != sorted(orders[0])


def test_the_seed_decides_and_nothing_else() -> None:
    once = simulate_labels(attributes(50), truth(count=50), annotators(1, 1, 1), seed=17)
    assert simulate_labels(attributes(50), truth(count=50), annotators(1, 1, 1), seed=17) == once
    assert simulate_labels(attributes(50), truth(count=50), annotators(1, 1, 1), seed=18) != once


def test_further_items_change_no_label() -> None:
    few = truth(count=100)
    many = Truth(
        few.makes_sense | {f"a{number}": True for number in range(100, 150)},
        few.relevant,
        few.uplift,
    )
    crew = annotators(1, 2, 3, 1)
    before = simulate_labels(attributes(150), few, crew, seed=19, per_item=(2, 3)).attribute_labels
    after = simulate_labels(attributes(150), many, crew, seed=19, per_item=(2, 3)).attribute_labels
    known = {(label.attribute_id, label.annotator_id): label.label for label in after}
    assert len(after) > len(before)
    assert {(label.attribute_id, label.annotator_id): label.label for label in before}.items() <= known.items()


def test_ratings_stay_on_their_scale() -> None:
    ends = Truth({}, {}, {("r", "a0"): 50.0, ("r", "a1"): -50.0})
    labelled = simulate_labels(attributes(2), ends, annotators(1), seed=1, per_item=(1, 1))
    assert [label.rating for label in labelled.response_ratings] == [Rating.MUCH_BETTER, Rating.MUCH_WORSE]


def test_other_rows_stay_as_they_are() -> None:
    demo = generate_demo(SMALL, 1)
    labelled = simulate_labels(demo.tables, demo.truth, annotators(1, 1, 1), seed=1)
    assert labelled._replace(annotators=(), **dict.fromkeys(LABELS, ())) == demo.tables
    assert [(row.annotator_id, row.kind) for row in labelled.annotators] == [
        (f"sim-{number}", RaterKind.SIMULATED) for number in (1, 2, 3)
    ]


@pytest.mark.parametrize("per_item", [(0, 1), (2, 1), (1, 4)])
def test_more_annotators_than_there_are_cannot_be_had(per_item: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="per_item"):
        simulate_labels(attributes(1), truth(count=1), annotators(1, 1, 1), seed=1, per_item=per_item)
