"""What the API answers: plain JSON values under the words that pages, rows and the command line use.

Moments are ISO 8601 in UTC, times are seconds, scores are points, shares are in 0..1. A later version may add fields
and never takes one away or changes what it means.
"""

from __future__ import annotations

from typing import Any

from typing_extensions import TypedDict


class Declared(TypedDict):
    """What a submitter says of a model."""

    relation: str
    """To the model's owner: `owner`, `member` or `none`."""
    base_model: str | None
    training_data: str
    """`hicupid-train`, `hicupid-test`, `neither` or `unknown`."""
    thinking: bool
    publish_answers: bool


class Progress(TypedDict):
    """How far a run is, in rows; what was not planned yet is null."""

    generations: int
    items: int | None
    verdicts: int
    verdicts_wanted: int | None


class Failed(TypedDict):
    """Why a run failed or was stopped."""

    cause: str
    message: str
    remedy: str
    log: list[str]
    """The last lines of the engine's log, without secrets."""


class Estimated(TypedDict):
    """A time, and the number of measurements that it rests on."""

    seconds: float
    measurements: int


class Paced(TypedDict):
    """How fast a run has gone in the last minutes."""

    rows_per_second: float
    tokens_per_second: float
    measurements: int


class Expected(TypedDict):
    """What can be told of a run that has not ended; null wherever nothing was measured that could tell it."""

    position: int | None
    """Place among the runs without a worker, from 1."""
    waiting: int
    workers: int
    paused: bool
    begins: Estimated | None
    lasts: Estimated | None
    pace: Paced | None
    sentences: list[str]
    """The same as its page says it."""


class Run(TypedDict):
    """One run of a submission."""

    run_id: str
    protocol: str
    state: str
    progress: Progress
    failure: Failed | None
    """Given where its state is `failed` or `cancelled`."""
    log: list[str]
    """The last lines that its engines have written; empty once it has ended."""
    outlook: Expected | None
    """Null once it has ended, and in answers to what was done to it."""


class Happened(TypedDict):
    """One line of a submission's history."""

    sequence: int
    at: str
    what: str
    """The state that a run came into, or what somebody did: `withdrawn`, `corrected`, `disputed`, `answered`,
    `lifted`, `paused`, `resumed`, `flagged`, `cleared`, `hidden`, `shown`; `tried` for a try of a run that came to
    nothing, `suspected` where a program found its answers odd."""
    protocol: str | None
    """Of the run that it happened to; null where it is of the whole submission."""
    about: str | None
    actor: str
    text: str


class Summary(TypedDict):
    """A submission in a list."""

    submission_id: str
    model: str
    revision: str
    """SHA of the model's files."""
    adapter: str | None
    adapter_revision: str | None
    state: str
    """`checking`, `queued`, `generating`, `judging`, `scoring`, `publishing`, `published`, `failed` or `cancelled`."""
    submitter: str
    created_at: str


class Submission(Summary):
    """A submission with all that is known of it."""

    declaration: Declared
    """Corrections included."""
    saved: bool
    """Whether the store holds its latest change: if so, nothing loses it."""
    runs: list[Run]
    events: list[Happened]
    """Oldest first."""


class Submitted(Submission):
    """What became of a model that was submitted."""

    beside: dict[str, str]
    """Protocols under which it was known already, each with the submission that covers it."""


class SubmissionPage(TypedDict):
    """A page of the list of all submissions, newest first."""

    page: int
    """From 1; a number that is too high or low gives the nearest page."""
    pages: int
    total: int | None
    """Null if nobody can say."""
    submissions: list[Summary]
    problems: list[str]
    """What kept the list from being whole, a sentence each."""


class RunLog(TypedDict):
    """The last lines that the engines of a run have written, without secrets."""

    run_id: str
    protocol: str
    state: str
    lines: list[str]


class Logs(TypedDict):
    """The last lines of all runs of a submission."""

    submission_id: str
    runs: list[RunLog]


class Checked(TypedDict):
    """One line of the checklist."""

    name: str
    result: str
    """`passed`, `warned`, `failed`, `unanswered` or `skipped`; nothing is submitted with the third or fourth."""
    message: str
    remedy: str
    cause: str | None
    facts: dict[str, Any]


