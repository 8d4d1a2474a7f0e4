"""What is handed out together is there."""

from __future__ import annotations

from pathlib import Path

from tests.sharing import ENGINES

ROOT = Path(__file__).parents[2]


def test_every_file_that_is_handed_out_with_others_is_there() -> None:
    assert [name for name in sorted(ENGINES) if not (ROOT / name).is_file()] == []
