"""What a re-score is: one judge, the runs that it judges anew, and everything that happened to it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from evaluator.records import Record
from leaderboard.records import Failure, Moment

SUBMITTER = "re-score (maintainers)"
"""In whose name re-scores wait for workers: all together like one more submitter, of a name that nobody can have."""


class RescoreStatus(StrEnum):
    """Where a re-score stands."""

    RUNNING = "running"
    PAUSED = "paused"
    """A maintainer, or a judge that failed, holds it up."""
    COMPLETED = "completed"
    """Every run has its scorecard or its failure; nothing of it counts yet."""
    PROMOTED = "promoted"
    """Its judge decides ranks."""
    DISCARDED = "discarded"


class RescoreStep(StrEnum):
    """What happens to a re-score."""

    STARTED = "started"
    PAUSED = "paused"
    RESUMED = "resumed"
    RUN_FAILED = "run_failed"
    """One of its runs cannot be judged; all others go on."""
    COMPLETED = "completed"
    PROMOTED = "promoted"
    DISCARDED = "discarded"


NEXT: Mapping[RescoreStatus, frozenset[RescoreStep]] = {
    RescoreStatus.RUNNING: frozenset(
        {RescoreStep.PAUSED, RescoreStep.RUN_FAILED, RescoreStep.COMPLETED, RescoreStep.DISCARDED}
    ),
    RescoreStatus.PAUSED: frozenset({RescoreStep.RESUMED, RescoreStep.RUN_FAILED, RescoreStep.DISCARDED}),
    RescoreStatus.COMPLETED: frozenset({RescoreStep.PROMOTED, RescoreStep.RESUMED, RescoreStep.DISCARDED}),
    RescoreStatus.PROMOTED: frozenset(),
    RescoreStatus.DISCARDED: frozenset(),
}
"""What may happen next; what is completed is resumed so that its failed runs are tried again, and where there are none
it is not: see `Rescore.next`."""

_LEADS_TO: Mapping[RescoreStep, RescoreStatus] = {
    RescoreStep.STARTED: RescoreStatus.RUNNING,
    RescoreStep.PAUSED: RescoreStatus.PAUSED,
    RescoreStep.RESUMED: RescoreStatus.RUNNING,
    RescoreStep.COMPLETED: RescoreStatus.COMPLETED,
    RescoreStep.PROMOTED: RescoreStatus.PROMOTED,
    RescoreStep.DISCARDED: RescoreStatus.DISCARDED,
}


class RescoreEvent(Record):
    """One thing that happened to a re-score."""

    sequence: int = Field(ge=1)
    """Its place among them, from 1."""
    step: RescoreStep
    at: Moment
    actor: str
    """Who did it: a maintainer, the publisher or a worker."""
    reason: str = Field(default="", max_length=1000)
    """Why, in that person's words."""
    run_id: str | None = None
    """The run that failed."""
    failure: Failure | None = None
    """Why it did, or why a judge's failure holds everything up."""

    @model_validator(mode="after")
    def _names_its_run(self) -> Self:
        failed = self.step is RescoreStep.RUN_FAILED
        if failed != (self.run_id is not None) or (failed and self.failure is None):
            raise ValueError("a run that failed is named with its failure, and no other step names one")
        return self


class Rescore(Record):
    """One re-score, with all that happened to it."""

    schema_version: Literal[1] = 1
    id: str = Field(pattern=r"^r-\d{8}-[0-9a-f]{8}$")
    judge: str
    judge_revision: str
    judge_config: str
    """Digest of the judge's whole configuration."""
    prompt_pack: str
    prompt_pack_status: Literal["official", "imported", "builtin"]
    runs: tuple[str, ...] = Field(min_length=1)
    """What it judges, fixed when it began."""
    words: str = ""
    """How the runs were chosen, for readers."""
    created_by: str
    created_at: Moment
    events: tuple[RescoreEvent, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _events_follow(self) -> Self:
        status: RescoreStatus | None = None
        for number, event in enumerate(self.events, start=1):
            allowed = {RescoreStep.STARTED} if status is None else NEXT[status]
            if event.sequence != number or event.step not in allowed:
                raise ValueError(f"event {number} ({event.step}) cannot follow")
            status = _LEADS_TO.get(event.step, status)
        return self

    @property
    def status(self) -> RescoreStatus:
        """Where it stands."""
        return next(_LEADS_TO[event.step] for event in reversed(self.events) if event.step in _LEADS_TO)

    @property
    def next(self) -> frozenset[RescoreStep]:
        """What may happen next: a completed one is resumed for its failed runs, and not without one."""
        steps = NEXT[self.status]
        return steps - {RescoreStep.RESUMED} if self.status is RescoreStatus.COMPLETED and not self.failed else steps

    @property
    def failed(self) -> dict[str, Failure]:
        """Runs that could not be judged since it was last resumed, each with its cause."""
        found: dict[str, Failure] = {}
        for event in self.events:
            if event.step is RescoreStep.RESUMED:
                found.clear()
            if event.run_id is not None and event.failure is not None:
                found[event.run_id] = event.failure
        return found

    @property
    def work_id(self) -> str:
        """The name under which workers are invited to it: a run's in form, with its judge in the protocol's place.

        Example:
            >>> rescore.work_id  # doctest: +SKIP
            'r-20260101-0a1b2c3d.hicupid-llama-3.2-3b'
        """
        return f"{self.id}.{self.judge}"


def is_of_rescore(name: str) -> bool:
    """Says whether the name of a run is that of a judging, or the one by which workers are invited to a re-score.

    Example:
        >>> is_of_rescore("r-20260101-0a1b2c3d.s-20260101-0a1b2c3d.demo-v1")
        True
        >>> is_of_rescore("s-20260101-0a1b2c3d.demo-v1")
        False
    """
    return name.startswith("r-")


def judging_id(rescore_id: str, run_id: str) -> str:
    """Names a *judging*: one run as one re-score judges it.

    Example:
        >>> judging_id("r-20260101-0a1b2c3d", "s-20260101-0a1b2c3d.demo-v1")
        'r-20260101-0a1b2c3d.s-20260101-0a1b2c3d.demo-v1'
    """
    return f"{rescore_id}.{run_id}"


def rescore_of(name: str) -> str:
    """Returns the re-score to which a judging belongs, or an invitation.

    Example:
        >>> rescore_of("r-20260101-0a1b2c3d.s-20260101-0a1b2c3d.demo-v1")
        'r-20260101-0a1b2c3d'
    """
    return name.partition(".")[0]


def judged_run_of(judging: str) -> str:
    """Returns the run whose answers a judging judges.

    Example:
        >>> judged_run_of("r-20260101-0a1b2c3d.s-20260101-0a1b2c3d.demo-v1")
        's-20260101-0a1b2c3d.demo-v1'
    """
    return judging.partition(".")[2]
