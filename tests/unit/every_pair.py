"""Ranks by all pairs kept in memory at once: what `ranks` must give, to compare it with on boards of moderate size."""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import t as student

from evaluator.metrics.intervals import LEAST_USERS, Board, align, compare, tail
from evaluator.metrics.ranks import ERROR_RATE, Rank

SCREEN = 0.005


def ranks_by_every_pair(models, draws):
    """Compares, sorts and steps through (pairs, users) errors."""
    names = sorted(models)
    board = align([models[name] for name in names])
    kept = np.flatnonzero(comparable(board))
    asked = np.flatnonzero(board.items[kept].any(axis=(0, 2)))
    cells = np.ix_(kept, asked)
    better, worse, score, errors = sorted_pairs(Board(board.totals[cells], board.items[cells], board.weights))
    told = significant(score, errors, draws)
    above = np.bincount(worse[told], minlength=len(kept))
    below = np.bincount(better[told], minlength=len(kept))
    found = {
        names[place]: Rank(low=1 + int(up), high=len(kept) - int(down))
        for place, up, down in zip(kept, above, below, strict=True)
    }
    return {name: found.get(name) for name in models}


def comparable(board):
    has = board.items > 0
    asked = has.any(axis=-1).astype(float)
    shared = np.min([has[..., rate].astype(float) @ asked.T for rate in range(has.shape[-1])], axis=0)
    apart = np.minimum(shared, shared.T) < LEAST_USERS
    kept = np.ones(len(has), dtype=bool)
    while (apart & kept & kept[:, None]).any():
        conflicts = (apart & kept).sum(axis=1) * kept
        kept &= conflicts < conflicts.max()
    return kept


def sorted_pairs(board):
    """Better, worse, score and errors of all pairs, from the least to the most significant."""
    models, users, _ = board.totals.shape
    first, second = np.triu_indices(models, 1)
    found = compare(board, first, second)
    reverse = found.value < 0
    t = np.minimum(student.isf(tail(found), users - 1), 1e9)
    score = np.sqrt(users * t**2 / (users - 1 + t**2))
    errors = found.errors / (np.where(found.deviation > 0, found.deviation, 1) * np.where(reverse, -1, 1))[:, None]
    order = np.argsort(score, kind="stable")
    better, worse = np.where(reverse, second, first), np.where(reverse, first, second)
    return better[order], worse[order], score[order], errors[order]


def significant(score, errors, draws):
    if not len(score):
        return np.zeros(0, dtype=bool)
    users = errors.shape[1]
    directions = np.random.RandomState(20240).standard_normal((draws, users)).T
    drawn = errors @ (directions * np.sqrt(users / (directions**2).sum(axis=0)))
    beyond = np.sort(np.abs(drawn).max(axis=0))[math.ceil((1 - SCREEN) * (draws + 1)) - 1]
    reverse = (-drawn - np.maximum(score - beyond, 0)[:, None]).max(axis=0)
    greatest = np.maximum.accumulate(np.maximum(drawn, reverse), axis=0)
    exceeding = (greatest >= score[:, None]).sum(axis=1)
    p_values = np.maximum.accumulate((1 + exceeding[::-1]) / (1 + draws))[::-1]
    return p_values <= ERROR_RATE - SCREEN
