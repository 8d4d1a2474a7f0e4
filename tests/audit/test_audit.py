"""An honest board follows from its rows; whatever is changed by hand is found and named."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from evaluator.records import Outcome
from leaderboard.audit.audit import audit
from leaderboard.audit.records import Audit, AuditedCard, Standing
from leaderboard.open_data import layout
from leaderboard.open_data.board import OpenScorecard
from leaderboard.open_data.files import decode_board, encode_board
from leaderboard.open_data.records import OpenGeneration, OpenUserScore, OpenVerdict
from leaderboard.store.local import LocalStore
from leaderboard.store.parquet import decode_parquet
from tests.audit.sites import (
    CLOSED,
    FAIR,
    GOOD,
    JUDGE,
    POOR,
    PRIVATE,
    Row,
    change,
    change_card,
    change_first,
    name_of,
    put,
)
from tests.released import write_board

VERDICTS = layout.verdicts_path(JUDGE, FAIR, name_of(FAIR).split("@")[0])
SUMS = layout.user_scores_path(FAIR)


def card(found: Audit, model: str, protocol: str = "official-v1") -> AuditedCard:
    return {each.scorecard_id: each for each in found.cards}[name_of(model, protocol)]


def differing(found: Audit) -> set[str]:
    return {each.scorecard_id for each in found.cards if each.standing is Standing.DIFFERS}


def figures(found: AuditedCard) -> dict[str, tuple[Any, Any]]:
    return {each.figure: (each.published, each.recomputed) for each in found.differences}


def read(results: LocalStore, path: str, kind: type[Row]) -> list[Row]:
    return decode_parquet(results.read(path), kind, path)


def change_board(results: LocalStore, model: str, **values: object) -> OpenScorecard:
    """Changes a row of the board, and returns it as it was."""
    rows = decode_board(results.read(layout.BOARD), layout.BOARD)
    (place,) = [place for place, row in enumerate(rows) if row.scorecard_id == name_of(model)]
    old = rows[place]
    put(results, layout.BOARD, encode_board([*rows[:place], old.model_copy(update=values), *rows[place + 1 :]]))
    return old


@pytest.fixture
def closed(half_private: Path, tmp_path: Path) -> LocalStore:
    """The public results of a site one of whose models was asked from private data."""
    shutil.copytree(half_private / "results", tmp_path / "closed" / "results")
    return LocalStore(tmp_path / "closed" / "results")


def test_an_honest_board_follows_from_its_rows(results: LocalStore) -> None:
    found = audit(results)
    assert (found.scorecards, found.agreeing, found.differing, found.unchecked) == (5, 5, 0, 0)
    assert (found.places_unchecked, found.problems, found.without_card, found.moved) == ("", (), (), False)
    assert found.revision == results.head()
    rows = [
        *(row for path in results.list(layout.GENERATIONS) for row in read(results, path, OpenGeneration)),
        *(row for path in results.list(layout.VERDICTS) for row in read(results, path, OpenVerdict)),
    ]
    assert found.rows == len(rows)


def test_the_honest_board_has_ranks_gaps_and_withheld_answers_to_be_checked(results: LocalStore) -> None:
    rows = {row.scorecard_id: row for row in decode_board(results.read(layout.BOARD), layout.BOARD)}
    assert [rows[name_of(model)].rank for model in (GOOD, FAIR, POOR)] == [1, 2, 3]
    assert rows[name_of(GOOD)].lc is not None
    assert rows[name_of(GOOD)].generalisation is not None
    path = layout.generations_path(POOR, name_of(POOR).split("@")[0])
    assert {row.answer_status for row in read(results, path, OpenGeneration)} == {"withheld", "none"}
    assert card(audit(results), POOR).standing is Standing.AGREES


def test_a_changed_verdict_is_found_in_figures_and_sums_of_its_own_run(results: LocalStore) -> None:
    row = change_first(
        results, VERDICTS, OpenVerdict, lambda row: row.counts and row.outcome is Outcome.LOSS, outcome=Outcome.WIN
    )
    found = audit(results)
    assert differing(found) == {name_of(FAIR)}
    changed = figures(card(found, FAIR))
    type_, user = ("persona" if "persona" in row.question_id else "profile"), row.question_id.split("-")[0]
    assert {f"{type_}.score.value", f"user_scores.{user}.{type_}.sum", "total.value", f"board.{type_}_score.value"} <= {
        *changed
    }
    published, recomputed = changed["total.value"]
    assert recomputed > published


def test_a_verdict_that_is_taken_away_is_found(results: LocalStore) -> None:
    change(results, VERDICTS, OpenVerdict, lambda rows: rows[1:])
    found = audit(results)
    assert figures(card(found, FAIR))["missing_because.not_judged"] == (None, 1)
    assert differing(found) == {name_of(FAIR)}


def test_a_changed_figure_of_a_scorecard_is_named_with_both_values(results: LocalStore) -> None:
    def by(value: dict[str, Any]) -> None:
        value["result"]["by_split"][0]["total"]["interval"]["low"] += 0.00001

    before = change_card(results, name_of(FAIR), by)
    right = before["result"]["by_split"][0]["total"]["interval"]["low"]
    found = audit(results)
    assert figures(card(found, FAIR)) == {"by_split.test_2.total.interval.low": (right + 0.00001, right)}
    assert differing(found) == {name_of(FAIR)}


def test_a_last_digit_that_another_machine_rounds_otherwise_is_no_difference(results: LocalStore) -> None:
    old = change_board(results, FAIR)
    assert old.total.value is not None
    change_board(results, FAIR, total=old.total.model_copy(update={"value": old.total.value + 0.000001}))
    assert audit(results).agreeing == 5
    change_board(results, FAIR, total=old.total.model_copy(update={"value": old.total.value + 0.000003}))
    assert [*figures(card(audit(results), FAIR))] == ["board.total.value"]


def test_a_changed_sum_of_a_user_is_found(results: LocalStore) -> None:
    old = change_first(
        results, SUMS, OpenUserScore, lambda row: (row.model, row.user_id) == (FAIR, 3), persona_sum=12.5
    )
    found = audit(results)
    assert figures(card(found, FAIR)) == {"user_scores.test_2/3.persona.sum": (12.5, old.persona_sum)}
    assert differing(found) == {name_of(FAIR)}


def test_a_user_that_stands_there_twice_is_found(results: LocalStore) -> None:
    change(
        results,
        SUMS,
        OpenUserScore,
        lambda rows: [*rows, *(row for row in rows if (row.model, row.user_id) == (FAIR, 3))],
    )
    assert figures(card(audit(results), FAIR)) == {"user_scores.users": (13, 12)}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("rank", 1),
        ("rank_low", 1),
        ("rank_high", 3),
        ("rank_under_judge", 1),
        ("rank_under_judge_high", 3),
        ("unranked_because", "too few"),
    ],
)
def test_a_changed_place_on_the_board_is_found(results: LocalStore, column: str, value: object) -> None:
    old = change_board(results, FAIR, **{column: value})
    found = audit(results)
    assert figures(card(found, FAIR)) == {f"board.{column}": (value, getattr(old, column))}
    assert differing(found) == {name_of(FAIR)}


@pytest.mark.parametrize("gap", ["lc", "generalisation"])
def test_a_changed_gap_on_the_board_is_found(results: LocalStore, gap: str) -> None:
    old = getattr(change_board(results, GOOD), gap)
    change_board(results, GOOD, **{gap: old.model_copy(update={"value": old.value + 1})})
    assert figures(card(audit(results), GOOD)) == {f"board.{gap}.value": (old.value + 1, old.value)}
    change_board(results, GOOD, **{gap: None})
    assert figures(card(audit(results), GOOD))[f"board.{gap}.value"] == (None, old.value)


def test_a_row_of_the_board_without_a_scorecard_is_found(results: LocalStore) -> None:
    put(results, layout.scorecards_path(POOR), None)
    found = audit(results)
    assert figures(card(found, POOR)) == {"board.scorecard_id": (name_of(POOR), None)}
    assert (found.agreeing, found.differing) == (4, 1)
    assert "try again" in found.places_unchecked
    assert {path.split("/")[0] for path in found.without_card} == {"generations", "verdicts"}
    assert all("org@poor" in path for path in found.without_card)


def test_a_board_that_is_older_than_a_scorecard_is_not_compared_with_it(results: LocalStore) -> None:
    rows = decode_board(results.read(layout.BOARD), layout.BOARD)
    put(results, layout.BOARD, encode_board([row for row in rows if row.model != POOR]))
    found = audit(results)
    assert card(found, POOR).unchecked == ("The board does not hold it.",)
    assert (found.agreeing, found.differing, found.unchecked) == (4, 0, 1)
    assert "try again" in found.places_unchecked


def test_a_board_that_is_of_other_rows_is_not_compared(results: LocalStore) -> None:
    old = change_board(results, FAIR)
    change_board(results, FAIR, rows_sha="0" * 64, total=old.total.model_copy(update={"value": 1.0}))
    found = audit(results)
    assert card(found, FAIR).unchecked == ("The board holds it as it came to from other rows.",)
    assert (found.agreeing, found.differing, found.unchecked) == (4, 0, 1)
    assert "try again" in found.places_unchecked


def test_a_row_that_stands_on_the_board_twice_is_found(results: LocalStore) -> None:
    rows = decode_board(results.read(layout.BOARD), layout.BOARD)
    put(results, layout.BOARD, encode_board([rows[0], *rows]))
    assert figures(card(audit(results), GOOD)) == {"board.rows": (2, 1)}


def test_rows_of_private_data_are_told_and_do_not_count_as_agreeing(closed: LocalStore) -> None:
    found = audit(closed)
    assert card(found, PRIVATE).standing is Standing.UNCHECKED
    assert card(found, PRIVATE).unchecked == ("Its rows are of private data and stay private.",)
    assert (found.agreeing, found.differing, found.unchecked, found.places_unchecked) == (5, 0, 1, "")


def test_ranks_follow_from_the_published_sums_where_rows_are_private(closed: LocalStore) -> None:
    path = layout.user_scores_path(PRIVATE)

    def best(rows: list[OpenUserScore]) -> list[OpenUserScore]:
        return [
            row.model_copy(update={f"{type_}_sum": 100.0 * getattr(row, f"{type_}_items") for type_ in types})
            for row in rows
        ]

    types = ("persona", "profile", "schedule")
    change(closed, path, OpenUserScore, best)
    found = audit(closed)
    assert figures(card(found, PRIVATE))["board.rank"] == (3, 1)
    assert card(found, PRIVATE).unchecked == ("Its rows are of private data and stay private.",)
    ranks = {f"board.{rank}{end}" for rank in ("rank", "rank_under_judge") for end in ("", "_low", "_high")}
    assert {*figures(card(found, GOOD))} == ranks
    assert card(found, GOOD, "seen-v1").standing is Standing.AGREES


@pytest.mark.parametrize("content", [None, b"PAR1 cut"], ids=["missing", "cut off"])
def test_ranks_are_not_compared_where_sums_are_nowhere(closed: LocalStore, content: bytes | None) -> None:
    put(closed, layout.user_scores_path(PRIVATE), content)
    found = audit(closed)
    assert found.differing == 0
    assert "rank" in card(found, FAIR).unchecked[0]
    assert card(found, GOOD, "gold-v1").standing is Standing.AGREES


def test_sums_that_no_scores_come_to_stand_in_for_nothing(closed: LocalStore) -> None:
    path = layout.user_scores_path(PRIVATE)
    change_first(closed, path, OpenUserScore, lambda row: True, persona_sum=1e300)
    assert audit(closed).differing == 0
    assert "rank" in card(audit(closed), FAIR).unchecked[0]


def test_what_was_asked_for_alone_is_read_and_no_rank_is_compared(results: LocalStore) -> None:
    put(results, layout.verdicts_path(JUDGE, POOR, name_of(POOR).split("@")[0]), b"not to be read")
    change_board(results, GOOD, rank=5)
    found = audit(results, [GOOD])
    assert (found.models, found.scorecards, found.agreeing) == ((GOOD,), 3, 3)
    assert "all models" in found.places_unchecked
    assert audit(results).differing == 1
    assert audit(results).unchecked == 1
    put(results, layout.scorecards_path(POOR), None)
    assert [each.model for each in audit(results, [GOOD]).cards] == [GOOD] * 3


def test_a_data_set_that_changes_meanwhile_is_told(results: LocalStore) -> None:
    found = audit(results, tell=lambda words: put(results, "note.txt", words.encode()))
    assert found.moved
    assert found.revision != results.head()


def test_a_file_that_goes_meanwhile_costs_its_own_run(results: LocalStore) -> None:
    """The other models' parts are read before this one's."""
    found = audit(results, tell=lambda words: put(results, VERDICTS, None))
    assert found.moved
    assert (found.agreeing, found.differing, found.unchecked) == (4, 0, 1)
    assert f"{VERDICTS} cannot be read" in card(found, FAIR).unchecked[0]


def test_no_row_of_private_data_is_public(closed: LocalStore) -> None:
    path = layout.verdicts_path(JUDGE, CLOSED.name, name_of(PRIVATE).split("@")[0])
    assert read(closed, path, OpenVerdict) == []


def test_ranks_under_a_judge_that_decides_none_follow_too(results: LocalStore) -> None:
    def retire(value: dict[str, Any]) -> None:
        value["judge_status"], value["unranked_because"] = "retired", ["retired judge"]

    for model in (GOOD, FAIR, POOR):
        change_card(results, name_of(model), retire)
        sums = read(results, layout.user_scores_path(model), OpenUserScore)
        assert {row.judge for row in sums} == {JUDGE}
    write_board(results)
    rows = {row.scorecard_id: row for row in decode_board(results.read(layout.BOARD), layout.BOARD)}
    assert [rows[name_of(model)].rank_under_judge for model in (GOOD, FAIR, POOR)] == [1, 2, 3]
    assert {rows[name_of(model)].rank for model in (GOOD, FAIR, POOR)} == {None}
    assert audit(results).agreeing == 5
    change_board(results, FAIR, rank_under_judge=1)
    assert figures(card(audit(results), FAIR)) == {"board.rank_under_judge": (1, 2)}
