"""What a re-score would take, as records.

Tokens and time have no confidence interval, for what was judged before is no sample of what is to be judged; of the
time, the slowest and the fastest of the runs that it is told from are told instead.
"""

from __future__ import annotations

from pydantic import Field

from evaluator.hicupid.questions import QuestionType
from evaluator.records import Record
from leaderboard.upkeep.findings import Finding


class TypeTokens(Record):
    """What a verdict on one type of question is expected to take."""

    type: QuestionType
    missing: int = Field(ge=0)
    """Verdicts to be asked for."""
    measured: int = Field(ge=0)
    """Earlier verdicts that the means are of; what second attempts took is added to the first ones'."""
    prompt_tokens: float | None = Field(ge=0)
    """A verdict, on average; None if none was measured."""
    output_tokens: float | None = Field(ge=0)
    """Likewise."""


class Tokens(Record):
    """Tokens of all missing verdicts, told from earlier ones."""

    of_this_judge: bool
    """Whether it was this judge that gave those, be it in another version; if not, they are those of all judges."""
    measured: int = Field(gt=0)
    """Earlier verdicts that this rests on."""
    prompt_tokens: int = Field(ge=0)
    """Before any of them comes from a cache."""
    output_tokens: int = Field(ge=0)
    by_type: tuple[TypeTokens, ...]


class Time(Record):
    """How long one worker would take for all missing verdicts, told from earlier reports; loading is not counted."""

    of_this_judge: bool
    """As of `Tokens`."""
    seconds: float = Field(ge=0)
    least: float = Field(ge=0)
    """At the pace of the fastest of the runs."""
    most: float = Field(ge=0)
    """At that of the slowest."""
    verdicts_per_second: float = Field(gt=0)
    verdicts: int = Field(gt=0)
    """Earlier verdicts that this rests on, those of leases under which a single judge was asked;"""
    reports: int = Field(gt=0)
    """the reports on them;"""
    runs: int = Field(gt=0)
    """and their runs."""
    made_on: tuple[str, ...]
    """Engines and machines of these reports, sorted: on others it takes another time."""


class Preview(Record):
    """What a re-score of some runs by one judge would take."""

    judge: str
    judge_revision: str | None
    """None if it is not known: then no verdict counts as there, and `missing` is the most that it can be."""
    prompts: str | None
    """Wording of the prompts; None if it is not known: then verdicts under any wording count as there."""
    runs: int = Field(ge=0)
    """Runs that were read."""
    unreadable: int = Field(ge=0)
    """Runs of which something cannot be read, which count nowhere else here."""
    items: int = Field(ge=0)
    """Questions that these runs ask."""
    unjudged: tuple[tuple[str, int], ...]
    """Items whose answer no judge reads, by why: `not_generated`, what the answer failed with, its defect, or
    `taken_down`."""
    answers: int = Field(ge=0)
    """All others."""
    equal_answers: int = Field(ge=0)
    """Answers that say the same to the same question as another one: of each such group one is judged."""
    wanted: int = Field(ge=0)
    """Verdicts on different answers, one a slot order."""
    there: int = Field(ge=0)
    """Of these, those that this judge has given already, whichever run they are in."""
    missing: int = Field(ge=0)
    """Of these, those that it has not: what is to be paid for."""
    missing_by_type: tuple[tuple[QuestionType, int], ...]
    said_on: tuple[tuple[str, int], ...]
    """Rows of this judge that count as there, by engine and precision: on others it is asked again."""
    tokens: Tokens | None
    """None if there is no earlier verdict on some type of question of which verdicts are missing, or none are."""
    time: Time | None
    """None if no earlier report tells it."""
    findings: tuple[Finding, ...]
    """What cannot be read."""
