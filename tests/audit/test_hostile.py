"""Whatever a public data set holds: what is broken is named, and costs its own scorecard."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leaderboard.audit.audit import audit
from leaderboard.audit.records import Standing
from leaderboard.audit.words import describe
from leaderboard.open_data import layout
from leaderboard.open_data.records import OpenCard, OpenGeneration, OpenUserScore, OpenVerdict
from leaderboard.store.local import LocalStore
from tests.audit.sites import FAIR, GOOD, JUDGE, POOR, SPLITS, change, change_card, change_first, name_of, put
from tests.audit.test_audit import card, figures

RUN = name_of(FAIR).split("@")[0]
GENERATIONS, VERDICTS = layout.generations_path(FAIR, RUN), layout.verdicts_path(JUDGE, FAIR, RUN)
CARDS, SUMS = layout.scorecards_path(FAIR), layout.user_scores_path(FAIR)


def costs_its_own_run(results: LocalStore, *words: str) -> None:
    found = audit(results)
    assert (found.agreeing, found.differing, found.unchecked) == (4, 0, 1), describe(found)
    assert found.places_unchecked == ""
    (reason,) = card(found, FAIR).unchecked
    for word in words:
        assert word in reason


@pytest.mark.parametrize("path", [GENERATIONS, VERDICTS], ids=["answers", "verdicts"])
@pytest.mark.parametrize("content", [None, b"", b"PAR1 cut"], ids=["missing", "empty", "cut off"])
def test_a_broken_file_of_rows_costs_its_own_run(results: LocalStore, path: str, content: bytes | None) -> None:
    put(results, path, content)
    costs_its_own_run(results, path)


def test_a_file_that_was_cut_in_the_middle_costs_its_own_run(results: LocalStore) -> None:
    put(results, VERDICTS, results.read(VERDICTS)[:-200])
    costs_its_own_run(results, VERDICTS)


def test_a_file_that_the_store_did_not_write_costs_its_own_run(results: LocalStore, data: Path) -> None:
    file = data / "results" / "files" / VERDICTS
    file.unlink()
    file.mkdir()
    found = audit(results)
    assert VERDICTS in card(found, FAIR).unchecked[0]
    assert found.agreeing == 4


@pytest.mark.parametrize("path", [GENERATIONS, VERDICTS], ids=["answers", "verdicts"])
def test_rows_of_another_run_are_not_added_to_it(results: LocalStore, path: str) -> None:
    other = name_of(POOR).split("@")[0]
    mine = layout.generations_path(POOR, other) if path == GENERATIONS else layout.verdicts_path(JUDGE, POOR, other)
    put(results, path, results.read(mine))
    costs_its_own_run(results, path, "another run")


def test_a_run_id_that_leads_out_of_the_folder_leads_nowhere(results: LocalStore, tmp_path: Path) -> None:
    away = f"../../../../../../../../..{tmp_path}/out.official-v1"
    for path, kind in ((GENERATIONS, OpenGeneration), (VERDICTS, OpenVerdict)):
        change(results, path, kind, lambda rows: [row.model_copy(update={"run_id": away}) for row in rows])
    costs_its_own_run(results, "another run")
    assert not list(tmp_path.glob("out*"))


def test_verdicts_of_another_rater_do_not_pass_for_the_judges(results: LocalStore) -> None:
    change_first(results, VERDICTS, OpenVerdict, lambda row: True, rater="somebody")
    costs_its_own_run(results, VERDICTS, "another judge")


def retyped(content: bytes, column: str, values: pa.Array) -> bytes:
    """A file with another column of the same name, and of another type."""
    table = pq.read_table(io.BytesIO(content))
    place = table.schema.get_field_index(column)
    buffer = io.BytesIO()
    pq.write_table(table.set_column(place, column, values), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("column", ["user_id", "split", "orders", "counts"])
def test_a_column_of_another_type_costs_its_own_run(results: LocalStore, column: str) -> None:
    content = results.read(GENERATIONS)
    rows = pq.read_table(io.BytesIO(content)).num_rows
    put(results, GENERATIONS, retyped(content, column, pa.array([None] + ["1"] * (rows - 1))))
    costs_its_own_run(results, GENERATIONS, column)


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_a_figure_that_is_no_number_costs_its_own_run(results: LocalStore, value: float) -> None:
    content = results.read(GENERATIONS)
    table = pq.read_table(io.BytesIO(content))
    place = table.schema.get_field_index("bleu")
    buffer = io.BytesIO()
    pq.write_table(table.set_column(place, table.schema.field(place), pa.array([value] * table.num_rows)), buffer)
    put(results, GENERATIONS, buffer.getvalue())
    costs_its_own_run(results, RUN)


def test_items_that_nobody_is_asked_to_judge_are_told(results: LocalStore) -> None:
    change_first(results, GENERATIONS, OpenGeneration, lambda row: row.counts, orders=())
    found = audit(results)
    assert card(found, FAIR).standing is not Standing.AGREES
    assert found.agreeing == 4


def test_rows_that_none_count_of_are_told(results: LocalStore) -> None:
    change(
        results, GENERATIONS, OpenGeneration, lambda rows: [row.model_copy(update={"counts": False}) for row in rows]
    )
    costs_its_own_run(results, "none counts")


@pytest.mark.parametrize("content", [None, b"", b"PAR1 cut"], ids=["missing", "empty", "cut off"])
def test_a_broken_part_of_the_sums_costs_the_models_of_that_part(results: LocalStore, content: bytes | None) -> None:
    put(results, SUMS, content)
    found = audit(results)
    assert (found.agreeing, found.differing, found.unchecked, found.places_unchecked) == (1, 0, 4, "")
    assert card(found, POOR).standing is Standing.AGREES
    for model in (GOOD, FAIR):
        assert SUMS in card(found, model).unchecked[0]


def test_sums_that_a_part_lacks_are_named(results: LocalStore) -> None:
    change(results, SUMS, OpenUserScore, lambda rows: [row for row in rows if row.model != FAIR])
    costs_its_own_run(results, SUMS)


def test_a_broken_part_of_the_scorecards_is_named(results: LocalStore) -> None:
    put(results, CARDS, b"PAR1 cut")
    found = audit(results)
    assert (found.scorecards, found.agreeing, found.without_card) == (1, 1, ())
    assert any(CARDS in problem for problem in found.problems)
    assert found.places_unchecked == "Not all scorecards can be read."


def test_a_broken_scorecard_is_named(results: LocalStore) -> None:
    change_first(results, CARDS, OpenCard, lambda row: row.model == FAIR, scorecard='{"schema_version": 1}')
    found = audit(results)
    assert found.agreeing == 4
    assert name_of(FAIR) in found.problems[0]


@pytest.mark.parametrize("content", [None, b"", b"PAR1 cut"], ids=["missing", "empty", "cut off"])
def test_without_a_board_figures_are_checked_and_places_are_not(results: LocalStore, content: bytes | None) -> None:
    put(results, layout.BOARD, content)
    found = audit(results)
    assert (found.agreeing, found.unchecked) == (0, 5)
    assert found.problems == (found.places_unchecked,)
    assert all(each.unchecked == found.problems for each in found.cards), "nothing else was wrong with them"


@pytest.mark.parametrize("strange", [float("nan"), float("inf")])
def test_sums_that_are_no_numbers_cost_their_part_alone(results: LocalStore, strange: float) -> None:
    path = layout.user_scores_path(FAIR)
    table = pq.read_table(io.BytesIO(results.read(path)))
    place = table.column_names.index("persona_sum")
    sums = pa.array([strange, *table["persona_sum"].to_pylist()[1:]])
    file = io.BytesIO()
    pq.write_table(table.set_column(place, table.schema.field(place), sums), file)
    put(results, path, file.getvalue())
    found = audit(results)
    assert path in card(found, FAIR).unchecked[0]
    assert card(found, POOR).standing is Standing.AGREES


@pytest.mark.parametrize("name", ["run_id", "id", "protocol", "judge", "submission_id"])
def test_a_scorecard_that_contradicts_itself_leads_to_no_rows(results: LocalStore, name: str) -> None:
    change_card(results, name_of(FAIR), lambda value: value.update({name: "../../x"}))
    found = audit(results)
    assert {card(found, GOOD, protocol).standing for protocol in SPLITS} == {Standing.AGREES}
    (mine,) = [each for each in found.cards if each.model == FAIR and each.unchecked]
    assert mine.unchecked[0] == "Its id is not that of its run, protocol and judge."


def test_a_scorecard_that_stands_there_twice_is_not_checked(results: LocalStore) -> None:
    change(results, CARDS, OpenCard, lambda rows: [*rows, *(row for row in rows if row.model == FAIR)])
    found = audit(results)
    assert card(found, FAIR).unchecked[0] == "It stands among the scorecards more than once."
    assert figures(card(found, FAIR)) == {}
    assert found.agreeing == 4


def test_a_model_whose_name_is_no_path_is_told(results: LocalStore) -> None:
    change_card(results, name_of(GOOD), lambda value: value.update({"model": "../../[a]*"}))
    found = audit(results)
    assert (found.agreeing, found.differing) == (2, 0)
    assert "is missing" in card(found, GOOD).unchecked[0]


def test_what_could_steer_a_terminal_is_left_out(results: LocalStore) -> None:
    change_card(results, name_of(FAIR), lambda value: value.update({"model": "org/\x1b[2Jfair\n"}))
    text = describe(audit(results))
    assert "\x1b" not in text
    assert "org/[2Jfair" in text
