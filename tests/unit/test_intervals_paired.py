"""Paired differences: on the users that two models share, with a p value that fits the interval."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import ttest_rel

from evaluator.metrics.intervals import ModelSums, Part, UserSums, paired_difference
from tests.unit.dense import dense_estimate, dense_interval

WEIGHTS = (0.625, 0.125, 0.125)
steps = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=10, max_size=30)


def model(totals, users=None, items=4) -> ModelSums:
    """A model of one rate from its users' totals."""
    return ModelSums(range(len(totals)) if users is None else users, [Part([UserSums(one, items) for one in totals])])


def of_arrays(totals, items) -> ModelSums:
    """A model of three rates."""
    return ModelSums(
        range(len(totals)),
        [
            Part([UserSums(*user) for user in zip(totals[:, rate].tolist(), items[:, rate].tolist(), strict=True)], one)
            for rate, one in enumerate(WEIGHTS)
        ],
    )


@given(steps)
def test_with_equal_items_it_is_the_paired_t_test(users):
    first, second = np.array(users).T / 4
    assume(np.ptp(first - second) > 0)
    found, textbook = paired_difference(model(first * 4), model(second * 4)), ttest_rel(first, second)
    assert found.estimate == pytest.approx(np.mean(first - second), abs=1e-12)
    assert found.p_value == pytest.approx(textbook.pvalue)
    assert (found.interval.low, found.interval.high) == pytest.approx(tuple(textbook.confidence_interval()))


@pytest.mark.parametrize("seed", range(4))
def test_with_unequal_items_it_is_that_of_the_dense_matrices(seed):
    random = np.random.default_rng(seed)
    items = random.integers(1, 4, (13, 6))
    totals = np.round(random.random((13, 6)) * items * 2) / 2
    found = paired_difference(of_arrays(totals[:, :3], items[:, :3]), of_arrays(totals[:, 3:], items[:, 3:]))
    weights = [*WEIGHTS, *(-one for one in WEIGHTS)]
    assert (found.interval.low, found.interval.high) == pytest.approx(dense_interval(totals, items, weights))
    assert found.estimate == pytest.approx(dense_estimate(totals, items, weights)[0])


@given(steps)
def test_p_is_below_five_per_cent_where_zero_is_outside_the_interval(users):
    found = paired_difference(model([one for one, _ in users]), model([other for _, other in users]))
    assert (found.p_value < 0.05) == (not found.interval.low <= 0 <= found.interval.high)
    assert 0 <= found.p_value <= 1


@given(steps)
def test_the_other_way_round_only_the_sign_changes(users):
    one, other = (model(totals) for totals in zip(*users, strict=True))
    there, back = paired_difference(one, other), paired_difference(other, one)
    assert (back.estimate, back.p_value) == pytest.approx((-there.estimate, there.p_value))
    assert (back.interval.low, back.interval.high) == pytest.approx((-there.interval.high, -there.interval.low))


@given(steps, st.integers(1, 50), st.randoms(use_true_random=False))
def test_neither_a_shift_of_both_nor_the_order_of_users_counts(users, shift, random):
    plain = paired_difference(model([one for one, _ in users]), model([other for _, other in users]))
    places = random.sample(range(len(users)), len(users))
    shifted = model([users[place][0] + shift for place in places], places)
    moved = paired_difference(shifted, model([other + shift for _, other in users]))
    assert (moved.estimate, moved.p_value) == pytest.approx((plain.estimate, plain.p_value), abs=1e-9)
    assert moved.interval.low == pytest.approx(plain.interval.low, abs=1e-9)


def test_users_of_only_one_model_are_left_out_and_told():
    one = model([3, 1, 2, 4, 0, 2, 3, 1, 2, 4, 1, 0], users=range(12))
    other = model([99, 99, 99, *[2, 1, 2, 3, 1, 2, 0, 1, 2, 1]], users=[50, 51, 52, *range(10)])
    found = paired_difference(one, other)
    assert (found.users, found.left_out) == (10, 5)
    assert found.estimate == pytest.approx((22 - 15) / 40)


def test_a_user_without_an_item_is_left_out_as_well():
    full = model([place % 4 for place in range(12)])
    empty = ModelSums(range(12), [Part([UserSums(0, 0), *[UserSums(place % 3, 4) for place in range(11)]])])
    found = paired_difference(full, empty)
    assert (found.users, found.left_out) == (11, 1)


def test_what_is_hard_for_both_cancels_out():
    difficulty = np.arange(20)
    lead = np.tile([1, 2], 10)
    found = paired_difference(model(difficulty + lead, items=40), model(difficulty, items=40))
    alone = np.std((difficulty + lead) / 40, ddof=1) / np.sqrt(20)
    assert found.interval.high - found.interval.low < alone
    assert found.p_value < 1e-9


def test_below_ten_shared_users_there_is_an_estimate_but_neither_interval_nor_p():
    found = paired_difference(model(range(12)), model([0] * 12, users=range(3, 15)))
    assert (found.users, found.left_out, found.interval, found.p_value) == (9, 6, None, None)
    assert found.estimate == pytest.approx(sum(range(3, 12)) / 36)


def test_without_shared_users_there_is_no_estimate():
    found = paired_difference(model(range(12)), model(range(12), users=range(20, 32)))
    assert (found.estimate, found.interval, found.p_value, found.users, found.left_out) == (None, None, None, 0, 24)


def test_equal_models_do_not_differ():
    totals = [0.1 * place for place in range(15)]
    found = paired_difference(model(totals), model(totals))
    assert (found.estimate, found.p_value, found.interval.low, found.interval.high) == (0, 1, 0, 0)


def test_models_equal_by_different_rates_do_not_differ():
    totals, items = np.tile([0.1, 0.7, 0.3], (11, 1)), np.full((11, 3), 3)
    found = paired_difference(of_arrays(totals, items), of_arrays(totals[:, [0, 2, 1]], items))
    assert (found.estimate, found.p_value, found.interval.low, found.interval.high) == (0, 1, 0, 0)


@pytest.mark.parametrize("users", [10, 25])
def test_a_constant_difference_is_judged_by_the_sign_test(users):
    random = np.random.default_rng(users)
    totals = random.integers(0, 5, users) * 0.7
    found = paired_difference(model(totals + 0.1), model(totals))
    assert found.p_value == pytest.approx(2.0 ** (1 - users))
    assert found.interval.low == found.interval.high == pytest.approx(0.025)


@pytest.mark.parametrize(
    ("other", "complaint"),
    [
        (ModelSums(range(12), [Part([UserSums(1, 1)] * 12, 0.5)]), "weights"),
        (ModelSums(range(12), [Part([UserSums(1, 1)] * 12)] * 2), "weights"),
        (ModelSums([0] * 12, [Part([UserSums(1, 1)] * 12)]), "twice"),
        (ModelSums(range(12), [Part([UserSums(1, 1)] * 11)]), "one entry for each user"),
    ],
)
def test_what_does_not_fit_together_is_refused(other, complaint):
    with pytest.raises(ValueError, match=complaint):
        paired_difference(model(range(12)), other)
