"""The files of one run's public rows, and whether they are what their paths say: they may come from anyone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from evaluator.protocol import is_human_grounded
from leaderboard.board.tallies import database
from leaderboard.open_data import layout
from leaderboard.open_data.records import OpenGeneration, OpenVerdict
from leaderboard.scorecards import scorecard_id
from leaderboard.store.parquet import schema_of

_NEWER = ("persona_category", "sentiment", "evidence_position")
"""Columns that files of older versions lack; nothing is added up from them."""

_NAMES = """
select distinct filename, run_id, model, protocol, null from read_parquet($generations, filename = true)
union all
select distinct filename, run_id, model, protocol, rater from read_parquet($verdicts, filename = true)
"""


class RunFiles(NamedTuple):
    """The files of one run under one judge."""

    rows: Path
    """Folder of the public data set."""
    judge: str
    generations: Path
    verdicts: Path

    @property
    def part(self) -> str:
        """The part of the data set that its model belongs to."""
        return self.verdicts.parents[2].name

    @property
    def scorecard_id(self) -> str:
        """The scorecard that it leads to."""
        return scorecard_id(self.verdicts.stem, self.judge)

    @property
    def names(self) -> tuple[str, str, str]:
        """Run, model and protocol."""
        return self.verdicts.stem, self.verdicts.parents[1].name.replace("@", "/"), self.verdicts.parent.name


def runs_in(rows: Path, folders: str) -> list[RunFiles]:
    """Returns the runs of HiCUPID that were judged, sorted, of some folders of models' rows.

    Rows of human-grounded tasks lie beside theirs, and come to nothing here: their scorecards are others.

    Args:
        rows: Folder of the public data set.
        folders: Pattern of the folders below a judge's, such as `*/*` for all.
    """
    found = []
    for verdicts in sorted((rows / layout.VERDICTS).glob(f"*/{folders}/*/*.parquet")):
        judge, *rest = verdicts.relative_to(rows / layout.VERDICTS).parts
        if judge == layout.HUMAN_RATERS or is_human_grounded(verdicts.parent.name):
            continue  # Nobody is scored by what people said.
        found.append(RunFiles(rows, judge, rows.joinpath(layout.GENERATIONS, *rest), verdicts))
    return found


def check_files(runs: Sequence[RunFiles]) -> None:
    """Returns if files can be added up together, each for its own run.

    Raises:
        ValueError: If one has other columns, or rows of another run, naming it.
        duckdb.Error: If one cannot be read.
    """
    for run in runs:
        _check_columns(run.generations, OpenGeneration)
        _check_columns(run.verdicts, OpenVerdict)
    _check_names(runs)


def first_line(words: str) -> str:
    """Returns the first line of what went wrong, without its full stop.

    Example:
        >>> first_line("No magic bytes found.")
        'No magic bytes found'
    """
    return words.splitlines()[0][:300].rstrip(".") if words else "no reason given"


def _check_columns(path: Path, kind: type[OpenGeneration] | type[OpenVerdict]) -> None:
    """Refuses a file that has not all columns of its kind: read together, one changes what others are taken for."""
    try:
        there = pq.read_schema(path)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{path} is no readable Parquet file: {first_line(str(error))}") from error
    for field in schema_of(kind):
        place = there.get_field_index(field.name)
        if place < 0 and field.name in _NEWER:
            continue
        if place < 0 or (there.field(place).type, there.field(place).nullable) != (field.type, field.nullable):
            raise ValueError(f"{path} lacks the column {field.name}, or it is of another type")


def _check_names(runs: Sequence[RunFiles]) -> None:
    """Refuses files whose rows are of another run than their paths say: they would be added to that one's."""
    expected: dict[str, tuple[str | None, ...]] = {str(run.generations): (*run.names, None) for run in runs}
    expected |= {str(run.verdicts): (*run.names, run.judge) for run in runs}
    files = {kind: [str(getattr(run, kind)) for run in runs] for kind in (layout.GENERATIONS, layout.VERDICTS)}
    with database() as connection:
        for path, *names in connection.execute(_NAMES, files).fetchall():
            if tuple(names) != expected[path]:
                raise ValueError(f"{path} holds rows of another run, or of another judge")
