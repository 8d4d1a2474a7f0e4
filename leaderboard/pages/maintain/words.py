"""The fixed words of the maintainers' pages: sections, acts, and what is said once something was done."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

from evaluator.plurals import several
from leaderboard.submissions.permissions import Action

SECTIONS = (
    ("/maintain", "Overview"),
    ("/maintain/submissions", "Submissions"),
    ("/maintain/disputes", "Disputes"),
    ("/maintain/objections", "Objections"),
    ("/maintain/judges", "Judges"),
    ("/maintain/site", "Site"),
    ("/maintain/log", "Log"),
)
"""Address and name of each section, in the order in which they are offered."""

_DONE: Mapping[str, str] = {
    "answer": "The dispute is answered.",
    "cancel": "It is cancelled; what was finished is kept.",
    "clear": "It carries no mark any more, and what was suspected is answered.",
    "discarded": "The re-score is discarded; its rows stay in the archive and count for nothing.",
    "flag": "It is flagged: its results do not rank until that is cleared.",
    "hide": "Its results leave the board with the publisher's next commit.",
    "lift": "It goes before all others now.",
    "objection-accepted": "The objection is accepted; your reply stands beside the answer for everybody.",
    "objection-declined": "The objection is declined; the reader and the submitter see your reply.",
    "pause": "It is paused: no worker takes anything of it until it is resumed.",
    "resume": "It goes on.",
    "paused": "The re-score is paused; workers finish the shard that they have.",
    "promoted": "The judge is promoted; the publisher's next commits bring it to the board.",
    "resumed": "The re-score goes on; runs that failed are tried again.",
    "retry": "It is queued again; what is missing is asked, and nothing else.",
    "quota-set": "The quota is set.",
    "quota-unset": "The submitter has the quota of all others again.",
    "site-pause": "Submissions are paused; whoever submits is told why.",
    "site-resume": "Submissions are accepted again.",
    "started": "The re-score is begun; workers of the judge take it as soon as the publisher has laid it out.",
    "show": "Its results are back on the board with the publisher's next commit.",
    "withdraw": "It is withdrawn, for good.",
}
"""What is said of an act, by the code that an address names; an address can say nothing else."""
_COUNTED = re.compile(r"[0-9]{1,4}")


class ActForm(NamedTuple):
    """What is offered to be done to a submission."""

    action: Action
    label: str
    says: str
    reason: Literal["none", "optional", "needed"]
    asks: bool = False
    """Whether it is asked once more, on a page of its own."""


ACTS: tuple[ActForm, ...] = (
    ActForm(Action.RETRY, "Re-run", "Takes up again what failed or was cancelled, where it stopped.", "none"),
    ActForm(Action.LIFT, "Lift", "Puts it before all that are not lifted.", "optional"),
    ActForm(Action.PAUSE, "Pause", "Keeps workers from it until it is resumed.", "optional"),
    ActForm(Action.RESUME, "Resume", "Ends the pause.", "optional"),
    ActForm(Action.CANCEL, "Cancel", "Stops its runs. What is finished is kept.", "optional"),
    ActForm(Action.FLAG, "Flag", "Marks its results, which then do not rank until that is cleared.", "needed"),
    ActForm(Action.CLEAR, "Clear", "Takes the mark away, or answers what a program suspected.", "needed"),
    ActForm(Action.HIDE, "Hide", "Takes its results off the board until they are shown again.", "needed", asks=True),
    ActForm(Action.SHOW, "Show", "Puts its results back on the board.", "needed"),
    ActForm(Action.WITHDRAW, "Withdraw", "Takes its results off the board, for good.", "needed", asks=True),
)
"""In the order in which they are offered; answers to disputes have forms of their own."""


def act_named(name: str) -> ActForm | None:
    """Returns what an address names; None if nothing is called so.

    Example:
        >>> act_named("retry").label, act_named("submit")
        ('Re-run', None)
    """
    return next((act for act in ACTS if act.action == name), None)


def done_sentence(query: Mapping[str, str]) -> str:
    """Returns what is said of what was done, by the code and the counts in an address; empty without one.

    Example:
        >>> done_sentence({"done": "retry"})
        'It is queued again; what is missing is asked, and nothing else.'
        >>> done_sentence({"done": "retried", "count": "2", "kept": "1"})
        '2 submissions are queued again; 1 was refused or has moved on, see below.'
        >>> done_sentence({"done": "<b>done</b>"}), done_sentence({"done": "retried", "count": "x"})
        ('', '')
    """
    code = query.get("done", "")
    if code == "retried":
        return _retried(query.get("count", ""), query.get("kept", ""))
    return _DONE.get(code, "")


def _retried(count: str, kept: str) -> str:
    """Says how many were queued again, where both are numbers."""
    if not _COUNTED.fullmatch(count) or not _COUNTED.fullmatch(kept):
        return ""
    are = "is" if int(count) == 1 else "are"
    told = f"{several(int(count), 'submission')} {are} queued again"
    if not int(kept):
        return f"{told}."
    return f"{told}; {int(kept):,} {'was' if int(kept) == 1 else 'were'} refused or has moved on, see below."
