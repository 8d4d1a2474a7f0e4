"""Figures of two label vectors and of a table, beside the libraries that people know them from."""

import krippendorff
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from evaluator.metrics.agreement import (
    bias,
    compared,
    f1,
    f1_of,
    kappa,
    kappa_of,
    kendall,
    krippendorff_alpha,
    matthews,
    matthews_of,
    mean_absolute_error,
    selection_ratio,
    spearman,
    tally,
)
from tests.unit.raters import labelled, tables, truth, vectors

CLOSE = pytest.approx
pairs = st.integers(1, 30).flatmap(lambda size: st.tuples(*[vectors((0.0, 1.0, 2.0), size)] * 2))
ratings = st.integers(2, 30).flatmap(lambda size: st.tuples(*[vectors((1.0, 2.0, 3.0, 4.0, 5.0, 2.5), size)] * 2))
FIGURES = (kappa, matthews, lambda *two: f1(*two, 1), lambda one, other: selection_ratio(one, other[:, None], 1),
           spearman, kendall, bias, mean_absolute_error)  # fmt: skip
SCORED_ONE = (kappa, matthews, lambda *two: f1(*two, 1), spearman, kendall)


def without_gaps(first, second):
    both = ~(np.isnan(first) | np.isnan(second))
    return first[both], second[both]


@given(pairs, st.sampled_from(["nominal", "linear", "quadratic"]))
def test_kappa_is_that_of_scikit_learn(two, distance):
    first, second = without_gaps(*two)
    assume(len(set(first) | set(second)) > 1)
    theirs = metrics.cohen_kappa_score(
        first.astype(int), second.astype(int), labels=[0, 1, 2], weights=None if distance == "nominal" else distance
    )
    assert kappa(*two, distance=distance) == CLOSE(theirs, abs=1e-9)


@given(pairs)
def test_matthews_is_that_of_scikit_learn_where_neither_side_is_constant(two):
    first, second = without_gaps(*two)
    assume(len(set(first)) > 1 and len(set(second)) > 1)
    assert matthews(*two) == CLOSE(metrics.matthews_corrcoef(first, second), abs=1e-9)


@given(pairs)
def test_f1_is_that_of_scikit_learn_where_the_class_is_named(two):
    first, second = without_gaps(*two)
    assume(1 in first or 1 in second)
    theirs = metrics.f1_score(second == 1, first == 1, zero_division=0)
    assert f1(*two, 1) == CLOSE(theirs, abs=1e-9)


@given(ratings)
def test_rank_correlations_are_those_of_scipy(two):
    first, second = without_gaps(*two)
    assume(len(set(first)) > 1 and len(set(second)) > 1)
    assert spearman(*two) == CLOSE(stats.spearmanr(first, second).statistic, abs=1e-9)
    assert kendall(*two) == CLOSE(stats.kendalltau(first, second).statistic, abs=1e-9)


@given(ratings)
def test_errors_are_those_of_scikit_learn(two):
    first, second = without_gaps(*two)
    assume(len(first))
    assert mean_absolute_error(*two) == CLOSE(metrics.mean_absolute_error(second, first), abs=1e-9)
    assert bias(*two) == CLOSE(first.mean() - second.mean(), abs=1e-9)


@given(tables((1.0, 2.0, 3.0, 5.0)), st.sampled_from(["nominal", "ordinal", "interval"]))
def test_alpha_is_that_of_krippendorff_where_two_classes_are_compared(table, level):
    there = table[(~np.isnan(table)).sum(axis=1) > 1]
    assume(len(set(there[~np.isnan(there)])) > 1)
    theirs = krippendorff.alpha(reliability_data=there.T, level_of_measurement=level)
    assert krippendorff_alpha(table, level) == CLOSE(theirs, abs=1e-9)


@given(st.integers(2, 30).flatmap(lambda size: st.tuples(*[vectors((0.0, 1.0), size)] * 2)))
def test_of_two_classes_all_correlations_are_one(two):
    both = without_gaps(*two)
    assume(all(len(set(side)) > 1 for side in both))
    assert spearman(*two) == CLOSE(matthews(*two), abs=1e-9) == CLOSE(kendall(*two), abs=1e-9)


@given(pairs, st.randoms(use_true_random=False))
def test_the_order_of_items_changes_nothing(two, random):
    order = list(range(len(two[0])))
    random.shuffle(order)
    for figure in FIGURES:
        assert figure(two[0][order], two[1][order]) == CLOSE(figure(*two), abs=1e-9)


@given(tables((0.0, 1.0, 2.0)), st.randoms(use_true_random=False))
def test_the_order_of_items_and_raters_does_not_change_alpha(table, random):
    rows, columns = list(range(len(table))), list(range(table.shape[1]))
    random.shuffle(rows)
    random.shuffle(columns)
    assert krippendorff_alpha(table[rows][:, columns]) == CLOSE(krippendorff_alpha(table), abs=1e-9)


