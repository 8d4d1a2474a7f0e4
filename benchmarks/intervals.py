"""`make bench-intervals`: whether intervals and ranks hold what they promise, on simulated boards of known truth."""

from __future__ import annotations

import os

# One thread, before numpy starts its own: what runs beside this keeps its cores.
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import time
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import norm

from benchmarks.report import report
from evaluator.metrics.intervals import ModelSums, Part, UserSums, clustered_interval, paired_difference
from evaluator.metrics.ranks import Rank, ranks

REPETITIONS = 2000
NUMBERS_OF_USERS = (20, 50, 250)
QUESTIONS = (25, 5, 10)
WEIGHTS = np.array([25 / 40, 5 / 40, 10 / 40 / 2])
STEPS = ((-0.6, -0.2, 0.2, 0.6), (-0.6, -0.2, 0.2, 0.6), (0.0,))
"""What a latent quality must exceed for each further step of a score: 0, .25, .5, .75, 1 for two orders, or 0 and 1."""
USER_SPREAD, MODEL_SPREAD = 0.5, 0.4
"""Standard deviations of the latent difficulty of a user, for all models and for one; that of an item is 1."""
SHORT_USERS, SHORT_SHARE, READABLE = 0.15, 0.5, 0.99
"""Share of users with fewer questions, the share of questions that they have, and the share of readable verdicts."""
TRUE_TOTALS = np.array([25.0, 28, 28, 28, 28, 28.5, 30, 30.4, 31, 34, 36, 36, 36.2, 39, 42, 42, 45, 50, 55, 62])
TIED_USERS = 50
TIED_TOTALS = np.full(20, 36.0)
"""The hardest truth for ranks: every significant difference is a mistake."""
TRUE_PROFILES = 10 + (7 * np.arange(20)) % 31
TRUE_SCHEDULES = 5 + (11 * np.arange(20)) % 37
PAIRS = 5
"""Pairs of models, drawn anew from each board, whose difference is looked at; and the Total of their first."""
REFERENCE_DRAWS = 1000


class Sample(NamedTuple):
    """One simulated board, both (models, users, rates)."""

    totals: NDArray[np.float64]
    items: NDArray[np.float64]


