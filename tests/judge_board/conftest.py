"""Made-up users' questions, written and opened once."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluator.hicupid.data import HicupidData
from leaderboard.store import LocalStore
from tests.judge_board.written_board import WrittenBoard, made_up_data, write_board


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> HicupidData:
    return made_up_data(tmp_path_factory.mktemp("data") / "set")


@pytest.fixture
def archive(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "archive")


@pytest.fixture
def board(archive: LocalStore, data: HicupidData) -> WrittenBoard:
    """Two published runs that the judge `demo` judged honestly."""
    return write_board(archive, data)
