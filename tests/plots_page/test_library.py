"""Plotly is what its makers have published, under the version that its address tells."""

from __future__ import annotations

import hashlib
import re

from leaderboard.pages.plots.library import FOLDER, NAME, VERSION


def test_every_vendored_file_has_the_digest_that_is_written_beside_it() -> None:
    noted = dict(re.findall(r"\| `([^`]+)` \| `([0-9a-f]{64})` \|", (FOLDER / "README.md").read_text("utf-8")))
    there = {path.name for path in FOLDER.iterdir()} - {"README.md"}
    assert {name: hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() for name in there} == noted
    assert NAME in noted


def test_its_name_tells_its_version_and_it_needs_nothing_that_the_policy_of_the_site_refuses() -> None:
    content = (FOLDER / NAME).read_text("utf-8")
    assert f"v{VERSION}\n" in content[:200]
    assert re.findall(r"\beval\(|new Function\(", content) == []
    assert "MIT License" in (FOLDER / "plotly-LICENSE.txt").read_text("utf-8")
