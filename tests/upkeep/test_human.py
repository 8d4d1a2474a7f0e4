"""Scorecards of human-grounded tasks are looked at, migrated and taken down like all others."""

from __future__ import annotations

import json

import pytest

from evaluator.human.tasks import Task
from leaderboard.board.build import build_board
from leaderboard.open_data import layout as open_layout
from leaderboard.open_data.human import OpenHumanFigure
from leaderboard.results import HumanScorecard
from leaderboard.store import Write, layout
from leaderboard.store.open import Stores
from leaderboard.store.parquet import decode_parquet
from leaderboard.store.rows import read_record
from leaderboard.store.runs import StoredRun
from leaderboard.upkeep.findings import FindingKind
from leaderboard.upkeep.migrate import Migration, Reason, migrate, migrations
from leaderboard.upkeep.records import Takedown, TakedownKind
from leaderboard.upkeep.takedown import take_down
from tests.builders import NOON
from tests.human_runs import HumanRun, answer_to, demo_items, make_human_run, make_synthetic_run
from tests.human_sites import write_human_run
from tests.upkeep.sites import findings, release, run_of, site_of, write_run


@pytest.fixture
def local(local_stores: Stores) -> Stores:
    return local_stores


@pytest.fixture
def agreements(local: Stores) -> list[HumanRun]:
    """Two runs of one model, the second in many small files, beside a run of HiCUPID."""
    runs = [
        make_human_run(task, number, model="org/model-1") for number, task in ((3, Task.RELEVANCE), (4, Task.RATING))
    ]
    for run in runs:
        write_human_run(local.archive, run, small_files=run is runs[1])
    write_run(local.archive, run_of(1))
    release(local)
    return runs


def path_of(run: HumanRun) -> str:
    return layout.human_scorecard_path(run.card.model, run.card.id)


def stored_card(stores: Stores, run: HumanRun) -> HumanScorecard:
    path = path_of(run)
    return read_record(stores.archive.read(path), HumanScorecard, path)


def change(stores: Stores, path: str, content: bytes) -> None:
    stores.archive.commit([Write(path, content)], "damage")


def found_in_archive(stores: Stores, *, repair: bool = False) -> dict[str, FindingKind]:
    return {each.path: each.kind for each in findings(stores, repair=repair) if each.data_set == "archive"}


def taken_down(stores: Stores, kind: TakedownKind, name: str) -> None:
    take_down(site_of(stores), Takedown(kind=kind, name=name, at=NOON, actor="carol", reason="It was asked for."))


def everything(stores: Stores) -> bytes:
    return b"".join(content for store in stores for content in store.read_all(store.list()).values())


def test_nothing_is_wrong_with_what_a_publisher_wrote(local: Stores, agreements: list[HumanRun]) -> None:
    assert findings(local) == []
    assert set(build_board(local.results).human) == {run.card for run in agreements}


def test_a_scorecard_that_is_not_what_its_rows_come_to_is_counted_anew(
    local: Stores, agreements: list[HumanRun]
) -> None:
    path = path_of(agreements[0])
    right = local.archive.read(path)
    kappa = agreements[0].card.result.figure("kappa")
    assert kappa is not None
    change(local, path, right.replace(f'"value":{kappa.value}'.encode(), b'"value":0.99', 1))
    assert found_in_archive(local) == {path: FindingKind.SCORECARD}
    assert found_in_archive(local, repair=True) == {path: FindingKind.SCORECARD}
    assert local.archive.read(path) == right
    assert findings(local) == []


def test_a_scorecard_of_another_model_or_suite_or_without_rows_is_named(
    local: Stores, agreements: list[HumanRun]
) -> None:
    content = local.archive.read(path_of(agreements[0]))
    elsewhere = layout.human_scorecard_path("org/model-9", agreements[0].card.id)
    change(local, elsewhere, content)
    wrong = agreements[0].card.model_copy(update={"id": f"{run_of(1).id}@people", "run_id": run_of(1).id})
    of_hicupid = layout.human_scorecard_path(wrong.model, wrong.id)
    change(local, of_hicupid, wrong.model_dump_json().encode())
    change(local, f"{layout.HUMAN_SCORECARDS}/notes.txt", b"x")
    assert found_in_archive(local) == {
        elsewhere: FindingKind.MISPLACED,
        of_hicupid: FindingKind.REFERENCE,
        f"{layout.HUMAN_SCORECARDS}/notes.txt": FindingKind.FOREIGN,
    }


