"""What is told of a judge: every figure with what it is made of, its interval, or the reason why it has none.

Shares and scores are in 0..1 here (a win scores 1, a tie one half), as agreement with people is everywhere; rates on
scorecards are in 0..100.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import field_serializer

from evaluator.hicupid.questions import QuestionType
from evaluator.human.records import RaterKind
from evaluator.human.results import NamedFigure
from evaluator.human.tasks import Task
from evaluator.metrics.alternative_annotator import AlternativeAnnotatorTest
from evaluator.records import Record
from evaluator.results import Interval


class Why(StrEnum):
    """Why there is no figure, or no interval of it."""

    UNDEFINED = "undefined"
    """It is not defined on what there is."""
    FEW_CLUSTERS = "few_clusters"
    """Fewer than ten users."""
    ONE_DECIDES = "one_decides"
    """Without one of the users it is not defined, or next to anything."""
    NOTHING_VARIES = "nothing_varies"
    """It is the same without any of the users, and Student's t would promise certainty."""
    NO_METHOD = "no_method"
    """It is found with hindsight on these very items and estimates nothing, as a ceiling."""
    TRIVIAL = "trivial"
    """It is 1 whatever annotators say."""
    NO_CONTRAST = "no_contrast"
    """In no group are some answers longer and some shorter, some preferred and some not: length tells nothing."""
    EMPTY_CELL = "empty_cell"
    """One of the four counts of an odds ratio is zero: the interval has no end on one side."""
    UNTOLD = "untold"
    """Nobody told what it needs: a family, what the judge was trained on, or seconds."""


class QualityFigure(Record):
    """One figure of a judge."""

    value: float | None
    """None where `reason` says why."""
    interval: Interval | None
    """95 %, clustered by user: it speaks of other users under the same models, judges and annotators."""
    counted: int
    """Items, verdicts, words or labels that it is made of."""
    possible: int
    """These and those that had to be left out."""
    users: int
    """Users whose they are."""
    reason: Why | None
    """Why there is no figure, or else no interval."""

    @property
    def counted_share(self) -> float | None:
        """Which share of what there is counts, in 0..1; None if there is nothing."""
        return self.counted / self.possible if self.possible else None


class Training(Record):
    """What a judge was trained on, as its authors say; None is what they do not say."""

    types: frozenset[QuestionType] | None
    """Question types among its training items."""
    models: frozenset[str] | None
    """Models whose answers were among them, by the names of the board."""

    @field_serializer("types", "models", when_used="json")
    def _in_order(self, values: frozenset[str] | None) -> list[str] | None:
        """Equal records are equal bytes."""
        return None if values is None else sorted(values)


class ReadingFigures(Record):
    """How much of what a judge said could be read; an answer that several models gave counts once."""

    owed: int
    """Verdicts on answers that are there and have no defect."""
    asked: int
    """Of these, verdicts that the judge was asked for."""
    read: int
    """Of these, verdicts that were read."""
    missing_because: tuple[tuple[str, int], ...]
    """Verdicts that are owed and missing, by cause: `unparsed`, `not_judged`, what the judge failed with."""
    unparsed: QualityFigure
    """Share of the verdicts asked for that the strict grammar could not read after all attempts."""
    missing: QualityFigure
    """Share of the verdicts asked for that are missing whatever the cause."""


class PositionFigures(Record):
    """Whether a judge looks at the answers or at the slots; over pairs with verdicts in both orders."""

    consistency: QualityFigure
    """Share of pairs with the same outcome in both orders. Counts pairs; an answer of several models counts once."""
    slot_a: QualityFigure
    """How often slot A was preferred where either was: about one half for who looks at the answers. Counts words."""


class LengthBeside(Record):
    """A judge's leaning to the longer answer beside that of another rater, on the items that both judged."""

    rater: str
    """Judge id, or the name of people's labels."""
    items: int
    """Answers that both judged."""
    own: QualityFigure
    """The judge's odds ratio on these."""
    other: QualityFigure
    """The other's on these."""
    ratio: QualityFigure
    """The first over the second: the exponential of the difference of the logarithms. Above 1 where the judge leans
    more to the longer answer than the other does."""


class LengthPreference(Record):
    """Whether a judge prefers the longer one of two answers: a common odds ratio, one vote for each word A or B."""

    odds_ratio: QualityFigure
    """Odds that the model's answer wins where it is longer than gold, over those where it is shorter: 1 is no leaning.
    Counts votes in groups that tell something; the possible ones are all words on judged pairs."""
    longer_wins: int
    """Votes that count for the model's answer where it is the longer one."""
    longer_loses: int
    shorter_wins: int
    shorter_loses: int
    groups: int
    """Models by question type: each has odds of its own, and the ratio is common to them."""
    ties: int
    """Words left out since they prefer neither answer."""
    same_length: int
    """Words A and B left out since both answers are equally long."""
    unknown_length: int
    """Words A and B left out since a text is no longer there."""
    uninformative: int
    """Words A and B left out with a group in which all are on one side."""
    beside: tuple[LengthBeside, ...]


class FamilyPreference(Record):
    """Whether a judge is kinder to models of its own family than others are, on answers that both judged."""

    family: str | None
    """The judge's; None where nobody says."""
    against: tuple[str, ...]
    """Judges of other families that it is held against."""
    difference: QualityFigure
    """(Its mean score of the family less that of others) less the same by the other judges, in -1..1. Counts answers
    of pairs; possible are all pairs that it judged."""
    own_family: float | None
    """Its mean score of models of the family: share of wins and half of the ties."""
    own_rest: float | None
    """Its mean score of other models."""
    others_family: float | None
    """The other judges' mean score of models of the family, on the same answers."""
    others_rest: float | None
    models_family: int
    """Models of the family that count."""
    models_rest: int
    unknown_family: int
    """Answers left out since nobody says of which family their model is."""
    not_shared: int
    """Answers left out since none of the other judges judged them."""


