"""Ranks in bounded memory are those that all pairs at once give, whatever the board and however it is cut."""

import numpy as np
import pytest

from evaluator.metrics.intervals import ModelSums, Part, UserSums, align
from evaluator.metrics.ranks import rank_board, ranks
from tests.unit.every_pair import ranks_by_every_pair

DRAWS = 399
RATES = (0.6, 0.3, 0.1)
KINDS = (
    "whole",
    "ties",
    "constant differences",
    "families",
    "near duplicates",
    "few gaps",
    "many gaps",
    "groups",
    "too few users",
    "equals",
)


def random_board(kind, seed, models=40, users=30) -> dict[str, ModelSums]:
    """Sums of three rates: rounded scores of models with an effect of the user, with what makes a board odd."""
    random = np.random.default_rng([KINDS.index(kind), seed])
    quality = np.zeros(models) if kind == "equals" else np.linspace(0, random.uniform(1, 8), models)
    noise = random.normal(0, 2, users)[:, None] + random.normal(0, 1, (models, users, 3))
    if kind == "families":
        own = random.normal(0, 1, (models // 8, users, 3))
        noise = np.repeat(own, 8, axis=0) + random.choice([0.001, 0.1, 0.5], (models, 1, 1)) * noise
    totals = np.round(50 + 5 * (quality[:, None, None] + noise), 0 if kind == "ties" else 3)
    items = random.integers(2, 6, (models, users, 3))
    if kind == "near duplicates":
        items[:] = items[0]
        totals = totals[0] + 1e-6 * (quality[:, None, None] * items + noise)
    if kind == "constant differences":
        items[:] = items[0]
        totals[::2] = totals[0] + 0.1 * np.arange(len(totals[::2]))[:, None, None] * items[0]
    missing = np.zeros((models, users), dtype=bool)
    if kind == "few gaps":
        missing[random.random(models) < 0.2] |= random.random((1, users)) < 0.1
        missing[3, 5] = True
    elif kind == "many gaps":
        missing |= random.random((models, users)) < 0.1
        items[random.random(items.shape) < 0.03] = 0
    elif kind == "groups":
        missing |= (random.random((4, users)) < 0.2)[random.integers(0, 4, models)]
    elif kind == "too few users":
        missing[random.random(models) < 0.3, 12:] = True
        missing[random.random(models) < 0.3, :19] = True
        missing[7, 9:] = True
    items[missing] = 0
    totals = np.where(items, totals, 0)
    asked = [np.flatnonzero(random.random(users) < 0.97) if kind == "many gaps" else range(users) for _ in totals]
    return {
        f"model {place:02}": ModelSums(
            [int(user) for user in asked[place]],
            [
                Part(
                    [
                        UserSums(float(totals[place, user, rate]), int(items[place, user, rate]))
                        for user in asked[place]
                    ],
                    weight,
                )
                for rate, weight in enumerate(RATES)
            ],
        )
        for place in random.permutation(models).tolist()
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(6))
def test_ranks_are_those_of_every_pair(kind, seed, monkeypatch):
    side, least, pairs = ((64, 8, 256), (7, 2, 5), (5, 1, 256))[seed % 3]
    monkeypatch.setattr("evaluator.metrics.tiles.SIDE", side)
    monkeypatch.setattr("evaluator.metrics.tiles.LEAST_GROUP", least)
    monkeypatch.setattr("evaluator.metrics.tiles.PAIRS", pairs)
    board = random_board(kind, seed)
    assert ranks(board, draws=DRAWS) == ranks_by_every_pair(board, DRAWS)


@pytest.mark.parametrize("kind", KINDS)
def test_boards_with_some_clear_orders_were_compared(kind):
    found = [
        rank for seed in range(6) for rank in ranks_by_every_pair(random_board(kind, seed), DRAWS).values() if rank
    ]
    told = sum(rank.low > 1 or rank.high < 40 for rank in found)
    assert told == 0 if kind == "equals" else told > 0
    assert (len(found) < 240) == (kind == "too few users")


def test_a_board_in_one_piece_gives_the_same():
    models = random_board("whole", 9)
    names = sorted(models)
    found = rank_board(align([models[name] for name in names]), draws=DRAWS)
    assert dict(zip(names, found, strict=True)) == ranks(models, draws=DRAWS)
