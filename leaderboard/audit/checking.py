"""Checks scorecards against what their rows come to, and the board's places against what all of them come to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from evaluator.errors import RapportError
from leaderboard.audit.differences import FIGURES, GAPS, RANKS, in_board, in_result, in_sums
from leaderboard.audit.published import Published
from leaderboard.audit.recomputing import recompute
from leaderboard.audit.records import AuditedCard, Difference
from leaderboard.board.places import Place, work_out_places
from leaderboard.board.rankings import ranking_of, takes_part_under_judge
from leaderboard.board.rebuild import take_over
from leaderboard.board.sums import SumsTable
from leaderboard.open_data import layout
from leaderboard.results import Scorecard
from leaderboard.store.base import BadPath, NotFound, Store, StoreCorrupt

_NOT_ON_THE_BOARD = "The board does not hold it."
_OTHER_ROWS = "The board holds it as it came to from other rows."
_LOST_RIVALS = "Its rank follows from users' sums of which some can neither be recomputed nor read."
_LOST_PARTNERS = "Its gaps follow from users' sums of which some can neither be recomputed nor read."


class _Sums:
    """The published users' sums of some scorecards, or why there are none."""

    def __init__(self, results: Store, path: str, names: Sequence[str]) -> None:
        self.path, self.content, self.reason, self.table = path, b"", "", SumsTable()
        try:
            self.content = results.read(path)
            self.table.add(self.content, path, names)
        except NotFound:
            self.reason = f"{path} is missing."
        except RapportError as error:
            self.reason = error.message
        except (BadPath, StoreCorrupt) as error:
            self.reason = f"{path} cannot be read: {error}."


class Checking:
    """Looks at one part of the models after the other, and then at all places.

    Example:
        >>> checking = Checking(results, read_published(results), folder)  # doctest: +SKIP
        >>> checking.check_part(cards)  # doctest: +SKIP
        >>> checking.check_places()  # doctest: +SKIP
        ''
    """

    def __init__(self, results: Store, published: Published, folder: Path) -> None:
        """Knows nothing yet; keeps in `folder` what was added up."""
        self._results, self._published, self._folder = results, published, folder
        self._differences: dict[str, list[Difference]] = defaultdict(list)
        self._unchecked: dict[str, list[str]] = defaultdict(list)
        self._lost: set[str] = set()
        """Scorecards whose users' sums are nowhere."""
        self.rows = 0
        """Rows that were added up."""

    def audited(self, card: Scorecard) -> AuditedCard:
        """Returns what was found of a scorecard."""
        return AuditedCard(
            scorecard_id=card.id,
            model=card.model,
            differences=tuple(self._differences[card.id]),
            unchecked=tuple(self._unchecked[card.id]),
        )

    def check_part(self, cards: Sequence[Scorecard]) -> None:
        """Compares scorecards whose models share a part of the data set with what their rows come to.

        Raises:
            StoreError: If the store as a whole cannot be read.
        """
        path = layout.user_scores_path(cards[0].model)
        fit = [card for card in cards if card.id not in self._published.unfit]
        made = recompute(self._results, fit, self._published.row_files, self._folder)
        reasons = {**self._published.unfit, **made.reasons}
        self.rows += made.rows
        sums, mine = _Sums(self._results, path, [card.id for card in cards]), SumsTable()
        if (self._folder / path).exists():
            mine.add((self._folder / path).read_bytes(), path)
        for card in cards:
            result = made.results.get(card.id)
            if result is None:
                self._unchecked[card.id].append(reasons[card.id])
            else:
                self._differences[card.id] += in_result(card.result, result)
                self._compare_sums(card.id, sums, mine)
            self._compare_row(card if result is None else card.model_copy(update={"result": result}))
        self._stand_in([card.id for card in cards if card.id not in made.results], sums)

    def check_places(self) -> str:
        """Compares the places on the board with those that the recomputed sums come to.

        Returns:
            Why they cannot be compared, in a sentence; empty if they were.

        Raises:
            StoreError: If the store as a whole cannot be read.
        """
        cards, board = self._published.cards, self._published.board
        if why := self._published.incomparable:
            return why
        places = work_out_places(cards.values(), self._parts()).places
        rankings = {ranking_of(cards[name]) for name in self._lost if takes_part_under_judge(cards[name])}
        models = {cards[name].model for name in self._lost}
        for name, card in cards.items():
            if ranked := ranking_of(card) not in rankings:
                self._differences[name] += in_board(board[name], card, places[name], RANKS)
            if compared := card.model not in models:
                self._differences[name] += in_board(board[name], card, places[name], GAPS)
            self._unchecked[name] += [_LOST_RIVALS] * (not ranked) + [_LOST_PARTNERS] * (not compared)
        return ""

    def _compare_sums(self, name: str, published: _Sums, recomputed: SumsTable) -> None:
        """Compares the users' sums of a scorecard."""
        if name in published.table:
            self._differences[name] += in_sums(published.table.users(name), recomputed.users(name))
        else:
            self._unchecked[name].append(published.reason or f"Its users' sums are not in {published.path}.")

    def _compare_row(self, card: Scorecard) -> None:
        """Compares the figures of a scorecard with those on the board."""
        row = self._published.board.get(card.id)
        if card.id in self._published.twice:
            self._differences[card.id].append(Difference(figure="board.rows", published=2, recomputed=1))
        if row is not None and row.rows_sha == card.rows_sha:
            self._differences[card.id] += in_board(row, card, Place(), FIGURES)
        else:
            missing = self._published.board_unread or _NOT_ON_THE_BOARD
            self._unchecked[card.id].append(missing if row is None else _OTHER_ROWS)

    def _stand_in(self, names: Sequence[str], sums: _Sums) -> None:
        """Keeps published users' sums of scorecards that could not be recomputed, for the ranks of all others."""
        there = [name for name in names if name in sums.table]
        self._lost |= set(names) - set(there)
        try:
            if there:
                take_over(self._folder, sums.path, sums.content, there)
        except ValueError:
            self._lost |= set(there)

    def _parts(self) -> Iterator[tuple[str, bytes]]:
        """Yields the files of users' sums that were recomputed."""
        for path in sorted({layout.user_scores_path(card.model) for card in self._published.cards.values()}):
            if (self._folder / path).exists():
                yield path, (self._folder / path).read_bytes()
