"""What the rows of a run of a human-grounded task add up to: the result part of its scorecard."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from evaluator.human.records import RaterKind
from evaluator.human.tasks import AnyTask
from evaluator.records import Record, small_record
from evaluator.results import Interval


@small_record
class NamedFigure:
    """One figure of a task; `evaluator.human.figures` says how its interval is made, or why there is none."""

    name: str
    """Within the task, such as `kappa` or `kappa.one_more_human`."""
    value: float | None
    """None where it is not defined on these labels."""
    interval: Interval | None
    """95 %, clustered by user; annotators and prompts count as given."""
    labels: int
    """Labels, or pairs of labels, that it is made of."""
    users: int
    """Users whose items these are."""
    tied: int
    """Labels, or items, that are left out since the votes they would be compared with are tied."""
    reason: Literal["undefined", "few_clusters", "one_decides", "nothing_varies", "no_method", "trivial"] | None
    """Why there is no figure, or else no interval; see `evaluator.metrics.clustered.Missing`."""


class Judging(Record):
    """What a judge had to say of what a model wrote, and how far it agrees with people itself."""

    items: int
    """Pairs, ratings or attributes that are to be judged."""
    judged: int
    """Those of which no verdict is missing: the figures are theirs."""
    judged_share: float | None = Field(ge=0, le=1)
    """These over all of them; None without any."""
    verdicts: int
    """Verdicts that were asked for and read, those on what the data set holds among them."""
    missing: int
    """Verdicts on what the model wrote that were owed and are missing."""
    missing_because: tuple[tuple[str, int], ...]
    """These by cause: `unparsed`, `not_judged`, what the judge failed with (`judge_timeout`), or what the answer failed
    with, that of the generic one as `generic_empty`."""
    defects: tuple[tuple[str, int], ...]
    """Pairs lost without a verdict, by the defect of the personalised answer; they are among the judged."""
    dropped: tuple[tuple[str, int], ...] = ()
    """Entries left out of lists that can be read, by why: `doubtful`, `duplicates`, `malformed`."""
    encoder: str | None
    """What says which attributes are the same, by name and SHA; None where nothing is matched."""
    figures: tuple[NamedFigure, ...]
    """The judge as one more rater of what people labelled in the same data set, sorted by name: the figures of
    `verification` for a verifier and of `rating` for a rating judge. None of a judge of pairs: nobody labelled any."""


class HumanResult(Record):
    """The result part of a scorecard of one task: a pure function of plan and rows, byte-identical for equal ones.

    An answer that cannot be read is invalid: it is asked for once more, and then counts neither as agreement nor as
    disagreement.
    """

    task: AnyTask
    kind: RaterKind
    """Whose labels the figures are about; those of a program say nothing of people."""
    items: int
    """That people have labelled and the protocol asks."""
    answered: int
    """Items with an answer that could be read."""
    answered_share: float | None = Field(ge=0, le=1)
    """These over all items; None without items."""
    invalid: tuple[tuple[str, int], ...]
    """Items whose answers could not be read, by the reason of the last one; `no_evidence` is never asked."""
    retried: int
    """Items that were asked for once more."""
    failures: tuple[tuple[str, int], ...]
    """Items without an answer, by cause; `not_generated` where there is no row."""
    clashes: int
    """Answers that were left out because the rows hold another one under the same key that says otherwise."""
    users: int
    annotators: int
    labels: int
    figures: tuple[NamedFigure, ...]
    """Sorted by name."""
    prefill_efficiency: float | None
    """Distinct prompt tokens over prompt tokens computed; None where the engine does not tell them."""
    judging: Judging | None = Field(default=None, exclude_if=lambda judging: judging is None)
    """What the judge said; None where people's labels are the truth."""

    def figure(self, name: str) -> NamedFigure | None:
        """Returns a figure by its name within the task; None if there is none on labels of this kind."""
        return next((figure for figure in self.figures if figure.name == name), None)
