"""Adds up the public rows of some scorecards anew: fetched into a folder, added up, thrown away."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

from evaluator.results import Result
from leaderboard.board.rebuild import read_figures, rebuild
from leaderboard.open_data import layout
from leaderboard.results import Scorecard
from leaderboard.store.base import BadPath, NotFound, Store, StoreCorrupt

_FILES_AT_ONCE = 16
"""Files in memory at once; each has some megabytes."""
ITS_OWN = (NotFound, BadPath, StoreCorrupt)
"""What is wrong with some file of a store; all other errors are about a store as a whole."""
PRIVATE = "Its rows are of private data and stay private."
NONE = "None of its rows is public, or none counts."


class Recomputed(NamedTuple):
    """What the rows of some scorecards came to."""

    results: Mapping[str, Result]
    """By scorecard."""
    reasons: Mapping[str, str]
    """Why there is none, in a sentence; by scorecard."""
    rows: int
    """Rows that were added up."""


def row_paths(card: Scorecard) -> tuple[str, str]:
    """Returns where the answers and the verdicts behind a scorecard lie."""
    answers, verdicts = layout.row_paths(card.model, card.run_id, card.judge)
    return answers, verdicts


def recompute(results: Store, cards: Sequence[Scorecard], there: Collection[str], target: Path) -> Recomputed:
    """Adds up the rows of scorecards whose models share a part of the data set; keeps their users' sums.

    Args:
        results: The public data set of results.
        cards: The scorecards.
        there: Paths of all files of rows.
        target: Folder for what was added up; see `rebuild`.

    Raises:
        StoreError: If the store as a whole cannot be read.
    """
    wanted = {card.id: row_paths(card) for card in cards}
    broken = {path: f"{path} is missing." for paths in wanted.values() for path in paths if path not in there}
    fetched = sorted({path for paths in wanted.values() for path in paths} - broken.keys())
    with tempfile.TemporaryDirectory(prefix="rapport-audit-") as name:
        folder = Path(name)
        for start in range(0, len(fetched), _FILES_AT_ONCE):
            broken |= _fetch(results, fetched[start : start + _FILES_AT_ONCE], folder)
        problems = rebuild(folder, target)
        found: dict[str, Result] = {}
        reasons: dict[str, str] = {}
        rows = 0
        for card in cards:
            lost = [broken[path] for path in wanted[card.id] if path in broken]
            result = None if lost or card.id in problems else read_figures(target, card.model, card.id)
            if result is not None:
                found[card.id] = result
                rows += sum(pq.read_metadata(folder / path).num_rows for path in wanted[card.id])
            elif card.terms.visibility == "private":
                reasons[card.id] = PRIVATE
            else:
                reasons[card.id] = lost[0] if lost else problems.get(card.id, NONE)
    return Recomputed(found, reasons, rows)


def _fetch(results: Store, paths: Sequence[str], folder: Path) -> dict[str, str]:
    """Writes files of the data set into a folder; returns why a file cannot be read, by its path."""
    try:
        contents = results.read_all(paths)
    except ITS_OWN as error:
        if len(paths) == 1:
            return {paths[0]: f"{paths[0]} cannot be read: {error}."}
        return {path: why for each in paths for path, why in _fetch(results, [each], folder).items()}
    for path, content in contents.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return {}
