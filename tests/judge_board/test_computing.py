"""The board of judges from an archive: judges of known rules have the figures that follow from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluator.errors import RapportError
from evaluator.hicupid.data import HicupidData
from evaluator.identity import text_digest
from evaluator.judges.quality.records import JudgeQuality, Slice, SliceAgreement, Why
from evaluator.judges.spec import load_judge
from evaluator.records import Outcome
from leaderboard.judge_board.computing import Board, compute_board
from leaderboard.judge_board.words import board_lines
from leaderboard.records import now
from leaderboard.store import Delete, LocalStore, Write, layout
from leaderboard.store.rows import encode_rows
from leaderboard.store.runs import StoredRun, compact
from tests.builders import LOSS, NOON, WIN, make_verdict
from tests.judge_board.written_board import (
    PAIRS,
    USERS,
    Case,
    WrittenBoard,
    flipped,
    honest,
    judging_of,
    likes_length,
    mumbles,
    noisy,
    rescore,
    says_a,
    write_board,
)
from tests.unit.rescored_archive import run_id_of

ANSWERS = USERS * PAIRS
JUDGES = [load_judge("demo")]


def compute(board: WrittenBoard) -> Board:
    return compute_board(board.store, JUDGES, NOON)


def quality_of(board: WrittenBoard, judge: str) -> JudgeQuality:
    (found,) = (each.quality for each in compute(board).qualities if each.quality.judge == judge)
    return found


def beside(quality: JudgeQuality, other: str, of: Slice = Slice.PERSONA) -> SliceAgreement:
    (agreement,) = (each for each in quality.agreement if each.other == other)
    return next(each for each in agreement.slices if each.slice is of)


def test_a_judge_that_contradicts_every_sixth_answer_agrees_on_the_others(board: WrittenBoard) -> None:
    rescore(board, "noisy", noisy)
    same = beside(quality_of(board, "noisy"), "demo").same
    assert (same.value, same.counted, same.possible, same.users) == (pytest.approx(5 / 6), 2 * ANSWERS, 2 * ANSWERS, 24)
    assert same.interval is not None
    assert same.interval.low < 5 / 6 < same.interval.high


def test_a_judge_of_every_word_of_the_first_agrees_in_full(board: WrittenBoard) -> None:
    rescore(board, "twin", honest)
    found = beside(quality_of(board, "twin"), "demo")
    assert (found.same.value, found.kappa.value, found.bias.value) == (1.0, 1.0, 0.0)


def test_a_judge_that_always_says_a_is_never_consistent(board: WrittenBoard) -> None:
    rescore(board, "slots", says_a)
    positions = quality_of(board, "slots").positions
    assert (positions.consistency.value, positions.slot_a.value) == (0.0, 1.0)
    honest_one = quality_of(board, "demo").positions
    assert (honest_one.consistency.value, honest_one.slot_a.value) == (1.0, 0.5)


def test_the_odds_of_a_judge_that_likes_length_follow_from_its_words(board: WrittenBoard) -> None:
    rescore(board, "long", likes_length, numbers=(1,))
    cases = board.cases[1]

    def votes(longer: bool, outcome: Outcome) -> int:
        return 2 * sum(case.longer is longer and likes_length(case, case.item.orders[0]) is outcome for case in cases)

    a, b, c, d = votes(True, WIN), votes(True, LOSS), votes(False, WIN), votes(False, LOSS)
    length = quality_of(board, "long").length
    assert (length.longer_wins, length.longer_loses, length.shorter_wins, length.shorter_loses) == (a, b, c, d)
    assert length.odds_ratio.value == pytest.approx((a + 0.5) * (d + 0.5) / ((b + 0.5) * (c + 0.5)))
    assert length.odds_ratio.interval is not None
    assert length.odds_ratio.interval.low > 1, "it is a leaning"
    assert length.unknown_length == 0
    (own,) = (each for each in length.beside if each.rater == "demo")
    assert own.other.value == pytest.approx(1.0, abs=0.2)


def test_what_cannot_be_read_is_counted_and_is_no_verdict(board: WrittenBoard) -> None:
    rescore(board, "mumbler", mumbles)
    found = quality_of(board, "mumbler")
    assert found.reading.unparsed.value == pytest.approx(0.25)
    assert dict(found.reading.missing_because) == {"unparsed": ANSWERS, "not_judged": 2 * USERS}
    assert beside(found, "demo").same.value == 1.0


def test_of_two_attempts_the_one_that_could_be_read_counts_and_both_cost(board: WrittenBoard) -> None:
    rescore(board, "mumbler", mumbles, again=honest)
    found = quality_of(board, "mumbler")
    assert found.reading.unparsed.value == 0.0
    assert beside(found, "demo").same.value == 1.0
    verdicts, again = 4 * ANSWERS, ANSWERS
    assert (found.costs.verdicts, found.costs.rows) == (verdicts, verdicts + again)
    assert found.costs.seconds.value == pytest.approx(2.0 * (verdicts + again) / verdicts)


def test_two_words_that_only_their_hashes_tell_apart_are_left_to_the_rules_of_scoring(board: WrittenBoard) -> None:
    def torn(case: Case, _: object) -> Outcome | None:
        return None if case.place == 0 else case.truth

    rescore(board, "torn", torn, again=honest)
    rescore(board, "torn-too", torn, again=honest)
    name = judging_of("torn-too", 1)
    stored = StoredRun(board.store, name)
    rows = [row for row in stored.rows().verdicts if row.attempt == 2]
    first = board.cases[1][0]
    contrary = flipped(first.truth)
    twice = [make_verdict(first.row, contrary, row.key.slot_order, row.key, attempt=2, seconds=9.0) for row in rows]
    path = layout.batch_path(layout.verdicts_folder(name), "0000-000003-0c0c0c0c-0001")
    board.store.commit([Write(path, encode_rows(twice))], "another past")
    # Between two words of one attempt that one counts whose row's hash comes last.
    chosen = [max(both, key=lambda row: text_digest(row.model_dump_json())) for both in zip(rows, twice, strict=True)]
    kept = all(row.outcome is first.truth for row in chosen)
    same = beside(quality_of(board, "torn-too"), "torn").same
    assert same.value == pytest.approx(1.0 if kept else 1 - 1 / (2 * ANSWERS), abs=1e-6)
    store_whole = compact(StoredRun(board.store, name))
    board.store.commit(store_whole, "compacted")
    assert beside(quality_of(board, "torn-too"), "torn").same == same


def test_costs_are_those_of_the_rows(board: WrittenBoard) -> None:
    costs = quality_of(board, "demo").costs
    assert costs.verdicts == 2 * (2 * ANSWERS + USERS)
    assert (costs.prompt_tokens.value, costs.output_tokens.value, costs.computed_tokens.value) == (200, 20, 50)
    rescore(board, "slow", honest)
    assert quality_of(board, "slow").costs.seconds.value == 2.0


def test_who_favours_its_own_family_is_found_by_what_models_were_made_from(board: WrittenBoard) -> None:
    judge = load_judge("demo").model_copy(update={"id": "kin", "family": "llama"})

    def kind_to_the_first(case: Case, _: object) -> Outcome:
        return WIN if "a" in (case.row.answer or "") else LOSS

    rescore(board, "kin", kind_to_the_first)
    found = compute_board(board.store, [judge, load_judge("demo")], NOON)
    (own,) = (each.quality.family_preference for each in found.qualities if each.quality.judge == "kin")
    assert (own.family, own.against, own.models_family, own.models_rest) == ("llama", ("demo",), 1, 1)
    assert (own.own_family, own.own_rest, own.others_family, own.others_rest) == (1.0, 0.0, 0.5, 0.5)
    assert (own.difference.value, own.unknown_family) == (1.0, 0)


def test_what_was_withdrawn_counts_for_nothing(board: WrittenBoard) -> None:
    path = layout.tombstone_path(run_id_of(2).partition(".")[0])
    board.store.commit([Write(path, b"{}")], "withdrawn")
    found = quality_of(board, "demo")
    assert (found.models, found.answers) == (1, ANSWERS + USERS)


def test_many_small_files_come_to_the_same_as_few_large_ones(
    board: WrittenBoard, data: HicupidData, tmp_path_factory: pytest.TempPathFactory
) -> None:
    small = write_board(LocalStore(tmp_path_factory.mktemp("small") / "archive"), data, small_files=True)
    for each in (board, small):
        rescore(each, "mumbler", mumbles, again=honest)
    assert [each.quality for each in compute(board).qualities] == [each.quality for each in compute(small).qualities]


def test_a_run_that_cannot_be_read_costs_itself_and_is_named(board: WrittenBoard) -> None:
    gone = layout.compact_path(layout.generations_folder(run_id_of(1)))
    board.store.commit([Delete(gone)], "lost")
    found = compute(board)
    assert len(found.left_out) == 1
    assert run_id_of(1) in found.left_out[0]
    assert [each.runs for each in found.qualities] == [1]
    assert "1 thing could not be read" in "\n".join(board_lines(found))


def test_lengths_are_unknown_where_the_data_set_is_gone(board: WrittenBoard) -> None:
    place = Path(board.data.source)
    away = place.rename(place.with_name("away"))
    try:
        length = quality_of(board, "demo").length
    finally:
        away.rename(place)
    assert (length.odds_ratio.value, length.odds_ratio.reason) == (None, Why.NO_CONTRAST)
    assert length.unknown_length == 4 * ANSWERS


def test_a_judge_of_whom_nothing_is_there_is_not_found(board: WrittenBoard) -> None:
    with pytest.raises(RapportError, match="no verdict of nobody"):
        compute_board(board.store, JUDGES, now(), only=["nobody"])


def test_the_board_as_text_says_every_figure_with_what_it_is_made_of(board: WrittenBoard) -> None:
    rescore(board, "noisy", noisy)
    told = "\n".join(board_lines(compute(board)))
    assert f"{2 * (ANSWERS + USERS):,} answers of 2 models, 24 users, 2 runs" in told
    assert "with demo" in told
    assert "same 0.8" in told
    assert "seconds" in told
