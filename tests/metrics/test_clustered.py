"""Intervals of any figure, clustered by user: compared with textbook formulas and with those of plain means."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import cohen_kappa_score

from evaluator.metrics.agreement import kappa, kappa_of, tally
from evaluator.metrics.clustered import (
    Method,
    Missing,
    Spread,
    ends,
    interval,
    missing,
    spread,
    spread_of,
    spread_of_sums,
)
from evaluator.metrics.intervals import Part, UserSums, clustered_interval

CLASSES = np.array([0.0, 1.0])
OF_A_SPREAD = (Method.STUDENT, Method.SCORE)


def mean_of(values):
    """The mean as a figure of what is left."""
    values = np.asarray(values, dtype=float)
    return lambda left: float(values[left].mean()) if len(left) else None


def labelled(seed, users=14):
    """Users of unlike size, and two raters' labels of their items, alike in two of three."""
    random = np.random.default_rng(seed)
    user = np.repeat(np.arange(users), random.integers(3, 12, users))
    first = (random.random(len(user)) < 0.3).astype(float)
    second = np.where(random.random(len(user)) < 0.6, first, 1 - first)
    return user, first, second


def kappa_spread(user, first, second):
    return spread(lambda left: kappa(first[left], second[left]), user)


def test_a_kappa_of_three_users_is_worked_out_by_hand():
    first, second = np.array([1.0, 1, 0, 0, 1, 0]), np.array([1.0, 0, 0, 0, 1, 1])
    found = kappa_spread(np.array([7, 7, 8, 8, 9, 9]), first, second)
    # Agreement and chance in quarters: 2/4 by chance without 7 and without 9, who leave 3/4; without 8, who agrees
    # throughout, both say yes in 3/4, so that 2/4 agree and 10/16 would by chance.
    without = (0.5, (2 / 4 - 10 / 16) / (1 - 10 / 16), 0.5)
    changes = [1 / 3 - one for one in without]
    assert found.value == pytest.approx(1 / 3)
    assert found.deviation == pytest.approx((2 / 3 * sum(change**2 for change in changes)) ** 0.5)
    assert found.freedom == pytest.approx(2)
    assert found.users == 3


@given(st.lists(st.integers(0, 8), min_size=10, max_size=30), st.integers(1, 4))
def test_with_equal_clusters_a_mean_has_its_usual_interval(totals, items):
    values = np.repeat(np.array(totals) / items, items)
    usual = clustered_interval([Part([UserSums(total, items) for total in totals])])
    spreads = spread(mean_of(values), np.repeat(np.arange(len(totals)), items))
    found = interval(spreads, Method.STUDENT)
    if len(set(totals)) == 1:
        assert (found, missing(spreads, Method.STUDENT)) == (None, Missing.NOTHING_VARIES)
    else:
        assert (found.low, found.high) == pytest.approx((usual.low, usual.high), abs=1e-9)
        assert found.users == usual.users


