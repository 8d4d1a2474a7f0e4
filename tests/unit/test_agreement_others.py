"""A rater and every annotator against the same others, on the same items."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau, spearmanr
from sklearn.metrics import cohen_kappa_score, f1_score

from evaluator.metrics.agreement import (
    against_majority,
    against_mean,
    against_singles,
    class_agreement,
    kappa,
    majority,
    majority_f1,
    mean,
    rating_agreement,
    single_agreement,
)
from tests.unit.raters import annotators, labelled, raters_among_annotators, spread_over, truth

CLOSE = pytest.approx
NAN = np.nan
TABLE = np.array(
    [
        [1, 1, 0],  # of the first two annotators, the others' votes are tied
        [0, 0, 0],
        [1, 1, 1],
        [1, NAN, 0],
        [NAN, 1, NAN],  # nobody else labelled it
        [1, 0, NAN],  # the rater does not answer
    ]
)
RATER = np.array([1, 0, 0, 1, 1, NAN])


def test_everyone_is_compared_with_the_majority_of_the_others_by_hand():
    found = against_majority(TABLE, RATER)
    entries = found.comparisons
    assert entries.items.tolist() == [0, 1, 1, 1, 2, 2, 2, 3, 3]
    assert entries.annotators.tolist() == [2, 0, 1, 2, 0, 1, 2, 0, 2]
    assert entries.reference.tolist() == [1, 0, 0, 0, 1, 1, 1, 0, 1]
    assert entries.human.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 0]
    assert entries.rater.tolist() == [1, 0, 0, 0, 0, 0, 0, 1, 1]
    assert (found.unanswered, found.alone, found.tied, found.compared) == (2, 1, 2, 9)


def test_the_figures_of_rater_and_one_more_human_by_hand():
    found = class_agreement(TABLE, RATER, of=1)
    assert found.rater.f1 == CLOSE(4 / 8)
    assert found.one_more_human.f1 == CLOSE(6 / 9)
    assert found.always_yes.f1 == CLOSE(10 / 14)
    assert (found.always_no.f1, found.always_no.kappa, found.always_no.matthews) == (0.0, 0.0, None)
    last = found.annotators[2]
    assert (last.annotator, last.compared, last.rater.f1, last.human.f1) == (2, 4, CLOSE(0.8), CLOSE(0.5))


def test_everyone_is_compared_with_the_mean_of_the_others_by_hand():
    table = np.array([[1, 3, 4], [5, NAN, 2], [NAN, 4, NAN]])
    entries = against_mean(table, np.array([2.0, 2, 2])).comparisons
    assert entries.reference.tolist() == [3.5, 2.5, 2.0, 2.0, 5.0]
    assert entries.human.tolist() == [1, 3, 4, 5, 2]
    found = rating_agreement(table, np.array([2.0, 2, 2]))
    assert found.rater.bias == CLOSE(np.mean([-1.5, -0.5, 0, 0, -3]))
    assert found.one_more_human.mean_absolute_error == CLOSE(np.mean([2.5, 0.5, 2, 3, 3]))
    assert found.counts.alone == 1


def test_everyone_is_compared_with_each_of_the_others_by_hand():
    pairs = against_singles(np.array([[1.0, 0, 1], [0, NAN, 1]]), np.array([1.0, 0])).comparisons
    assert pairs.human.tolist() == [1, 1, 0, 0, 1, 1, 0, 1]
    assert pairs.reference.tolist() == [0, 1, 1, 1, 1, 0, 1, 0]
    assert pairs.groups.tolist() == [1, 2, 3, 5, 6, 7, 2, 6]  # 3 times the annotator, and the other one.


def test_ties_are_told_apart_from_gaps():
    votes = majority(np.array([[1.0, 0], [NAN, NAN], [0, NAN], [0, 0]]))
    assert np.array_equal(votes.labels, [NAN, NAN, 0, 0], equal_nan=True)
    assert votes.tied.tolist() == [True, False, False, False]
    assert votes.empty.tolist() == [False, True, False, False]
    assert np.array_equal(mean(np.array([[1.0, 2, NAN], [NAN] * 3])), [1.5, NAN], equal_nan=True)


@given(raters_among_annotators((0.0, 1.0, 2.0)))
def test_majorities_of_the_others_are_those_of_the_table_without_the_annotator(two):
    table, rater = two
    found = against_majority(table, rater)
    expected = []
    for column in range(table.shape[1]):
        others = majority(np.delete(table, column, axis=1)).labels
        usable = ~(np.isnan(others) | np.isnan(table[:, column]) | np.isnan(rater))
        expected += [(item, column, others[item]) for item in np.flatnonzero(usable)]
    entries = found.comparisons
    columns = entries.items.tolist(), entries.annotators.tolist(), entries.reference.tolist()
    assert sorted(zip(*columns, strict=True)) == sorted(expected)


@given(raters_among_annotators((0.0, 1.0, 2.0)))
def test_every_label_is_accounted_for(two):
    for compare in (against_majority, against_mean, against_singles):
        found = compare(*two)
        assert found.unanswered + found.alone + found.tied + found.compared == (~np.isnan(two[0])).sum()
        entries = found.comparisons
        assert len(set(zip(entries.items.tolist(), entries.annotators.tolist(), strict=True))) == found.compared


@given(raters_among_annotators((0.0, 1.0, 2.0)))
def test_rater_and_annotator_have_every_label_of_every_comparison(two):
    for compare in (against_majority, against_mean, against_singles):
        assert not any(np.isnan(column).any() for column in compare(*two).comparisons)


@given(raters_among_annotators((1.0, 2.0, 3.5)), st.randoms(use_true_random=False))
def test_the_order_of_items_and_annotators_changes_nothing(two, random):
    table, rater = two
    rows, columns = list(range(len(table))), list(range(table.shape[1]))
    random.shuffle(rows)
    random.shuffle(columns)
    shuffled = table[rows][:, columns], rater[rows]
    for figures, more in ((class_agreement, {"of": 1}), (rating_agreement, {}), (single_agreement, {"of": 1})):
        before, after = (figures(*some, **more).model_dump(exclude={"annotators"}) for some in (two, shuffled))
        assert flat(after) == CLOSE(flat(before), abs=1e-9)


def flat(found, path="") -> dict:
    """All figures of nested fields, by name."""
    if not isinstance(found, dict):
        return {path: found}
    return {key: figure for name, part in found.items() for key, figure in flat(part, f"{path}.{name}").items()}


@given(raters_among_annotators())
def test_leaving_out_items_later_is_leaving_them_out_before(two):
    table, rater = two
    left = np.arange(len(table)) % 2 == 0
    for compare in (against_majority, against_mean, against_singles):
        every = compare(table, rater).comparisons
        later, before = every.take(left[every.items]), compare(table[left], rater[left]).comparisons
        assert all(np.array_equal(*columns) for columns in zip(later[1:], before[1:], strict=True))


def pairs_of(table, rater):
    """Mean kappas over all pairs of annotators, by the books: the rater with the other one, and the annotator."""
    kappas, weights = [], []
    for own, other in itertools.permutations(range(table.shape[1]), 2):
        both = ~np.isnan(table[:, [own, other]]).any(axis=1)
        one, reference, said = table[both, own], table[both, other], rater[both]
        kappas.append([cohen_kappa_score(some, reference, labels=[0, 1]) for some in (said, one)])
        weights.append(both.sum() * reference.mean() * (1 - reference.mean()))
    return np.average(kappas, weights=weights, axis=0)


@pytest.mark.parametrize("columns", [4, 6])
def test_mean_kappa_is_that_of_the_pairs_of_annotators_on_the_items_of_both(columns):
    random = np.random.default_rng(1)
    classes = truth(random, 600)
    table, rater = annotators(random, classes, 4), labelled(random, classes, 0.6, 0.9)
    table = spread_over(random, table, columns) if columns > 4 else table
    found = single_agreement(table, rater, of=1)
    assert (found.rater, found.one_more_human) == CLOSE(tuple(pairs_of(table, rater)), abs=1e-9)


def test_seats_are_no_annotators_in_a_mean_kappa():
    random = np.random.default_rng(9)
    classes = truth(random, 3000, share=0.5)
    strict, lax = labelled(random, classes, 0.6, 0.99), labelled(random, classes, 0.99, 0.6)
    swapped = random.random(3000) < 0.5
    seats = np.stack([np.where(swapped, strict, lax), np.where(swapped, lax, strict)], axis=1)
    wide = np.stack([strict, lax], axis=1)
    found = single_agreement(wide, classes, of=1).one_more_human
    assert found == CLOSE(cohen_kappa_score(strict, lax))
    assert found > single_agreement(seats, classes, of=1).one_more_human + 0.02


@pytest.mark.parametrize("columns", [5, 40])
def test_a_rater_of_the_annotators_skill_reaches_what_one_more_human_does(columns):
    random = np.random.default_rng(columns)
    classes = truth(random, 20_000)
    table = spread_over(random, annotators(random, classes, 3), columns)
    rater = labelled(random, classes)
    found, single = class_agreement(table, rater, of=1), single_agreement(table, rater, of=1)
    for name in ("kappa", "f1", "matthews"):
        assert getattr(found.rater, name) == CLOSE(getattr(found.one_more_human, name), abs=0.02)
    assert single.rater == CLOSE(single.one_more_human, abs=0.02)
    assert single.selection_ratio == CLOSE(1, abs=0.03)


def test_known_skill_is_recovered_where_many_annotators_tell_the_truth_together():
    random = np.random.default_rng(3)
    classes = truth(random, 4000)
    rater = labelled(random, classes, found=0.6, right=0.9)
    found = class_agreement(annotators(random, classes, 15), rater, of=1)
    assert found.rater.f1 == CLOSE(2 * 0.2 * 0.6 / (0.2 + 0.12 + 0.08), abs=0.03)
    assert found.one_more_human.f1 == CLOSE(2 * 0.2 * 0.8 / (0.2 + 0.16 + 0.04), abs=0.03)


def test_known_kappa_between_single_annotators_is_recovered():
    random = np.random.default_rng(4)
    classes = truth(random, 30_000)
    found = single_agreement(annotators(random, classes, 3), labelled(random, classes, 0.5, 0.9), of=1)
    human, rater = 0.2 * 0.8 + 0.8 * 0.05, 0.2 * 0.5 + 0.8 * 0.1
    for one, skill in ((human, (0.8, 0.05)), (rater, (0.5, 0.1))):
        both = 0.2 * 0.8 * skill[0] + 0.8 * 0.05 * skill[1]
        expected = 2 * (both - one * human) / (one + human - 2 * one * human)
        assert (found.one_more_human if one == human else found.rater) == CLOSE(expected, abs=0.02)
    assert found.selection_ratio == CLOSE(rater / human, abs=0.03)


def test_ratings_of_a_rater_of_the_annotators_skill_reach_what_one_more_human_does():
    random = np.random.default_rng(5)
    merits, strictness = random.normal(3, 0.7, 6000), random.normal(0, 0.5, 4)
    ratings = np.round(merits[:, None] + strictness + random.normal(0, 0.9, (6000, 4)))
    found = rating_agreement(ratings[:, :3], ratings[:, 3])
    for name in ("spearman_within_annotators", "kendall_within_annotators"):
        assert getattr(found.rater, name) == CLOSE(getattr(found.one_more_human, name), abs=0.04)
    assert found.one_more_human.bias == CLOSE(0, abs=1e-9)
    assert found.rater.bias == CLOSE(strictness[3] - strictness[:3].mean(), abs=0.1)


def test_independent_noise_scores_about_zero():
    random = np.random.default_rng(6)
    table, rater = random.integers(0, 2, (8000, 3)).astype(float), random.integers(0, 2, 8000).astype(float)
    found, single = class_agreement(table, rater, of=1), single_agreement(table, rater, of=1)
    assert abs(found.rater.kappa) < 0.03
    assert abs(found.one_more_human.matthews) < 0.03
    assert abs(single.rater) < 0.03
    assert abs(single.one_more_human) < 0.03


def test_a_rater_of_another_number_of_items_is_an_error():
    for compare in (against_majority, against_mean, against_singles):
        with pytest.raises(ValueError, match="one place for each item"):
            compare(TABLE, RATER[:-1])


EMPTY = {
    "no items": (np.zeros((0, 3)), np.zeros(0)),
    "no annotators": (np.zeros((4, 0)), np.ones(4)),
    "one annotator": (np.ones((4, 1)), np.ones(4)),
    "nothing labelled": (np.full((4, 3), NAN), np.ones(4)),
    "nothing answered": (np.ones((4, 3)), np.full(4, NAN)),
}


@pytest.mark.parametrize(("table", "rater"), EMPTY.values(), ids=EMPTY)
def test_where_nothing_is_compared_all_figures_are_none_and_labels_are_counted(table, rater):
    for found in (class_agreement(table, rater, 1), rating_agreement(table, rater), single_agreement(table, rater, 1)):
        dumped = found.model_dump()
        counts = dumped.pop("counts")
        once = dumped.pop("f1_majority", None)
        assert counts["labels"] == (~np.isnan(table)).sum() == counts["unanswered"] + counts["alone"]
        assert dumped.pop("annotators") == ()
        assert dumped.pop("selection_ratio", None) in (None, 1.0)  # It takes no second annotator.
        assert set(flat(dumped).values()) == {None}
        assert once is None or (once["rater"] is None) == (once["items"] == 0)


def test_where_all_are_tied_nothing_is_compared():
    found = class_agreement(np.array([[1.0, 0, 1, 0, 2]] * 3)[:, [0, 1, 4]], np.ones(3), of=1)
    assert (found.counts.tied, found.counts.compared, found.rater.f1) == (9, 0, None)


def test_where_all_name_one_class_kappa_is_none_and_f1_is_not():
    found = class_agreement(np.ones((4, 3)), np.ones(4), of=1)
    assert (found.rater.kappa, found.rater.matthews, found.rater.f1) == (None, None, 1.0)
    assert (found.noise_ceiling.kappa, found.noise_ceiling.f1) == (None, 1.0)
    assert single_agreement(np.ones((4, 3)), np.ones(4), of=1).rater is None


def test_a_constant_annotator_leaves_no_hole_in_the_average():
    random = np.random.default_rng(7)
    table = annotators(random, truth(random, 60), 3)
    table[:, 2] = 0
    found = class_agreement(table, table[:, 0], of=1)
    assert found.annotators[2].human.matthews is None
    assert found.one_more_human.matthews is not None


def test_ratings_that_are_constant_have_errors_but_no_correlations():
    found = rating_agreement(np.full((5, 3), 3.0), np.array([3.0, 4, 3, 4, 3]))
    for figures in (found.rater, found.noise_ceiling):
        assert (figures.spearman_within_annotators, figures.kendall_within_annotators) == (None, None)
    assert (found.spearman_mean, found.kendall_mean) == (None, None)
    assert (found.rater.bias, found.rater.mean_absolute_error) == (CLOSE(0.4), CLOSE(0.4))


@given(raters_among_annotators())
def test_mean_kappa_is_the_kappa_of_all_pairs(two):
    pairs = against_singles(*two).comparisons
    expected = kappa(pairs.rater, pairs.reference, within=pairs.groups)
    assert single_agreement(*two, of=1).rater == expected


def test_f1_against_the_majority_of_all_counts_each_item_once_by_hand():
    found = class_agreement(TABLE, RATER, of=1).f1_majority
    # Majorities 1, 0, 1, tied, 1 (of one), and one item that the rater does not answer.
    assert (found.items, found.tied) == (4, 1)
    assert found.rater == CLOSE(2 * 2 / (2 + 3))
    assert found.always_yes == CLOSE(2 * 3 / (4 + 3))


@given(raters_among_annotators((0.0, 1.0, 2.0)))
def test_f1_against_the_majority_of_all_is_that_of_scikit_learn(two):
    table, rater = two
    votes = majority(table)
    usable = ~(np.isnan(votes.labels) | np.isnan(rater))
    found = majority_f1(table, rater, 1)
    assert (found.items, found.tied) == (usable.sum(), (votes.tied & ~np.isnan(rater)).sum())
    said, truths = rater[usable] == 1, votes.labels[usable] == 1
    theirs = f1_score(truths, said, zero_division=0) if said.any() or truths.any() else None
    assert found.rater == (None if theirs is None else CLOSE(theirs, abs=1e-9))


@given(raters_among_annotators((1.0, 2.0, 3.0, 4.0)))
def test_correlations_with_the_mean_of_all_are_those_of_scipy(two):
    table, rater = two
    found, means = rating_agreement(table, rater), mean(table)
    usable = ~(np.isnan(means) | np.isnan(rater))
    some = rater[usable], means[usable]
    if any(len(set(side)) < 2 for side in some):
        assert (found.spearman_mean, found.kendall_mean) == (None, None)
    else:
        assert found.spearman_mean == CLOSE(spearmanr(*some).statistic, abs=1e-9)
        assert found.kendall_mean == CLOSE(kendalltau(*some).statistic, abs=1e-9)


def test_a_copy_of_the_majority_or_the_mean_scores_one_and_noise_about_nothing():
    random = np.random.default_rng(8)
    table = annotators(random, truth(random, 4000), 3)
    copy, noise = majority(table).labels, truth(random, 4000, share=0.5)
    assert class_agreement(table, copy, of=1).f1_majority.rater == 1
    assert single_agreement(table, noise, of=1).rater == CLOSE(0, abs=0.03)
    ratings = random.integers(1, 6, (4000, 3)).astype(float)
    assert rating_agreement(ratings, mean(ratings)).spearman_mean == CLOSE(1)
    assert rating_agreement(ratings, random.random(4000)).kendall_mean == CLOSE(0, abs=0.04)