def test_a_published_run_without_its_scorecard_is_named(local: Stores, agreements: list[HumanRun]) -> None:
    from leaderboard.store.base import Delete

    local.archive.commit([Delete(path_of(agreements[1]))], "damage")
    path = layout.submission_path(agreements[1].submission.id)
    assert found_in_archive(local) == {path: FindingKind.REFERENCE}


def test_a_run_on_made_up_users_that_is_taken_down_takes_the_gap_along(
    local: Stores, agreements: list[HumanRun]
) -> None:
    made_up = make_synthetic_run(number=5, model="org/model-1")
    write_human_run(local.archive, made_up)
    release(local)
    assert findings(local) == []
    assert "f1_majority.gap" in figures_of(local)
    taken_down(local, TakedownKind.SUBMISSION, made_up.submission.id)
    assert "f1_majority.gap" not in figures_of(local)
    assert set(build_board(local.results).human) == {run.card for run in agreements}


def figures_of(stores: Stores) -> set[str]:
    path = open_layout.human_figures_path("org/model-1")
    return {row.figure for row in decode_parquet(stores.results.read(path), OpenHumanFigure, path)}


def test_migration_compacts_a_scored_run_and_rewrites_old_plans(local: Stores, agreements: list[HumanRun]) -> None:
    old = layout.plan_path(run_of(1).id)
    plan = json.loads(local.archive.read(old))
    before = StoredRun(local.archive, run_of(1).id).plan()
    del plan["shown_sha"]
    change(local, old, json.dumps(plan | {"schema_version": 1}, separators=(",", ":")).encode())
    assert StoredRun(local.archive, run_of(1).id).plan() == before
    done = list(migrate(local.archive, "", migrations(local.archive)))
    assert {(each.reason, each.path) for each in done if isinstance(each, Migration)} == {
        (Reason.COMPACTED, layout.run_folder(agreements[1].id)),
        (Reason.UPGRADED, old),
    }
    assert list(migrations(local.archive)) == []
    assert StoredRun(local.archive, agreements[1].id).plan() == agreements[1].plan
    assert findings(local) == []


def test_a_model_that_is_taken_down_leaves_no_agreement_behind(local: Stores, agreements: list[HumanRun]) -> None:
    taken_down(local, TakedownKind.MODEL, "org/model-1")
    assert [path for path in local.archive.list() if path.startswith(layout.HUMAN_SCORECARDS)] == []
    assert build_board(local.results).human == ()
    assert not [path for path in local.results.list() if path.startswith(("human_", "generations/"))]
    assert found_in_archive(local) == {}


@pytest.mark.parametrize("small_files", [False, True])
def test_a_person_who_is_taken_down_goes_from_what_runs_asked(local: Stores, small_files: bool) -> None:
    run = make_human_run(Task.RELEVANCE, 3)
    write_human_run(local.archive, run, small_files=small_files)
    release(local)
    before = stored_card(local, run)
    taken_down(local, TakedownKind.PERSON, "simulated-2")
    plan = StoredRun(local.archive, run.id).plan()
    assert plan is not None
    assert len(plan.items) == len(run.plan.items)
    assert "simulated-2" not in {label.annotator for item in plan.labelled for label in item.labels}
    card = stored_card(local, run)
    assert (before.result.annotators, card.result.annotators) == (5, 4)
    assert card.result.figure("kappa") != before.result.figure("kappa")
    assert build_board(local.results).human == (card,)
    held = {path for path in local.archive.list() if b"simulated-2" in local.archive.read(path)}
    assert all(path.startswith("takedowns/person/") for path in held)
    assert len(local.archive.list(layout.ITEMS)) == (0 if small_files else 1)
    assert found_in_archive(local) == {}


def test_an_answer_that_is_taken_down_goes_and_the_figures_stay(local: Stores) -> None:
    secret = "YES, Ms Example told me so."
    asked = demo_items(Task.RELEVANCE)[:6]
    rows = [answer_to(item, "YES" if place else secret, model="org/model-3") for place, item in enumerate(asked)]
    run = make_human_run(number=3, asked=asked, rows=rows)
    write_human_run(local.archive, run)
    release(local)
    content_hash = rows[0].content_hash
    assert content_hash is not None
    taken_down(local, TakedownKind.ANSWER, content_hash)
    assert secret.encode() not in everything(local)
    assert stored_card(local, run) == run.card
    assert found_in_archive(local) == {}
