"""A scorecard as people's decisions leave it: what was declared since, and what maintainers have said of it."""

from __future__ import annotations

from typing import TypeVar

from leaderboard.results import HumanScorecard, Scorecard
from leaderboard.submissions.history import History, is_flagged, is_hidden

FLAGGED = "flagged by a maintainer"
"""Why a result does not rank that a maintainer has marked."""
NOT_SHOWN = "withdrawn or hidden"
"""Why a result does not rank that is not public."""
AnyCard = TypeVar("AnyCard", Scorecard, HumanScorecard)


def is_shown(history: History) -> bool:
    """Says whether a submission's results are public: it was not withdrawn, and is not hidden."""
    return not (history.withdrawn or is_hidden(history.events))


def as_it_stands(card: AnyCard, history: History) -> AnyCard:
    """Returns a scorecard with what is declared of its model by now, and with the mark that a maintainer has put on it.

    The archive's scorecard is never rewritten: it says what its rows add up to, and not what people decide about it.
    """
    card = card.model_copy(update={"declaration": history.declaration})
    if not is_flagged(history.events):
        return card
    return card.model_copy(update={"unranked_because": (*card.unranked_because, FLAGGED)})
