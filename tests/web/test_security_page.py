"""docs/security.md names only files that are there: what proves a claim must not vanish unnoticed."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_everything_that_proves_a_claim_is_there() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:tests|leaderboard|evaluator|worker)/[\w/.]+)`", page))
    assert len(named) > 20
    assert sorted(name for name in named if not (ROOT / name).is_file()) == []
