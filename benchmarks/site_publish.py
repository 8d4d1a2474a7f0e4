"""One model more on a generated site, as a publisher brings it: `python -m benchmarks.site_publish FOLDER NUMBER`."""

from __future__ import annotations

import argparse
import io
import time
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.site_cards import PROTOCOL, card_of, runs_of
from benchmarks.site_models import site_model
from benchmarks.site_outcomes import asked_of, draw, tally
from benchmarks.site_rows import sums_table, write_table
from leaderboard.board.figures import result_of
from leaderboard.open_data import layout
from leaderboard.open_data.figures import open_card
from leaderboard.open_data.files import CARDS
from leaderboard.settings import Settings
from leaderboard.store.base import NotFound, Store, Write
from leaderboard.store.open import open_stores

MODELS = 10_000_000
"""As many are told of, so that one of any number was handed in of late."""
_USERS = 250


def publish(folder: Path, number: int) -> tuple[str, float]:
    """Brings the official result of one more model; returns its name, and when the store had it, by the clock.

    Its rank comes with the next board, as on any site: here it is shown without one.

    Args:
        folder: Of the site.
        number: The model's: one that the site does not have.
    """
    results = open_stores(Settings(data=folder)).results
    model = site_model(number, MODELS)
    run = next(run for run in runs_of(model) if run.protocol == PROTOCOL["official"])
    asked = asked_of(run.asked, _USERS)
    added = tally(
        asked, draw(asked, run.quality, run.seed, run.judging, complete=True), (run.id, model.name, run.protocol)
    )
    card = card_of(model, run, result_of(added))
    path, users_path = layout.scorecards_path(model.name), layout.user_scores_path(model.name)
    sums = [sums_table(card, added)]
    if (old := _read(results, users_path)) is not None:
        sums.append(pq.read_table(io.BytesIO(old)))
    part = CARDS.put(_read(results, path), [open_card(card)], path)
    results.commit([Write(path, part), Write(users_path, write_table(sums))], "one scorecard")
    return model.name, time.time()


def _read(store: Store, path: str) -> bytes | None:
    """Reads a file, if it is there."""
    try:
        return store.read(path)
    except NotFound:
        return None


def main() -> None:
    """Publishes, and prints the model's name and the moment."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("number", type=int)
    options = parser.parse_args()
    print(*publish(options.folder, options.number))


if __name__ == "__main__":
    main()
