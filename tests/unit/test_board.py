"""The board: who ranks, in which order, with which figures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.hicupid.user_scores import UserScore
from evaluator.metrics.intervals import UserSums
from evaluator.metrics.ranks import rank_board
from evaluator.results import Result
from leaderboard.board import places as places_module
from leaderboard.board.build import BoardRow, build_board, find_row
from leaderboard.board.places import NO_SUMS, TOO_FEW_USERS
from leaderboard.board.public import NOT_YET, UNREAD
from leaderboard.open_data import layout
from leaderboard.open_data.figures import open_card
from leaderboard.open_data.files import CARDS
from leaderboard.results import Provenance, Scorecard
from leaderboard.scorecards import UserScores
from leaderboard.store.base import Delete, Write
from tests.builders import make_scorecard, make_user_scores
from tests.ranked import rank
from tests.released import publish, put_card, releasing, write_board


def ranked(*cards: Scorecard) -> tuple[BoardRow, ...]:
    """The board of some scorecards, each of twelve users who all scored its Total."""
    return rank(cards, {card.id: make_user_scores(card).users for card in cards})


def places(*cards: Scorecard) -> dict[str, int | None]:
    """Each model's rank, in the order of the board."""
    return {row.model: row.rank for row in ranked(*cards)}


def in_order(*cards: Scorecard) -> list[tuple[str, int | None]]:
    return list(places(*cards).items())


def test_the_best_total_comes_first():
    cards = [make_scorecard("org/low", 10), make_scorecard("org/high", 80), make_scorecard("org/mid", 50)]
    assert in_order(*cards) == [("org/high", 1), ("org/mid", 2), ("org/low", 3)]


def test_equal_totals_share_a_rank_and_the_next_one_is_skipped():
    cards = [make_scorecard(f"org/{name}", total) for name, total in [("d", 20), ("b", 50), ("c", 50), ("a", 60)]]
    assert in_order(*cards) == [("org/a", 1), ("org/b", 2), ("org/c", 2), ("org/d", 4)]


def test_an_unranked_row_is_shown_below_without_a_rank_and_takes_none():
    demo = make_scorecard("org/best", 80, unranked_because=("demo judge",))
    assert in_order(demo, make_scorecard("org/real", 10)) == [("org/real", 1), ("org/best", None)]


def test_unranked_rows_are_in_the_order_of_their_totals_with_missing_ones_last():
    cards = [make_scorecard(f"org/{total}", total, unranked_because=("demo judge",)) for total in (None, 0, 70, 30)]
    assert in_order(*cards) == [("org/70", None), ("org/30", None), ("org/0", None), ("org/None", None)]


def test_a_row_without_a_total_never_ranks():
    assert in_order(make_scorecard("org/nothing", None), make_scorecard("org/zero", 0)) == [
        ("org/zero", 1),
        ("org/nothing", None),
    ]


@pytest.mark.parametrize(
    "apart",
    [
        {"protocol": "other"},
        {"judge": "other"},
        {"judge_revision": "r2"},
        {"prompt_pack": "other"},
        {"data_sha": "e" * 40},
        {"protocol_config": "0" * 64},
        {"judge_config": "0" * 64},
        {"judge_engine": "transformers"},
        {"judge_dtype": "bfloat16"},
        {"context": (("encoder", "org/encoder@1"),)},
    ],
    ids=lambda apart: next(iter(apart)),
)
def test_results_under_other_conditions_are_ranked_apart(apart):
    here = [make_scorecard("org/a", 60), make_scorecard("org/b", 40)]
    there = [make_scorecard("org/c", 50, **apart), make_scorecard("org/d", 30, **apart)]
    assert places(*here, *there) == {"org/a": 1, "org/b": 2, "org/c": 1, "org/d": 2}


def spread(card: Scorecard, *, wobble: float, users: int = 30) -> UserScores:
    """Sums of users who score a card's Total by and large."""
    levels = [card.result.total.value + wobble * ((user * 7 + len(card.model)) % 5 - 2) for user in range(users)]
    sums = [UserSums(level, 1) for level in levels]
    return make_user_scores(card).model_copy(
        update={"users": tuple(UserScore("test_1", user, *[each] * 3) for user, each in enumerate(sums))}
    )


def test_a_rank_is_one_more_than_the_number_of_significantly_better_models_with_an_interval():
    cards = [make_scorecard(name, total) for name, total in [("org/a", 60), ("org/bb", 59), ("org/ccc", 20)]]
    rows = rank(cards, {card.id: spread(card, wobble=6).users for card in cards})
    assert [(row.model, row.rank, row.rank_interval) for row in rows] == [
        ("org/a", 1, (1, 2)),
        ("org/bb", 1, (1, 2)),
        ("org/ccc", 3, (3, 3)),
    ]