def latent_means(truth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the mean latent qualities, (models, rates), that give exactly the true Totals, (models,)."""
    personas = (truth - WEIGHTS[1] * TRUE_PROFILES - WEIGHTS[2] * TRUE_SCHEDULES) / WEIGHTS[0]
    spread = np.sqrt(1 + USER_SPREAD**2 + MODEL_SPREAD**2)

    def excess(mean: float, rate: float, steps: tuple[float, ...]) -> float:
        return float(100 * norm.cdf((mean - np.array(steps)) / spread).mean() - rate)

    return np.array(
        [
            [brentq(excess, -9, 9, (rate, steps), xtol=1e-13) for rate, steps in zip(rates, STEPS, strict=True)]
            for rates in zip(personas, TRUE_PROFILES, TRUE_SCHEDULES, strict=True)
        ]
    )


def simulate(random: np.random.Generator, means: NDArray[np.float64], users: int) -> Sample:
    """Returns one board: latent qualities with effects of user and of user and model, cut into steps of a score."""
    models = len(means)
    effects = random.normal(0, USER_SPREAD, users) + random.normal(0, MODEL_SPREAD, (models, users))
    share = np.where(random.random(users) < SHORT_USERS, SHORT_SHARE, 1.0)
    totals, items = np.zeros((2, models, users, len(QUESTIONS)))
    for rate, (questions, steps) in enumerate(zip(QUESTIONS, STEPS, strict=True)):
        asked = random.random((users, questions)) < share[:, None]
        asked[:, 0] = True
        read = asked & (random.random((models, users, questions), dtype=np.float32) < READABLE)
        quality = random.standard_normal((models, users, questions), dtype=np.float32)
        quality += (effects + means[:, rate, None]).astype(np.float32)[..., None]
        reached = sum((quality > step).astype(np.int8) for step in steps) * read
        totals[..., rate] = 100 * reached.sum(axis=-1, dtype=np.int32) / len(steps)
        items[..., rate] = read.sum(axis=-1)
    return Sample(totals, items)


def model_sums(sample: Sample) -> list[ModelSums]:
    """Returns a board in the form that the leaderboard has it in."""
    users = range(sample.totals.shape[1])
    rows = (sums.transpose(0, 2, 1).tolist() for sums in (sample.totals, sample.items.astype(np.int64)))
    return [
        ModelSums(
            users,
            [
                Part(list(map(UserSums, *sums)), float(weight))
                for *sums, weight in zip(totals, items, WEIGHTS, strict=True)
            ],
        )
        for totals, items in zip(*rows, strict=True)
    ]


def covered(random: np.random.Generator, board: list[ModelSums]) -> tuple[float, float]:
    """Returns the shares of some models' Totals and of some pairs' differences that lie in their intervals."""
    pairs = random.permutation(len(board))[: 2 * PAIRS].reshape(PAIRS, 2)
    totals = differences = 0
    for first, second in pairs.tolist():
        interval = clustered_interval(board[first].parts)
        totals += interval is not None and interval.low <= TRUE_TOTALS[first] <= interval.high
        interval = paired_difference(board[first], board[second]).interval
        truth = TRUE_TOTALS[first] - TRUE_TOTALS[second]
        differences += interval is not None and interval.low <= truth <= interval.high
    return totals / PAIRS, differences / PAIRS


def reference(random: np.random.Generator, sample: Sample) -> list[Rank]:
    """Returns ranks by the plain single-step bootstrap: users drawn anew, the greatest absolute t over all pairs."""
    models, users, _ = sample.totals.shape
    drawn = random.integers(users, size=(REFERENCE_DRAWS, users)) + users * np.arange(REFERENCE_DRAWS)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=users * REFERENCE_DRAWS).reshape(REFERENCE_DRAWS, users)
    weights = np.vstack([np.ones(users), counts])
    rates = np.einsum("bu,mur->rbm", weights, sample.totals, optimize=True)
    rates /= np.einsum("bu,mur->rbm", weights, sample.items, optimize=True)
    values = np.tensordot(WEIGHTS, rates, axes=1)
    first, second = np.triu_indices(models, 1)
    differences = values[:, first] - values[:, second]
    errors = differences[1:].std(axis=0)
    greatest = (np.abs(differences[1:] - differences[0]) / errors).max(axis=1)
    t = differences[0] / errors
    threshold = np.quantile(greatest, 0.95)
    better = np.bincount(np.r_[second[t > threshold], first[t < -threshold]], minlength=models)
    worse = np.bincount(np.r_[first[t > threshold], second[t < -threshold]], minlength=models)
    return [Rank(low=1 + int(above), high=models - int(below)) for above, below in zip(better, worse, strict=True)]


def holds(found: Iterable[Rank | None], truth: NDArray[np.float64]) -> bool:
    """Tells whether every rank that a model has in truth, or shares with its equals, is inside its interval."""
    better = (truth[:, None] < truth).sum(axis=1)
    worse = (truth[:, None] > truth).sum(axis=1)
    return all(
        rank is not None and rank.low <= 1 + above and rank.high >= len(truth) - below
        for rank, above, below in zip(found, better, worse, strict=True)
    )


def width(found: Iterable[Rank | None]) -> float:
    """Returns the mean of high - low."""
    return float(np.mean([rank.high - rank.low for rank in found if rank is not None]))


def monte_carlo(values: list[float]) -> dict[str, float]:
    """Returns the mean over independent boards and its 95 % interval."""
    reach = 1.96 * float(np.std(values, ddof=1)) / len(values) ** 0.5
    mean = float(np.mean(values))
    return {"mean": round(mean, 4), "low": round(mean - reach, 4), "high": round(mean + reach, 4)}


def ranked(board: list[ModelSums]) -> list[Rank | None]:
    """Returns our ranks of a board, in its order."""
    return list(ranks({f"{place:02}": model for place, model in enumerate(board)}).values())


def repeat(repetition: int, means: NDArray[np.float64], tied_means: NDArray[np.float64]) -> dict[str, float]:
    """Simulates one board of each kind and returns what was covered, and how widely."""
    seen: dict[str, float] = {}
    for users in NUMBERS_OF_USERS:
        random = np.random.default_rng([users, repetition])
        sample = simulate(random, means, users)
        board = model_sums(sample)
        seen[f"total {users}"], seen[f"difference {users}"] = covered(random, board)
    ours, plain = ranked(board), reference(random, sample)
    tied = simulate(np.random.default_rng([0, TIED_USERS, repetition]), tied_means, TIED_USERS)
    return seen | {
        "rank": holds(ours, TRUE_TOTALS),
        "rank, reference": holds(plain, TRUE_TOTALS),
        "rank, tied": holds(ranked(model_sums(tied)), TIED_TOTALS),
        "width": width(ours),
        "width, reference": width(plain),
    }


def main() -> None:
    """Simulates the boards and reports what was covered."""
    started, worked = time.monotonic(), time.process_time()
    means, tied_means = latent_means(TRUE_TOTALS), latent_means(TIED_TOTALS)
    seen = [repeat(repetition, means, tied_means) for repetition in range(REPETITIONS)]
    clocks = {
        "seconds": round(time.monotonic() - started, 1),
        "cpu_seconds": round(time.process_time() - worked, 1),
    }
    report("intervals", figures({name: [board[name] for board in seen] for name in seen[0]}) | clocks)


def figures(seen: dict[str, list[float]]) -> dict[str, Any]:
    """Returns what is reported of the boards."""
    rank = monte_carlo(seen["rank"])
    return {
        "coverage_total": {users: monte_carlo(seen[f"total {users}"]) for users in NUMBERS_OF_USERS},
        "coverage_difference": {users: monte_carlo(seen[f"difference {users}"]) for users in NUMBERS_OF_USERS},
        "coverage_rank_250": rank["mean"],
        "coverage_rank_250_interval": [rank["low"], rank["high"]],
        f"coverage_rank_{TIED_USERS}_tied": monte_carlo(seen["rank, tied"]),
        "coverage_rank_250_reference": monte_carlo(seen["rank, reference"])["mean"],
        "mean_rank_width": round(float(np.mean(seen["width"])), 3),
        "mean_rank_width_ratio": round(float(np.sum(seen["width"]) / np.sum(seen["width, reference"])), 4),
        "repetitions": len(seen["rank"]),
    }


if __name__ == "__main__":
    main()
