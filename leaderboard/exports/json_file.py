"""The board and whole scorecards as JSON, under names and in a layout of our own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from evaluator.records import Record
from evaluator.results import Desiderata
from leaderboard.exports.entry import Edition, Entry
from leaderboard.open_data.board import OpenScorecard
from leaderboard.open_data.human import OpenHumanFigure
from leaderboard.results import Scorecard


class ExportedBoard(Record):
    """All rows of the board, in its order."""

    schema_version: Literal[1] = 1
    revision: str
    """State of the store that they were read from."""
    problems: tuple[str, ...]
    """What is wrong with the board, such as files that could not be read, in sentences; empty if nothing is."""
    rows: tuple[OpenScorecard, ...]
    """Each figure with its interval and counts."""


class ExportedHumanFigures(Record):
    """All figures of human-grounded tasks: scorecard by scorecard, in the order of the board."""

    schema_version: Literal[1] = 1
    revision: str
    """State of the store that they were read from."""
    problems: tuple[str, ...]
    """What is wrong with the board, such as files that could not be read, in sentences; empty if nothing is."""
    figures: tuple[OpenHumanFigure, ...]
    """Each with its interval, or why it has none, and its counts."""


class ExportedScorecard(Record):
    """A whole scorecard with its place on the board."""

    schema_version: Literal[1] = 1
    revision: str
    """State of the store that it was read from."""
    rank: int | None
    rank_interval: tuple[int, int] | None
    unranked_because: tuple[str, ...]
    """Why it does not rank; empty if it does."""
    desiderata: Desiderata
    """Two of these take several scorecards."""
    scorecard: Scorecard


def encode_board_json(rows: Iterable[OpenScorecard], edition: Edition) -> bytes:
    """Returns the board as one JSON object."""
    return _encode(ExportedBoard(revision=edition.revision, problems=edition.problems, rows=tuple(rows)))


def encode_human_json(figures: Iterable[OpenHumanFigure], edition: Edition) -> bytes:
    """Returns the figures of human-grounded tasks as one JSON object."""
    return _encode(ExportedHumanFigures(revision=edition.revision, problems=edition.problems, figures=tuple(figures)))


def encode_scorecard(entry: Entry, edition: Edition) -> bytes:
    """Returns a scorecard as one JSON object."""
    row = entry.row
    return _encode(
        ExportedScorecard(
            revision=edition.revision,
            rank=row.rank,
            rank_interval=row.rank_interval,
            unranked_because=row.unranked_because,
            desiderata=row.desiderata,
            scorecard=entry.card,
        )
    )


def _encode(record: Record) -> bytes:
    return (record.model_dump_json() + "\n").encode()