@pytest.mark.parametrize(("sums", "why"), [("none", NO_SUMS), ("too few", TOO_FEW_USERS)])
def test_a_row_that_cannot_be_compared_does_not_rank_and_says_why(sums, why):
    good, poor, odd = (make_scorecard(f"org/{name}", total) for name, total in [("a", 60), ("b", 40), ("odd", 70)])
    known = {card.id: make_user_scores(card).users for card in (good, poor)}
    if sums == "too few":
        known[odd.id] = make_user_scores(odd, users=9).users
    *others, last = rank([odd, good, poor], known)
    assert [(row.model, row.rank) for row in others] == [("org/a", 1), ("org/b", 2)]
    assert (last.rank, last.rank_interval, last.unranked_because) == (None, None, (why,))


def test_a_reference_stands_among_the_rows_without_a_rank():
    gold = make_scorecard("reference/gold", 50, unranked_because=("reference",))
    assert in_order(gold, make_scorecard("org/a", 60), make_scorecard("org/b", 40)) == [
        ("org/a", 1),
        ("org/b", 2),
        ("reference/gold", None),
    ]


totals = st.none() | st.sampled_from([0.0, 12.5, 50.0, 62.5, 87.5])
card_parts = st.tuples(totals, st.sampled_from(["demo", "other"]), st.booleans())


@given(st.lists(card_parts, max_size=8), st.randoms(use_true_random=False))
def test_where_every_user_agrees_ranks_are_those_of_the_totals_whatever_order_rows_come_in(parts, shuffler):
    cards = [
        make_scorecard(f"org/m{number:02d}", total, judge=judge, unranked_because=() if ranks else ("demo judge",))
        for number, (total, judge, ranks) in enumerate(parts)
    ]
    rows = ranked(*cards)
    for row in rows:
        if row.rank is None:
            assert row.unranked_because or row.total.value is None
        else:
            rivals = [rival for rival in rows if rival.rank is not None and rival.judge == row.judge]
            assert row.rank == 1 + sum(rival.total.value > row.total.value for rival in rivals)
            assert row.rank_interval == (row.rank, len(rivals) - sum(r.total.value < row.total.value for r in rivals))
    shuffler.shuffle(cards)
    assert ranked(*cards) == rows


def test_a_ranking_is_worked_out_again_only_if_its_sums_have_changed(monkeypatch, store):
    ranked = []
    monkeypatch.setattr(places_module, "rank_board", lambda board: ranked.append(board) or rank_board(board))
    release = releasing(store)
    publish(store, make_scorecard("org/a", 60), make_scorecard("org/b", 40))
    ranked.clear()
    release.rank()
    publish(store, make_scorecard("org/part", 90, unranked_because=("incomplete",)))
    ranked.clear()
    release.rank()
    assert not ranked
    publish(store, make_scorecard("org/c", 50))
    ranked.clear()
    release.rank()
    assert [len(board.totals) for board in ranked] == [3]
    assert [(row.model, row.rank) for row in build_board(store).rows][:3] == [("org/a", 1), ("org/c", 2), ("org/b", 3)]


def test_a_row_shows_the_figures_and_the_provenance_of_its_scorecard():
    card = make_scorecard("org/model", 42.5)
    (row,) = ranked(card)
    for name in Provenance.model_fields:
        assert getattr(row, name) == getattr(card, name), name
    of_both = BoardRow.model_fields.keys() & Result.model_fields.keys()
    shown = {
        "users",
        "judged_share",
        "defects",
        "missing_because",
        "by_split",
        "bleu",
        "rouge_l",
        "slot_a_share",
        "total",
    }
    assert of_both >= shown
    for name in of_both:
        assert getattr(row, name) == getattr(card.result, name), name
    assert row.scorecard_id == card.id
    assert row.stage_seconds == {"generate": 2.0, "wait": 1.0}
    assert row.published_at == card.created_at


def test_an_empty_store_has_an_empty_board(store):
    assert build_board(store).rows == ()


def test_the_board_is_built_from_what_is_stored(store):
    publish(store, make_scorecard("org/a", 10), make_scorecard("other/b", 20), make_scorecard("local/c", 30))
    board = build_board(store)
    assert [row.model for row in board.rows] == ["local/c", "other/b", "org/a"]
    assert board.revision == store.head()


def test_a_broken_file_is_named_and_costs_no_rows_but_its_own(store):
    publish(store, make_scorecard("org/good", 50))
    path = layout.scorecards_path("org/other")
    store.commit([Write(path, b"PAR1")], "broken")
    board = build_board(store)
    (problem,) = board.problems
    assert f"{path} is no readable Parquet file" in problem
    assert [row.model for row in board.rows] == ["org/good"]


