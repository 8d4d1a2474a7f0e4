"""What `rapport evaluate` made and the publisher's encoders wrote follows from its rows, with consent and without."""

from __future__ import annotations

from pathlib import Path

import pytest

from leaderboard.audit.audit import audit
from leaderboard.store.local import LocalStore
from tests.reproduce.conftest import Site, site
from tests.reproduce.publishing import publish

__all__ = ["site"]


@pytest.mark.parametrize("consent", [True, False], ids=["shown", "withheld"])
def test_an_evaluation_that_was_published_agrees(site: Site, tmp_path: Path, consent: bool) -> None:
    publish(site.evaluation, tmp_path, consent=consent)
    found = audit(LocalStore(tmp_path / "results"))
    assert (found.scorecards, found.agreeing, found.places_unchecked) == (1, 1, "")
    assert found.rows == site.card.result.generations + site.card.result.verdicts
