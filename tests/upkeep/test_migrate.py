"""An archive as older versions wrote it comes to its present form, and says the same."""

from __future__ import annotations

import json
from typing import ClassVar, Literal

import pytest

from evaluator.records import UpgradedRecord
from leaderboard.records import ShardReport
from leaderboard.store import Delete, Write, layout
from leaderboard.store.open import Stores
from leaderboard.store.parquet import decode_parquet
from leaderboard.store.runs import StoredRun
from leaderboard.upkeep import places
from leaderboard.upkeep.migrate import Migration, Reason, Skipped, migrate, migrations
from tests.upkeep.sites import Run, contents, fill, findings

MARK = "0123456789abcdef:41"


def made_old(stores: Stores, run: Run) -> None:
    """Puts everything of a run where older versions put it, in the form of before amendments."""
    moved = []
    for new, old in (
        (layout.scorecard_path(*run.card), layout.old_scorecard_path(*run.card)),
        (layout.user_scores_path(*run.card), layout.old_user_scores_path(*run.card)),
    ):
        moved += [Write(old, stores.archive.read(new)), Delete(new)]
    path = layout.submission_path(run.submission.id)
    history = json.loads(stores.archive.read(path))
    history["transitions"] = history.pop("events")
    stores.archive.commit([*moved, Write(path, json.dumps(history).encode())], "as it was")


def done(stores: Stores) -> list[Migration | Skipped]:
    return list(migrate(stores.archive, MARK, migrations(stores.archive)))


def test_old_places_old_forms_and_small_files_are_rewritten(stores: Stores, runs: list[Run]) -> None:
    before, rows = contents(stores.archive), StoredRun(stores.archive, runs[1].id).rows()
    made_old(stores, runs[0])
    old = contents(stores.archive)
    found = [each for each in migrations(stores.archive) if isinstance(each, Migration)]
    assert sorted(each.reason for each in found) == ["compacted", "moved", "moved", "upgraded"]
    assert contents(stores.archive) == old, "looking changes nothing"
    assert done(stores) == found
    after = contents(stores.archive)
    assert {path: after[path] for path in before if "/generations/" not in path and runs[0].submission.id in path} == {
        path: before[path] for path in before if runs[0].submission.id in path
    }
    assert StoredRun(stores.archive, runs[1].id).rows() == rows
    assert StoredRun(stores.archive, runs[1].id).is_compacted
    assert stores.archive.history(1)[0].message.endswith(f"({MARK})")
    assert done(stores) == []
    assert findings(stores) == []


def test_what_cannot_be_read_is_skipped_and_all_else_is_rewritten(stores: Stores, runs: list[Run]) -> None:
    made_old(stores, runs[0])
    path = layout.submission_path(runs[1].submission.id)
    stores.archive.commit([Write(path, b"{")], "damage")
    found = done(stores)
    assert [each.path for each in found if isinstance(each, Skipped)] == [path]
    assert len(found) == 5
    assert stores.archive.read(path) == b"{"


def test_of_two_places_the_present_one_counts(stores: Stores, runs: list[Run]) -> None:
    new, old = layout.scorecard_path(*runs[0].card), layout.old_scorecard_path(*runs[0].card)
    content = stores.archive.read(new)
    stores.archive.commit([Write(old, content.replace(b'"items":6', b'"items":5'))], "as it was")
    done(stores)
    assert stores.archive.read(new) == content
    assert old not in stores.archive.list()


class ReportToCome(UpgradedRecord, ShardReport):
    """A report with one more field."""

    upgrades: ClassVar = {1: lambda fields: fields | {"energy": None}}
    schema_version: Literal[2] = 2  # type: ignore[assignment]
    energy: float | None


def test_rows_of_an_older_version_are_rewritten_in_both_forms(
    local_stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = fill(local_stores)
    archive = local_stores.archive
    archive.commit([Delete(layout.scorecard_path(*runs[1].card))], "not published, so it stays in small files")
    monkeypatch.setitem(places.ROWS, "reports", ReportToCome)  # type: ignore[index]
    found = [each for each in done(local_stores) if isinstance(each, Migration)]
    assert {each.reason for each in found} == {Reason.UPGRADED}
    path = layout.compact_path(layout.reports_folder(runs[0].id))
    assert {row.energy for row in decode_parquet(archive.read(path), ReportToCome, path)} == {None}
    small = archive.list(layout.reports_folder(runs[1].id))
    assert len(found) == 1 + len(small)
    assert all(b'"schema_version":2' in archive.read(each) for each in small)
    assert done(local_stores) == []
