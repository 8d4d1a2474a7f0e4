"""What a report on re-scores is: what was asked by whom, and what became of it."""

from __future__ import annotations

import datetime
from enum import StrEnum
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from evaluator.records import Record
from leaderboard.records import Failure, Moment

_Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]


class ReportKind(StrEnum):
    """What is asked."""

    PREVIEW = "preview"
    """What a re-score would take."""
    COMPARISON = "comparison"
    """What the judge of a re-score makes of the same answers as another one."""
    START = "start"
    """A re-score: its runs are chosen from the archive, and it is begun in the name of who asked."""


class ReportState(StrEnum):
    """Where a report is."""

    WAITING = "waiting"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"


class Report(Record):
    """One report: what was asked by whom, and what became of it.

    Example:
        >>> report.state, report.failure and report.failure.remedy  # doctest: +SKIP
        (<ReportState.FAILED: 'failed'>, 'Choose one of: demo, hicupid-llama-3.2-3b.')
    """

    schema_version: Literal[1] = 1
    id: str = Field(pattern=r"^report-\d{8}-[0-9a-f]{8}$")
    kind: ReportKind
    asked_by: str
    asked_at: Moment
    judge: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$")
    """The judge of a preview or a start."""
    models: tuple[_Name, ...] = Field(default=(), max_length=1000)
    """Only their runs; none named is all."""
    protocols: tuple[_Name, ...] = Field(default=(), max_length=100)
    """Likewise."""
    since: datetime.date | None = None
    """Only runs published on this day in UTC or later."""
    rescore_id: str | None = Field(default=None, pattern=r"^r-\d{8}-[0-9a-f]{8}$")
    """What is compared."""
    protocol: _Name | None = None
    """Which runs of it are; None where all are of one protocol."""
    against: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$")
    """The judge that it is compared with; None is the one that decides ranks now."""
    reason: str = Field(default="", max_length=1000)
    """Why a re-score is begun, in that person's words."""
    state: ReportState = ReportState.WAITING
    started_at: Moment | None = None
    """When it was last taken in hand."""
    ended_at: Moment | None = None
    tries: int = Field(default=0, ge=0)
    """How often it was taken in hand; whoever has an earlier try in hand writes nothing any more."""
    lost: int = Field(default=0, ge=0)
    """How many of these came to nothing, as their process ended before it had said anything."""
    publisher: str | None = None
    """The name under which the publisher that has it in hand holds Redis."""
    pid: int | None = None
    """The process that works it out, on that publisher's machine."""
    failure: Failure | None = None
    result_characters: int | None = None
    """Length of the result; None before there is one."""
    flips_left_out: int = Field(default=0, ge=0)
    """Flips that `rapport rescore compare --json` would list and that are left out of a comparison for its size."""
    progress: str = ""
    """How far it is, as a sentence; empty before there is anything to say."""
    result: str | None = None
    """What came of it, where it is ready and was asked for: JSON of a `Preview` or of a `Comparison`, or the id of the
    re-score that was begun."""

    @property
    def is_open(self) -> bool:
        """Whether it waits or is being worked out."""
        return self.state in (ReportState.WAITING, ReportState.RUNNING)

    @property
    def asked(self) -> tuple[object, ...]:
        """What is asked, whoever asks and why: of two reports that ask the same, one is worked out."""
        chosen = frozenset(self.models), frozenset(self.protocols), self.since
        return self.kind, self.judge, *chosen, self.rescore_id, self.protocol, self.against
