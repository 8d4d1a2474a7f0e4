"""The board's scorecards of human-grounded tasks as the page looks them up: built once for each state of the store."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from evaluator.human.records import RaterKind
from evaluator.human.tasks import AnyTask
from evaluator.identity import digest
from evaluator.protocol import is_reference
from leaderboard.board.build import Board, BoardRow
from leaderboard.pages.dot_plots import Axis
from leaderboard.pages.human.asked import INCOMPLETE_ROWS, REFERENCES, SIMULATED
from leaderboard.pages.human.plot import axis_for
from leaderboard.pages.human_tables import Links, homes_of, known_human
from leaderboard.pages.judge_view import default_rows
from leaderboard.results import INCOMPLETE, HumanScorecard

_KINDS = tuple(RaterKind)
_PEOPLES = (RaterKind.PERSON, RaterKind.CONSENSUS)


class Entry(NamedTuple):
    """One scorecard as it is looked up."""

    card: HumanScorecard
    text: str
    """What terms are looked for in, as it is compared."""
    aside: frozenset[str]
    """The switches behind which it stands, of `asked.SWITCHES`."""


class Group(NamedTuple):
    """Scorecards that are about the same labels of the same items: one table."""

    id: str
    """The same whatever other tables there are."""
    entries: tuple[Entry, ...]
    """In the board's order."""
    axes: dict[str, Axis]
    """By figure, as far as they were drawn: an axis holds every row, however few are shown."""

    def axis(self, figure: str) -> Axis:
        """Returns the axis on which a figure is drawn, worked out when it is first asked for."""
        if figure not in self.axes:
            self.axes[figure] = axis_for((entry.card for entry in self.entries), figure)
        return self.axes[figure]

    @property
    def card(self) -> HumanScorecard:
        """One that tells what all have in common."""
        return self.entries[0].card


class TaskEntries(NamedTuple):
    """All that there is of one protocol."""

    protocol: str
    title: str
    """One sentence; empty for a protocol that is no longer shipped."""
    task: AnyTask | None
    """None where nothing tells it."""
    groups: tuple[Group, ...]
    """People's labels first, then what is newest; empty while there is no result."""

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Those of all groups."""
        return tuple(entry for group in self.groups for entry in group.entries)

    @property
    def kinds(self) -> frozenset[RaterKind]:
        """Whose labels these are."""
        return frozenset(group.card.result.kind for group in self.groups)


class HumanIndex(NamedTuple):
    """Everything that the page shows, before anything is asked for."""

    tasks: Mapping[str, TaskEntries]
    """By protocol, in the order of tabs: with results on people's labels first, then other results, then none."""
    cards: Mapping[str, HumanScorecard]
    """By id."""
    homes: Links
    """Where results of HiCUPID stand."""


NOTHING = HumanIndex(MappingProxyType({}), MappingProxyType({}), MappingProxyType({}))
"""Of a board without any."""


class HumanIndexes:
    """Lays agreement with people out once for each board, for every page that shows it."""

    def __init__(self, protocols: Sequence[str] = ()) -> None:
        """Shows of each human-grounded task among these protocols at least that there is nothing yet."""
        self._protocols = tuple(protocols)
        self._lock = threading.Lock()
        self._of: Board | None = None
        self._index = NOTHING

    def of(self, board: Board) -> HumanIndex:
        """Returns what there is on a board."""
        with self._lock:  # Whoever waits here finds what the first one laid out.
            if self._of is not board:
                self._index, self._of = human_index(board.human, self._protocols, board.rows), board
            return self._index


def human_index(cards: Iterable[HumanScorecard], protocols: Iterable[str], rows: Iterable[BoardRow]) -> HumanIndex:
    """Lays scorecards out by protocol, and by what labels of which items they are about.

    Args:
        cards: The scorecards, in the board's order.
        protocols: Ids of protocols; those of human-grounded tasks have a tab without a result too.
        rows: Those of the board of HiCUPID.
    """
    every = list(cards)
    by_protocol: dict[str, dict[tuple[str, ...], list[HumanScorecard]]] = {}
    for card in every:
        by_protocol.setdefault(card.protocol, {}).setdefault(_labels_of(card), []).append(card)
    tasks = [_task(name, groups) for name, groups in by_protocol.items()]
    tasks.sort(key=lambda task: not task.kinds & {*_PEOPLES})  # Stable: within either part they stay in their order.
    tasks += [_task(name, {}) for name in dict.fromkeys(protocols) if name not in by_protocol and known_human(name)]
    return HumanIndex(
        {task.protocol: task for task in tasks}, {card.id: card for card in every}, homes_of(default_rows([*rows]))
    )


def _labels_of(card: HumanScorecard) -> tuple[str, ...]:
    """Returns what scorecards of one table have in common."""
    judge = (card.judge, card.judge_revision, card.judge_config)
    return card.protocol, card.protocol_config, card.data_source, card.data_sha, *judge, card.result.kind


def _task(protocol_id: str, groups: Mapping[tuple[str, ...], Sequence[HumanScorecard]]) -> TaskEntries:
    """Lays out all that there is of one protocol."""
    protocol = known_human(protocol_id)
    laid_out = [Group(digest(list(key))[:8], tuple(map(_entry, cards)), {}) for key, cards in groups.items()]
    laid_out.sort(key=_peoples_first_then_newest)
    task = protocol.task if protocol else next((group.card.result.task for group in laid_out), None)
    return TaskEntries(protocol_id, protocol.title if protocol else "", task, tuple(laid_out))


def _peoples_first_then_newest(group: Group) -> tuple[int, float, str]:
    """Sorts the tables of a task."""
    newest = max(entry.card.created_at for entry in group.entries)
    return _KINDS.index(group.card.result.kind), -newest.timestamp(), group.id


def _entry(card: HumanScorecard) -> Entry:
    """Returns a scorecard as it is looked up."""
    holds = {
        REFERENCES: is_reference(card.model),
        SIMULATED: card.result.kind is RaterKind.SIMULATED,
        INCOMPLETE_ROWS: INCOMPLETE in card.unranked_because,
    }
    text = f"{card.model} {card.adapter or ''} {card.revision}".casefold()
    return Entry(card, text, frozenset(name for name, is_so in holds.items() if is_so))
