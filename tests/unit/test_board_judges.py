"""The board under any judge: who ranks there, what official ranks never learn of it, and whose status readers see."""

from __future__ import annotations

import datetime
import io

import pyarrow.parquet as pq
import pytest

from leaderboard.board.build import Board, BoardRow, build_board, under_judge
from leaderboard.board.places import NO_SUMS, TOO_FEW_USERS
from leaderboard.board.public import NOT_YET
from leaderboard.open_data import layout
from leaderboard.open_data.files import decode_board
from leaderboard.rescoring.promotions import Promotion, Promotions, as_promoted, status_since
from leaderboard.results import JUDGE_REASONS, Scorecard
from leaderboard.store.base import Write
from leaderboard.store.local import LocalStore
from tests.builders import NOON, make_scorecard, make_user_scores
from tests.ranked import rank
from tests.released import publish, put_card

OLD, NEW = "old", "new"
NAMES = ("org/a", "org/b", "org/c")


def retired(model: str, total: float | None, *reasons: str, **changes: object) -> Scorecard:
    """A scorecard of the judge that decided ranks before."""
    card = make_scorecard(model, total, **{"judge": OLD, "judge_status": "retired", **changes})
    return card.model_copy(
        update={"id": f"{card.run_id}@{card.judge}", "unranked_because": ("retired judge", *reasons)}
    )


def official(model: str, total: float | None, *reasons: str) -> Scorecard:
    """A scorecard of the judge that decides ranks now."""
    card = make_scorecard(model, total, judge=NEW, judge_status="official", unranked_because=reasons)
    return card.model_copy(update={"id": f"{card.run_id}@{NEW}"})


def ranked(*cards: Scorecard) -> dict[tuple[str, str], BoardRow]:
    """The rows of some scorecards, each of twelve users who all scored its Total."""
    rows = rank(cards, {card.id: make_user_scores(card).users for card in cards})
    return {(row.model, row.judge): row for row in rows}


def both() -> list[Scorecard]:
    """Three models, which the two judges put in opposite orders."""
    return [
        *(official(name, total) for name, total in zip(NAMES, (60, 40, 20), strict=True)),
        *(retired(name, total) for name, total in zip(NAMES, (20, 40, 60), strict=True)),
    ]


def test_every_judge_has_ranks_of_its_own_and_only_the_official_one_decides() -> None:
    rows = ranked(*both())
    assert [rows[name, NEW].rank for name in NAMES] == [1, 2, 3]
    assert [rows[name, NEW].rank_under_judge for name in NAMES] == [1, 2, 3]
    assert [rows[name, OLD].rank for name in NAMES] == [None] * 3
    assert [rows[name, OLD].rank_under_judge for name in NAMES] == [3, 2, 1]
    assert rows["org/a", OLD].rank_under_judge_interval == (3, 3)
    assert rows["org/a", OLD].rank_interval is None
    assert rows["org/a", OLD].unranked_because == ("retired judge",)


@pytest.mark.parametrize("status", JUDGE_REASONS)
def test_a_judge_of_any_status_has_ranks(status: str) -> None:
    reason = (JUDGE_REASONS[status],)
    cards = [make_scorecard(name, total, judge_status=status, unranked_because=reason) for name, total in
             (("org/a", 10), ("org/b", 30))]  # fmt: skip
    rows = rank(cards, {card.id: make_user_scores(card).users for card in cards})
    assert [(row.model, row.rank, row.rank_under_judge) for row in rows] == [("org/b", None, 1), ("org/a", None, 2)]


@pytest.mark.parametrize("reason", ["incomplete", "built-in prompts", "reference", "flagged by a maintainer"])
def test_whatever_else_keeps_a_result_out_keeps_it_out_there_too(reason: str) -> None:
    rows = ranked(retired("org/a", 10), retired("org/b", 30, reason))
    assert (rows["org/a", OLD].rank_under_judge, rows["org/b", OLD].rank_under_judge) == (1, None)


def test_a_result_without_a_total_ranks_under_no_judge() -> None:
    rows = ranked(retired("org/a", None), retired("org/b", 30))
    assert (rows["org/a", OLD].rank_under_judge, rows["org/b", OLD].rank_under_judge) == (None, 1)


