"""What is published of a board besides its rows: scorecards, the board's own file, and where rows lie."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from evaluator.errors import RapportError
from evaluator.protocol import is_human_grounded
from leaderboard.board.changes import Changes, build_changes, last_told
from leaderboard.board.human import PublicHumanCards, read_human_cards
from leaderboard.board.public import read_cards
from leaderboard.open_data import layout
from leaderboard.open_data.board import OpenScorecard
from leaderboard.open_data.files import decode_board
from leaderboard.results import Scorecard
from leaderboard.scorecards import scorecard_id
from leaderboard.store.base import BadPath, NotFound, Store, StoreCorrupt

_TWICE = "It stands among the scorecards more than once."
_CONTRADICTION = "Its id is not that of its run, protocol and judge."
_OTHER_ROWS = "The board was written before or after the scorecards that are there now; try again in some minutes."
_UNREAD = "Not all scorecards can be read."


class Published(NamedTuple):
    """All of it, as far as it can be read."""

    cards: Mapping[str, Scorecard]
    """By id."""
    human: PublicHumanCards
    """Those of human-grounded tasks."""
    unfit: Mapping[str, str]
    """Why the rows of a scorecard cannot be looked for, in a sentence; by id."""
    unread: Mapping[str, str]
    """What is wrong with files of scorecards, and with rows in them, by path."""
    board: Mapping[str, OpenScorecard]
    """Rows of the board by scorecard."""
    twice: frozenset[str]
    """Scorecards that stand on the board more than once."""
    board_unread: str
    """Why the board cannot be read, in a sentence; empty if it can."""
    away: str
    """Why the data set does not answer, so that its copy was read; empty if it does."""
    row_files: frozenset[str]
    """Paths of all files of rows."""
    changes_problem: str
    """What is wrong with the record of changes, in a sentence; empty if nothing is. Nothing it tells can be recomputed:
    no row says what ranks were before."""

    @property
    def problems(self) -> tuple[str, ...]:
        """What could not be read, a sentence each."""
        unread = [*self.unread.values(), *self.human.problems.values()]
        return tuple(filter(None, [self.away, *unread, self.board_unread, self.changes_problem]))

    @property
    def incomparable(self) -> str:
        """Why places cannot be compared, in a sentence; empty if the board took the scorecards that are there."""
        if self.board_unread or self.unread:
            return self.board_unread or _UNREAD
        taken = {(row.scorecard_id, row.rows_sha) for row in self.board.values()}
        return "" if taken == {(card.id, card.rows_sha) for card in self.cards.values()} else _OTHER_ROWS

    def rows_without_card(self) -> list[OpenScorecard]:
        """Returns the rows of the board that no scorecard stands behind, not even an unreadable one."""
        return [
            row
            for row in self.board.values()
            if row.scorecard_id not in self.cards
            and not {layout.scorecards_path(row.model), _row_of(row)} & self.unread.keys()
        ]


def read_published(results: Store) -> Published:
    """Reads all that is published of a board but rows and users' sums.

    Raises:
        StoreError: If the store as a whole cannot be read.
    """
    found, human = read_cards(results), read_human_cards(results)
    board: list[OpenScorecard] = []
    board_unread = ""
    try:
        board = decode_board(results.read(layout.BOARD), layout.BOARD)
    except NotFound:
        board_unread = "There is no board yet."
    except RapportError as error:
        board_unread = error.message
    except (BadPath, StoreCorrupt) as error:
        board_unread = f"{layout.BOARD} cannot be read: {error}."
    condition = results.condition()
    on_board = None if board_unread else {row.scorecard_id for row in board}
    return Published(
        cards={card.id: card for card in found.cards},
        human=human,
        unfit=_unfit(found.cards),
        unread=found.problems,
        board={row.scorecard_id: row for row in board},
        twice=frozenset(name for name, count in Counter(row.scorecard_id for row in board).items() if count > 1),
        board_unread=board_unread,
        away="" if condition.current else f"The data set does not answer ({condition.reason}): its copy here was read.",
        row_files=_row_files(results, human),
        changes_problem=_changes_problem(build_changes(results), on_board),
    )


def _changes_problem(changes: Changes, on_board: Collection[str] | None) -> str:
    """Says what is wrong with the record of changes; a board that cannot be read says nothing of it."""
    if changes.problems:
        return changes.problems[0]
    told = last_told(changes.table).keys()
    strangers = [] if on_board is None else sorted(told - set(on_board))
    return f"{layout.CHANGES} names {strangers[0]}, which the board does not hold." if strangers else ""


def _row_of(row: OpenScorecard) -> str:
    """Returns what a problem with the scorecard of a row is known by; see `PublicCards`."""
    return f"{layout.scorecards_path(row.model)}#{row.scorecard_id}"


def _row_files(results: Store, human: PublicHumanCards) -> frozenset[str]:
    """Returns the files of rows that need a scorecard of HiCUPID.

    Rows of human-grounded tasks have scorecards of their own, and nobody is scored by people's verdicts. Where some of
    those scorecards cannot be read, no row of such a task is taken for left over.
    """
    files = {*results.list(layout.GENERATIONS), *results.list(layout.VERDICTS)}
    files -= {*results.list(f"{layout.VERDICTS}/{layout.HUMAN_RATERS}")}
    agreement = {path for card in human.cards for path in layout.row_paths(card.model, card.run_id, card.judge)}
    lost = {path for path in files if human.problems and is_human_grounded(path.split("/")[-2])}
    return frozenset(files - agreement - lost)


def _unfit(cards: Iterable[Scorecard]) -> dict[str, str]:
    """Finds scorecards whose names do not lead to rows."""
    unfit: dict[str, str] = {}
    seen: set[str] = set()
    for card in cards:
        if card.id in seen:
            unfit[card.id] = _TWICE
        elif (card.id, card.run_id) != (scorecard_id(card.run_id, card.judge), f"{card.submission_id}.{card.protocol}"):
            unfit[card.id] = _CONTRADICTION
        seen.add(card.id)
    return unfit
