"""The board from the public rows alone: users' sums and figures of every run.

What was added up is kept: users' sums in the layout of the public data set, and the figures of each scorecard. A new or
newly judged model costs reading its own rows, and the sums of all others for the ranking. Whatever the order in which
models came, the files are byte for byte those of a full rebuild.

Rows may come from anyone: a run is what the paths of its files say, and rows that say otherwise are not added up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from evaluator.parquet import read_table
from evaluator.results import Result
from leaderboard.board.figures import result_of
from leaderboard.board.run_files import RunFiles, check_files, first_line, runs_in
from leaderboard.board.tallies import TYPES, RunTally, tally_rows
from leaderboard.open_data import layout
from leaderboard.open_data.records import OpenUserScore
from leaderboard.scorecards import scorecard_id
from leaderboard.store.parquet import schema_of

FIGURES = "figures"
"""Folder of the results that were added up, one JSON file a scorecard."""
_BATCH = 32
"""Runs added up at once."""
_SUMS = pa.schema([field for field in schema_of(OpenUserScore) if field.name not in ("schema_version", "rows_sha")])
_UNREADABLE = (duckdb.Error, pa.ArrowException, OSError, ValueError, TypeError, ArithmeticError)
"""What rows that nobody of ours wrote may lead to."""


class _Added(NamedTuple):
    """What a run came to."""

    judge: str
    tally: RunTally
    result: Result


def rebuild(rows: Path, target: Path) -> Mapping[str, str]:
    """Adds up all public rows and writes users' sums and figures.

    Args:
        rows: Folder of the public data set.
        target: Folder to write into. Parts of users' sums that `rows` has runs of are written anew, all others stay.

    Returns:
        Why a run was not added up, in a sentence naming the file, by scorecard; all others were.
    """
    problems: dict[str, str] = {}
    tables: dict[str, list[Any]] = defaultdict(list)
    runs = sorted(runs_in(rows, "*/*"), key=lambda run: (run.part, run.verdicts))
    for start in range(0, len(runs), _BATCH):
        batch = runs[start : start + _BATCH]
        for added in _add_up(batch, problems):
            _write_figures(target, added)
            tables[layout.user_scores_path(added.tally.model)].append(_table(added))
        going_on = {run.part for run in runs[start + _BATCH : start + _BATCH + 1]}
        for path in [path for path in tables if Path(path).stem not in going_on]:
            _write_sums(target / path, tables.pop(path))
    return problems


def update(rows: Path, target: Path, model: str) -> Mapping[str, str]:
    """Adds up the rows of one model anew, in place of what is kept of it; reads no other model's rows.

    Args:
        rows: Folder of the public data set.
        target: Folder that `rebuild` wrote into.
        model: Its name; one without rows is taken out.

    Returns:
        As `rebuild`.
    """
    problems: dict[str, str] = {}
    path = target / layout.user_scores_path(model)
    tables = []
    if path.exists():
        kept = read_table(path)
        tables.append(kept.filter(pc.not_equal(kept["model"], model)))
    for old in _figures_folder(target, model).glob("*.json"):
        old.unlink()
    folder = Path(layout.generations_folder(model)).relative_to(layout.GENERATIONS)
    for added in _add_up(runs_in(rows, folder.as_posix()), problems):
        _write_figures(target, added)
        tables.append(_table(added))
    _write_sums(path, tables)
    return problems


def read_figures(target: Path, model: str, name: str) -> Result | None:
    """Returns the result of a scorecard that was added up; None if it was not.

    Args:
        target: Folder that `rebuild` wrote into.
        model: The scorecard's model.
        name: Its id.
    """
    try:
        content = (_figures_folder(target, model) / f"{name}.json").read_bytes()
    except FileNotFoundError:
        return None
    return Result.model_validate_json(content)


def take_over(target: Path, path: str, content: bytes, names: Collection[str]) -> None:
    """Puts published users' sums beside those that were added up.

    Args:
        target: Folder that `rebuild` wrote into.
        path: Path of the published file, as in the data set.
        content: The file.
        names: Ids of the scorecards whose sums are taken; none of them was added up.

    Raises:
        ValueError: If the file holds something else, or sums that no scores come to; nothing was taken over.
    """
    try:
        table = read_table(content, _SUMS.names).select(_SUMS.names).cast(_SUMS)
        table = table.filter(pc.is_in(table["scorecard_id"], pa.array(names, pa.string())))
    except (pa.ArrowException, OSError, KeyError, TypeError) as error:
        raise ValueError(f"{path} holds no users' sums: {first_line(str(error))}") from error
    for type_ in TYPES:
        sums, items = table[f"{type_}_sum"].to_numpy(), table[f"{type_}_items"].to_numpy()
        if not ((sums >= 0) & (sums <= 100.0 * items)).all():
            raise ValueError(f"{path} holds sums that no scores in 0 to 100 come to")
    kept = [read_table(target / path)] if (target / path).exists() else []
    _write_sums(target / path, [*kept, table])


def _add_up(runs: Sequence[RunFiles], problems: dict[str, str]) -> Iterator[_Added]:
    """Adds up runs together, and where a file cannot be read each by itself, so that it costs its own run alone."""
    for judge in sorted({run.judge for run in runs}):
        mine = [run for run in runs if run.judge == judge]
        try:
            yield from _together(mine)
        except _UNREADABLE as error:
            if len(mine) > 1:
                for run in mine:
                    yield from _add_up([run], problems)
            else:
                words = first_line(str(error).replace(f"{mine[0].rows}/", ""))
                problems[mine[0].scorecard_id] = f"{mine[0].scorecard_id} cannot be added up: {words}."


def _together(runs: Sequence[RunFiles]) -> list[_Added]:
    """Adds up runs of one judge, all or none of them."""
    check_files(runs)
    tallies = tally_rows([run.generations for run in runs], [run.verdicts for run in runs])
    return [_Added(runs[0].judge, tally, result_of(tally)) for tally in tallies]


def _figures_folder(target: Path, model: str) -> Path:
    return target / FIGURES / Path(layout.generations_folder(model)).relative_to(layout.GENERATIONS)


def _write_figures(target: Path, added: _Added) -> None:
    """Writes the result part of a scorecard."""
    name = scorecard_id(added.tally.run_id, added.judge)
    path = _figures_folder(target, added.tally.model) / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(added.result.model_dump_json() + "\n", encoding="utf-8")


def _table(added: _Added) -> Any:
    """Lays a run's users out as rows."""
    tally, users = added.tally, len(added.tally.users)
    own = {
        "scorecard_id": scorecard_id(tally.run_id, added.judge),
        "model": tally.model,
        "protocol": tally.protocol,
        "judge": added.judge,
    }
    columns: dict[str, Any] = {name: [value] * users for name, value in own.items()}
    columns |= {"split": [split for split, _ in tally.users], "user_id": [user for _, user in tally.users]}
    for type_ in TYPES:
        columns[f"{type_}_sum"], columns[f"{type_}_items"] = tally.sums_of(f"{type_}_score")
    return pa.table(columns, schema=_SUMS)


def _write_sums(path: Path, tables: Sequence[Any]) -> None:
    """Writes a part of the users' sums in an order that its rows alone decide; an empty one is taken away."""
    table = pa.concat_tables(tables) if tables else _SUMS.empty_table()
    if not len(table):
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    ordered = table.sort_by([(name, "ascending") for name in ("scorecard_id", "split", "user_id")])
    pq.write_table(ordered.combine_chunks(), path, compression="zstd")
