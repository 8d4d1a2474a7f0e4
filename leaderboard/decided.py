"""A scorecard as its submission leaves it: what is declared and known of the model, and what maintainers said of it."""

from __future__ import annotations

from leaderboard.results import AnyCard, with_facts
from leaderboard.submissions.history import History, is_flagged, is_hidden

FLAGGED = "flagged by a maintainer"
"""Why a result does not rank that a maintainer has marked."""
NOT_SHOWN = "withdrawn or hidden"
"""Why a result does not rank that is not public."""


def is_shown(history: History) -> bool:
    """Says whether a submission's results are public: it was not withdrawn, and is not hidden."""
    return not (history.withdrawn or is_hidden(history.events))


def as_it_stands(card: AnyCard, history: History) -> AnyCard:
    """Returns a scorecard with what is declared and known of its model, and with any mark that a maintainer put on it.

    The archive's scorecard is never rewritten: it says what its rows add up to, and not what people decide about it.
    """
    card = with_facts(card.model_copy(update={"declaration": history.declaration}), history.submission.facts)
    if not is_flagged(history.events):
        return card
    return card.model_copy(update={"unranked_because": (*card.unranked_because, FLAGGED)})