class Checklist(TypedDict):
    """The whole list for one model, as `rapport check --json` prints it."""

    schema_version: int
    allowed: bool
    model: str | None
    revision: str | None
    adapter: str | None
    adapter_revision: str | None
    facts: dict[str, Any] | None
    """What is known of the model without its weights."""
    checks: list[Checked]


class Row(TypedDict):
    """One row of the board: a result's main figures. `scorecard` gives all of it."""

    scorecard_id: str
    run_id: str
    submission_id: str
    model: str
    revision: str
    adapter: str | None
    adapter_revision: str | None
    submitter: str
    protocol: str
    judge: str
    judge_status: str
    rank: int | None
    """1 + the number of rows of the same ranking that are significantly better; null where it does not rank."""
    rank_low: int | None
    rank_high: int | None
    """Best and worst rank that the data leave open, at 95 % for the whole ranking at once."""
    judge_status_since: str | None
    """When a promotion gave the judge that status for this protocol; null where none did."""
    rank_under_judge: int | None
    """The rank that it would have if its judge decided ranks; null where anything but that judge's status keeps it
    out."""
    rank_under_judge_low: int | None
    rank_under_judge_high: int | None
    """Best and worst of these, likewise."""
    total: float | None
    """0..87.5; an answer as good as gold scores 50."""
    total_low: float | None
    total_high: float | None
    """Interval at 95 %, clustered by user; null below ten users."""
    persona: float | None
    profile: float | None
    schedule: float | None
    """Scores of the three kinds of questions, 0..100."""
    users: int
    items: int
    judged: int
    missing: int
    """Verdicts that were owed and are not there."""
    unranked_because: list[str]
    published_at: str


class BoardPage(TypedDict):
    """A page of the board: ranked rows first, each ranking by itself."""

    revision: str
    """The state of the store that it was built from."""
    page: int
    pages: int
    total: int
    rows: list[Row]
    problems: list[str]


class AgreementFigure(TypedDict):
    """One figure of how far a model agrees with people, or of what stands beside it."""

    name: str
    """Such as `kappa`, `kappa.one_more_human`, `kappa.noise_ceiling`, `kappa.always_yes` or `f1_majority.gap`."""
    value: float | None
    low: float | None
    high: float | None
    """Interval at 95 %, clustered by user; null where `why_no_interval` says why."""
    why_no_interval: str | None
    labels: int
    users: int


class AgreementRow(TypedDict):
    """How far one model agrees with people at one task."""

    scorecard_id: str
    run_id: str
    submission_id: str
    model: str
    revision: str
    adapter: str | None
    adapter_revision: str | None
    thinking: bool
    submitter: str
    protocol: str
    task: str
    """`verification`, `relevance`, `rating`, `extraction`, `comparison` or `uplift`."""
    judge: str
    """Id of the judge; `people` where their labels are the truth."""
    label_kind: str
    """`person`, `consensus`, `truth` (of made-up users) or `simulated`: the last two say nothing of people."""
    items: int
    answered: int
    """Items with an answer that could be read."""
    answered_share: float | None
    """These over all items; null without items."""
    invalid: int
    """Items whose answer could not be read, nor the second try."""
    users: int
    annotators: int
    labels: int
    figures: list[AgreementFigure]
    judge_figures: list[AgreementFigure]
    """The judge's own, as one more rater of what people have labelled; empty where their labels are the truth."""
    unranked_because: list[str]
    published_at: str


class AgreementPage(TypedDict):
    """A page of how far models agree with people: by task and protocol, then by the first main figure; no ranks."""

    revision: str
    """The state of the store that it was built from."""
    page: int
    pages: int
    total: int
    rows: list[AgreementRow]
    problems: list[str]


class Side(TypedDict):
    """One of two results that are compared."""

    scorecard_id: str
    run_id: str
    model: str
    revision: str
    adapter: str | None
    total: float | None


class Comparison(TypedDict):
    """The Total of one result less that of another one, over the users that both have."""

    protocol: str
    judge: str
    first: Side
    second: Side
    difference: float | None
    """Points, the first less the second; null if the shared users have no item of some kind of question."""
    low: float | None
    high: float | None
    """Interval at 95 % of this one pair, clustered by user; null below ten shared users."""
    p_value: float | None
    """Two-sided, against no difference; below 0.05 exactly where the interval leaves out zero."""
    users: int
    """Users that both have."""
    left_out: int
    """Users that only one of the two has."""
    sentence: str
    """All of this in words."""
