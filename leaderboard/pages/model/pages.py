"""Routes of a model's page, of the list of its answers, and of a single answer."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from evaluator.errors import RapportError
from leaderboard.answers.sources import NoText, source_of
from leaderboard.answers.table import ItemTable, NoItems
from leaderboard.answers.texts import answers_page, answers_with
from leaderboard.board.build import Board, BoardRow
from leaderboard.exports.files import Exports
from leaderboard.pages.asking import first_of
from leaderboard.pages.model.asked import ANSWERS, MODEL, Asked, asked_of
from leaderboard.pages.model.handed import handed_without
from leaderboard.pages.model.head import facts_of, rank_sentence, total_of, total_sentence
from leaderboard.pages.model.history import failures_of, moves_of, results_of, variants_of
from leaderboard.pages.model.index import NOTHING, ModelIndex, choose, model_index
from leaderboard.pages.model.kept import Items, Sliced
from leaderboard.pages.model.listing import answers_listed, beside, shown
from leaderboard.pages.model.people import people_of
from leaderboard.pages.model.plots import desiderata_plots, slice_groups
from leaderboard.pages.plots.ranks import history_address
from leaderboard.pages.reader import Reader
from leaderboard.pages.site import shown_message, shown_page
from leaderboard.pages.tables_of_items import ItemTables
from leaderboard.pages.unchanged import unless_known
from leaderboard.results import Scorecard
from leaderboard.store.base import StoreError

log = logging.getLogger("rapport.pages")

_UNREADABLE = "The board cannot be read right now"
_AWAY = "Single answers cannot be read right now"
_LATER = "The figures on the model's page are there all the same. Try again in a while."


class _Asked(NamedTuple):
    """A scorecard whose answers are asked for."""

    row: BoardRow
    card: Scorecard
    table: ItemTable | NoItems
    problems: tuple[str, ...]
    """What is wrong with what is shown, such as that it is a copy."""


class Single(NamedTuple):
    """One answer of a scorecard."""

    found: _Asked
    table: ItemTable
    asked: Asked
    """Among which answers it is looked at."""
    question: str
    place: int
    """Of the question in the table."""

    @property
    def address(self) -> str:
        """Where it stands."""
        return self.asked.of(self.question)


class ModelPages:
    """Answers requests of these pages."""

    def __init__(self, reader: Reader, tables: ItemTables, exports: Exports, store: str = "") -> None:
        """Shows what a reader finds.

        Args:
            reader: Finds what is shown.
            tables: The items of scorecards; shared with all other pages that show them.
            exports: Makes citations.
            store: The name of the stores on the Hub, as RAPPORT_STORE tells it; empty where they are in folders.
        """
        self._reader, self._items, self._exports, self._store = reader, Items(tables), exports, store
        self._lock = threading.Lock()
        self._of: Board | None = None
        self._index = NOTHING

    def model(self, request: Request) -> Response:
        """One model: a scorecard of it by slice, and all else that there is."""
        values = first_of(request.query_params.multi_items())
        board, problems = self._reader.board()
        index = self._indexed(board)
        chosen = choose(index, values.get("id", ""), values.get("protocol", ""), values.get("judge", ""))
        if chosen is None and not board.revision:
            return shown_message(503, _UNREADABLE, " ".join(problems))
        if chosen is None:
            return self._no_result(request, index, values.get("id", ""), problems)
        row = chosen.row
        sliced = self._sliced(board.cards.get(row.scorecard_id))
        page = shown_page(
            "model/page.html",
            here="/",
            row=row,
            problems=problems,
            lacking=chosen.lacking,
            facts=facts_of(row),
            rank=rank_sentence(row),
            total=total_sentence(row),
            desiderata=desiderata_plots(row.desiderata),
            sliced=sliced,
            groups=slice_groups(sliced) if isinstance(sliced, Sliced) else (),
            asked=Asked(row.scorecard_id),
            citation=self._citation(row),
            store=self._store,
            **self._history(index, board, row),
        )
        return unless_known(request, page)

    def answers(self, request: Request) -> Response:
        """The answers of one scorecard, page by page."""
        asked = asked_of(request.query_params.multi_items())
        try:
            found = self._asked(asked.scorecard)
            if isinstance(found, Response):
                return found
            if isinstance(found.table, NoItems):
                return unless_known(request, shown_page("model/no_answers.html", here="/", found=found))
            source = source_of(found.card)
            page = answers_listed(found.table, asked, self._among(found, asked))
            answered = answers_page(self._items.results, found.card, found.table, page.question_ids, source)
        except (RapportError, StoreError) as error:
            return _unreadable(error)
        rows = tuple(shown(each, page.asked) for each in answered)
        told = {"found": found, "page": page, "rows": rows, "no_text": source if isinstance(source, NoText) else None}
        return unless_known(request, shown_page("model/answers.html", here="/", **told))

    def answer(self, request: Request, objecting: Callable[[Single], object]) -> Response:
        """A single answer, and which stand beside it.

        Args:
            request: What is asked.
            objecting: Says what the template is told of objections to the answer.
        """
        single = self.single(request)
        if isinstance(single, Response):
            return single
        found, table, asked, question, place = single
        try:
            answered = answers_page(self._items.results, found.card, table, [question], source_of(found.card))
            among = beside(table, asked, place, self._among(found, asked))
        except (RapportError, StoreError) as error:
            return _unreadable(error)
        if not answered:  # The rows were replaced between two looks at them.
            return shown_message(503, _AWAY, _LATER)
        told = {"found": found, "each": shown(answered[0], asked), "asked": asked, "beside": among}
        return shown_page("model/answer.html", here="/", objecting=objecting(single), **told)

    def single(self, request: Request) -> Single | Response:
        """Returns the one answer that an address names, or says why there is none."""
        asked = asked_of(request.query_params.multi_items())._replace(page=1)
        question = first_of(request.query_params.multi_items()).get("question", "")
        try:
            found = self._asked(asked.scorecard)
            if isinstance(found, Response):
                return found
            if isinstance(found.table, NoItems):
                return shown_message(404, "This answer cannot be shown", found.table.reason)
            (place,) = found.table.places([question]).tolist()
        except (RapportError, StoreError) as error:
            return _unreadable(error)
        if place < 0:
            return shown_message(404, "There is no such question", "This result has no answer of that id.")
        return Single(found, found.table, asked, question, place)

    def _asked(self, scorecard_id: str) -> _Asked | Response:
        """Returns a scorecard with its items, or says why there is none."""
        board, problems = self._reader.board()
        row, card = self._indexed(board).by_id.get(scorecard_id), board.cards.get(scorecard_id)
        if row is not None and card is not None:
            return _Asked(row, card, self._items.table(card), problems)
        if problems:
            return shown_message(503, "This scorecard cannot be looked up right now", " ".join(problems))
        if any(each.id == scorecard_id for each in board.human):
            told = "Single answers of human-grounded tasks are not shown here; its figures are."
            return shown_message(404, "There is nothing to browse", told)
        return shown_message(404, "There is no such scorecard", "It may have been withdrawn; the board lists all.")

    def _among(self, found: _Asked, asked: Asked) -> Sequence[str] | None:
        """Returns the questions whose answers hold the words that are asked for; None where none are."""
        return answers_with(self._items.results, found.card, asked.q) if asked.q else None

    def _sliced(self, card: Scorecard | None) -> Sliced | NoItems:
        """Returns the slices of a scorecard, or why there are none: its other figures are shown all the same."""
        if card is None:
            return NoItems("The scorecard's rows cannot be looked up right now.")
        try:
            return self._items.sliced(card)
        except (RapportError, StoreError) as error:
            log.error("the rows of %s cannot be read: %s", card.id, error)
            return NoItems("The public rows of this scorecard cannot be read right now.")

    def _history(self, index: ModelIndex, board: Board, row: BoardRow) -> dict[str, object]:
        """Returns what the template is told of all else that there is of a model."""
        rows = index.by_name[row.model]
        changes, _ = self._reader.changes()
        try:
            moves = moves_of(changes.of(row.model), row)
        except RapportError as error:
            log.error("what changed cannot be told: %s", error)
            moves = None
        card = board.cards.get(row.scorecard_id)
        found = self._reader.of_model(row.model)
        return {
            "results": results_of(rows, row),
            "variants": variants_of(index.by_submitter.get(row.submitter, ()), row),
            "moves": moves,
            "rank_history": history_address(row),
            "people": people_of(index.human.get(row.model, ())),
            "failures": failures_of(self._reader, found.views, rows, row, card.result.failures if card else ()),
            "handed": handed_without(found, {each.submission_id for each in rows}),
            "total_of": total_of,
        }

    def _citation(self, row: BoardRow) -> str:
        """Returns how to cite a scorecard; empty if nobody can say right now."""
        try:
            return self._exports.scorecard_file(f"{row.scorecard_id}.bib").content.decode()
        except RapportError as error:
            log.error("no citation of %s: %s", row.scorecard_id, error)
            return ""

    def _no_result(self, request: Request, index: ModelIndex, name: str, problems: tuple[str, ...]) -> Response:
        """Shows what there is of a model without a result of HiCUPID, or says why there is no page of a name."""
        found, cards = self._reader.of_model(name), index.human.get(name, ())
        if cards or found.views:
            told = {"name": name, "problems": problems, "people": people_of(cards), "handed": handed_without(found, ())}
            return unless_known(request, shown_page("model/no_result.html", here="/", **told))
        if found.problem and self._reader.has_ledger:
            return shown_message(503, "This model cannot be looked up right now", found.problem)
        looked = f" None of the newest {found.looked_at:,} submissions is of it." if found.total else ""
        return shown_message(
            404, "There is no such model", f"No result of that name is on the board.{looked} The queue lists all."
        )

    def _indexed(self, board: Board) -> ModelIndex:
        """Returns what there is on a board, laid out once for each."""
        with self._lock:  # Whoever waits here finds what the first one laid out.
            if self._of is not board:
                self._index, self._of = model_index(board), board
            return self._index


def _unreadable(error: Exception) -> Response:
    """Says that rows cannot be read."""
    log.error("single answers cannot be read: %s", error)
    return shown_message(503, _AWAY, _LATER)


def model_router(pages: ModelPages) -> APIRouter:
    """Returns the routes but that of a single answer, where people object; they run in threads: they read the store."""
    routes = APIRouter(include_in_schema=False)
    answers: dict[str, Callable[..., Response]] = {MODEL: pages.model, ANSWERS: pages.answers}
    for path, answer in answers.items():
        routes.add_api_route(path, answer, methods=["GET", "HEAD"], response_class=HTMLResponse)
    return routes
