"""Ranks: simultaneous over the whole board, compared with a naive stepdown."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from evaluator.metrics.intervals import ModelSums, Part, UserSums, paired_difference
from evaluator.metrics.ranks import ERROR_RATE, Rank, ranks

DRAWS = 399


def model(totals, users=None, items=4) -> ModelSums:
    """A model of one rate from its users' totals."""
    return ModelSums(
        range(len(totals)) if users is None else users, [Part([UserSums(float(one), items) for one in totals])]
    )


def board_of(totals, users=None) -> dict[str, ModelSums]:
    """A board from totals, (models, users)."""
    return {f"model {place:02}": model(one, users) for place, one in enumerate(totals)}


def simulated(seed, means, users, spread=1.0) -> np.ndarray:
    """Totals (models, users) with an effect of the user."""
    random = np.random.default_rng(seed)
    noise = random.normal(0, spread, (len(means), users)) + random.normal(0, 2, users)
    return np.round(np.asarray(means)[:, None] + noise, 1) + 20


def naive_ranks(totals, draws) -> list[tuple[int, int]]:
    """Both steps written out with sets: a threshold from all errors, then one from those not yet rejected."""
    models, users = totals.shape
    random = np.random.RandomState(20240)
    directions = [random.standard_normal(users) for _ in range(draws)]
    directions = [one / np.linalg.norm(one) * math.sqrt(users) for one in directions]
    score, errors = {}, {}
    for one in range(models):
        for other in range(models):
            if one != other:
                difference = totals[one] - totals[other]
                length = math.sqrt((difference**2).sum())
                score[one, other] = difference.sum() / length
                centred = difference - difference.mean()
                errors[one, other] = np.array(directions) @ centred / math.sqrt((centred**2).sum())

    def threshold(pairs, share, shift) -> float:
        greatest = np.max([errors[pair] - shift[pair] for pair in pairs], axis=0)
        return sorted(greatest)[math.ceil((1 - share) * (draws + 1)) - 1]

    beyond = threshold(score, 0.005, dict.fromkeys(score, 0))
    shift = {(one, other): max(0, score[other, one] - beyond) for one, other in score}
    rejected: set[tuple[int, int]] = set()
    while True:
        limit = threshold(set(score) - rejected, ERROR_RATE - 0.005, shift)
        new = {pair for pair in score if score[pair] > limit}
        if new == rejected:
            break
        rejected = new
    return [
        (
            1 + sum((other, one) in rejected for other in range(models)),
            models - sum(pair[0] == one for pair in rejected),
        )
        for one in range(models)
    ]


@pytest.mark.parametrize(
    ("models", "users", "lead", "seed"),
    [(2, 10, 4, 0), (5, 12, 4, 1), (8, 40, 4, 2), (25, 30, 6, 3), (4, 20, 1.5, 317), (4, 20, 1.5, 385)],
)
def test_they_agree_with_a_naive_stepdown(models, users, lead, seed):
    totals = simulated(seed, np.linspace(0, lead, models), users)
    found = ranks(board_of(totals), draws=DRAWS)
    assert [(rank.low, rank.high) for rank in found.values()] == naive_ranks(totals, DRAWS)


@pytest.mark.parametrize("seed", range(4))
def test_pairs_are_judged_together_however_many_are_handled_at_once(seed, monkeypatch):
    board = board_of(simulated(seed, np.linspace(0, 4, 12), 40))
    whole = ranks(board, draws=DRAWS)
    monkeypatch.setattr("evaluator.metrics.tiles.SIDE", 5)
    assert ranks(board, draws=DRAWS) == whole


def test_clear_orders_are_told_and_equals_share_a_rank():
    totals = simulated(4, [0, 5, 5, 9], 60)
    found = list(ranks(board_of(totals)).values())
    assert [(rank.low, rank.high) for rank in found] == [(4, 4), (2, 3), (2, 3), (1, 1)]
    assert [rank.rank for rank in found] == [4, 2, 2, 1]


@pytest.mark.parametrize(("lead", "told"), [(0.40, False), (0.80, True)])
def test_two_models_are_told_apart_as_by_their_difference(lead, told):
    totals = simulated(5, [0, lead], 30)
    p_value = paired_difference(*board_of(totals).values()).p_value
    assert (p_value < 0.03) == told
    assert (p_value > 0.07) == (not told)
    low, high = ranks(board_of(totals)).values()
    assert (high.high, low.low) == ((1, 2) if told else (2, 1))


def test_a_difference_that_is_significant_alone_is_not_among_many_equals():
    board = board_of(simulated(7, np.zeros(20), 50))
    names = list(board)
    assert min(paired_difference(board[names[0]], board[name]).p_value for name in names[1:]) < 0.05
    assert set(ranks(board).values()) == {Rank(low=1, high=20)}


def test_equals_are_told_apart_no_more_often_than_promised():
    mistakes = sum(
        any(
            rank != Rank(low=1, high=6) for rank in ranks(board_of(simulated([7, seed], np.zeros(6), 12)), 399).values()
        )
        for seed in range(300)
    )
    assert 3 <= mistakes <= 27  # 15 are expected; both limits are three standard deviations away.


def test_the_intervals_are_within_a_plain_threshold_over_all_pairs():
    totals = simulated(8, np.linspace(0, 2, 15), 250)
    users = totals.shape[1]
    random = np.random.default_rng(8)
    first, second = np.triu_indices(len(totals), 1)
    errors = totals[first] - totals[second]
    t = errors.mean(axis=1) / errors.std(axis=1, ddof=1) * math.sqrt(users)
    errors -= errors.mean(axis=1, keepdims=True)
    drawn = (errors / np.sqrt((errors**2).sum(axis=1))[:, None]) @ random.standard_normal((users, 4000))
    told = 2 * student.sf(np.abs(t), users - 1) < 0.05
    plain = (np.abs(t) > np.quantile(np.abs(drawn).max(axis=0), 0.95)).sum()
    found = ranks(board_of(totals)).values()
    significant = sum(rank.low - 1 for rank in found)
    assert plain < significant < told.sum()


