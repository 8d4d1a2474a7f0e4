"""The records of the leaderboard's own affairs: submissions, their runs and shards, events, scorecards."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from evaluator.errors import Cause
from evaluator.facts import ModelFacts
from evaluator.hicupid.questions import Item
from evaluator.human.items import HumanItem
from evaluator.records import Generation, Record, Terms, Upgrade, UpgradedRecord, Verdict


def _utc(value: datetime.datetime) -> datetime.datetime:
    """Accepts only moments with a time zone and keeps them in UTC."""
    if value.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return value.astimezone(datetime.UTC)


Moment = Annotated[datetime.datetime, AfterValidator(_utc)]
"""A point in time, always in UTC."""


def now() -> datetime.datetime:
    """Returns the present moment in UTC."""
    return datetime.datetime.now(datetime.UTC)


class State(StrEnum):
    """Where a run is; a submission's state is derived from its runs."""

    CHECKING = "checking"
    QUEUED = "queued"
    GENERATING = "generating"
    JUDGING = "judging"
    SCORING = "scoring"
    PUBLISHING = "publishing"
    PUBLISHED = "published"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Relation(StrEnum):
    """How the submitter stands to the model's owner."""

    OWNER = "owner"
    MEMBER = "member"
    NONE = "none"


class TrainingData(StrEnum):
    """What the model was trained on, as declared; telling the truth costs no rank, it shows."""

    TRAIN = "hicupid-train"
    TEST = "hicupid-test"
    NEITHER = "neither"
    UNKNOWN = "unknown"


class Declaration(Record):
    """What a submitter says of a model."""

    relation: Relation
    base_model: str | None = Field(default=None, max_length=200)
    training_data: TrainingData
    thinking: bool
    """Whether the model thinks aloud before it answers."""
    publish_answers: bool
    """Consent to show the model's answers."""


class Submission(Record):
    """One model handed in by one person, pinned to a SHA."""

    schema_version: Literal[1] = 1
    id: str = Field(pattern=r"^s-\d{8}-[0-9a-f]{8}$")
    model: str
    revision: str
    """SHA of the model's files at submission; never read at another one."""
    adapter: str | None
    adapter_revision: str | None
    submitter: str
    declaration: Declaration
    protocols: tuple[str, ...] = Field(min_length=1)
    """One run is made for each."""
    created_at: Moment
    terms: Terms
    """Of this record itself, which names a person; its events stand under the same."""
    facts: ModelFacts | None = None
    """What was known of the model when it was handed in; None for a reference, which has no weights."""
    by_maintainer: bool = False
    """Whether a maintainer handed it in: no quota counts it then."""

    def run_ids(self) -> tuple[str, ...]:
        """Returns the ids of the submission's runs, one for each protocol.

        Ids hold the submission's own, so a run is never mistaken for another submission's.
        """
        return tuple(f"{self.id}.{protocol}" for protocol in self.protocols)


def submission_of(run_id: str) -> str:
    """Returns the id of the submission that a run belongs to.

    Example:
        >>> submission_of("s-20260101-0a1b2c3d.demo-v1")
        's-20260101-0a1b2c3d'
    """
    return run_id.split(".", 1)[0]


def protocol_of(run_id: str) -> str:
    """Returns the protocol of a run.

    Example:
        >>> protocol_of("s-20260101-0a1b2c3d.demo-v1")
        'demo-v1'
    """
    return run_id.split(".", 1)[1]


class Failure(Record):
    """Why a run failed and what the submitter can do."""

    cause: Cause
    message: str
    remedy: str
    log: tuple[Annotated[str, Field(max_length=300)], ...] = Field(default=(), max_length=20)
    """The last lines of the engine's log, without secrets."""


class Transition(Record):
    """One step of a run from state to state; appended, never changed."""

    schema_version: Literal[1] = 1
    event: Literal["transition"] = "transition"
    run_id: str
    sequence: int = Field(ge=1)
    """Counts the events of the run's submission from 1."""
    before: State | None
    after: State
    at: Moment
    actor: str
    """Who did it: a submitter's name, or a role such as `worker` with its host."""
    failure: Failure | None


