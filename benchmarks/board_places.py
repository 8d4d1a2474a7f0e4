"""The places of all scorecards, from the users' sums that are kept of them."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from evaluator.metrics.ranks import rank_board
from leaderboard.board.sums import SumsTable
from leaderboard.open_data import layout

PLACES = "places.parquet"


def write_places(target: Path) -> None:
    """Ranks all scorecards, each protocol and judge by itself.

    Args:
        target: Folder that `leaderboard.board.rebuild.rebuild` wrote into.
    """
    table, rankings, rows = SumsTable(), defaultdict[str, list[str]](list), []
    for path in sorted((target / layout.USER_SCORES).glob("*.parquet")):
        for name in table.add(path.read_bytes(), path.name):
            rankings[name.split(".", 1)[1]].append(name)
    for ranking, names in sorted(rankings.items()):
        names.sort()
        for name, rank in zip(names, rank_board(table.board(names)), strict=True):
            ends = {"rank_low": rank and rank.low, "rank_high": rank and rank.high}
            rows.append({"ranking": ranking, "scorecard_id": name, **ends})
    pq.write_table(pa.Table.from_pylist(rows), target / PLACES, compression="zstd")
