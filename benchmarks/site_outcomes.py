"""What models of known truth came to, item by item, and added up as the board adds public rows up."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evaluator.hicupid.data import demo_set
from leaderboard.board.tallies import FIGURES, TYPES, RunTally

QUESTIONS = {"persona": 25, "profile": 5, "schedule": 10}
"""Of each user, as HiCUPID asks them."""
STEPS = (-0.3, 0.3)
"""What a latent quality must exceed for a tie and for a win; for a schedule question it is 0."""
USER_SPREAD, MODEL_SPREAD, ORDER_SPREAD = 0.5, 0.4, 0.4
"""Standard deviations of the latent difficulty of a user, for all models and for one, and of reading a pair once; that
of an item is 1."""
BROKEN, UNANSWERED, UNREAD = 0.01, 0.004, 0.005
"""Shares of answers that lose without a judge, of questions without an answer, and of verdicts that cannot be read."""
PROMPT, SHARED = 16_000, 15_000
"""Tokens of a prompt, and those of them that it shares with the one before."""
_OF_TASTES = {"persona_category": "category", "sentiment": "sentiment"}
"""Columns, and what the demo set calls what stands in them."""


class Asked(NamedTuple):
    """The questions of a protocol, sorted by name."""

    names: list[str]
    users: list[tuple[str, int]]
    """Sorted."""
    user: NDArray[np.intp]
    """(questions,): the place of each one's user."""
    type: NDArray[np.intp]
    """(questions,): the place of each one's type among `TYPES`."""
    owed: NDArray[np.int64]
    """(questions,): the verdicts that each is owed."""
    facts: Mapping[str, Sequence[Any]]
    """What stands beside a question, by column."""


class Outcomes(NamedTuple):
    """What one run came to under one judge."""

    answered: NDArray[np.bool_]
    """(questions,)."""
    broken: NDArray[np.bool_]
    """(questions,): the answer loses without a judge."""
    score: NDArray[np.float64]
    """(questions, orders): 1 for a win or a satisfied one, 0.5 for a tie."""
    read: NDArray[np.bool_]
    """(questions, orders): there is a verdict, and it could be read."""
    recall: NDArray[np.float64]
    """(questions,): share of the evidence that the context showed."""
    overlap: NDArray[np.float64]
    """(questions,): BLEU, and twice as much is its ROUGE-L."""
    cached: NDArray[np.int64]
    """(questions,): tokens of the prompt that came from the engine's cache."""


def asked_of(split: str, users: int) -> Asked:
    """Returns the questions of a split of HiCUPID's shape, 40 a user."""
    types = np.array([place for place, type_ in enumerate(TYPES) for _ in range(QUESTIONS[type_])] * users)
    user = np.repeat(np.arange(users), sum(QUESTIONS.values()))
    random = np.random.default_rng(5)
    facts = _facts(types, random.uniform(0, 1, len(types)), random.random(len(types)) < 0.5)
    names = [f"{split}/{place:06}" for place in range(len(types))]
    return Asked(names, [(split, place) for place in range(users)], user, types, _owed(types), facts)


