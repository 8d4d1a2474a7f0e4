"""What a data set's own report says, task by task."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pydantic import Field

from evaluator.human.records import RaterKind
from evaluator.human.scoring import HumanFigure
from evaluator.records import Record


class Task(StrEnum):
    """What annotators were asked."""

    VERIFICATION = "verification"
    RELEVANCE = "relevance"
    RATING = "rating"


class Unplanned(StrEnum):
    """Why nobody can say how many labels would halve an interval, or why no number would."""

    NO_INTERVAL = "there is no interval yet"
    FEW_ITEMS = "users have too few items to leave out half of them"
    USERS_ALONE = "what differs between users alone is wider already"


class LabelsPerItem(Record):
    """How many items have so many labels."""

    labels: int
    items: int


class Share(Record):
    """How often annotators say something."""

    label: str
    share: HumanFigure
    """0..1, of all labels."""


class Standing(Record):
    """One annotator beside the others, on items that others labelled as well."""

    labels: int
    """His labels of such items."""
    level: HumanFigure
    """His mean rating, or the share of his labels that name the class that matters."""
    others: HumanFigure
    """The same of the others' labels of the same items, each item counting once."""
    apart: HumanFigure
    """His less theirs: whether he is strict or generous."""
    agreement: HumanFigure
    """With the majority of the others (Cohen's kappa; tied items left out), or with their mean (Spearman)."""


class Drift(Record):
    """One annotator in the second half of his labels less in the first one, by the time at which he gave them."""

    first: Standing
    second: Standing
    apart: HumanFigure
    """By how much he became stricter or more generous, beside the others."""
    agreement: HumanFigure
    """By how much he came to agree more."""
    p_apart: float | None
    """Two-sided, against no change; None where it cannot be tested."""
    p_agreement: float | None
    drifts: bool | None
    """Whether either changed, by Holm's test at 5 % over all annotators of the task; None where it is not tested."""


class Outlier(Record):
    """Whether one annotator stands farther from the others than they do from each other."""

    apart: float
    """His `apart` less the mean of the others'."""
    agreement: float | None
    """His `agreement` less the mean of the others'; None where it is not tested."""
    p_apart: float
    """Two-sided."""
    p_agreement: float | None
    is_outlier: bool
    """By Holm's test at 5 % over all annotators of the task."""


class AnnotatorReport(Record):
    """One annotator, by pseudonym."""

    annotator_id: str
    labels: int
    """All of his labels."""
    few: bool
    """Whether others labelled fewer than 30 of his items as well: too few for the alternative annotator test."""
    standing: Standing
    drift: Drift | None
    """None where a label of his has no time, or all have the same."""
    outlier: Outlier | None
    """None where it is not tested."""


class Precision(Record):
    """An estimate of how many labels would halve the interval of a figure."""

    figure: str
    """As in `evaluator.human.figures`."""
    half_width: float | None
    """Of the interval that there is."""
    users: int
    labels: int
    """Labels of items with two or more."""
    halvings: int
    """How often half of the items of each user were left out."""
    from_users: float | None
    """0..1: share of the variance that more labels of the same users would leave."""
    labels_needed: int | None
    """On the same users, on further items with as many labels each."""
    users_needed: int | None
    """With as many labels each: variance falls as users grow, so it takes four times as many."""
    reason: Unplanned | None
    """Why `labels_needed` is None."""


class TaskReport(Record):
    """What the labels of one task are worth."""

    task: Task
    labels_of: RaterKind
    """Whose labels count here: people's, or simulated ones where there are no people's in the whole data set."""
    left_out: Mapping[RaterKind, int]
    """Labels of others, which do not count."""
    items: int
    users: int
    annotators: int
    labels: int
    labels_per_item: tuple[LabelsPerItem, ...]
    balance: tuple[Share, ...]
    """Of every label that can be given, given or not, and then of the class that matters."""
    mean_rating: HumanFigure | None
    """1..5; None where labels are no ratings."""
    agreement: Mapping[str, HumanFigure]
    """As in `evaluator.human.figures`: alpha, what one more human reaches, and the noise ceilings."""
    by_annotator: tuple[AnnotatorReport, ...]
    """In the order of their pseudonyms."""
    precision: Precision


class HumanReport(Record):
    """A data set's own report."""

    schema_version: int = Field(default=1, frozen=True)
    title: str
    """Of the data set."""
    sha: str
    """Commit of the Hub data set, or a digest of the folder's files."""
    simulated: bool
    """Whether the labels are a program's: then nothing here says anything of people."""
    tasks: tuple[TaskReport, ...]
