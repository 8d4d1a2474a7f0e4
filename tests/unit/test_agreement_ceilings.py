"""The noise ceiling: nobody passes it, and where it is called exact somebody reaches it."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluator.metrics.agreement import (
    against_majority,
    against_mean,
    against_singles,
    class_agreement,
    class_ceiling,
    class_figures,
    is_trivial,
    kappa_ceiling,
    majority,
    mean,
    rating_agreement,
    rating_ceiling,
    rating_figures,
    single_agreement,
    single_kappa,
    single_kappa_ceiling,
)
from tests.unit.raters import annotators, raters_among_annotators, spread_over, tables, truth

CLOSE = pytest.approx
ROUNDING = 1e-9
LOWER_IS_BETTER = ("mean_absolute_error",)
small = tables(most_items=6, most_raters=4)


def passed(ceiling, figures) -> list[str]:
    """Names of the figures that pass a ceiling."""
    better = []
    for name, highest in ceiling.model_dump(exclude={"bias"}).items():
        figure = getattr(figures, name)
        sign = -1 if name in LOWER_IS_BETTER else 1
        if None not in (figure, highest) and sign * figure > sign * highest + ROUNDING:
            better.append(name)
    return better


def everyone(count, labels):
    """All raters there can be."""
    return (np.array(answers) for answers in itertools.product(labels, repeat=count))


def best(figures) -> float | None:
    return max((figure for figure in figures if figure is not None), default=None)


@settings(max_examples=40)
@given(small)
def test_of_all_raters_the_best_reaches_f1_and_nobody_passes_kappa_or_matthews(table):
    entries = against_majority(table, np.zeros(len(table))).comparisons
    ceiling = class_ceiling(entries, 1)
    found = [class_figures(answers[entries.items], entries, 1) for answers in everyone(len(table), (0.0, 1.0))]
    if ceiling.f1 is not None:
        assert best(figures.f1 for figures in found) == CLOSE(ceiling.f1, abs=ROUNDING)
    if ceiling.kappa is not None and is_trivial(entries):
        assert best(figures.kappa for figures in found) == CLOSE(ceiling.kappa, abs=ROUNDING) == CLOSE(1.0)
    assert not any(passed(ceiling, figures) for figures in found)


@settings(max_examples=60)
@given(tables(most_items=7, most_raters=4))
def test_of_all_raters_nobody_passes_the_mean_kappa_and_with_two_annotators_somebody_reaches_it(table):
    pairs = against_singles(table, np.zeros(len(table))).comparisons
    ceiling = single_kappa_ceiling(pairs)
    highest = best(single_kappa(answers[pairs.items], pairs) for answers in everyone(len(table), (0.0, 1.0)))
    if ceiling is not None:
        assert highest <= ceiling + ROUNDING
        if len(set(pairs.annotators.tolist())) == 2:
            assert highest == CLOSE(ceiling, abs=ROUNDING)


@pytest.mark.parametrize("labels", [[[1.0, 1], [1, 1]], [[0.0, 1], [1, 2], [2, 0]], [[1.0, np.nan], [np.nan, 0]]])
def test_there_is_no_ceiling_of_kappas_without_two_classes(labels):
    table = np.array(labels)
    assert single_kappa_ceiling(against_singles(table, table[:, 0]).comparisons) is None
    assert kappa_ceiling(against_majority(table, table[:, 0]).comparisons) is None


@settings(max_examples=30)
@given(tables((1.0, 2.0, 4.0), most_items=5, most_raters=4))
def test_of_all_raters_nobody_passes_rank_correlations_and_the_best_has_the_least_error(table):
    entries = against_mean(table, np.zeros(len(table))).comparisons
    ceiling = rating_ceiling(entries)
    for answers in everyone(len(table), (1.0, 2.0, 3.0)):
        found = rating_figures(answers[entries.items], entries)
        assert passed(ceiling, found) == []
    if len(entries.items):
        candidates = np.unique(entries.reference)
        errors = [
            min(np.abs(entries.reference[entries.items == item] - answer).sum() for answer in candidates)
            for item in np.unique(entries.items)
        ]
        assert ceiling.mean_absolute_error == CLOSE(sum(errors) / len(entries.items))


@given(raters_among_annotators((0.0, 1.0, 2.0), most_items=15, most_raters=6))
def test_no_rater_passes_it(two):
    table, rater = two
    for found in (class_agreement(table, rater, of=1), rating_agreement(table, rater)):
        assert passed(found.noise_ceiling, found.rater) == []
    single = single_agreement(table, rater, of=1)
    if single.rater is not None and single.noise_ceiling is not None:
        assert single.rater <= single.noise_ceiling + ROUNDING


@pytest.mark.parametrize("columns", [4, 30])
@pytest.mark.parametrize("seed", range(3))
def test_a_rater_who_knows_all_labels_does_not_pass_it(seed, columns):
    random = np.random.default_rng(seed)
    table = spread_over(random, annotators(random, truth(random, 300), 4, found=0.6), columns)
    shares = mean(table)
    for answers in (shares > 0.5, shares >= 0.5, shares >= 0.25, np.nan_to_num(majority(table).labels, nan=1.0)):
        found, single = (measure(table, answers.astype(float), of=1) for measure in (class_agreement, single_agreement))
        assert passed(found.noise_ceiling, found.rater) == []
        assert single.rater <= single.noise_ceiling + ROUNDING


@pytest.mark.parametrize("columns", [3, 25])
@pytest.mark.parametrize("seed", range(3))
def test_a_rater_who_knows_all_ratings_comes_close_and_does_not_pass_it(seed, columns):
    random = np.random.default_rng(seed)
    merits = random.normal(3.2, 0.6, 120)[:, None]
    table = spread_over(random, np.clip(np.round(merits + random.normal(0, 1, (120, 3))), 1, 5), columns)
    for answers in (mean(table), np.nanmedian(table, axis=1), np.round(mean(table))):
        found = rating_agreement(table, answers)
        assert passed(found.noise_ceiling, found.rater) == []
    assert (
        rating_agreement(table, mean(table)).rater.spearman_within_annotators
        > found.noise_ceiling.spearman_within_annotators - 0.05
    )


@pytest.mark.parametrize("seed", range(2))
def test_a_rater_who_learns_on_the_very_items_does_not_pass_it(seed):
    random = np.random.default_rng(seed)
    table = annotators(random, truth(random, 40), 4, found=0.6, right=0.8)
    pairs = against_singles(table, np.zeros(40)).comparisons
    answers, ceiling = np.zeros(40), single_kappa_ceiling(pairs)

    def figure() -> float:
        return single_kappa(answers[pairs.items], pairs) or 0.0

    reached = figure()
    for item in [*range(40)] * 3:
        answers[item] = 1 - answers[item]
        if (changed := figure()) >= reached:
            reached = changed
        else:
            answers[item] = 1 - answers[item]
    assert ceiling - 0.2 < reached <= ceiling + ROUNDING


@pytest.mark.parametrize("columns", [3, 9])
def test_who_says_what_most_of_three_say_comes_close_to_the_mean_kappa_that_nobody_passes(columns):
    random = np.random.default_rng(columns)
    table = spread_over(random, annotators(random, truth(random, 2000), 3, found=0.7, right=0.92), columns)
    found = single_agreement(table, majority(table).labels, of=1)
    assert found.one_more_human + 0.2 < found.noise_ceiling
    assert found.noise_ceiling - 0.08 < found.rater <= found.noise_ceiling


@given(tables(most_items=12, most_raters=3), st.just(3))
def test_with_three_annotators_of_each_item_the_ceiling_against_majorities_is_one(table, count):
    whole = table[(~np.isnan(table)).sum(axis=1) == count] if table.shape[1] == count else table[:0]
    found = class_agreement(whole, np.ones(len(whole)), of=1)
    assert is_trivial(against_majority(whole, np.ones(len(whole))).comparisons)
    for highest in (found.noise_ceiling.kappa, found.noise_ceiling.f1, found.noise_ceiling.matthews):
        assert highest in (None, CLOSE(1.0, abs=1e-12))


def test_people_who_contradict_each_other_lower_it():
    table = np.array([[1.0, 1], [1, 0], [0, 1], [0, 0]])
    found = class_agreement(table, table[:, 0], of=1)
    assert found.noise_ceiling.f1 == CLOSE(0.8)
    assert found.noise_ceiling.kappa == CLOSE(0.5)
    assert single_agreement(table, table[:, 0], of=1).noise_ceiling == CLOSE(0.5)
    assert found.one_more_human.f1 == CLOSE(0.5)


def test_people_who_rate_alike_do_not():
    ratings = np.array([[1.0] * 3, [2] * 3, [4] * 3])
    found = rating_agreement(ratings, ratings[:, 0])
    for name in ("spearman_within_annotators", "kendall_within_annotators"):
        assert getattr(found.noise_ceiling, name) == CLOSE(1.0) == CLOSE(getattr(found.rater, name))
    assert found.noise_ceiling.mean_absolute_error == 0.0


def test_pairs_of_many_items_are_taken_block_by_block(monkeypatch):
    ratings = np.random.default_rng(1).integers(1, 6, (40, 3)).astype(float)
    entries = against_mean(ratings, ratings[:, 0]).comparisons
    at_once = rating_ceiling(entries)
    monkeypatch.setattr("evaluator.metrics.agreement.ceilings._ROWS", 7)
    assert rating_ceiling(entries).kendall_within_annotators == CLOSE(at_once.kendall_within_annotators)