@pytest.mark.parametrize("seed", range(5))
def test_with_unequal_clusters_as_well(seed):
    user, values, _ = labelled(seed)
    sums = [UserSums(values[user == one].sum(), int((user == one).sum())) for one in range(14)]
    usual = clustered_interval([Part(sums)])
    found = interval(spread(mean_of(values), user), Method.STUDENT)
    assert (found.low, found.high) == pytest.approx((usual.low, usual.high), abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_a_figure_of_sums_has_the_same_spread(seed):
    user, first, second = labelled(seed)
    matrices = tally(first, second, CLASSES, user)
    fast = spread_of_sums(lambda sums: kappa_of(sums[..., None, :, :]), matrices, matrices.sum(axis=(1, 2)))
    slow = kappa_spread(user, first, second)
    assert [*map(float, fast)] == pytest.approx([*map(float, slow)], abs=1e-12)
    assert fast.value == pytest.approx(cohen_kappa_score(first, second), abs=1e-12)


def test_many_figures_at_once_are_those_one_by_one():
    random = np.random.default_rng(3)
    value, without, items = random.random(4), random.random((4, 12)), random.integers(1, 5, 12).astype(float)
    low, high = ends(spread_of(value, without, items), Method.SCORE)
    for place in range(4):
        one = interval(spread_of(value[place], without[place], items), Method.SCORE)
        assert (one.low, one.high) == pytest.approx((low[place], high[place]))


@given(st.integers(0, 2**32 - 1))
def test_the_order_of_items_and_the_names_of_users_change_nothing(seed):
    user, first, second = labelled(0)
    order = np.random.default_rng(seed).permutation(len(user))
    names = [f"user {seed * (one + 1)}" if seed else f"user {one}" for one in user[order]]
    found = interval(kappa_spread(names, first[order], second[order]), Method.STUDENT)
    usual = interval(kappa_spread(user, first, second), Method.STUDENT)
    assert (found.low, found.high, found.users) == pytest.approx((usual.low, usual.high, usual.users), abs=1e-12)


@pytest.mark.parametrize(("users", "given_"), [(0, False), (1, False), (9, False), (10, True)])
@pytest.mark.parametrize("method", OF_A_SPREAD)
def test_below_ten_users_there_is_none(users, given_, method):
    found = spread(mean_of(np.arange(users) % 2), np.arange(users))
    assert (interval(found, method) is not None) == given_
    expected = None if given_ else Missing.FEW_CLUSTERS if users else Missing.UNDEFINED
    assert missing(found, method) is expected


def test_users_without_an_item_do_not_count():
    sums = np.array([[place % 3, 2.0] for place in range(12)])
    padded = np.vstack([sums, np.zeros((5, 2))])

    def ratio(totals):
        return totals[..., 0] / totals[..., 1]

    found, usual = (interval(spread_of_sums(ratio, some, some[:, 1]), Method.STUDENT) for some in (padded, sums))
    assert found == usual
    thin = np.vstack([sums[:9], np.zeros((9, 2))])
    assert interval(spread_of_sums(ratio, thin, thin[:, 1]), Method.STUDENT) is None


def test_a_figure_that_is_not_defined_has_none():
    assert interval(spread(lambda left: None, np.arange(12)), Method.STUDENT) is None


def test_a_figure_that_hangs_on_one_user_has_none():
    yes = np.zeros(12)
    yes[4] = 1
    found = spread(lambda left: kappa(yes[left], yes[left]), np.arange(12))
    assert found.value == 1
    assert (interval(found, Method.STUDENT), missing(found, Method.STUDENT)) == (None, Missing.ONE_DECIDES)


def test_all_items_of_one_user_have_none():
    assert interval(spread(mean_of([0, 1, 1]), ["one"] * 3), Method.STUDENT) is None


def test_what_is_the_same_without_anyone_is_not_called_certain():
    found = spread(lambda left: 0.1 + 0.2 + 1e-17 * len(left), np.arange(12))
    assert (interval(found, Method.STUDENT), missing(found, Method.STUDENT)) == (None, Missing.NOTHING_VARIES)
    assert interval(found, Method.SCORE).low < 0.3 < interval(found, Method.SCORE).high


@given(st.floats(-1, 1), st.sampled_from([0.0, 0.1, np.nan]), st.integers(0, 30))
def test_there_is_a_reason_exactly_where_there_is_no_interval(value, deviation, users):
    for method in OF_A_SPREAD:
        found = Spread(np.array(value), np.array(deviation), 9.0, users)
        assert (interval(found, method) is None) == (missing(found, method) is not None)


def test_a_t_interval_is_not_cut_to_what_is_possible():
    assert interval(Spread(0.95, 0.1, 11, 12), Method.STUDENT).high > 1


@given(st.integers(0, 60), st.integers(0, 60))
def test_a_share_stays_between_none_and_all(wins, losses):
    values = np.array([1.0] * (wins + 5) + [0.0] * (losses + 5))
    found = interval(spread(mean_of(values), np.arange(len(values))), Method.SCORE)
    assert 0 < found.low < values.mean() < found.high < 1


def test_a_share_of_many_independent_items_has_wilsons_interval():
    values = np.array([1.0] * 300 + [0.0] * 1700)
    found = interval(spread(mean_of(values), np.arange(2000)), Method.SCORE)
    usual = binomtest(300, 2000).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((usual.low, usual.high), abs=1e-4)


@pytest.mark.parametrize(("share", "end"), [(0.0, 0), (1.0, 1)])
def test_of_a_share_of_none_or_all_each_user_counts_as_one(share, end):
    found = interval(spread(mean_of([share] * 60), np.repeat(np.arange(12), 5)), Method.SCORE)
    squared = 2.2009851600916384**2
    far = squared / (12 + squared)
    assert (found.low, found.high) == pytest.approx((0, far) if end == 0 else (1 - far, 1), abs=1e-9)


def test_shares_of_two_mirrored_kinds_have_mirrored_intervals():
    user, values, _ = labelled(1)
    one, other = (interval(spread(mean_of(some), user), Method.SCORE) for some in (values, 1 - values))
    assert (one.low, one.high) == pytest.approx((1 - other.high, 1 - other.low))


def test_one_spread_does_not_tell_the_interval_of_a_difference():
    with pytest.raises(ValueError, match="of two"):
        interval(Spread(0.5, 0.1, 19, 20), Method.MOVER)


def test_a_higher_level_gives_a_wider_interval():
    found = spread(mean_of(np.arange(20) % 3), np.arange(20))
    narrow, wide = (interval(found, Method.STUDENT, level) for level in (0.9, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high