def test_results_under_other_conditions_are_ranked_apart_there_too() -> None:
    rows = ranked(retired("org/a", 10), retired("org/b", 30, judge_engine="transformers"))
    assert {row.rank_under_judge for row in rows.values()} == {1}


def test_official_ranks_are_the_same_beside_a_result_of_the_same_judge_from_before_it_was_official() -> None:
    before = make_scorecard("org/before", 90, judge_status="candidate", unranked_because=("candidate judge",))
    now = [make_scorecard("org/a", 60), make_scorecard("org/b", 40)]
    rows = {row.model: row for row in rank([before, *now], {c.id: make_user_scores(c).users for c in [before, *now]})}
    assert [(rows[name].rank, rows[name].rank_under_judge) for name in ("org/before", "org/a", "org/b")] == [
        (None, 1),
        (1, 2),
        (2, 3),
    ]


@pytest.mark.parametrize(("users", "why"), [(9, TOO_FEW_USERS), (0, NO_SUMS)])
def test_why_a_result_has_no_rank_under_its_judge_is_said(users: int, why: str) -> None:
    good, other, odd = retired("org/a", 60), retired("org/b", 40), retired("org/odd", 70)
    known = {card.id: make_user_scores(card).users for card in (good, other)}
    known[odd.id] = make_user_scores(odd, users=users).users
    rows = {row.model: row for row in rank([good, other, odd], known)}
    assert [rows[name].rank_under_judge for name in ("org/a", "org/b", "org/odd")] == [1, 2, None]
    assert rows["org/odd"].unranked_because == ("retired judge", why)


def test_a_row_as_it_stands_under_its_judge_has_that_rank_and_says_nothing_of_the_judges_status() -> None:
    rows = ranked(retired("org/a", 60), retired("org/b", 70, "incomplete"))
    there, out = under_judge(rows["org/a", OLD]), under_judge(rows["org/b", OLD])
    assert (there.rank, there.rank_interval, there.unranked_because) == (1, (1, 1), ())
    assert (out.rank, out.unranked_because) == (None, ("incomplete",))


def judges_of(board: Board) -> dict[str, set[tuple[str, bool]]]:
    """What a board says of each judge: its status, and whether it decides any rank."""
    found: dict[str, set[tuple[str, bool]]] = {}
    for row in board.rows:
        found.setdefault(row.judge, set()).add((row.judge_status, row.rank is not None))
    return found


def test_ranks_under_a_judge_are_read_off_the_public_board(store: LocalStore) -> None:
    publish(store, *both())
    rows = {(row.model, row.judge): row for row in build_board(store).rows}
    assert [rows[name, OLD].rank_under_judge for name in NAMES] == [3, 2, 1]
    assert rows == ranked(*both())
    columns = decode_board(store.read(layout.BOARD), layout.BOARD)
    told = {(row.model, row.judge): (row.rank_under_judge, row.rank_under_judge_low) for row in columns}
    assert told["org/a", OLD] == (3, 3)


def test_a_result_that_is_newer_than_the_board_has_no_rank_under_its_judge_yet(store: LocalStore) -> None:
    publish(store, *both())
    late = retired("org/late", 50)
    put_card(store, late, make_user_scores(late))
    board = build_board(store)
    (row,) = [row for row in board.rows if row.model == "org/late"]
    assert (row.rank_under_judge, row.unranked_because) == (None, ("retired judge", NOT_YET))
    assert board.lags


def test_a_board_of_an_earlier_rapport_is_read_without_ranks_under_other_judges(store: LocalStore) -> None:
    publish(store, *both())
    table = pq.read_table(io.BytesIO(store.read(layout.BOARD)), use_threads=False, pre_buffer=False)
    new = ["rank_under_judge", "rank_under_judge_low", "rank_under_judge_high", "judge_status_since"]
    table = table.drop_columns([*new, "schema_version"])
    file = io.BytesIO()
    pq.write_table(table.append_column("schema_version", [[1] * len(table)]), file)
    store.commit([Write(layout.BOARD, file.getvalue())], "as it was written")
    board = build_board(store)
    rows = {(row.model, row.judge): row for row in board.rows}
    assert not board.problems
    assert [rows[name, NEW].rank for name in NAMES] == [1, 2, 3]
    assert {rows[name, OLD].rank_under_judge for name in NAMES} == {None}
    assert {row.rank_under_judge for row in decode_board(file.getvalue(), "board")} == {None}


