"""The route of the page of comparisons."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from evaluator.errors import RapportError
from leaderboard.answers.pairs import MOST, Comparison, compare
from leaderboard.answers.table import ItemTable, NoItems
from leaderboard.board.build import Board, BoardRow
from leaderboard.pages.compare.asked import PAGE, Asked, asked_of
from leaderboard.pages.compare.chosen import (
    NOTHING,
    CompareIndex,
    Refusal,
    called,
    chosen,
    compare_index,
    missing_rows,
    nothing_shared,
    offered,
    refusal,
)
from leaderboard.pages.compare.page import ComparePage, compare_page
from leaderboard.pages.reader import Reader
from leaderboard.pages.site import HEADERS, shown_message, shown_page
from leaderboard.pages.tables_of_items import ItemTables, Keep
from leaderboard.pages.unchanged import unless_known
from leaderboard.store.base import StoreError

log = logging.getLogger("rapport.pages")

_COMPARISONS = 64
"""Comparisons that are kept; each takes some 100 kB at most."""
_UNREADABLE = "The board cannot be read right now"
_AWAY = "Single answers cannot be read right now"
_LATER = "The figures on the board are there all the same. Try again in a while."


class ComparePages:
    """Answers requests of the page."""

    def __init__(self, reader: Reader, tables: ItemTables) -> None:
        """Shows what a reader finds.

        Args:
            reader: Finds what is compared.
            tables: The items of scorecards; shared with all other pages that show them.
        """
        self._reader, self._tables = reader, tables
        self._found = Keep[Comparison](_COMPARISONS)
        self._lock = threading.Lock()
        self._of: Board | None = None
        self._index = NOTHING

    def page(self, request: Request) -> Response:
        """Two to four results beside each other, or why they are not compared."""
        given = request.query_params.multi_items()
        asked = asked_of(given)
        if sum(name == "ids" for name, _ in given) > 1:  # As the form sends them; there is one address of each state.
            return RedirectResponse(asked.address, 302, headers=dict(HEADERS))
        board, problems = self._reader.board()
        if not board.revision and problems:
            return shown_message(503, _UNREADABLE, " ".join(problems))
        index = self._indexed(board)
        found = chosen(index, asked.ids)
        rows = [row for row in found if row is not None]
        try:
            shown = refusal(index, asked, found) or self._compared(index, rows, asked)
        except (RapportError, StoreError) as error:
            log.error("results cannot be compared: %s", error)
            return shown_message(503, _AWAY, _LATER)
        if isinstance(shown, ComparePage):
            added = {"asked": shown.asked, "fields": int(len(rows) < MOST), "offered": offered(index, rows)}
            page = shown_page("compare/page.html", here="/", page=shown, problems=problems, **added)
        else:
            kept = [index.models.by_id[each] for each in shown.kept]
            added = {"asked": asked._replace(ids=shown.kept, page=1), "fields": max(1, 2 - len(kept))}
            told = {"refusal": shown, "kept": called(kept), "offered": offered(index, kept), **added}
            page = shown_page("compare/refused.html", here="/", problems=problems, **told)
            page.status_code = shown.status
        return unless_known(request, page)

    def _compared(self, index: CompareIndex, rows: Sequence[BoardRow], asked: Asked) -> ComparePage | Refusal:
        """Compares results of one ranking."""
        cards = [index.cards[row.scorecard_id] for row in rows]
        tables, lacking = list[ItemTable](), list[tuple[int, str]]()
        for place, card in enumerate(cards):
            table = self._tables.get(card)
            if isinstance(table, NoItems):
                lacking.append((place, table.reason))
            else:
                tables.append(table)
        if lacking:
            return missing_rows(asked, rows, lacking)
        found = self._found.get(tuple((card.id, card.rows_sha) for card in cards), lambda: compare(tables))
        if isinstance(found, NoItems) or not found.items:
            return nothing_shared(asked, rows)
        return compare_page(self._tables.results, rows, cards, tables, found, asked)

    def _indexed(self, board: Board) -> CompareIndex:
        """Returns what there is on a board, laid out once for each."""
        with self._lock:  # Whoever waits here finds what the first one laid out.
            if self._of is not board:
                self._index, self._of = compare_index(board), board
            return self._index


def compare_router(pages: ComparePages) -> APIRouter:
    """Returns the route; it runs in threads, since it reads the store."""
    routes = APIRouter(include_in_schema=False)
    routes.add_api_route(PAGE, pages.page, methods=["GET", "HEAD"], response_class=HTMLResponse)
    return routes