class Slice(StrEnum):
    """Which answers a figure of agreement is about."""

    ALL = "all"
    PERSONA = "persona"
    PROFILE = "profile"
    SCHEDULE = "schedule"
    NEW_TYPES = "new_types"
    """Of question types that the judge was not trained on."""
    NEW_MODELS = "new_models"
    """Given by no model that the judge was trained on."""
    TRAINED_ON = "trained_on"
    """Of a type and by a model that the judge was trained on."""


class SliceAgreement(Record):
    """How far two raters agree on some answers, each of which counts once."""

    slice: Slice
    same: QualityFigure
    """Share of answers with the same outcome, in 0..1. Possible are all answers that the other judged."""
    kappa: QualityFigure
    """Cohen's kappa; over several question types the mean of theirs."""
    kappa_quadratic: QualityFigure
    """Cohen's kappa, in which a win against a loss weighs four times as much as a win against a tie."""
    bias: QualityFigure
    """Mean score of the judge less that of the other, in -1..1: above 0 where the judge is the kinder one."""


class Agreement(Record):
    """How far a judge agrees with another rater, who is taken for the reference."""

    other: str
    """Judge id, or the name of people's labels."""
    slices: tuple[SliceAgreement, ...]
    conflicting: int
    """Answers left out since one rater has two different outcomes of the same answer."""


class Compared(Record):
    """A figure of a judge among annotators, beside both ceilings."""

    judge: QualityFigure
    one_more_human: QualityFigure
    """What annotators reach in the same way, on the same items."""
    noise_ceiling: QualityFigure
    """What no rater with one answer an item can pass on these very items; it has no interval."""


class PeoplePart(Record):
    """A judge among annotators, on questions with the same outcomes."""

    questions: Literal["pairs", "schedule"]
    """`pairs`: win, tie and loss; `schedule`: satisfied and unsatisfied."""
    items: int
    """Answers with a label."""
    labels: int
    annotators: int
    kappa: Compared
    """With the majority of the others, mean over annotators."""
    single_kappa: Compared
    """With single annotators, mean over pairs of them."""
    win_kappa: Compared
    """With single annotators, of two classes alone: a win, or what is satisfied, and all else. Of these there is a
    noise ceiling whatever people say; of three classes there is none."""
    f1: Compared
    """Of wins, or of what is satisfied, with the majority of the others."""
    mean_absolute_error: Compared
    """Of the score against the mean of the others, in 0..1; its noise ceiling is the least error there is. A judge's
    score is that of its outcome in both orders together: 0, one half or 1, as a person's is."""
    bias: QualityFigure
    """Mean of the same scores of the judge less the mean of the others, in -1..1."""
    advantage_probability: QualityFigure
    """How often it agrees with the others at least as well as an annotator does."""
    test: AlternativeAnnotatorTest
    """Whether it may stand in for an annotator."""


class PeopleAgreement(Record):
    """How far a judge agrees with people's labels of one source and one kind."""

    source: str
    """Name of the data set, of the file, or of the site's own labels."""
    kind: RaterKind
    """Whose labels they are."""
    parts: tuple[PeoplePart, ...]
    """Where several annotators labelled the same answers."""
    majority: Agreement
    """With what most annotators say, each answer once; one annotator's word is the majority of his own."""
    tied: int
    """Answers left out of it since their labels are tied."""
    unjudged: int
    """Answers with labels that the judge has no complete judgement of."""


class HumanSetAgreement(Record):
    """How far a verifier or a rating judge agrees with the labels of a data set of people's labels."""

    source: str
    """Name of the data set."""
    kind: RaterKind
    """Whose labels they are."""
    task: Task
    """What the judge was asked."""
    items: int
    """Items with a label."""
    answered: int
    """Of these, items that the judge has a word on."""
    annotators: int
    figures: tuple[NamedFigure, ...]
    """Those of the task, sorted by name, as `evaluator.human.figures` lists them: the alternative annotator test,
    kappa, bias, and both ceilings among them."""


class Costs(Record):
    """What a verdict of a judge takes, all attempts at it together."""

    verdicts: int
    """Verdicts that were asked for."""
    rows: int
    """Attempts at them."""
    prompt_tokens: QualityFigure
    """Tokens read for a verdict."""
    output_tokens: QualityFigure
    """Tokens written for a verdict."""
    computed_tokens: QualityFigure
    """Tokens read for a verdict that no cache held, where the engine tells."""
    seconds: QualityFigure
    """Seconds from handing a prompt over to its last token, where they were told; prompts of one wave overlap, so this
    is no share of a machine's time."""


class JudgeQuality(Record):
    """All that is told of one version of a judge."""

    schema_version: Literal[1] = 1
    judge: str
    revision: str
    config: str
    """Digest of its whole configuration."""
    prompt_pack: str
    """Its prompts, and how answers are set into them."""
    family: str | None
    training: Training
    answers: int
    """Answers that it owes a verdict on, those of each model."""
    models: int
    users: int
    reading: ReadingFigures
    positions: PositionFigures
    length: LengthPreference
    family_preference: FamilyPreference
    agreement: tuple[Agreement, ...]
    """With each of the other judges."""
    people: tuple[PeopleAgreement, ...]
    """With people's labels of answers."""
    human_sets: tuple[HumanSetAgreement, ...]
    """With data sets of people's labels, of a verifier or a rating judge."""
    costs: Costs
