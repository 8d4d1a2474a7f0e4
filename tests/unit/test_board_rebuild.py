"""The board from public rows alone: in parts, for one model more, and as if all had been added up at once."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest

from benchmarks.board_models import JUDGE, make_template, name_of, run_of, write_model
from benchmarks.board_places import PLACES, write_places
from evaluator.hicupid.scoring import score
from evaluator.hicupid.user_scores import total_sums, user_scores
from evaluator.identity import folder_digest
from evaluator.metrics.ranks import ranks
from evaluator.results import Result
from leaderboard.board.rebuild import FIGURES, rebuild, update
from leaderboard.open_data import layout
from tests.builders import LOSS, PERSONA, PROFILE, SCHEDULE, TIE, WIN, YES, answered, make_item
from tests.unit.open_rows import write_rows

MODELS, USERS = 8, 12


@pytest.fixture(scope="module")
def template():
    return make_template(USERS)


@pytest.fixture
def rows(tmp_path, template):
    for number in range(MODELS):
        write_model(tmp_path / "rows", template, number)
    return tmp_path / "rows"


def whole(rows, target):
    """A board built at once."""
    problems = rebuild(rows, target)
    write_places(target)
    return problems


def places(target):
    return pq.read_table(target / PLACES).to_pylist()


def test_a_model_more_leaves_what_a_full_rebuild_does(rows, tmp_path, template):
    whole(rows, tmp_path / "step by step")
    write_model(rows, template, MODELS)
    assert update(rows, tmp_path / "step by step", name_of(MODELS)) == {}
    write_places(tmp_path / "step by step")
    assert whole(rows, tmp_path / "at once") == {}
    assert len(places(tmp_path / "at once")) == MODELS + 1
    assert folder_digest(tmp_path / "step by step") == folder_digest(tmp_path / "at once")


def test_judging_a_model_again_changes_it_and_back_again(rows, tmp_path, template):
    target = tmp_path / "target"
    whole(rows, target)
    before = folder_digest(target)
    write_model(rows, template, 3, judging=1)
    update(rows, target, name_of(3))
    assert folder_digest(target) != before
    write_model(rows, template, 3)
    update(rows, target, name_of(3))
    assert folder_digest(target) == before


def test_a_model_whose_rows_are_gone_leaves_the_board(rows, tmp_path, template):
    target = tmp_path / "target"
    whole(rows, target)
    rows.joinpath(layout.verdicts_path(JUDGE, name_of(5), run_of(5))).unlink()
    update(rows, target, name_of(5))
    write_places(target)
    whole(rows, tmp_path / "at once")
    assert not [row for row in places(target) if row["scorecard_id"].startswith(run_of(5))]
    assert places(target) == places(tmp_path / "at once")
    sums, figures = layout.USER_SCORES, FIGURES
    for kept in (sums, figures):
        files = [
            sorted(path.name for path in (folder / kept).rglob("*.*")) for folder in (target, tmp_path / "at once")
        ]
        assert files[0] == files[1]


def test_other_models_rows_are_not_read(rows, tmp_path, template):
    target = tmp_path / "target"
    whole(rows, target)
    before = folder_digest(target)
    for number in range(1, MODELS):
        rows.joinpath(layout.verdicts_path(JUDGE, name_of(number), run_of(number))).write_bytes(b"not to be read")
    assert update(rows, target, name_of(0)) == {}
    write_places(target)
    assert folder_digest(target) == before


@pytest.mark.parametrize("content", [b"", b"PAR1 cut", None], ids=["empty", "cut off", "missing"])
def test_a_broken_file_costs_its_own_run_and_no_other(rows, tmp_path, content):
    broken = rows / layout.generations_path(name_of(2), run_of(2))
    if content is None:
        broken.unlink()
    else:
        broken.write_bytes(content)
    (problem,) = whole(rows, tmp_path / "target")
    assert run_of(2) in problem
    assert len(places(tmp_path / "target")) == MODELS - 1


def test_runs_in_batches_come_to_the_same(rows, tmp_path, monkeypatch):
    whole(rows, tmp_path / "at once")
    monkeypatch.setattr("leaderboard.board.rebuild._BATCH", 3)
    whole(rows, tmp_path / "in batches")
    assert folder_digest(tmp_path / "in batches") == folder_digest(tmp_path / "at once")


def test_figures_sums_and_ranks_are_those_of_the_rows(tmp_path):
    expected, sums = {}, {}
    for number in range(4):
        run_id = f"s-20260301-0000000{number}.demo-v1"
        entries = []
        for place in range(72):
            type_ = (PERSONA, PROFILE, SCHEDULE)[place % 3]
            outcomes = [YES] if type_ is SCHEDULE else [(WIN, TIE, LOSS)[(place + number * place // 7) % 3]] * 2
            entries.append(
                answered(make_item(f"test_{place // 6 % 2 + 1}/{place}", type_, place // 6), *outcomes[: place % 11])
            )
        items = [entry.item for entry in entries]
        generations = [row for entry in entries for row in entry.generations]
        verdicts = [row for entry in entries for row in entry.verdicts]
        write_rows(tmp_path / "rows", run_id, items, generations, verdicts)
        expected[f"{run_id}@demo"] = score(items, generations, verdicts)
        sums[f"{run_id}@demo"] = user_scores(items, generations, verdicts)
    whole(tmp_path / "rows", tmp_path / "target")
    files = (tmp_path / "target" / FIGURES).rglob("*.json")
    assert {path.stem: Result.model_validate_json(path.read_text()) for path in files} == expected
    found = {row["scorecard_id"]: row for row in places(tmp_path / "target")}
    assert {name: (row["rank_low"], row["rank_high"]) for name, row in found.items()} == {
        name: (rank.low, rank.high) for name, rank in ranks(total_sums(sums)).items()
    }


def test_an_empty_data_set_has_an_empty_board(tmp_path):
    (tmp_path / "rows").mkdir()
    (tmp_path / "target").mkdir()
    assert whole(tmp_path / "rows", tmp_path / "target") == {}
    assert places(tmp_path / "target") == []
    assert json.dumps(places(tmp_path / "target")) == "[]"
