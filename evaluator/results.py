"""What rows add up to: rates with their counts and intervals, and the result part of a scorecard."""

from __future__ import annotations

from evaluator.records import Record


class Interval(Record):
    """A 95 % interval with the number of users it rests on."""

    low: float
    high: float
    users: int


class Rate(Record):
    """A share of items in 0..100 with everything a reader needs to weigh it."""

    value: float | None
    """None if no item has a verdict."""
    judged: int
    """Items with at least one verdict."""
    items: int
    """Items that the protocol asks for."""
    interval: Interval | None
    """Clustered by user; None below ten users."""


class PairwiseScores(Record):
    """Win, tie and loss rates against gold, and the score (win 1, tie one half), all in 0..100."""

    win: Rate
    tie: Rate
    loss: Rate
    score: Rate


class Total(Record):
    """The paper's Total in 0..87.5; an answer as good as gold scores 50."""

    value: float | None
    worst_case: float | None
    """The Total if every missing verdict were a loss."""
    interval: Interval | None


class Result(Record):
    """The result part of a scorecard: a pure function of rows, byte-identical for equal rows."""

    items: int
    generations: int
    """Items with an answer."""
    verdicts: int
    """Verdicts that were asked for and read."""
    missing: int
    """Verdicts that were asked for and are missing."""
    users: int
    persona: PairwiseScores
    profile: PairwiseScores
    schedule: Rate
    total: Total
    by_split: tuple[tuple[str, Total], ...]
    position_consistency: Rate
    """Share of two-order items whose two verdicts agree."""
    prefill_efficiency: float | None
    """Distinct prompt tokens over prompt tokens computed, by the engine's own cached-token counts."""
    failures: tuple[tuple[str, int], ...]
    """Items without an answer by cause."""
