"""How sure a share of comparisons is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from evaluator.metrics.intervals import UserSums
from evaluator.metrics.sameness import agreement

USERS = st.lists(st.integers(0, 8).flatmap(lambda items: st.tuples(st.integers(0, items), st.just(items))), max_size=40)


@given(USERS, st.integers(0, 5))
def test_the_share_lies_in_its_interval_and_that_within_bounds(users: list[tuple[int, int]], missing: int) -> None:
    found = agreement([UserSums(*user) for user in users], missing)
    assert (found.agree, found.compared) == (sum(user[0] for user in users), sum(user[1] for user in users))
    assert found.missing == missing
    if found.compared == 0:
        assert (found.percent, found.low, found.high) == (None, None, None)
        return
    assert found.percent is not None
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.percent + 1e-5
    assert found.percent - 1e-5 <= found.high <= 100
    assert found.low < found.high


@pytest.mark.parametrize(("agree", "compared"), [(0, 7), (3, 9), (24, 24)])
def test_below_ten_users_it_is_clopper_and_pearsons(agree: int, compared: int) -> None:
    found = agreement([UserSums(agree, compared)])
    exact = binomtest(agree, compared).proportion_ci(0.95, "exact")
    assert (found.low, found.high) == pytest.approx((100 * exact.low, 100 * exact.high), abs=1e-5)
    assert found.clustered_by == "nothing"


def test_users_who_stand_or_fall_as_one_count_once_each() -> None:
    together = agreement([UserSums(10 * (user % 4 > 0), 10) for user in range(40)])
    apart = agreement([UserSums(7 + user % 2, 10) for user in range(40)])
    alone = binomtest(30, 40).proportion_ci(0.95, "exact")
    assert (together.percent, apart.percent) == (75, 75)
    assert (together.low, together.high) == pytest.approx((100 * alone.low, 100 * alone.high), abs=1.5)
    assert apart.high - apart.low < (together.high - together.low) / 2


def test_where_all_agree_each_user_counts_as_one() -> None:
    exact = binomtest(50, 50).proportion_ci(0.95, "exact")
    found = agreement([UserSums(40, 40)] * 50)
    assert (found.percent, found.low, found.high) == pytest.approx((100, 100 * exact.low, 100), abs=1e-5)


def test_it_holds_the_true_share_as_often_as_it_says_where_users_differ_much() -> None:
    chance = np.random.default_rng(7)
    held = 0
    for _ in range(400):
        shares = chance.beta(4.5, 0.5, size=30)
        found = agreement([UserSums(int(chance.binomial(8, share)), 8) for share in shares])
        held += found.low <= 90 <= found.high
    assert held / 400 >= 0.93
