"""Intervals: clustered by user, compared with textbook formulas."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import t as student

from evaluator.metrics.intervals import Part, UserSums, clustered_interval, ratio

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


def test_with_unequal_clusters_it_is_the_linearised_ratio():
    totals, counts = np.array([3, 0, 1, 5, 2, 2, 0, 4, 1, 1, 6]), np.array([4, 1, 2, 5, 2, 6, 1, 4, 3, 1, 8])
    rate = totals.sum() / counts.sum()
    residuals = (totals - rate * counts) / counts.mean()
    variance = (residuals**2).sum() / (len(totals) * (len(totals) - 1))
    reach = student.ppf(0.975, len(totals) - 1) * np.sqrt(variance)
    users = [UserSums(float(total), int(count)) for total, count in zip(totals, counts, strict=True)]
    interval = clustered_interval([Part(users)])
    assert (interval.low, interval.high) == pytest.approx((rate - reach, rate + reach))


@given(st.integers(10, 30), st.integers(0, 5), st.integers(5, 9))
def test_users_who_all_agree_leave_no_width(number, total, items):
    interval = clustered_interval([Part([UserSums(total, items)] * number)])
    assert interval.low == pytest.approx(interval.high, abs=1e-12)
    assert interval.low == pytest.approx(total / items)


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


def test_a_rate_without_items_leaves_the_sum_without_an_interval():
    asked = [UserSums(1, 2)] * 12
    assert clustered_interval([Part(asked), Part([UserSums(0, 0)] * 12)]) is None