def test_until_the_board_takes_a_promotion_in_readers_see_the_old_judge_and_nothing_of_the_new(
    store: LocalStore,
) -> None:
    old = [retired(name, total).model_copy(update={"judge_status": "official", "unranked_because": ()})
           for name, total in zip(NAMES, (20, 40, 60), strict=True)]  # fmt: skip
    publish(store, *old)
    before = build_board(store)
    assert judges_of(before) == {OLD: {("official", True)}}
    for new, after in zip(both()[:3], both()[3:], strict=True):  # Model by model, as a release does.
        put_card(store, new, make_user_scores(new))
        put_card(store, after, make_user_scores(after))
        board = build_board(store)
        assert judges_of(board) == {OLD: {("official", True)}}
        assert board.rows == before.rows
        assert board.cards == before.cards
        assert board.lags
    publish(store)
    board = build_board(store)
    assert judges_of(board) == {OLD: {("retired", False)}, NEW: {("official", True)}}
    assert not board.lags


def test_a_result_of_the_old_judge_that_comes_in_between_is_shown_as_that_judges_others_are(store: LocalStore) -> None:
    known = retired("org/a", 20).model_copy(update={"judge_status": "official", "unranked_because": ()})
    publish(store, known)
    late = retired("org/late", 50)
    put_card(store, late, make_user_scores(late))
    (row,) = [row for row in build_board(store).rows if row.model == "org/late"]
    assert (row.judge_status, row.rank, row.unranked_because) == ("official", None, (NOT_YET,))


def test_the_first_official_result_of_a_protocol_is_shown_at_once(store: LocalStore) -> None:
    first = make_scorecard("org/first", 50)
    put_card(store, first, make_user_scores(first))
    assert [row.unranked_because for row in build_board(store).rows] == [(NOT_YET,)]
    publish(store)
    other = make_scorecard("org/other", 50, judge_revision="r2", id="s-20260301-0000000f.demo-v1@demo")
    put_card(store, other, make_user_scores(other))
    assert len(build_board(store).rows) == 2, "a judge that decides ranks is shown at a newer revision too"


def promotion(judge: str, day: int) -> Promotion:
    return Promotion(
        protocol="demo-v1",
        judge=judge,
        judge_revision="r1",
        judge_config="c" * 64,
        rescore_id=f"r-20260301-0a1b2c3{day}",
        at=NOON + datetime.timedelta(days=day),
        actor="carol",
        reason="Better.",
    )


@pytest.mark.parametrize(
    ("judges", "judge", "expected"),
    [
        ([], OLD, ("official", None)),
        ([NEW], OLD, ("retired", 0)),
        ([NEW], NEW, ("official", 0)),
        ([NEW, NEW], NEW, ("official", 0)),
        ([NEW, "third"], OLD, ("retired", 0)),
        ([NEW, "third"], NEW, ("retired", 1)),
        ([NEW, "third"], "third", ("official", 1)),
        ([NEW, OLD], OLD, ("official", 1)),
        ([NEW, OLD], NEW, ("retired", 1)),
    ],
)
def test_since_when_a_judge_has_its_status_is_told_by_promotions(
    judges: list[str], judge: str, expected: tuple[str, int | None]
) -> None:
    promotions = Promotions(promotions=tuple(promotion(name, day) for day, name in enumerate(judges)))
    own = "official" if judge == OLD else "candidate"
    card = as_promoted(
        make_scorecard(
            "org/a", 50, judge=judge, judge_status=own, unranked_because=(f"{own} judge",) * (own != "official")
        ),
        promotions,
    )
    status, day = expected
    since = None if day is None else NOON + datetime.timedelta(days=day)
    assert (card.judge_status, status_since(card, promotions)) == (status, since)


def test_a_judge_that_no_promotion_is_about_has_its_status_from_its_own_file() -> None:
    card = make_scorecard("org/a", 50, judge="demo", judge_status="demo", unranked_because=("demo judge",))
    promotions = Promotions(promotions=(promotion(NEW, 1),))
    assert status_since(as_promoted(card, promotions), promotions) is None
