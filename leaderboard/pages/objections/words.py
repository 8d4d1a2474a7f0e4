"""How objections are spoken of, on pages and on the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from leaderboard.objections.records import Ground, Objection
from leaderboard.pages.model.asked import Asked

GROUNDS: Mapping[Ground, str] = {
    Ground.VERDICT: "The verdict is wrong",
    Ground.GOLD: "The gold answer is wrong",
    Ground.QUESTION: "The question is unclear",
    Ground.OTHER: "Something else",
}
"""What may be wrong, in the order in which it is offered."""
SAYS: Mapping[Ground, str] = {
    Ground.VERDICT: "The judge decided otherwise than it should, going by the question and both answers.",
    Ground.GOLD: "The data set's own answer contradicts what the user said, or misses it.",
    Ground.QUESTION: "Nobody could answer it from what the user said, or it can be read in several ways.",
    Ground.OTHER: "Such as a dialogue that does not belong to the question.",
}
"""What each means."""


class Told(NamedTuple):
    """An objection as a page shows it."""

    objection: Objection
    ground: str
    address: str
    """Of the answer, where that can still be seen."""


def told_of(objection: Objection) -> Told:
    """Returns an objection as a page shows it."""
    address = Asked(objection.scorecard_id).of(objection.question_id)
    return Told(objection, GROUNDS[objection.ground], address)
