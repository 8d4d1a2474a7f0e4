"""The public files: parts that rows go into and out of, equal bytes for equal rows, damage that is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from evaluator.errors import Cause, RapportError
from evaluator.judges.spec import load_judge
from leaderboard.open_data import files
from leaderboard.open_data.figures import open_card, open_user_scores
from leaderboard.open_data.judges import OpenJudge
from leaderboard.open_data.records import OpenCard, OpenUserScore, OpenWithdrawal
from leaderboard.store.parquet import decode_parquet
from tests.builders import NOON, make_scorecard, make_user_scores
from tests.open_data.rows import board_of, make_label, some_cards, some_generations, some_verdicts

CARDS = [open_card(card) for card in some_cards()]
USERS = [open_user_scores(card, make_user_scores(card, users=3)) for card in some_cards()]


def cards_in(part: bytes | None) -> list[OpenCard]:
    return decode_parquet(part, OpenCard, "part") if part is not None else []


def users_in(part: bytes | None) -> list[OpenUserScore]:
    return decode_parquet(part, OpenUserScore, "part") if part is not None else []


def test_scorecards_go_into_a_part_one_by_one_as_they_do_together() -> None:
    part = None
    for card in reversed(CARDS):
        part = files.CARDS.put(part, [card], "part")

    assert part == files.CARDS.encode(CARDS)
    assert [row.id for row in cards_in(part)] == sorted(row.id for row in CARDS)
    assert files.CARDS.put(part, CARDS[:2], "part") == part


def test_a_scorecard_takes_the_place_of_that_of_its_id() -> None:
    changed = CARDS[0].model_copy(update={"scorecard": "{}"})

    rows = cards_in(files.CARDS.put(files.CARDS.encode(CARDS), [changed], "part"))

    assert [row for row in rows if row.id == changed.id] == [changed]
    assert len(rows) == len(CARDS)


def test_what_was_put_in_and_taken_out_leaves_the_part_as_it_was() -> None:
    before = files.CARDS.encode(CARDS[1:])
    users_before = files.USER_SCORES.encode([row for rows in USERS[1:] for row in rows])

    part = files.CARDS.put(before, CARDS[:1], "part")
    users = files.USER_SCORES.put(users_before, USERS[0], "part")

    assert (part == before, users == users_before) == (False, False)
    assert files.CARDS.take(part, [CARDS[0].id, "s-unknown"], "part") == before
    assert files.USER_SCORES.take(users, [CARDS[0].id], "part") == users_before


def test_nothing_is_left_of_a_part_whose_last_row_goes() -> None:
    assert files.CARDS.take(files.CARDS.encode(CARDS), [row.id for row in CARDS], "part") is None
    assert files.USER_SCORES.take(files.USER_SCORES.encode(USERS[0]), [CARDS[0].id], "part") is None


def test_users_who_are_no_longer_asked_leave_the_part() -> None:
    part = files.USER_SCORES.encode([row for rows in USERS for row in rows])

    rows = users_in(files.USER_SCORES.put(part, USERS[0][:1], "part"))

    assert [row for row in rows if row.scorecard_id == CARDS[0].id] == USERS[0][:1]
    assert len(rows) == sum(map(len, USERS)) - 2


@pytest.mark.parametrize(
    ("encode", "rows"),
    [
        (files.CARDS.encode, CARDS),
        (files.USER_SCORES.encode, [row for rows in USERS for row in rows]),
        (files.encode_generations, some_generations()),
        (files.encode_verdicts, some_verdicts()),
        (files.encode_judges, [load_judge("demo"), load_judge("hicupid-llama-3.2-3b")]),
        (files.encode_labels, [make_label("1"), make_label("2", number=3.0, word=None)]),
        (files.encode_withdrawals, [OpenWithdrawal(submission_id=name, at=NOON) for name in ("b", "a", "c")]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_order_in_which_rows_come_changes_no_byte(encode: Callable[[Any], bytes], rows: list[Any]) -> None:
    assert len(rows) > 1
    assert encode(rows) == encode(rows[::-1]) == encode(iter(rows))


def test_the_board_reads_back_in_its_order() -> None:
    rows, _ = board_of([*some_cards(), make_scorecard("org/wide", 45.0)])

    assert files.decode_board(files.encode_board(rows), "board.parquet") == rows
    assert files.decode_board(files.encode_board([]), "board.parquet") == []


def test_judges_are_rows_of_their_configuration() -> None:
    rows = decode_parquet(files.encode_judges([load_judge("demo")]), OpenJudge, "judges.parquet")

    assert [(row.id, row.model) for row in rows] == [("demo", load_judge("demo").model)]


def test_withdrawals_are_lines_of_id_and_date() -> None:
    content = files.encode_withdrawals([OpenWithdrawal(submission_id="s-20260301-00000001", at=NOON)])

    assert [json.loads(line) for line in content.splitlines()] == [
        {"schema_version": 1, "submission_id": "s-20260301-00000001", "at": "2026-03-01T12:00:00Z"}
    ]


@pytest.mark.parametrize(
    "use",
    [
        lambda part: files.CARDS.put(part, CARDS, "scorecards/c8.parquet"),
        lambda part: files.CARDS.take(part, ["x"], "scorecards/c8.parquet"),
        lambda part: files.USER_SCORES.put(part, USERS[0], "scorecards/c8.parquet"),
        lambda part: files.USER_SCORES.take(part, ["x"], "scorecards/c8.parquet"),
        lambda part: files.decode_board(part, "scorecards/c8.parquet"),
    ],
)
@pytest.mark.parametrize("damaged", [b"", files.CARDS.encode(CARDS)[:-9], files.encode_labels([make_label()])])
def test_a_part_that_is_damaged_or_foreign_is_named_and_not_overwritten(
    use: Callable[[bytes], object], damaged: bytes
) -> None:
    with pytest.raises(RapportError, match=r"scorecards/c8\.parquet") as raised:
        use(damaged)
    assert raised.value.cause is Cause.DATA_ERROR