boards = st.integers(2, 6).flatmap(
    lambda models: st.lists(
        st.lists(st.integers(0, 8), min_size=models, max_size=models), min_size=10, max_size=16
    ).map(lambda users: np.array(users, dtype=float).T)
)


@settings(max_examples=40)
@given(boards)
def test_intervals_hold_the_order_of_the_estimates(totals):
    found = list(ranks(board_of(totals), draws=DRAWS).values())
    means = totals.mean(axis=1)
    for rank, mean in zip(found, means, strict=True):
        assert 1 <= rank.low <= 1 + (means > mean).sum()
        assert len(means) - (means < mean).sum() <= rank.high <= len(means)
    better = sum(rank.low - 1 for rank in found)
    assert better == sum(len(found) - rank.high for rank in found)


@settings(max_examples=40)
@given(boards, st.integers(1, 30), st.randoms(use_true_random=False))
def test_neither_a_shift_nor_the_order_of_models_counts(totals, shift, random):
    plain, moved = board_of(totals), board_of(totals + shift)
    names = random.sample(list(moved), len(moved))
    found = ranks({name: moved[name] for name in names}, draws=DRAWS)
    assert list(found) == names
    assert found == ranks(plain, draws=DRAWS)


def test_the_order_of_users_does_not_count():
    totals = simulated(13, np.linspace(0, 4, 25), 30)
    users = [4096 * place for place in range(30)]
    places = np.random.default_rng(13).permutation(30)
    shuffled = board_of(totals[:, places], [users[place] for place in places])
    assert ranks(shuffled) == ranks(board_of(totals, users))


def test_they_are_the_same_every_time_and_leave_the_global_generator_alone():
    board = board_of(simulated(9, np.linspace(0, 1, 8), 30))
    state = np.random.get_state()[1].copy()
    assert ranks(board) == ranks(board)
    assert (np.random.get_state()[1] == state).all()


def test_a_pair_is_compared_on_the_users_that_both_have():
    difficulty = np.linspace(0, 40, 40)
    noise = np.random.default_rng(10).normal(0, 0.5, (3, 40))
    strong, weak, middling = difficulty + noise + np.array([[2], [0], [1]])
    easy = difficulty > 18
    board = {"strong": model(strong), "weak": model(weak[easy], np.flatnonzero(easy)), "middling": model(middling)}
    assert weak[easy].mean() > strong.mean()
    assert [(rank.low, rank.high) for rank in ranks(board).values()] == [(1, 1), (3, 3), (2, 2)]


@pytest.mark.parametrize("users", [range(9), range(100, 140)])
def test_a_model_with_too_few_shared_users_has_no_rank_and_changes_no_other(users):
    board = board_of(simulated(11, np.linspace(0, 4, 25), 30))
    stranger = model([8] * len(users), users)
    found = ranks({"stranger": stranger} | board)
    assert found.pop("stranger") is None
    assert found == ranks(board)


def test_two_models_that_share_too_few_users_have_no_ranks():
    assert ranks({"one": model(range(12)), "other": model(range(12), range(3, 15))}) == {"one": None, "other": None}


def test_a_model_with_too_few_users_for_one_rate_has_no_rank():
    full, thin = [UserSums(1, 2)] * 12, [UserSums(1, 2)] * 9 + [UserSums(0, 0)] * 3
    whole = ModelSums(range(12), [Part(full), Part(full)])
    found = ranks({"whole": whole, "thin": ModelSums(range(12), [Part(full), Part(thin)])})
    assert found == {"whole": Rank(low=1, high=1), "thin": None}


def test_a_rate_that_too_few_shared_users_have_leaves_both_models_without_a_rank():
    asked, spared = UserSums(1, 2), UserSums(0, 0)
    early = ModelSums(range(20), [Part([asked] * 20), Part([asked] * 12 + [spared] * 8)])
    late = ModelSums(range(8, 20), [Part([asked] * 12)] * 2)
    assert ranks({"early": early, "late": late}) == {"early": None, "late": None}


def test_a_board_of_one_or_none():
    assert ranks({}) == {}
    assert ranks({"alone": model(range(10))}) == {"alone": Rank(low=1, high=1)}
    assert ranks({"alone": model(range(9))}) == ranks({"alone": model([])}) == {"alone": None}


def test_models_that_are_equal_for_everyone_are_not_told_apart():
    totals = 0.1 * np.arange(14)
    found = ranks(board_of([totals, totals, totals + np.arange(14) % 2 + 1]))
    assert [(rank.low, rank.high) for rank in found.values()] == [(2, 3), (2, 3), (1, 1)]
    assert set(ranks(board_of([totals] * 4)).values()) == {Rank(low=1, high=4)}


def test_a_constant_difference_of_ten_users_tells_two_models_apart():
    totals = 0.1 * np.arange(10)
    assert list(ranks(board_of([totals, totals + 0.1])).values()) == [Rank(low=2, high=2), Rank(low=1, high=1)]


def test_a_constant_difference_of_ten_users_is_not_enough_among_many_models():
    totals = simulated(12, np.zeros(12), 10)
    found = list(ranks(board_of([*totals, totals[0] + 0.1])).values())
    assert paired_difference(model(totals[0] + 0.1), model(totals[0])).p_value < 0.01
    assert found[0].high == found[-1].high == 13


def test_too_few_draws_are_refused():
    with pytest.raises(ValueError, match="198 draws"):
        ranks({}, draws=198)
