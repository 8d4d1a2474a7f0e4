"""What submitters are told when a submission has ended: a record for programs, and the same in Markdown for people."""

from __future__ import annotations

from typing import Literal

from evaluator.errors import Cause
from evaluator.records import Record
from leaderboard.people import LOCAL_USER, RESERVED
from leaderboard.records import Moment, State, Transition, protocol_of
from leaderboard.submissions.history import History


class EndedRun(Record):
    """How one run ended."""

    protocol: str
    state: State
    cause: Cause | None
    message: str | None
    remedy: str | None


class Notice(Record):
    """What is said when a submission has ended; the body of a webhook."""

    schema_version: Literal[1] = 1
    id: str
    """The same however often it is sent."""
    submission_id: str
    model: str
    submitter: str
    state: State
    runs: tuple[EndedRun, ...]
    at: Moment
    page: str | None
    """Address of the submission's page; None where the site does not know its own."""


def notice_of(history: History, site: str | None) -> Notice:
    """Returns the notice on a submission that has ended.

    Args:
        history: All that has happened to it.
        site: The site's own address, without a slash at the end.
    """
    ends = {step.run_id: step for step in history.transitions}
    last, of = history.transitions[-1], history.submission
    return Notice(
        id=f"{of.id}-{last.sequence}",
        submission_id=of.id,
        model=of.model,
        submitter=of.submitter,
        state=history.state,
        runs=tuple(_ended(ends[run_id]) for run_id in of.run_ids()),
        at=last.at,
        page=f"{site}/submission?id={of.id}" if site else None,
    )


def _ended(end: Transition) -> EndedRun:
    """Says how one run ended."""
    why = end.failure
    return EndedRun(
        protocol=protocol_of(end.run_id),
        state=end.after,
        cause=why and why.cause,
        message=why and why.message,
        remedy=why and why.remedy,
    )


def said(notice: Notice) -> str:
    """Returns a notice as Markdown in which nothing of a submitter's is markup.

    Example:
        >>> from leaderboard.records import now
        >>> at = now()
        >>> print(said(Notice(id="s-1-3", submission_id="s-1", model="o/m", submitter="alice", state="cancelled",
        ...                   runs=(), at=at, page=None)))
        @alice, your submission of `o/m` has ended: **cancelled**.
    """
    known = notice.submitter not in RESERVED | {LOCAL_USER}  # These are nobody of the Hub.
    whom = f"@{notice.submitter}, your" if known else "The"
    lines = [f"{whom} submission of `{notice.model}` has ended: **{notice.state}**."]
    for run in notice.runs:
        why = f": {_plain(f'{run.cause}. {run.message} {run.remedy}')}" if run.cause else ""
        lines.append(f"- {run.protocol}: {run.state}{why}")
    if notice.page:
        lines.append(f"\nAll of its history: {notice.page}")
    return "\n".join(lines)


def _plain(words: str) -> str:
    """Puts what may hold a stranger's words where Markdown reads none of it."""
    return "`" + " ".join(words.replace("`", "'").split()) + "`"
