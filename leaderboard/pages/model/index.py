"""The board's rows as the page of a model looks them up: laid out once for each state of the board."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from evaluator.protocol import is_reference
from leaderboard.board.build import Board, BoardRow
from leaderboard.pages.tables import known
from leaderboard.results import HumanScorecard


class ModelIndex(NamedTuple):
    """Everything that is known of models."""

    by_id: Mapping[str, BoardRow]
    """By scorecard."""
    by_name: Mapping[str, Sequence[BoardRow]]
    """By model, the newest first."""
    by_submitter: Mapping[str, Sequence[BoardRow]]
    """Likewise; references are left out."""
    human: Mapping[str, Sequence[HumanScorecard]]
    """Scorecards of human-grounded tasks by model, in the board's order."""


class Chosen(NamedTuple):
    """What an address asks for."""

    row: BoardRow
    """The scorecard that is shown."""
    lacking: str
    """Which protocol or judge was asked for that the model has no result under, as a sentence; empty if none."""


NOTHING = ModelIndex({}, {}, {}, {})
"""Of a board without any."""


def model_index(board: Board) -> ModelIndex:
    """Lays the rows of a board out by model and by submitter."""
    by_name: dict[str, list[BoardRow]] = defaultdict(list)
    by_submitter: dict[str, list[BoardRow]] = defaultdict(list)
    human: dict[str, list[HumanScorecard]] = defaultdict(list)
    for row in sorted(board.rows, key=lambda row: row.published_at, reverse=True):
        by_name[row.model].append(row)
        if not is_reference(row.model):
            by_submitter[row.submitter].append(row)
    for card in board.human:
        human[card.model].append(card)
    return ModelIndex({row.scorecard_id: row for row in board.rows}, dict(by_name), dict(by_submitter), dict(human))


def choose(index: ModelIndex, name: str, protocol: str = "", judge: str = "") -> Chosen | None:
    """Returns the scorecard that an address asks for; None if there is no result of that name.

    Args:
        index: All there is.
        name: A model's name, or the id of a scorecard, which then goes before the newest.
        protocol: Under which protocol; empty for the official one, if there is one.
        judge: Under which judge; empty for the one that decides ranks, if there is one.
    """
    own = index.by_id.get(name)
    rows = index.by_name.get(own.model if own else name, ())
    if not rows:
        return None
    if own is not None and not protocol and not judge:
        return Chosen(own, "")
    fit = [row for row in rows if protocol in ("", row.protocol) and judge in ("", row.judge)]
    if fit:
        same = [row for row in fit if own is not None and row.submission_id == own.submission_id]
        return Chosen(first_choice(same or fit), "")
    asked = " and ".join(filter(None, [protocol and f"the protocol {protocol}", judge and f"the judge {judge}"]))
    return Chosen(own or first_choice(rows), f"It has no result under {asked}; this is another one.")


def first_choice(rows: Iterable[BoardRow]) -> BoardRow:
    """Returns the row that is shown unasked: of an official judge, under an official protocol, the newest.

    Args:
        rows: Of one model, at least one.
    """
    return max(
        rows,
        key=lambda row: (
            row.judge_status == "official",
            is_official(row.protocol),
            row.published_at,
            row.rank is not None,
            row.scorecard_id,
        ),
    )


def is_official(protocol_id: str) -> bool:
    """Says whether results of a protocol may rank; those of one that is no longer shipped do not."""
    protocol = known(protocol_id)
    return protocol is not None and protocol.official
