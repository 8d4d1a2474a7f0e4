"""What a figure of the board means, in a sentence made from a row that is there."""

from __future__ import annotations

from collections.abc import Sequence

from leaderboard.pages.board.entries import Entry
from leaderboard.pages.figures import figure

_SCALE = "As good as gold throughout is 50; 87.5 is the most there is."


def first_figure(entries: Sequence[Entry]) -> str:
    """Says what the first model's Total is made of; without one what a Total is.

    Args:
        entries: The lines of a table, in the board's own order.
    """
    row = next((entry.row for entry in entries if entry.row and entry.is_model and entry.row.total.value), None)
    if row is None:
        return f"A Total says how often answers beat, match or lose to gold. {_SCALE}"
    persona, profile = row.persona, row.profile
    return (
        f"A Total of {figure(row.total.value)}, as in the first place here, means: of the answers on what a user "
        f"likes, {figure(persona.win.value)} % beat gold and {figure(persona.tie.value)} % match it; of those that "
        f"need who the user is as well, {figure(profile.win.value)} % and {figure(profile.tie.value)} %; and "
        f"{figure(row.schedule.value)} % of the appointments are minded. {_SCALE}"
    )
