"""Drives a release by hand, step by step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from leaderboard.open_data import layout
from leaderboard.open_data.files import decode_board
from leaderboard.open_data.records import OpenGeneration
from leaderboard.release.release import Release
from leaderboard.store.base import Store
from leaderboard.store.open import Stores
from leaderboard.store.parquet import decode_parquet
from tests.released import NAMES
from worker.releasing import Releasing


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def releasing_of(stores: Stores, file: Path, clock: Any = lambda: 0.0) -> Releasing:
    return Releasing(stores.archive, Release(stores, NAMES, frozenset()), file, clock)


def finish(releasing: Releasing) -> None:
    while releasing.step():
        pass


def shown(results: Store, model: str) -> set[str]:
    """How the public answers of a model stand there."""
    paths = results.list(layout.generations_folder(model))
    return {row.answer_status for path in paths for row in decode_parquet(results.read(path), OpenGeneration, path)}


def board(results: Store) -> list[str]:
    return [row.model for row in decode_board(results.read(layout.BOARD), layout.BOARD)]
