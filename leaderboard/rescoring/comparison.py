"""What an old and a new judge make of the same answers, side by side: what a maintainer reads before one is promoted.

Nothing of it is public: it holds answers and judges' own words. Agreement is of *verdicts*, each on one answer in one
slot order; a verdict that either judge lacks is in no share and is counted by its cause.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from evaluator.errors import Cause
from evaluator.hicupid.questions import QuestionType
from evaluator.metrics.clustered import Missing
from evaluator.metrics.intervals import Difference
from evaluator.metrics.ranks import Rank
from evaluator.metrics.sameness import Agreement
from evaluator.records import Outcome, Record, SlotOrder, Terms
from evaluator.results import Interval, Total

Counts = tuple[tuple[str, int], ...]
"""Names with their numbers, sorted by name."""


class ComparedJudge(Record):
    """One of the two judges, as the scorecards name it; of what differs between its runs, all values, sorted."""

    id: str
    revisions: tuple[str, ...]
    """Commit SHAs or digests of its files; several are ranked apart, as on the board."""
    configs: tuple[str, ...]
    """Digests of its whole configuration; likewise."""
    engines: tuple[str, ...]
    """Engine and dtype; likewise."""


class Figure(Record):
    """A figure of agreement with everything a reader needs to weigh it; how many verdicts it is of stands beside it."""

    value: float | None
    """None where it is not defined on these verdicts."""
    interval: Interval | None
    """95 %, clustered by user, in the unit of the figure; None where `reason` says why."""
    reason: Missing | None
    """Why there is no figure, or else no interval."""
    users: int
    """Users with a verdict that is compared."""


class VerdictAgreement(Record):
    """How far the new judge says what the old one said of the same answers in the same slot orders."""

    items: int
    """Items with a verdict that is compared; an answer that several runs gave counts in each."""
    raw: Agreement
    """The share of verdicts that are the same, with how many were compared and how many could not be."""
    kappa: Figure
    """Cohen's kappa: agreement beyond chance, at most 1. Of several question types the mean of their kappas, weighted
    by their verdicts and by how much those of the old judge vary."""
    weighted_kappa: Figure
    """The same with quadratic weights: win 1, tie one half, loss 0, so that a tie for a win matters less than a loss
    for a win; of schedule questions it is kappa."""
    old_score: float | None
    """Mean score of the old judge's verdicts that are compared, in 0..100."""
    new_score: float | None
    """The same of the new judge's."""
    shift: Difference
    """The new mean less the old one on the same verdicts, in points: above 0 where the new judge is milder."""

    @property
    def flips(self) -> int:
        """Verdicts that are not the same."""
        return self.raw.compared - self.raw.agree


class VerdictCounts(Record):
    """What became of all verdicts that are owed: owed = defects + compared + old_alone + new_alone + neither."""

    owed: int
    """One for each item and slot order."""
    defects: int
    """Lost by a defect of the answer, which no judge has read."""
    compared: int
    """There from both judges."""
    old_alone: int
    """There from the old judge alone."""
    new_alone: int
    """There from the new judge alone."""
    neither: int
    """There from neither, as where there is no answer."""
    old_because: Counts
    """Those missing from the old judge, by cause: as in `Result.missing_because`."""
    new_because: Counts


class TypeAgreement(Record):
    """Agreement on one question type."""

    type: QuestionType
    agreement: VerdictAgreement
    counts: VerdictCounts
    outcomes: tuple[Outcome, ...]
    """The rows and columns of `matrix`."""
    matrix: tuple[tuple[int, ...], ...]
    """Verdicts by what the old judge said (rows) and by what the new one said (columns)."""


class Position(Record):
    """How a judge goes by the place of an answer, on pairs that both judges have read in both slot orders."""

    consistency: Agreement
    """Share of pairs whose two verdicts of this judge agree; missing are answered pairs that a judge lacks a verdict
    on."""
    slot_a_share: Agreement
    """How often it preferred slot A where it preferred either: about 50 for a judge that looks at the answers.
    `compared` counts its words A and B, `agree` those for A, `missing` its ties, and the verdicts owed on answered
    pairs that are left out."""


class Move(StrEnum):
    """What becomes of a model's rank interval."""

    SAME = "same"
    MOVED = "moved"
    """It is another one, and the two have ranks in common."""
    APART = "apart"
    """The two have no rank in common."""
    ENTERED = "entered"
    """It ranks under the new judge alone."""
    LEFT = "left"
    """It ranks under the old judge alone."""
    UNRANKED = "unranked"
    """It ranks under neither."""