class AmendmentKind(StrEnum):
    """What may be added to a submission without moving any of its runs."""

    WITHDRAWN = "withdrawn"
    """It is no longer shown, and nothing more is done for it."""
    CORRECTED = "corrected"
    """What was declared of the model is replaced."""
    DISPUTED = "disputed"
    """Somebody says that a verdict, or something else about it, is wrong."""
    ANSWERED = "answered"
    """A maintainer answers a dispute."""
    LIFTED = "lifted"
    """It goes before all that are not."""
    PAUSED = "paused"
    """Workers leave it alone until it is resumed."""
    RESUMED = "resumed"
    """It is no longer paused."""
    TRIED = "tried"
    """A try of one of its runs has come to nothing, and the run is tried again."""
    SUSPECTED = "suspected"
    """A program finds that its answers look like an attack, or are nearly constant; a maintainer decides."""
    FLAGGED = "flagged"
    """Its results carry a mark and do not rank until that is cleared."""
    CLEARED = "cleared"
    """It carries no mark any more, and what a program suspected is answered."""
    HIDDEN = "hidden"
    """Its results are taken off the board until they are shown again."""
    SHOWN = "shown"
    """Its results are back on the board."""


_OF_SECOND_VERSION = frozenset(
    {
        AmendmentKind.SUSPECTED,
        AmendmentKind.FLAGGED,
        AmendmentKind.CLEARED,
        AmendmentKind.HIDDEN,
        AmendmentKind.SHOWN,
    }
)


def amendment_version(kind: AmendmentKind) -> Literal[1, 2]:
    """Returns the version of an amendment: the oldest one that knows its kind.

    Example:
        >>> amendment_version(AmendmentKind.LIFTED), amendment_version(AmendmentKind.FLAGGED)
        (1, 2)
    """
    return 2 if kind in _OF_SECOND_VERSION else 1


class Trial(Record):
    """A try of a run that has come to nothing and is not the last."""

    run_id: str
    failure: Failure
    number: int = Field(ge=1)
    """Which try it was."""
    most: int = Field(ge=2)
    """How many there are at most, unless one of them succeeds."""
    resumes_at: Moment
    """When the run is there for workers again."""

    @property
    def told(self) -> str:
        """Which try it was, and when it goes on."""
        return f"Try {self.number} of {self.most}; goes on at {self.resumes_at:%Y-%m-%d %H:%M:%S UTC}."


class Amendment(Record):
    """Something that people say or decide about a submission, or that befalls a run; appended, never changed."""

    schema_version: Literal[1, 2] = 1
    """2 if it is of a kind that version 1 does not know, and else 1."""
    event: Literal["amendment"] = "amendment"
    kind: AmendmentKind
    submission_id: str
    sequence: int = Field(ge=1)
    """Counts the events of the submission from 1."""
    at: Moment
    actor: str
    """The person who did it; of a try, the worker; of a suspicion, the program."""
    text: str = Field(max_length=1000)
    """The reason, in that person's words; may be empty where nothing is said to be wrong or set right."""
    declaration: Declaration | None = None
    """What holds from now on; only of a correction."""
    about: str | None = Field(default=None, min_length=1, max_length=200)
    """What is disputed, such as a question or the key of a verdict, or the run that is suspected; None for all of it,
    and where nothing is."""
    trial: Trial | None = None
    """What has come to nothing; only of a try."""

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        """Refuses an amendment that says too little or too much for its kind."""
        if self.schema_version != amendment_version(self.kind):
            raise ValueError("an amendment is of version 2 if it is of a kind that version 1 does not know, and else 1")
        if (self.declaration is not None) != (self.kind is AmendmentKind.CORRECTED):
            raise ValueError("a correction, and nothing else, has a declaration")
        if (self.trial is not None) != (self.kind is AmendmentKind.TRIED):
            raise ValueError("a try, and nothing else, has come to nothing")
        if self.about is not None and self.kind not in _ABOUT_SOMETHING:
            raise ValueError("only disputes, answers and suspicions are about something")
        if not self.text.strip() and self.kind in _WITH_REASON:
            raise ValueError(f"what is {self.kind} needs a text")
        return self


