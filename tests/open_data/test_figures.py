"""Figures are public: the board's row, the whole scorecard, the users' sums, and the board made from them again."""

from __future__ import annotations

import json

import pytest

from evaluator.errors import RapportError
from leaderboard.open_data.figures import card_of, open_card, open_scorecard, open_user_scores, sums_of
from tests.builders import TERMS, make_declaration, make_scorecard, make_user_scores
from tests.open_data.rows import board_of, some_cards
from tests.ranked import rank

PRIVATE = TERMS.model_copy(update={"visibility": "private", "redistributable": False, "licence": None})
TOKEN = "hf_canaryCanaryCanaryCanary"


def test_the_row_holds_rank_figures_and_counts_of_its_scorecard() -> None:
    cards = some_cards()
    (best, *_), _ = board_of(cards)
    result = cards[0].result

    assert (best.model, best.rank, best.rank_low, best.rank_high) == ("org/good", 1, 1, 1)
    assert (best.total.value, best.aui, best.total.judged) == (80.0, best.total.value, result.total.judged)
    assert best.persona_score.value == result.persona.score.value == best.uii == 75.0
    assert (best.persona_win.value, best.persona_tie.value, best.profile_loss.value) == (50.0, 50.0, 0.0)
    assert (best.schedule.value, best.pr, best.schedule.items) == (100.0, 100.0, 1)
    assert (best.items, best.generations, best.judged, best.judged_share) == (3, 3, 3, 1.0)
    assert best.lc is None
    assert best.generalisation is not None
    assert (best.generalisation.first_judged, best.generalisation.second_judged) == (0, 36)
    assert best.generalisation.second.endswith("test_1")
    assert json.loads(best.chat_template_arguments) == {"date_string": "01 Jan 2025"}
    assert json.loads(best.stage_seconds) == {"generate": 2.0, "wait": 1.0}


def test_the_ends_of_a_rank_are_its_best_and_its_worst() -> None:
    card = make_scorecard("org/m")
    (row,) = rank([card], {card.id: make_user_scores(card).users})

    public = open_scorecard(row.model_copy(update={"rank": 2, "rank_interval": (2, 5)}), card)

    assert (public.rank, public.rank_low, public.rank_high) == (2, 2, 5)


def test_what_does_not_rank_says_why() -> None:
    rows = {row.model: row for row in board_of(some_cards())[0]}

    assert (rows["reference/gold"].rank, rows["reference/gold"].rank_low) == (None, None)
    assert rows["reference/gold"].unranked_because == "reference; demo judge"
    assert rows["org/good"].unranked_because == ""
    assert rows["org/none"].total.value is None


def test_counts_add_up_and_say_because_of_what() -> None:
    card = make_scorecard("org/m")
    counts = {
        "missing": 5,
        "missing_because": (("judge_timeout", 2), ("unparsed", 3)),
        "defects": (("empty", 1), ("repetition", 2)),
        "failures": (("context_overflow", 4),),
    }
    card = card.model_copy(update={"result": card.result.model_copy(update=counts)})
    ((row,), _) = board_of([card])

    assert (row.missing, row.defects, row.failures) == (5, 3, 4)
    assert json.loads(row.missing_because) == {"judge_timeout": 2, "unparsed": 3}
    assert json.loads(row.defects_because) == {"empty": 1, "repetition": 2}
    assert json.loads(row.failures_because) == {"context_overflow": 4}


def test_figures_are_public_even_where_rows_are_not() -> None:
    card = make_scorecard("org/m", 60.0, terms=PRIVATE)
    ((row,), _) = board_of([card])

    assert (row.total.value, row.licence, row.redistributable) == (60.0, None, False)
    assert card_of(open_card(card)) == card


def test_the_board_made_from_public_rows_is_the_board() -> None:
    cards = some_cards()
    sums = [make_user_scores(card) for card in cards]
    board = rank(cards, {each.scorecard_id: each.users for each in sums})

    public_cards = [card_of(open_card(card)) for card in cards]
    public_rows = [row for card, each in zip(cards, sums, strict=True) for row in open_user_scores(card, each)]

    assert rank(public_cards, sums_of(reversed(public_rows))) == board


def test_no_secret_leaves_in_a_scorecard() -> None:
    card = make_scorecard(
        "org/m",
        declaration=make_declaration(base_model=f"base {TOKEN}"),
        engine_flags=(("extra", TOKEN), (TOKEN, "1")),
        context=(("encoder", TOKEN),),
        hardware=f"host {TOKEN}",
        data_source=f"/root/data/{TOKEN}",
    )
    ((row,), _) = board_of([card])

    assert TOKEN in card.model_dump_json()
    for text in (row.model_dump_json(), open_card(card).model_dump_json()):
        assert TOKEN not in text
        assert "/root/data" not in text
    assert json.loads(row.engine_flags) == {"extra": "[redacted]", "[redacted]": "1"}


def test_a_secret_of_this_machine_is_taken_out_and_breaks_nothing() -> None:
    card = make_scorecard("org/m", hardware="machine-of-ours")
    secrets = frozenset({"machine-of-ours", "official", "synthetic", "public", "org/m"})
    (board_row,) = rank([card], {})

    row, whole = open_scorecard(board_row, card, secrets), card_of(open_card(card, secrets))

    assert (row.hardware, row.model, row.judge_status) == ("[redacted]", "org/m", "official")
    assert (whole.hardware, whole.id, whole.terms) == ("[redacted]", card.id, card.terms)


def test_a_card_that_cannot_be_read_is_named() -> None:
    row = open_card(make_scorecard("org/m")).model_copy(update={"scorecard": "{}"})

    with pytest.raises(RapportError, match=f"scorecard {row.id}"):
        card_of(row)
