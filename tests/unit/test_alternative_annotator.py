"""The alternative annotator test: by hand, beside scipy, and on simulated raters."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evaluator.metrics.alternative_annotator import (
    Untested,
    advantage_probability,
    alternative_annotator_test,
    duels,
)
from tests.unit.raters import annotators, labelled, raters_among_annotators, spread_over, truth

CLOSE = pytest.approx
NAN = np.nan


def skewed(seed=0, items=600, count=3, **skill):
    """Truth and annotators, with 18 % of class 1."""
    random = np.random.default_rng(seed)
    classes = truth(random, items, share=0.18)
    return random, classes, annotators(random, classes, count, **skill)


def test_duels_on_classes_by_hand():
    table = np.array([[1.0, 1, 0], [0, 1, NAN], [1, NAN, NAN], [1, 1, 1]])
    found = duels(table, np.array([1.0, 0, 1, NAN]), "classes")
    assert found.items.tolist() == [0, 0, 0, 1, 1]
    assert found.annotators.tolist() == [0, 1, 2, 0, 1]
    assert found.difference.tolist() == [0, 0, -1, 0, -1]
    assert np.array_equal(found.reference, [NAN, NAN, 1, 1, 0], equal_nan=True)


def test_duels_on_ratings_by_hand():
    table = np.array([[1.0, 3, 5], [2, 2, 4]])
    found = duels(table, np.array([3.0, 4.0]), "ratings")
    # Mean squared errors of the rater and of each annotator: 2 and 10, 4 and 4, 2 and 10; 2 and 2, 2 and 2, 4 and 4.
    assert found.difference.tolist() == [-1, 0, -1, 0, 0, 0]


@given(raters_among_annotators((1.0, 2.0, 3.5)))
def test_duels_are_won_by_the_smaller_error_or_the_greater_share(two):
    table, rater = two
    for scale in ("classes", "ratings"):
        found = duels(table, rater, scale)
        for item, column, difference in zip(found.items, found.annotators, found.difference, strict=True):
            others = np.delete(table[item], column)
            others = others[~np.isnan(others)]
            own, his = (
                -np.sqrt(np.mean((others - label) ** 2)) if scale == "ratings" else np.mean(others == label)
                for label in (table[item, column], rater[item])
            )
            wins_human, wins_rater = own >= his - 1e-12, his >= own - 1e-12
            assert difference == int(wins_human) - int(wins_rater)


def test_without_clusters_each_test_is_the_one_sided_t_test_of_scipy():
    random, classes, table = skewed(items=80)
    rater = labelled(random, classes, found=0.9)
    found, every = alternative_annotator_test(table, rater, epsilon=0.1), duels(table, rater, "classes")
    for test in found.annotators:
        differences = every.difference[every.annotators == test.annotator]
        theirs = stats.ttest_1samp(differences, 0.1, alternative="less").pvalue
        assert test.p_value == CLOSE(theirs, abs=1e-9)
        assert test.difference == CLOSE(differences.mean())
        assert test.advantage_probability == CLOSE((differences <= 0).mean())
        assert (test.items, test.clusters, test.tied) == (80, 80, 0)


def test_clusters_of_one_size_are_tested_by_their_means():
    random, classes, table = skewed(items=120)
    rater, users = labelled(random, classes, found=0.9), np.arange(120) % 20
    found = alternative_annotator_test(table, rater, epsilon=0.1, clusters=users)
    every = duels(table, rater, "classes")
    for test in found.annotators:
        differences = every.difference[every.annotators == test.annotator]
        means = [differences[users == user].mean() for user in range(20)]
        assert test.p_value == CLOSE(stats.ttest_1samp(means, 0.1, alternative="less").pvalue, abs=1e-9)
        assert test.clusters == 20


def test_what_users_share_is_no_evidence_of_its_own():
    random = np.random.default_rng(2)
    table = annotators(random, truth(random, 40), 3, found=0.7, right=0.85)
    rater = labelled(random, table[:, 0], found=0.9)
    often = np.repeat(np.arange(40), 10)
    once = alternative_annotator_test(table, rater, epsilon=0.1)
    copied = alternative_annotator_test(table[often], rater[often], epsilon=0.1, clusters=often)
    naive = alternative_annotator_test(table[often], rater[often], epsilon=0.1)
    for alone, together, fooled in zip(once.annotators, copied.annotators, naive.annotators, strict=True):
        assert together.p_value == CLOSE(alone.p_value, abs=1e-9)
        assert fooled.p_value < alone.p_value


def test_balanced_without_clusters_is_welch_with_equal_weights_of_classes():
    random, classes, table = skewed(items=200)
    rater = labelled(random, classes, found=0.9)
    every = duels(table, rater, "classes")
    found = alternative_annotator_test(table, rater, epsilon=0.2, balanced=True)
    for test in found.annotators:
        own = every.annotators == test.annotator
        sides = [every.difference[own & (every.reference == label)] for label in (0.0, 1.0)]
        errors = [side.var(ddof=1) / len(side) / 4 for side in sides]
        mean = (sides[0].mean() + sides[1].mean()) / 2
        assert test.difference == CLOSE(mean)
        assert test.items == sum(map(len, sides)) == own.sum() - test.tied
        # Satterthwaite's degrees of freedom for equal errors are near Welch's for those that are there.
        z = (mean - 0.2) / np.sqrt(sum(errors))
        assert stats.norm.cdf(z) < test.p_value < stats.t.cdf(z, min(map(len, sides)) - 1)


def test_winning_rate_and_advantage_by_hand():
    # The rater always sides with the first two; of the third the others say the opposite on one item in two.
    table = np.tile([[1.0, 1, 0], [0, 0, 0]], (20, 1))
    rater = np.tile([1.0, 0], 20)
    found = alternative_annotator_test(table, rater, epsilon=0.1)
    assert [test.difference for test in found.annotators] == [0, 0, -0.5]
    assert [test.advantage_probability for test in found.annotators] == [1, 1, 1]
    # Equal differences throughout have the p of the sign test.
    assert [test.p_value for test in found.annotators][:2] == [0.5**40] * 2
    assert (found.winning_rate, found.advantage_probability, found.passes, found.tested) == (1.0, 1.0, True, 3)


def test_wins_are_those_of_benjamini_and_yekutieli():
    random = np.random.default_rng(1)
    classes = truth(random, 100)
    table = np.stack([labelled(random, classes, right=right) for right in (0.8, 0.82, 0.84, 0.86, 0.88, 0.9)], axis=1)
    rater = labelled(random, classes, right=0.85)
    found = alternative_annotator_test(table, rater, epsilon=0.1)
    p_values = np.array([test.p_value for test in found.annotators])
    limits = 0.05 * np.arange(1, 7) / 6 / sum(1 / number for number in range(1, 7))
    below = np.flatnonzero(np.sort(p_values) <= limits)
    highest = np.sort(p_values)[below[-1]] if len(below) else -1.0
    assert [test.wins for test in found.annotators] == (p_values <= highest).tolist()
    assert 0 < found.winning_rate < np.mean(stats.false_discovery_control(p_values, method="bh") <= 0.05)


def test_who_wins_against_one_half_of_the_annotators_passes():
    # Two are always right, two by turns; the rater is right on six items in ten, whoever else is.
    turns, right = np.arange(400) % 2, np.arange(400) // 2 % 5 < 3
    table = np.stack([turns, 1 - turns, np.ones(400), np.ones(400)], axis=1)
    found = alternative_annotator_test(table, right.astype(float), epsilon=0.1)
    assert [test.wins for test in found.annotators] == [True, True, False, False]
    assert (found.winning_rate, found.passes) == (0.5, True)


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("columns", [3, 8])
def test_a_perfect_rater_passes_and_a_random_one_fails(balanced, columns):
    random, classes, table = skewed()
    wide = spread_over(random, table, columns)
    perfect = alternative_annotator_test(wide, classes, epsilon=0.1, balanced=balanced)
    guess = random.integers(0, 2, len(classes)).astype(float)
    guessed = alternative_annotator_test(wide, guess, epsilon=0.1, balanced=balanced)
    assert (perfect.winning_rate, perfect.passes, perfect.tested) == (1.0, True, columns)
    assert (guessed.winning_rate, guessed.passes) == (0.0, False)
    assert perfect.advantage_probability > 0.9 > guessed.advantage_probability


def test_always_no_passes_on_skewed_labels_unless_classes_are_balanced():
    _, classes, table = skewed(found=0.8, right=0.9)
    never = np.zeros(len(classes))
    plain = alternative_annotator_test(table, never, epsilon=0.1)
    balanced = alternative_annotator_test(table, never, epsilon=0.1, balanced=True)
    assert plain.passes
    assert (balanced.passes, balanced.winning_rate) == (False, 0.0)
    assert plain.advantage_probability > balanced.advantage_probability


def test_ratings_near_those_of_the_others_pass_and_random_ones_fail():
    random = np.random.default_rng(8)
    merits = random.normal(3, 0.8, 300)
    table = np.clip(np.round(merits[:, None] + random.normal(0, 0.8, (300, 3))), 1, 5)
    near = alternative_annotator_test(table, merits, epsilon=0.1, scale="ratings")
    guessed = alternative_annotator_test(table, random.integers(1, 6, 300) * 1.0, epsilon=0.1, scale="ratings")
    assert (near.passes, guessed.passes) == (True, False)


def test_one_in_twenty_wins_against_an_annotator_who_is_better_by_epsilon():
    random = np.random.default_rng(9)
    better, below = np.array([1.0, 0, -1]), 0
    for _ in range(1000):
        # Differences of 1, 0, -1 with a mean of 0.2, made of one annotator, two who agree, and a rater.
        difference = random.choice(better, 60, p=[0.4, 0.4, 0.2])
        table = np.stack([difference >= 0, np.ones(60), np.ones(60)], axis=1).astype(float)
        rater = np.where(difference <= 0, 1.0, 0.0)
        below += alternative_annotator_test(table, rater, epsilon=0.2).annotators[0].p_value < 0.05
    assert 0.03 < below / 1000 < 0.07


@given(raters_among_annotators(), st.randoms(use_true_random=False))
def test_the_order_of_items_changes_nothing(two, random):
    order = list(range(len(two[0])))
    random.shuffle(order)
    tables = np.tile(two[0], (10, 1)), np.tile(two[0][order], (10, 1))
    raters = np.tile(two[1], 10), np.tile(two[1][order], 10)
    before, after = (alternative_annotator_test(*some, epsilon=0.1) for some in zip(tables, raters, strict=True))
    for one, other in zip(before.annotators, after.annotators, strict=True):
        assert other.model_dump() == {
            name: CLOSE(value, abs=1e-9) if isinstance(value, float) else value
            for name, value in one.model_dump().items()
        }


def test_columns_are_annotators_with_any_number_of_items():
    random, classes, table = skewed(items=100)
    wide = np.full((100, 5), NAN)
    wide[:, :3], wide[:29, 3], wide[:30, 4] = table, classes[:29], classes[:30]
    found = alternative_annotator_test(wide, labelled(random, classes), epsilon=0.1)
    assert [test.items for test in found.annotators] == [100, 100, 100, 29, 30]
    assert [test.reason for test in found.annotators] == [None, None, None, Untested.FEW_ITEMS, None]
    left_out = found.annotators[3]
    assert (left_out.p_value, left_out.wins) == (None, None)
    assert left_out.advantage_probability is not None
    assert (found.tested, found.reason) == (4, None)
    assert found.advantage_probability == CLOSE(
        np.mean([test.advantage_probability for test in found.annotators if test.reason is None])
    )


@pytest.mark.parametrize(
    ("table", "rater", "annotators_there"),
    [
        (np.zeros((0, 3)), np.zeros(0), 0),
        (np.full((40, 3), NAN), np.ones(40), 0),
        (np.ones((40, 3)), np.full(40, NAN), 0),
        (np.ones((40, 1)), np.ones(40), 0),
        (np.ones((40, 2)), np.ones(40), 2),
        (np.ones((29, 3)), np.ones(29), 3),
    ],
    ids=["no items", "no labels", "no answers", "one annotator", "two annotators", "29 items"],
)
@pytest.mark.parametrize("balanced", [False, True])
def test_what_cannot_be_tested_is_told_with_its_reason(table, rater, annotators_there, balanced):
    found = alternative_annotator_test(table, rater, epsilon=0.1, balanced=balanced)
    assert (found.winning_rate, found.advantage_probability, found.passes) == (None, None, None)
    assert found.reason == Untested.FEW_ANNOTATORS
    assert len(found.annotators) == annotators_there


def test_a_class_of_its_own_cannot_be_balanced():
    found = alternative_annotator_test(np.ones((40, 3)), np.ones(40), epsilon=0.1, balanced=True)
    assert [test.reason for test in found.annotators] == [Untested.ONE_CLASS] * 3


def test_votes_that_are_all_tied_leave_nothing_to_balance():
    table = np.tile([0.0, 1, 2], (40, 1))
    found = alternative_annotator_test(table, np.zeros(40), epsilon=0.1, balanced=True)
    assert [(test.items, test.tied, test.difference) for test in found.annotators] == [(0, 40, None)] * 3
    assert [test.advantage_probability for test in found.annotators] == [None] * 3


def test_items_of_one_user_cannot_be_tested():
    _, classes, table = skewed(items=60)
    one = alternative_annotator_test(table, classes, epsilon=0.1, clusters=np.zeros(60, dtype=int))
    assert [test.reason for test in one.annotators] == [Untested.ONE_CLUSTER] * 3
    # All of one class are of one user.
    of_class = alternative_annotator_test(
        np.stack([classes] * 3, axis=1), classes, epsilon=0.1, balanced=True,
        clusters=np.where(classes == 1, 0, np.arange(60)),
    )  # fmt: skip
    assert [test.reason for test in of_class.annotators] == [Untested.ONE_CLUSTER] * 3


def test_users_may_have_any_number():
    _, classes, table = skewed(items=60)
    users = np.arange(60) % 12
    few, far = (
        alternative_annotator_test(table, classes, epsilon=0.1, clusters=some) for some in (users, users * 10**12)
    )
    assert few == far


def test_ratings_cannot_be_balanced():
    with pytest.raises(ValueError, match="no classes"):
        alternative_annotator_test(np.ones((40, 3)), np.ones(40), epsilon=0.1, scale="ratings", balanced=True)


def test_advantage_of_some_duels_is_that_of_their_items():
    random, classes, table = skewed(items=90)
    rater, left = labelled(random, classes), np.arange(90) % 3 > 0
    every = duels(table, rater, "classes")
    for balanced in (False, True):
        found = advantage_probability(every.take(left[every.items]), balanced=balanced)
        before = advantage_probability(duels(table[left], rater[left], "classes"), balanced=balanced)
        assert found == CLOSE(before)
        assert found == CLOSE(
            np.mean([
                test.advantage_probability
                for test in alternative_annotator_test(
                    table[left], rater[left], epsilon=0.1, balanced=balanced
                ).annotators
            ])
        )  # fmt: skip
    assert advantage_probability(every.take(every.items < 0)) is None
