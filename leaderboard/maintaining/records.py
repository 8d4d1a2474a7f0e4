"""One line of the log for each thing that a maintainer does, and what follows from all of them for the site."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from evaluator.records import Record
from leaderboard.people import Person
from leaderboard.records import Moment, now

MOST_OF_ONE = 1000
"""The most submissions a window that a submitter may be allowed."""


class ActKind(StrEnum):
    """What a maintainer can do."""

    CANCEL = "submission.cancel"
    RETRY = "submission.retry"
    WITHDRAW = "submission.withdraw"
    CORRECT = "submission.correct"
    ANSWER = "submission.answer"
    LIFT = "submission.lift"
    PAUSE = "submission.pause"
    RESUME = "submission.resume"
    FLAG = "submission.flag"
    CLEAR = "submission.clear"
    HIDE = "submission.hide"
    SHOW = "submission.show"
    RESCORE_START = "rescore.start"
    RESCORE_PAUSE = "rescore.pause"
    RESCORE_RESUME = "rescore.resume"
    RESCORE_PROMOTE = "rescore.promote"
    RESCORE_DISCARD = "rescore.discard"
    SITE_PAUSE = "site.pause"
    """No submission is accepted until that is ended."""
    SITE_RESUME = "site.resume"
    QUOTA_SET = "quota.set"
    """A submitter has a quota of its own."""
    QUOTA_UNSET = "quota.unset"
    """A submitter has the quota of all others again."""


_OF_THE_SITE = frozenset({ActKind.SITE_PAUSE, ActKind.SITE_RESUME})
_WITH_REASON = frozenset({ActKind.SITE_PAUSE, ActKind.QUOTA_SET, ActKind.QUOTA_UNSET})


class Act(Record):
    """One thing that a maintainer did; appended in one go with it, and never changed."""

    schema_version: Literal[1] = 1
    sequence: int = Field(ge=1)
    """Its place in the log, from 1."""
    at: Moment
    actor: str = Field(min_length=1)
    """The maintainer: a name on the Hub, or `maintainer` on the command line."""
    kind: ActKind
    subject: str | None
    """The submission, re-score or submitter that it is about; None of the site."""
    reason: str = Field(max_length=1000)
    """Why, in that person's words; may be empty where none is asked for."""
    detail: str | None = None
    """What has changed, in words; None where the kind says it all."""
    of_one: int | None = Field(default=None, ge=0, le=MOST_OF_ONE)
    """Submissions a window that the submitter may make from now on; only of `quota.set`."""

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        """Refuses an act that says too little or too much for its kind."""
        if (self.subject is None) != (self.kind in _OF_THE_SITE):
            raise ValueError("what is done to the site, and nothing else, has no subject")
        if (self.of_one is not None) != (self.kind is ActKind.QUOTA_SET):
            raise ValueError("who sets a quota, and nobody else, says how many submissions")
        if not self.reason.strip() and self.kind in _WITH_REASON:
            raise ValueError(f"{self.kind} needs a reason")
        return self


def act_of(
    person: Person,
    kind: ActKind,
    subject: str | None,
    reason: str = "",
    detail: str | None = None,
    of_one: int | None = None,
) -> Act | None:
    """Returns the entry for something that a person does; None unless that person is a maintainer.

    Its place in the log is given by whoever appends it.

    Example:
        >>> act_of(Person("alice"), ActKind.CANCEL, "s-20260101-0a1b2c3d") is None
        True
        >>> act_of(Person("carol", maintainer=True), ActKind.SITE_PAUSE, None, "A new judge.").sequence
        1
    """
    if not person.maintainer:
        return None
    return Act(
        sequence=1,
        at=now(),
        actor=person.name,
        kind=kind,
        subject=subject,
        reason=reason,
        detail=detail,
        of_one=of_one,
    )


class SitePause(Record):
    """Since when and why no submission is accepted."""

    reason: str
    """For everyone to read."""
    at: Moment
    actor: str
    """The maintainer who decided it."""


class QuotaException(Record):
    """How many submissions a window one submitter may make, instead of as many as all others."""

    of_one: int = Field(ge=0, le=MOST_OF_ONE)
    reason: str
    at: Moment
    actor: str
    """The maintainer who decided it."""