_ABOUT_SOMETHING = frozenset({AmendmentKind.DISPUTED, AmendmentKind.ANSWERED, AmendmentKind.SUSPECTED})
_WITH_REASON = _OF_SECOND_VERSION | {AmendmentKind.WITHDRAWN, AmendmentKind.DISPUTED, AmendmentKind.ANSWERED}


def _kind_of_event(value: Any) -> str:
    """Names the record that an event is; lines from before there were amendments do not say it."""
    return str(value.get("event", "transition") if isinstance(value, dict) else getattr(value, "event", ""))


Event = Annotated[
    Annotated[Transition, Tag("transition")] | Annotated[Amendment, Tag("amendment")], Discriminator(_kind_of_event)
]
"""One line of a submission's history."""


class Shard(Record):
    """The users of a run that one worker takes at a time."""

    id: str
    users: tuple[tuple[str, int], ...] = Field(min_length=1)
    """Split and user id of each."""


AnItem = TypeVar("AnItem", Item, HumanItem)


class Plan(UpgradedRecord):
    """What a run asks of whom; fixed before the first question, so that it can be scored without the data set."""

    upgrades: ClassVar[Mapping[int, Upgrade]] = {1: dict}
    """Version 2 may ask of people's labels, too."""
    schema_version: Literal[2] = 2
    run_id: str
    data_source: str
    data_sha: str
    shown_sha: str | None = None
    """Digest of that part of the data set that models are shown, where labels stand beside it: it is in the keys of
    answers, so that new labels make no new questions. None where models may be shown all of it."""
    prompt_pack: str
    prompt_pack_status: Literal["official", "imported", "builtin"]
    protocol_config: str
    """Digest of the whole protocol: rows made under another wording of it never mix into this run."""
    judge: str
    judge_revision: str
    judge_config: str
    """Digest of the judge's whole configuration: verdicts of another one never mix into this run."""
    terms: Terms
    items: tuple[Item | HumanItem, ...]
    """Of one suite."""
    shards: tuple[Shard, ...]

    @property
    def asked_sha(self) -> str:
        """Names the data in the keys of answers."""
        return self.shown_sha or self.data_sha

    @property
    def questions(self) -> tuple[Item, ...]:
        """The items of a run of HiCUPID.

        Raises:
            ValueError: If it is one of the other suite.
        """
        return tuple(self._of(Item))

    @property
    def labelled(self) -> tuple[HumanItem, ...]:
        """The items of a run of a human-grounded task.

        Raises:
            ValueError: If it is one of the other suite.
        """
        return tuple(self._of(HumanItem))

    def _of(self, kind: type[AnItem]) -> Iterator[AnItem]:
        """Yields the items, all of which have to be of a kind."""
        for item in self.items:
            if not isinstance(item, kind):
                raise ValueError(f"{self.run_id} does not ask {kind.__name__}s")
            yield item


class Lane(StrEnum):
    """A kind of work; a worker serves one or both."""

    GENERATE = "generate"
    JUDGE = "judge"


class ShardReport(Record):
    """What a worker measured on one shard in one lane."""

    schema_version: Literal[1] = 1
    lane: Lane
    worker: str
    engine: str
    """Of the model, or in the lane `judge` of the judge, as all up to `hardware`."""
    engine_version: str
    engine_flags: tuple[tuple[str, str], ...]
    dtype: str
    hardware: str
    context: tuple[tuple[str, str], ...]
    """What decided the contexts besides the protocol; see `InputKey.context`. The judge's are none."""
    stage_seconds: tuple[tuple[str, float], ...]
    peak_rss_mb: float
    terms: Terms


class Batch(Record):
    """Rows that a worker hands over in one piece, under its lease."""

    schema_version: Literal[1] = 1
    id: str
    run_id: str
    shard_id: str
    generations: tuple[Generation, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    report: ShardReport | None = None
    """Given with the last batch of a shard in its lane, and only with it."""


class Tombstone(Record):
    """A withdrawal: what it names is no longer shown, but never deleted."""

    schema_version: Literal[1] = 1
    submission_id: str
    at: Moment
    actor: str
    reason: str = Field(min_length=1, max_length=1000)
