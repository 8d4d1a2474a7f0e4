"""What rows add up to: rates with their counts and intervals, and the result part of a scorecard."""

from __future__ import annotations

from evaluator.records import Record, small_record


@small_record
class Interval:
    """A 95 % interval with the number of users it rests on."""

    low: float
    high: float
    users: int


@small_record
class Rate:
    """A mean over items in 0..100 with everything a reader needs to weigh it."""

    value: float | None
    """None if no item counts."""
    judged: int
    """Items that the mean is of: those with every verdict, or of a figure that needs no judge those that have it."""
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


@small_record
class Total:
    """The paper's Total in 0..87.5; an answer as good as gold scores 50."""

    value: float | None
    """None unless every question type has a judged item."""
    worst_case: float | None
    """The Total of all items if every missing verdict were a loss; None unless every question type has an item. A
    verdict on an item that lacks another one counts here alone, so it may be above `value`."""
    judged: int
    """Items with every verdict."""
    items: int
    interval: Interval | None


class Scores(Record):
    """The scores of some items."""

    persona: PairwiseScores
    profile: PairwiseScores
    schedule: Rate
    """Schedule satisfaction."""
    total: Total


class SplitScores(Scores):
    """The scores of one split."""

    split: str


@small_record
class Gap:
    """A score less another one of the same model, in 0..100 points."""

    value: float | None
    """None if one of the two has no judged item of some type; below 0 where the first is worse."""
    interval: Interval | None
    """Clustered by user; None below ten users."""
    judged: tuple[int, int]
    """Judged items behind either score."""
    users: int
    """Users that count: those who have both scores, or where no user can have both, all."""
    between: tuple[str, str]
    """What is compared, by name."""


class Desiderata(Record):
    """The five things that HiCUPID asks of a personal assistant, and how they carry over to users never seen."""

    aui: Total
    """Adherence to user information: the Total."""
    uii: Rate
    """Understanding of implicit information: the persona score."""
    mi: Rate
    """Reasoning from multiple information: the profile score."""
    lc: Gap | None
    """Long-context capacity: the persona score after the whole history, less that after the needed dialogues alone.
    None where only one of the two was evaluated."""
    pr: Rate
    """Proactiveness: schedule satisfaction."""
    generalisation: Gap | None
    """The Total for unseen users (`test_2`), less that for seen ones (`test_1`); None where only one was evaluated."""


class Result(Scores):
    """The result part of a scorecard: a pure function of rows, byte-identical for equal rows.

    An item scores the mean of its verdicts; one that lacks a verdict counts in no rate. An answer with a defect loses
    in all its slot orders without a verdict.
    """

    items: int
    generations: int
    """Items with an answer."""
    judged: int
    """Items with every verdict."""
    judged_share: float | None
    """These over all items, in 0..1; None without items."""
    defects: tuple[tuple[str, int], ...]
    """Items lost without a verdict, by the defect of their answers."""
    verdicts: int
    """Verdicts that were asked for and read."""
    missing: int
    """Verdicts that were asked for and are missing."""
    missing_because: tuple[tuple[str, int], ...]
    """The missing verdicts by cause: `unparsed`, `not_judged`, what the judge failed with (`judge_timeout`),
    `not_generated`, or what the answer failed with (`context_overflow`)."""
    failures: tuple[tuple[str, int], ...]
    """Items without an answer, by cause."""
    clashes: int
    """Answers and verdicts that were left out because the rows hold another one on the same thing that says otherwise;
    which one counts is decided by fixed rules, never by what it says."""
    users: int
    by_split: tuple[SplitScores, ...]
    bleu: Rate
    """Mean sentence BLEU against gold of all answers."""
    rouge_l: Rate
    """Mean ROUGE-L F1 against gold of all answers."""
    evidence_recall: Rate
    """Share of the evidence that the context showed, of the answered items that have evidence."""
    position_consistency: Rate
    """Share of pairs whose two verdicts agree."""
    slot_a_share: Rate
    """How often the judge preferred slot A where it preferred either, over pairs whose verdicts in both orders were
    read: about 50 for a judge that looks at the answers, 100 or 0 for one that looks at the slot alone. `judged` counts
    the words A and B of these pairs, `items` the verdicts that all pairs with both orders are owed."""
    prefill_efficiency: float | None
    """Distinct prompt tokens over prompt tokens computed, by the engine's own counts; None where it does not tell
    them."""