@given(vectors((0.0, 1.0, 2.0), 12))
def test_a_copy_scores_one_or_nothing(labels):
    for figure in SCORED_ONE:
        assert figure(labels, labels) in (None, CLOSE(1.0, abs=1e-12))
    assert mean_absolute_error(labels, labels) in (None, 0.0)


def test_a_copy_of_labels_that_differ_scores_one():
    labels = np.array([0.0, 1, 1, 2, np.nan])
    assert [figure(labels, labels) for figure in SCORED_ONE] == [CLOSE(1.0)] * 5
    assert krippendorff_alpha(np.stack([labels] * 3, axis=1)) == CLOSE(1.0)


def test_independent_noise_scores_about_zero():
    random = np.random.default_rng(4)
    first, second = random.integers(1, 6, (2, 20_000)).astype(float)
    for figure in (kappa, matthews, spearman, kendall):
        assert abs(figure(first, second)) < 0.02
    assert abs(krippendorff_alpha(np.stack([first, second], axis=1), "ordinal")) < 0.02


def test_known_skill_is_recovered():
    random = np.random.default_rng(5)
    classes = truth(random, 40_000)
    labels = labelled(random, classes, found=0.7, right=0.9)
    named = 0.2 * 0.7 + 0.8 * 0.1
    assert f1(labels, classes, 1) == CLOSE(2 * 0.2 * 0.7 / (0.2 + named), abs=0.02)
    assert selection_ratio(labels, classes[:, None], 1) == CLOSE(named / 0.2, abs=0.05)
    chance = 0.2 * named + 0.8 * (1 - named)
    assert kappa(labels, classes) == CLOSE((0.2 * 0.7 + 0.8 * 0.9 - chance) / (1 - chance), abs=0.02)


def test_gaps_are_left_out_and_counted():
    first, second = np.array([1.0, np.nan, 0, 1]), np.array([1.0, 1, 0, np.nan])
    assert compared(first, second) == 2
    assert kappa(first, second) == 1.0


@given(pairs)
def test_gaps_on_either_side_are_as_if_the_items_were_not_there(two):
    for figure in FIGURES:
        assert figure(*two) == figure(*without_gaps(*two))


NAN = np.nan
DEGENERATE = {
    "nothing": ([], [], [None] * 8),
    "nothing in common": ([1, NAN], [NAN, 1], [None] * 8),
    "one item": ([1], [1], [None, None, 1.0, 1.0, None, None, 0.0, 0.0]),
    "one class": ([1, 1], [1, 1], [None, None, 1.0, 1.0, None, None, 0.0, 0.0]),
    "nobody names the class": ([0, 0], [0, 0], [None, None, None, None, None, None, 0.0, 0.0]),
    "the reference never names it": ([1, 0], [0, 0], [0.0, None, 0.0, None, None, None, 0.5, 0.5]),
    "the rater never names it": ([0, 0], [1, 0], [0.0, None, 0.0, 0.0, None, None, -0.5, 0.5]),
    "each its own class": ([1, 1], [0, 0], [0.0, None, 0.0, None, None, None, 1.0, 1.0]),
}


@pytest.mark.parametrize(("first", "second", "expected"), DEGENERATE.values(), ids=DEGENERATE)
def test_what_is_not_defined_is_none(first, second, expected):
    two = np.array(first, dtype=float), np.array(second, dtype=float)
    assert [figure(*two) for figure in FIGURES] == expected


@pytest.mark.parametrize(
    "table", [np.zeros((0, 3)), np.full((4, 3), NAN), np.ones((4, 3)), [[1.0], [0.0]], [[1.0, NAN], [NAN, 0.0]]]
)
def test_alpha_is_none_without_two_classes_that_are_compared(table):
    assert krippendorff_alpha(np.array(table)) is None


def test_weighted_kappa_goes_by_values_and_not_by_which_classes_occur():
    first, second = np.array([1.0, 1, 5, 5, 1]), np.array([1.0, 1, 5, 4, 4])
    scale = np.array([1.0, 2, 3, 4, 5])
    theirs = metrics.cohen_kappa_score(first, second, labels=scale, weights="quadratic")
    assert kappa(first, second, distance="quadratic") == CLOSE(theirs)


@pytest.mark.parametrize("classes", [(-1.0, 0.5), (0.0, 1000.0), (0.25, 0.75)])
def test_any_numbers_name_classes(classes):
    first, second = np.random.default_rng(2).integers(0, 2, (2, 50))
    names = np.array(classes)
    assert kappa(names[first], names[second]) == kappa(first.astype(float), second.astype(float))


