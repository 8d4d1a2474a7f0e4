"""A published result as everyone can read it: its scorecard and the rows of its run, from the results data set."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

from evaluator.errors import Cause, RapportError
from evaluator.records import Generation, InputKey, Record, Terms, Verdict, VerdictKey, verdict_version
from evaluator.reproduction import Answer, Said, Side
from leaderboard.open_data import layout
from leaderboard.open_data.files import decode_board
from leaderboard.open_data.records import OpenCard, OpenGeneration, OpenRecord, OpenVerdict
from leaderboard.results import Scorecard
from leaderboard.store.base import NotFound, Store, StoreError
from leaderboard.store.parquet import decode_parquet
from leaderboard.store.rows import read_record

Row = TypeVar("Row", bound=OpenRecord)


class Published(NamedTuple):
    """A scorecard with the public rows behind it; those that may not be public are not among them."""

    card: Scorecard
    generations: tuple[OpenGeneration, ...]
    verdicts: tuple[OpenVerdict, ...]

    def side(self) -> Side:
        """Returns the rows that count."""
        answers = {row.question_id: _answer(row) for row in self.generations if row.counts}
        said = [_said(row) for row in self.verdicts if row.counts]
        return Side(answers, {(row.question_id, row.content_hash, row.order): row for row in said})

    def answers(self) -> list[Generation]:
        """Returns the answers that count and are shown or were never given, as the rows that they were made from."""
        hashes = {name: row.content_hash for name, row in self.side().answers.items()}
        kept = {
            row.question_id: row
            for row in sorted(self.generations, key=lambda row: row.attempt)
            if not _is_withheld(row) and row.content_hash == hashes[row.question_id]
        }
        return [generation_of(row, self.card.terms) for row in kept.values()]


def read_published(results: Store, scorecard_id: str) -> Published:
    """Reads a published result.

    Args:
        results: The public data set of results.
        scorecard_id: As the board shows it: the run, `@`, the judge.

    Raises:
        RapportError: `not_found` if there is no such scorecard or none of its rows is public, `data_error` if a file is
            broken, `infrastructure` if the data set cannot be read.
    """
    try:
        card = _card(results, scorecard_id)
        answers = _rows(results, layout.generations_path(card.model, card.run_id), OpenGeneration)
        said = _rows(results, layout.verdicts_path(card.judge, card.model, card.run_id), OpenVerdict)
    except StoreError as error:
        raise RapportError(Cause.INFRASTRUCTURE, f"{error.cause.rstrip('.')}.", error.remedy) from error
    if not answers:
        raise RapportError(
            Cause.NOT_FOUND,
            f"No row of {scorecard_id} is public, so there is nothing to compare with.",
            "Rows of private data stay private; `rapport evaluate` makes a result of your own to compare with.",
        )
    return Published(card, tuple(answers), tuple(said))


def generation_of(row: OpenGeneration, terms: Terms) -> Generation:
    """Returns the row of the archive that a public one was made from; one without its text as if that was taken down.

    Args:
        row: The public row.
        terms: Those of its scorecard.

    Raises:
        RapportError: `data_error` if its answer or its conditions are not those that its hashes name.
    """
    kept = _kept(row, Generation) | ({"taken_down": True, "schema_version": 2} if _is_withheld(row) else {})
    try:
        return Generation.model_validate(kept | {"key": _kept(row, InputKey), "terms": terms})
    except ValueError as error:
        raise _unlike(f"answer to {row.question_id}") from error


def verdict_of(row: OpenVerdict, terms: Terms) -> Verdict:
    """Returns the row of the archive that a public one was made from; one without its words has none.

    Args:
        row: The public row.
        terms: Those of its scorecard.

    Raises:
        RapportError: `data_error` if its conditions are not those that its name stands for.
    """
    own = {"terms": terms, "completion": row.completion or "", "schema_version": verdict_version(row.outcome)}
    try:
        return Verdict.model_validate(_kept(row, Verdict) | own | {"key": _kept(row, VerdictKey)})
    except ValueError as error:
        raise _unlike(f"verdict on {row.question_id}") from error


def _is_withheld(row: OpenGeneration) -> bool:
    return row.answer_status == "withheld"


def _kept(row: OpenRecord, kind: type[Record]) -> dict[str, Any]:
    """Returns the fields of a record of the archive that a public row has under the same names."""
    return {name: value for name, value in row if name in kind.model_fields and name != "schema_version"}


def _unlike(what: str) -> RapportError:
    """Says that a public row contradicts itself."""
    return RapportError(
        Cause.DATA_ERROR,
        f"The public {what} does not fit its own hashes.",
        "Tell the maintainers of the site: it was tampered with, or something was taken out of its conditions.",
    )


def _card(results: Store, scorecard_id: str) -> Scorecard:
    """Reads a scorecard; the board tells whose it is, and with that where it lies."""
    try:
        board = decode_board(results.read(layout.BOARD), layout.BOARD)
    except NotFound:
        board = []
    model = next((row.model for row in board if row.scorecard_id == scorecard_id), None)
    if model is not None:
        path = layout.scorecards_path(model)
        for row in _rows(results, path, OpenCard):
            if row.id == scorecard_id:
                return read_record(row.scorecard, Scorecard, f"scorecard {row.id}")
    raise RapportError(
        Cause.NOT_FOUND,
        f"There is no scorecard {scorecard_id[:200]!r} in this data set.",
        "Copy its id from the board, RUN@JUDGE; name another data set with --store. It may have been withdrawn.",
    )


def _rows(results: Store, path: str, kind: type[Row]) -> list[Row]:
    """Reads a file of rows; one that is not there has none."""
    try:
        return decode_parquet(results.read(path), kind, path)
    except NotFound:
        return []


def _answer(row: OpenGeneration) -> Answer:
    return Answer(row.question_id, row.prompt_hash, row.content_hash, row.answer, row.defect, row.failure)


def _said(row: OpenVerdict) -> Said:
    what = (row.prompt_hash, row.outcome, row.failure, row.word_probabilities)
    return Said(row.question_id, row.content_hash, row.slot_order, *what)