def asked_of_demo() -> Asked:
    """Returns the questions of the demo set, which everyone has, by the names that they have there."""
    found = []
    for split in ("test_1", "test_2"):
        with (Path(demo_set()) / "qa" / f"{split}.jsonl").open(encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        found += [(f"{split}/{row['question_id']}", (split, row["user_id"]), row) for row in rows]
    found.sort(key=lambda each: each[0])
    users = sorted({user for _, user, _ in found})
    types = np.array([TYPES.index(row["type"]) for *_, row in found])
    tastes = [row["metadata"]["persona"] or {} for *_, row in found]
    facts = {name: [taste.get(key) for taste in tastes] for name, key in _OF_TASTES.items()}
    facts["evidence_position"] = [[round(place / len(found), 4)] for place in range(len(found))]
    user = np.array([users.index(who) for _, who, _ in found])
    return Asked([name for name, *_ in found], users, user, types, _owed(types), facts)


def draw(asked: Asked, quality: float, seed: Sequence[int], judging: int = 0, complete: bool = True) -> Outcomes:
    """Draws what a model of some quality comes to; equal seeds give equal answers, whoever judges them.

    Args:
        asked: The questions.
        quality: The model's truth.
        seed: What names the run.
        judging: What names the judge.
        complete: Whether all but a few answers are there; else a tenth is missing.
    """
    random, shared = np.random.default_rng([7, *seed]), np.random.default_rng(9)
    count, owed = len(asked.names), asked.owed
    difficulty = shared.normal(0, USER_SPREAD, len(asked.users)) + random.normal(0, MODEL_SPREAD, len(asked.users))
    latent = quality + difficulty[asked.user] + random.standard_normal(count)
    answered = random.random(count) >= (UNANSWERED if complete else 0.1)
    broken = answered & (random.random(count) < BROKEN)
    recall = np.where(random.random(count) < 0.9, 1.0, 0.0)
    overlap, cached = random.uniform(0, 40, count), random.integers(0, SHARED, count)
    random = np.random.default_rng([8, judging, *seed])
    heard = latent[:, None] + random.normal(0, ORDER_SPREAD, (count, 2))
    pair = np.where(heard > STEPS[1], 1.0, np.where(heard > STEPS[0], 0.5, 0.0))
    score = np.where(owed[:, None] == 1, (heard > 0).astype(np.float64), pair)
    there = (np.arange(2) < owed[:, None]) & (answered & ~broken)[:, None]
    return Outcomes(answered, broken, score, there & (random.random((count, 2)) >= UNREAD), recall, overlap, cached)


def tally(asked: Asked, found: Outcomes, names: tuple[str, str, str]) -> RunTally:
    """Adds outcomes up by user, as `leaderboard.board.tallies` adds up the rows that say the same.

    Args:
        asked: The questions.
        found: What came of them.
        names: Run, model and protocol.
    """
    owed, read = asked.owed, found.read.sum(axis=1)
    judged = found.answered & (found.broken | (read == owed))
    clean = ~found.broken
    tie = (found.score == 0.5) & found.read
    shares = {
        "win": ((found.score == 1) & found.read).sum(axis=1),
        "tie": tie.sum(axis=1),
        "loss": np.where(found.broken, owed, ((found.score == 0) & found.read).sum(axis=1)),
        "score": (found.score * found.read).sum(axis=1),
    }
    pairs = (owed == 2) & clean
    slots = (found.read & ~tie).sum(axis=1)
    slots_a = (found.read & ~tie & ((found.score == 1) == np.array([True, False]))).sum(axis=1)
    same = (found.score[:, 0] == found.score[:, 1]).astype(np.float64)
    columns: dict[str, tuple[Any, Any, Any]] = {}
    for place, type_ in enumerate(TYPES):
        mine = asked.type == place
        for share in shares if type_ != "schedule" else ("score",):
            columns[f"{type_}_{share}"] = (100 * shares[share] / owed, mine & judged, mine)
    columns |= {
        "bleu": (found.overlap, found.answered, np.ones_like(judged)),
        "rouge_l": (2 * found.overlap, found.answered, np.ones_like(judged)),
        "evidence_recall": (100 * found.recall, found.answered, np.ones_like(judged)),
        "position_consistency": (100 * same, pairs & judged, pairs),
    }

    def by_user(values: Any) -> Any:
        return np.bincount(asked.user, np.asarray(values, dtype=np.float64), len(asked.users))

    totals = [by_user(value * counts) for value, counts, _ in columns.values()]
    items = [by_user(counts) for _, counts, _ in columns.values()]
    owes = [by_user(wanted) for *_, wanted in columns.values()]
    decisive = pairs & judged
    assert tuple(columns) == FIGURES[:-1]
    return RunTally(
        *names,
        asked.users,
        np.array([*totals, 100 * by_user(slots_a * decisive)]).T,
        np.array([*items, by_user(slots * decisive)]).T,
        np.array([*owes, 2 * by_user(pairs)]).T,
        np.array([by_user(shares["score"] / owed * (asked.type == place)) for place in range(len(TYPES))]).T,
        _counts(found, owed, judged),
    )


def _counts(found: Outcomes, owed: NDArray[np.int64], judged: NDArray[np.bool_]) -> dict[str, dict[str, int]]:
    """Counts what a scorecard tells beside its rates."""
    there, clean = found.answered, ~found.broken
    unread = (owed - found.read.sum(axis=1))[there & clean].sum()
    counts = {
        "defects": {"repetition": found.broken.sum()},
        "failures": {"context_overflow": (~there).sum()},
        "missing": {"context_overflow": owed[~there].sum(), "unparsed": unread},
        "prefill": {"distinct": there.sum() * (PROMPT - SHARED), "computed": (PROMPT - found.cached)[there].sum()},
        "totals": {
            "generations": there.sum(),
            "items": len(owed),
            "judged": judged.sum(),
            "verdicts": found.read[clean].sum(),
        },
    }
    told = {kind: {name: int(count) for name, count in some.items() if count} for kind, some in counts.items()}
    return {kind: some for kind, some in told.items() if some}


def _owed(types: NDArray[np.intp]) -> NDArray[np.int64]:
    return np.where(types == TYPES.index("schedule"), 1, 2)


def _facts(types: NDArray[np.intp], position: NDArray[np.float64], likes: NDArray[np.bool_]) -> dict[str, list[Any]]:
    """Returns what public rows tell of questions beside their names, where they tell it."""
    categories = ("food", "music", "sport", "pet", "travel")
    tastes = types != TYPES.index("schedule")
    return {
        "persona_category": [
            categories[place % len(categories)] if taste else None for place, taste in enumerate(tastes.tolist())
        ],
        "sentiment": [
            ("POS" if like else "NEG") if taste else None
            for like, taste in zip(likes.tolist(), tastes.tolist(), strict=True)
        ],
        "evidence_position": [[round(value, 4)] for value in position.tolist()],
    }