class TestWithinGroups:
    """Figures of several groups together."""

    first, second = np.random.default_rng(3).integers(0, 3, (2, 90)).astype(float)
    groups = np.random.default_rng(6).integers(0, 4, 90)

    def test_kappa_is_the_mean_of_the_groups_weighted_by_what_the_reference_says(self):
        kappas, weights = [], []
        for group in range(4):
            one, other = self.first[self.groups == group], self.second[self.groups == group]
            shares = np.array([(other == label).mean() for label in range(3)])
            kappas.append(metrics.cohen_kappa_score(one, other))
            weights.append(len(one) * (1 - shares @ shares))
        assert kappa(self.first, self.second, within=self.groups) == CLOSE(np.average(kappas, weights=weights))

    def test_a_rater_cannot_change_what_a_group_weighs(self):
        one = np.where(self.groups == 0, self.second, self.first)
        alone = [kappa(one[self.groups == group], self.second[self.groups == group]) for group in range(4)]
        found = kappa(one, self.second, within=self.groups)
        other = np.where(self.groups == 0, self.second, 0.0)  # Says one thing alone, whose kappa is 0.
        weight = kappa(other, self.second, within=self.groups)
        rest = kappa(one[self.groups > 0], self.second[self.groups > 0], within=self.groups[self.groups > 0])
        assert alone[0] == 1
        assert found == CLOSE(weight + (1 - weight) * rest)

    def test_groups_whose_reference_never_varies_weigh_nothing_beside_others(self):
        groups = np.repeat([0, 1], 4)
        first, second = np.array([0.0, 1, 1, 0, 1, 0, 1, 0]), np.array([0.0, 1, 0, 0, 1, 1, 1, 1])
        assert kappa(first, second, within=groups) == CLOSE(kappa(first[:4], second[:4])) == CLOSE(0.5)
        assert kappa(first[4:], second[4:], within=groups[4:]) == 0
        assert kappa(second[4:], second[4:], within=groups[4:]) is None

    def test_spearman_is_the_partial_correlation_of_ranks(self):
        dummies = np.eye(4)[self.groups]
        left = [
            ranks - dummies @ np.linalg.lstsq(dummies, ranks, rcond=None)[0]
            for ranks in map(stats.rankdata, (self.first, self.second))
        ]
        assert spearman(self.first, self.second, within=self.groups) == CLOSE(np.corrcoef(*left)[0, 1])

    def test_kendall_counts_pairs_of_one_group(self):
        sums = np.zeros(3)
        for group in range(4):
            one, other = self.first[self.groups == group], self.second[self.groups == group]
            signs = [np.sign(side[:, None] - side)[np.triu_indices(len(side), 1)] for side in (one, other)]
            sums += np.array([signs[0] @ signs[1], signs[0] @ signs[0], signs[1] @ signs[1]]) / (len(one) - 1)
        assert kendall(self.first, self.second, within=self.groups) == CLOSE(sums[0] / np.sqrt(sums[1] * sums[2]))

    def test_who_is_strict_throughout_correlates_all_the_same(self):
        strict = self.first - 1.5 * self.groups
        for figure in (spearman, kendall):
            assert figure(strict, strict + self.groups, within=self.groups) > 0.8
        assert bias(strict, self.first) < -1

    @pytest.mark.parametrize("figure", [kappa, matthews, spearman, kendall])
    def test_one_group_is_no_group(self, figure):
        alone = np.full(90, 7)
        assert figure(self.first, self.second, within=alone) == CLOSE(figure(self.first, self.second), abs=1e-12)

    @pytest.mark.parametrize("figure", [matthews, spearman, kendall])
    def test_a_side_that_is_constant_within_every_group_is_none(self, figure):
        assert figure(self.groups.astype(float), self.second, within=self.groups) is None

    def test_matrices_less_those_of_a_user_are_the_figures_without_him(self):
        users = np.random.default_rng(8).integers(0, 5, 90)
        classes = np.arange(3.0)
        matrices = tally(self.first, self.second, classes, users * 4 + self.groups, count=20).reshape(5, 4, 3, 3)
        without = matrices.sum(axis=0) - matrices
        for user in range(5):
            left = users != user
            two = self.first[left], self.second[left]
            assert kappa_of(without)[user] == CLOSE(kappa(*two, within=self.groups[left]))
            assert matthews_of(without)[user] == CLOSE(matthews(*two, within=self.groups[left]))
            assert f1_of(without, 2)[user] == CLOSE(f1(*two, 2))


def test_each_item_counts_once_in_the_selection_ratio_whatever_its_labels():
    table = np.array([[1, 1, 1, 1], [0, NAN, NAN, NAN], [1, 0, NAN, NAN], [NAN] * 4, [1, 1, NAN, NAN]])
    assert selection_ratio(np.array([1.0, 1, 1, 1, NAN]), table, 1) == CLOSE(3 / 1.5)
    assert selection_ratio(np.array([1.0, 1, 1, 1, 0]), table[:, [2, 0, 3, 1]], 1) == CLOSE(3 / 2.5)