class ModelSide(Record):
    """What one judge makes of one run."""

    scorecard_id: str
    total: Total
    judged_share: float | None
    """Items with every verdict over all items, in 0..1; None without items."""
    missing: int
    """Verdicts that are missing."""
    missing_because: Counts
    rank: Rank | None
    """Among the runs that both judges have judged, as the board would rank them were this judge the official one; None
    where `unranked_because` says why."""
    ranked: int
    """Runs in that ranking."""
    unranked_because: tuple[str, ...]


class ModelComparison(Record):
    """One run under both judges."""

    run_id: str
    model: str
    revision: str
    adapter: str | None
    adapter_revision: str | None
    thinking: bool
    old: ModelSide
    new: ModelSide
    difference: Difference
    """The new Total less the old one, over the users that have both: each user is compared with himself."""
    move: Move
    agreement: VerdictAgreement


class Uncompared(Record):
    """A run that only one of the two judges has judged."""

    run_id: str
    model: str
    scorecard_id: str
    """That of the other judge."""
    lacks: Literal["old", "new"]
    """Which judge's scorecard is not there: of `new` it is not yet judged."""


class Said(Record):
    """What one judge said of one answer in one slot order."""

    outcome: Outcome | None
    """None is a missing verdict."""
    word: str | None
    completion: str
    """Its own words; empty if they were taken down, or if it said nothing."""
    taken_down: bool
    failure: Cause | None
    """Why it said nothing."""


class BothSaid(Record):
    """What both judges said in one slot order; None where nothing is stored of one."""

    order: SlotOrder
    old: Said | None
    new: Said | None


class Flip(Record):
    """A verdict that is another one under the new judge, with all that both said of that answer."""

    run_id: str
    model: str
    question_id: str
    split: str
    user_id: int
    order: SlotOrder
    """That of the verdict."""
    content_hash: str
    answer: str | None
    """None if it was taken down."""
    question: str | None
    """None where the data set may not be passed on, or its text was not at hand."""
    gold: str | None
    """Likewise."""
    said: tuple[BothSaid, ...]
    """In the slot orders that the item is judged in."""
    terms: Terms
    """Those of the run: whoever shows this to others goes by them."""


class FlipGroup(Record):
    """The verdicts of one question type that went from one outcome to another."""

    type: QuestionType
    old: Outcome
    new: Outcome
    count: int
    """How many there are in all."""
    shown: tuple[Flip, ...]
    """Some of them: those whose names have the smallest digests, so that equal rows give the same ones."""


class PeopleSide(Record):
    """How far one judge agrees with people."""

    raw: Agreement
    kappa: Figure
    """Cohen's kappa with the majority of people; of several question types as in `VerdictAgreement`, people being the
    reference."""
    weighted_kappa: Figure


class PeopleComparison(Record):
    """How far either judge agrees with people, on the very same verdicts: those that both gave and people decided."""

    old: PeopleSide
    new: PeopleSide
    kappa_difference: Figure
    """The new judge's kappa less the old one's: above 0 where the new judge is nearer to people."""
    labels: int
    """Verdicts of people on answers that count; strangers and unanswered are not among them."""
    annotators: int
    """People who gave them."""
    answers: int
    """Answers that they are on; answers = tied + unread + compared ones."""
    tied: int
    """Answers left out since people's votes are tied."""
    unread: int
    """Answers left out of those left, since in no slot order both judges' verdicts are there."""
    compared: int
    """Answers that are compared; each in every slot order that both judges have read."""
    strangers: int
    """Verdicts of people on answers that no run counts, or that lost by a defect."""
    unanswered: int
    """Verdicts of people that say nothing."""


class Comparison(Record):
    """An old and a new judge on the same runs of one protocol."""

    schema_version: Literal[1] = 1
    protocol: str
    old: ComparedJudge
    new: ComparedJudge
    models: tuple[ModelComparison, ...]
    """Runs that both have judged, by run id."""
    uncompared: tuple[Uncompared, ...]
    """Runs that only one of them has, by run id; they are in no figure."""
    agreement: VerdictAgreement
    counts: VerdictCounts
    by_type: tuple[TypeAgreement, ...]
    old_position: Position
    new_position: Position
    order_agreement: float | None
    """Kendall's tau-b of all models' old and new Totals, in -1..1; None where either side has fewer than two of them.
    It has no interval: models are no sample of anything."""
    flips: tuple[FlipGroup, ...]
    no_texts_because: str | None = None
    """Why flips of some runs stand without the text of their question, as sentences; None where none does so, or where
    texts were not asked for."""
    people: PeopleComparison | None
    no_people_because: str | None
    """Why nothing is said of people, as a sentence; None where it is."""

    @property
    def is_partial(self) -> bool:
        """Whether runs that the old judge has judged wait for the new one."""
        return any(run.lacks == "new" for run in self.uncompared)

    @property
    def flipped(self) -> int:
        """Verdicts that are another one under the new judge."""
        return self.agreement.flips
