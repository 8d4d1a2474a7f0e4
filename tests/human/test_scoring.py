"""From labels to the figures of a stage: every published one, of the right labels, and None where there is none."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluator.human.demo_data import SEED, SMALL, demo_tables
from evaluator.human.figures import (
    FIGURES,
    GAP,
    GIVEN,
    INSTEAD,
    NOISE_CEILING,
    ONE_MORE_HUMAN,
    SHOWN_CEILING,
    WITHOUT,
)
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
from evaluator.metrics.alternative_annotator import alternative_annotator_test
from evaluator.metrics.clustered import Missing
from tests.unit.raters import raters_among_annotators

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
    assert set(found) == {name for name in published if f".{GAP}" not in name}
    untested = {"advantage_probability", "winning_rate"} if stage == "rating" else set()  # Too few items a person.
    if stage == "verification":
        untested = {name for name in found if name.startswith(("advantage_probability_bal", "winning_rate_bal"))}
    everyone = len(set(labelled.users.tolist()))
    assert {name for name, figure in found.items() if figure.users != everyone} == untested
    assert {name for name, figure in found.items() if not figure.labels} == untested
    for name, figure in found.items():
        assert (figure.interval is None) == (figure.reason is not None), name
        if FIGURES[f"{stage}.{name}"].method is None and figure.value is not None:
            assert figure.reason is Missing.NO_METHOD


@pytest.mark.parametrize(("stage", "score", "labels"), STAGES, ids=[stage for stage, _, _ in STAGES])
def test_without_labels_or_answers_nothing_is_made_up(stage, score, labels, tables):
    labelled = labels(tables, SIMULATED)
    silent = score(labelled, {})
    assert silent["answered"].value == 0
    of_people = {"answered", "alpha"}
    assert {name for name, figure in silent.items() if figure.value is not None} <= of_people
    assert all(
        (figure.value, figure.interval, figure.labels, figure.reason) == (None, None, 0, Missing.UNDEFINED)
        for figure in score(NOTHING, {}).values()
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
    assert found["f1_majority.always_no"].value == 0
    assert (found["single_kappa.always_yes"].value, found["single_kappa.always_no"].value) == (0, 0)
    assert found["single_kappa.always_yes"].labels == found["single_kappa"].labels == 72
    assert (found["selection_ratio.one_more_human"].value, found["selection_ratio.one_more_human"].labels) == (1, 12)
    assert found["f1"].interval.users == 12
    assert found["f1"].tied == 4
    assert found["f1_majority"].value == found["f1_majority.always_yes"].value == round(2 * 3 / (3 + 12), 6)
    assert (found["f1_majority"].labels, found["f1_majority"].tied) == (12, 0)


def test_what_does_not_vary_has_no_interval_and_says_so():
    labelled = twelve([1, 0] * 6, [1, 0] * 6, [1, 0] * 6)
    found = relevance(labelled, dict(zip(labelled.items, [1.0, 0] * 6, strict=True)))
    assert (found["kappa"].value, found["kappa"].interval, found["kappa"].reason) == (1, None, Missing.NOTHING_VARIES)
    assert 0.5 < found["f1"].interval.low < found["f1"].interval.high == 1
    some = relevance(Labelled(labelled.items, np.arange(12) % 9, labelled.annotators, labelled.table), {"item-00": 1.0})
    assert some["kappa"].reason is Missing.UNDEFINED
    assert some["f1"].reason is Missing.FEW_CLUSTERS


def test_a_ceiling_that_is_one_whatever_annotators_say_is_not_shown_and_that_against_singles_is():
    columns = [1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0], [1, 1, 0] * 4, [1, 0, 1, 0] * 3
    labelled = twelve(*columns)
    yes = dict.fromkeys(labelled.items, RELEVANT)
    three = relevance(labelled, yes)
    for name in ("kappa", "matthews", "f1"):
        ceiling = three[f"{name}.noise_ceiling"]
        assert (ceiling.value, ceiling.reason) == (None, Missing.TRIVIAL)
    assert 0.3 < three[SHOWN_CEILING].value < 1
    four = relevance(twelve(*columns, [0, 1] * 6), yes)
    assert four["kappa.noise_ceiling"].reason is Missing.NO_METHOD
    assert 0 < four["kappa.noise_ceiling"].value < 1


def test_ties_are_skipped_and_counted_item_by_item():
    labelled = twelve([1] * 6 + [0] * 6, [1] * 3 + [0] * 9)
    said = {name: float(place < 6) for place, name in enumerate(labelled.items) if place != 5}
    found = relevance(labelled, said)["f1_majority"]
    assert (found.value, found.labels, found.tied) == (1, 9, 2)


def test_each_item_counts_once_in_the_selection_ratio():
    nan = np.nan
    labelled = twelve([1] * 6 + [0] * 6, [1] * 6 + [nan] * 6, [1] * 6 + [nan] * 6)
    found = relevance(labelled, dict.fromkeys(labelled.items, RELEVANT))["selection_ratio"]
    assert (found.value, found.labels) == (2, 12)


def test_one_more_human_s_mention_effect_is_on_the_items_of_the_model_each_once():
    nan = np.nan
    labelled = twelve([5.0, 1, 4, *[3] * 9], [5.0, nan, 2, *[3] * 9], [5.0, nan, nan, *[3] * 9])
    said = dict.fromkeys(labelled.items[1:], 3.0)
    openly = {name: place < 3 for place, name in enumerate(labelled.items)}
    found = score_ratings("rating", labelled, said, openly, epsilon=0.1)
    human, own = found["mention_effect.one_more_human"], found["mention_effect"]
    assert (human.value, human.labels) == (-1, 11)  # The means of 1 and (4 + 2) / 2, less 3.
    assert (own.value, own.labels) == (0, 11)


def test_the_winning_rates_of_the_baselines_are_those_of_raters_who_always_say_the_same(tables):
    labelled = relevance_labels(tables, SIMULATED)
    answered = dict(list(usual(labelled).items())[::2])
    found = relevance(labelled, answered)
    for whose, label in (("always_yes", RELEVANT), ("always_no", OTHER)):
        own = relevance(labelled, dict.fromkeys(answered, label))
        for name in ("winning_rate", "winning_rate_balanced"):
            baseline = found[f"{name}.{whose}"]
            assert (baseline.value, baseline.labels) == (own[name].value, own[name].labels)
    assert found["winning_rate.always_no"].value > found["winning_rate.always_yes"].value == 0
    assert found["winning_rate_balanced.always_no"].value == 0, "what naming the usual class alone is worth"


def test_beside_every_figure_on_labels_stand_one_more_human_and_a_ceiling_or_it_is_said_why_not():
    of_no_rater = {"alpha", "answered"}
    for stage in ("verification", "relevance", "rating"):
        own = {name.split(".")[1] for name in FIGURES if name.startswith(f"{stage}.")} - of_no_rater
        beside = {f"{stage}.{name}.{part}" for name in own for part in (ONE_MORE_HUMAN, NOISE_CEILING)}
        assert beside <= FIGURES.keys() | WITHOUT.keys()
        assert {name for name in WITHOUT if name.startswith(f"{stage}.")} == beside - FIGURES.keys()
        for name in own & INSTEAD.keys():
            assert f"{stage}.{INSTEAD[name]}.{ONE_MORE_HUMAN}" in FIGURES


@pytest.mark.parametrize("least", [20, 40])
def test_the_advantage_is_over_the_annotators_that_the_test_tests(least, monkeypatch):
    random_ = np.random.default_rng(3)
    table = random_.integers(0, 2, (90, 6)).astype(float)
    table[random_.random(table.shape) < np.linspace(0, 0.8, 6)] = np.nan
    names = tuple(f"item-{place:02}" for place in range(90))
    labelled = Labelled(names, np.arange(90) % 15, tuple("abcdef"), table)
    said = {name: float(random_.integers(2)) for name in names}
    monkeypatch.setattr("evaluator.metrics.alternative_annotator.LEAST_ITEMS", least)
    for balanced in (False, True):
        test = alternative_annotator_test(
            table, labelled.rater(said), epsilon=0.1, balanced=balanced, clusters=labelled.users
        )
        figure = relevance(labelled, said)[f"advantage_probability{'_balanced' * balanced}"]
        assert 3 <= test.tested < 6
        assert figure.value == pytest.approx(test.advantage_probability, abs=1e-6)


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
    for name in ("spearman_within_annotators", "kendall_within_annotators", "spearman_mean", "kendall_mean"):
        assert high[name].value == low[name].value
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


def test_every_figure_says_what_it_is_and_why_it_has_no_interval():
    for name, figure in FIGURES.items():
        assert figure.says, name
        assert bool(figure.why) == (figure.method is None), name
    assert "annotators" in GIVEN
    assert "prompts" in GIVEN
    assert SHOWN_CEILING in {name.partition(".")[2] for name in FIGURES}


def of_table(table: np.ndarray, users: np.ndarray, names: tuple[str, ...]) -> Labelled:
    return Labelled(names, users, tuple(f"n-{place}" for place in range(table.shape[1])), table)


@settings(max_examples=40)
@given(raters_among_annotators((1.0, 2.0), most_items=30, most_raters=4), st.integers(1, 12), st.randoms())
@pytest.mark.parametrize("score", [relevance, rating])
def test_whatever_is_said_no_figure_is_made_up_and_order_changes_nothing(score, two, users, shuffle):
    table, rater = two
    names = tuple(f"item-{place:02}" for place in range(len(table)))
    said = {name: float(label) for name, label in zip(names, rater, strict=True) if not np.isnan(label)}
    found = score(of_table(table, np.arange(len(table)) % users, names), said)
    for name, figure in found.items():
        assert figure.value is None or np.isfinite(figure.value), name
        assert (figure.interval is None) == (figure.reason is not None), name
        if figure.interval:
            assert np.isfinite([figure.interval.low, figure.interval.high]).all()
    columns = list(range(table.shape[1]))
    shuffle.shuffle(columns)
    other = score(of_table(table[:, columns], np.arange(len(table)) % users, names), said)
    for name, figure in found.items():
        assert other[name].value == (None if figure.value is None else pytest.approx(figure.value, abs=2e-6)), name
        assert other[name].reason == figure.reason
