"""Intervals: clustered by user, compared with textbook formulas."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import t as student

from evaluator.metrics.intervals import Part, UserSums, clustered_interval, ratio
from tests.unit.dense import dense_interval

scores = st.lists(st.integers(0, 8), min_size=10, max_size=40)


def textbook(means) -> tuple[float, float]:
    """The t interval of a mean of independent values, here of the users' own means."""
    means = np.asarray(means, dtype=float)
    error = means.std(ddof=1) / np.sqrt(len(means))
    reach = student.ppf(0.975, len(means) - 1) * error
    return means.mean() - reach, means.mean() + reach


def test_a_ratio_weighs_items_and_not_users():
    assert ratio([UserSums(1, 1), UserSums(0, 3)]) == 0.25


def test_a_ratio_of_nothing_is_nothing():
    assert ratio([]) is ratio([UserSums(0, 0)]) is None


@given(scores, st.integers(1, 7))
def test_with_equal_clusters_it_is_the_t_interval_of_the_users_means(totals, items):
    interval = clustered_interval([Part([UserSums(total, items) for total in totals])])
    assert (interval.low, interval.high) == pytest.approx(textbook(np.array(totals) / items), abs=1e-9)
    assert interval.users == len(totals)


@given(st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=10, max_size=30))
def test_a_weighted_sum_counts_the_covariance_of_its_rates(users):
    weights = (0.625, 0.125, 0.125)
    parts = [Part([UserSums(user[place], 4) for user in users], weight) for place, weight in enumerate(weights)]
    interval = clustered_interval(parts)
    assert (interval.low, interval.high) == pytest.approx(textbook(np.array(users) / 4 @ weights), abs=1e-9)


@given(scores, st.floats(0.01, 100))
def test_a_weight_scales_the_interval(totals, weight):
    users = [UserSums(total, 2) for total in totals]
    plain, scaled = clustered_interval([Part(users)]), clustered_interval([Part(users, weight)])
    assert (scaled.low, scaled.high) == pytest.approx((weight * plain.low, weight * plain.high), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_with_unequal_clusters_it_is_that_of_the_dense_matrices(seed):
    random = np.random.default_rng(seed)
    items = random.integers(0, 4, (14, 2)) + (np.arange(14) < 12)[:, None]
    totals = np.round(random.random((14, 2)) * items * 2) / 2
    parts = [
        Part([UserSums(*user) for user in zip(totals[:, rate].tolist(), items[:, rate].tolist(), strict=True)], weight)
        for rate, weight in enumerate((0.6, -1.5))
    ]
    interval = clustered_interval(parts)
    assert (interval.low, interval.high) == pytest.approx(dense_interval(totals, items, [0.6, -1.5]))


def test_a_user_with_many_items_makes_it_wider():
    even = [UserSums(place % 2, 1) for place in range(20)]
    assert width([*even[:-1], UserSums(20, 20)]) > width(even)


def width(users) -> float:
    interval = clustered_interval([Part(users)])
    return interval.high - interval.low


@given(st.integers(10, 30), st.integers(0, 5), st.integers(5, 9))
def test_users_who_all_agree_leave_no_width(number, total, items):
    interval = clustered_interval([Part([UserSums(total, items)] * number)])
    assert interval.low == interval.high == pytest.approx(total / items)


@given(scores)
def test_a_higher_level_gives_a_wider_interval(totals):
    assume(len(set(totals)) > 1)
    part = Part([UserSums(total, 8) for total in totals])
    narrow, wide = clustered_interval([part], level=0.9), clustered_interval([part], level=0.99)
    assert wide.low < narrow.low < narrow.high < wide.high


@pytest.mark.parametrize(("users", "given_"), [(1, False), (9, False), (10, True)])
def test_below_ten_users_there_is_none(users, given_):
    interval = clustered_interval([Part([UserSums(place % 2, 1) for place in range(users)])])
    assert (interval is not None) == given_


def test_users_without_an_item_do_not_count():
    asked = [UserSums(place % 3, 2) for place in range(12)]
    assert clustered_interval([Part([*asked, UserSums(0, 0)])]) == clustered_interval([Part(asked)])
    assert clustered_interval([Part([*asked[:9], *[UserSums(0, 0)] * 9])]) is None


@pytest.mark.parametrize("asked", [0, 1, 9])
def test_a_rate_with_too_few_users_leaves_the_sum_without_an_interval(asked):
    full = Part([UserSums(place % 3, 2) for place in range(12)])
    thin = Part([UserSums(1, 2)] * asked + [UserSums(0, 0)] * (12 - asked))
    assert clustered_interval([full, thin]) is None


def test_rates_of_unlike_length_are_refused():
    with pytest.raises(ValueError, match="one entry for each user"):
        clustered_interval([Part([UserSums(1, 2)] * 12), Part([UserSums(1, 2)] * 11)])