def test_a_broken_scorecard_is_named_and_costs_no_row_but_its_own(store):
    good, other = make_scorecard("org/good", 50), make_scorecard("org/good", 40, id="s-20260301-0000000f.demo-v1@demo")
    broken = open_card(other).model_copy(update={"scorecard": "{}"})
    path = layout.scorecards_path("org/good")
    publish(store, good)
    store.commit([Write(path, CARDS.put(store.read(path), [broken], path))], "broken")
    board = build_board(store)
    (problem,) = board.problems
    assert f"scorecard {other.id} is no Scorecard" in problem
    assert [row.scorecard_id for row in board.rows] == [good.id]


@pytest.mark.parametrize("sums", [None, b"{}"], ids=["lost", "broken"])
def test_a_scorecard_without_its_users_sums_is_shown_without_a_rank_and_named(store, caplog, sums):
    whole, part = make_scorecard("org/whole", 50), make_scorecard("org/part", 60)
    publish(store, whole, part)
    path = layout.user_scores_path(part.model)
    assert path != layout.user_scores_path(whole.model)
    store.commit([Delete(path) if sums is None else Write(path, sums)], "loss")
    write_board(store)
    rows = build_board(store).rows
    assert [(row.model, row.rank) for row in rows] == [("org/whole", 1), ("org/part", None)]
    assert rows[1].unranked_because == (NO_SUMS,)
    assert sum(path in record.getMessage() for record in caplog.records) == 1


def test_users_sums_that_nothing_needs_are_not_read(store, caplog):
    card = make_scorecard("org/part", 50, protocol="retired", unranked_because=("incomplete",))
    publish(store, card)
    store.commit([Write(layout.user_scores_path(card.model), b"{}")], "broken")
    write_board(store)
    assert not caplog.records


def test_a_scorecard_that_is_newer_than_the_board_is_shown_without_a_rank_until_it_has_one(store):
    publish(store, make_scorecard("org/a", 50))
    newer = make_scorecard("org/b", 60)
    put_card(store, newer, make_user_scores(newer))
    assert [(row.model, row.rank, row.unranked_because) for row in build_board(store).rows] == [
        ("org/a", 1, ()),
        ("org/b", None, (NOT_YET,)),
    ]
    write_board(store)
    assert [(row.model, row.rank) for row in build_board(store).rows] == [("org/b", 1), ("org/a", 2)]


def test_a_board_among_other_results_than_these_is_told_so(store):
    publish(store, make_scorecard("org/a", 50), make_scorecard("org/b", 40))
    assert not build_board(store).lags
    part = make_scorecard("org/part", 60, unranked_because=("incomplete",))
    put_card(store, part, make_user_scores(part))
    assert not build_board(store).lags, "it takes no part"
    path = layout.scorecards_path("org/a")
    store.commit([Delete(path)], "withdrawn")
    assert [(row.model, row.rank) for row in build_board(store).rows][:1] == [("org/b", 2)]
    assert build_board(store).lags
    write_board(store)
    assert not build_board(store).lags


def test_a_rank_goes_with_the_rows_that_it_was_worked_out_from(store):
    card = make_scorecard("org/a", 50)
    publish(store, card)
    again = card.model_copy(update={"rows_sha": "9" * 64})
    put_card(store, again, make_user_scores(again))
    (row,) = build_board(store).rows
    assert (row.rank, row.unranked_because) == (None, (NOT_YET,))


def test_a_scorecard_that_no_longer_takes_part_loses_its_rank_at_once(store):
    card = make_scorecard("org/a", 50)
    publish(store, card)
    out = card.model_copy(update={"unranked_because": ("incomplete",)})
    put_card(store, out, make_user_scores(out))
    (row,) = build_board(store).rows
    assert (row.rank, row.unranked_because) == (None, ("incomplete",))


@pytest.mark.parametrize("content", [b"", b"PAR1 cut"])
def test_a_broken_board_is_named_and_costs_the_ranks_alone(store, content):
    publish(store, make_scorecard("org/a", 50))
    store.commit([Write(layout.BOARD, content)], "broken")
    board = build_board(store)
    assert [(row.model, row.rank, row.unranked_because) for row in board.rows] == [("org/a", None, (UNREAD,))]
    assert [layout.BOARD in problem for problem in board.problems] == [True]


def test_a_runs_row_is_found_under_its_protocols_judge(store):
    card = make_scorecard("org/a", 10)
    publish(store, card, make_scorecard("org/b", 20))
    assert find_row(store, card.run_id).model == "org/a"
    with pytest.raises(KeyError, match="s-20260301-ffffffff"):
        find_row(store, "s-20260301-ffffffff.demo-v1")
