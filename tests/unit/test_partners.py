"""Which scorecards are compared with which: equal in everything but the one thing that the comparison is about."""

import datetime

import pytest

from leaderboard.board.build import BoardRow, build_board
from leaderboard.board.partners import find_partners
from leaderboard.results import Scorecard
from tests.builders import NOON, make_declaration, make_scorecard, make_user_scores
from tests.ranked import rank
from tests.released import put_card, write_board

LATER = NOON + datetime.timedelta(days=1)


def card(protocol: str, **changes) -> Scorecard:
    """A scorecard of one model under a protocol."""
    values = {"id": f"s-20260301-00000001.{protocol}@judge", "protocol": protocol, "judge": "judge"}
    return make_scorecard("org/model", **(values | changes))


def partners_of(first: Scorecard, *others: Scorecard):
    return find_partners([first, *others])[first.id]


def test_the_official_result_has_a_partner_for_either_gap():
    official, gold, seen = card("official-v1"), card("gold-v1"), card("seen-v1")
    assert partners_of(official, gold, seen) == (gold.id, seen.id)
    assert partners_of(gold, official, seen) == (None, None)
    assert partners_of(seen, official, gold) == (None, None)


@pytest.mark.parametrize(
    "other", ["official-v1", "window-8k-v1", "bm25-dialogue-5-v1", "dense-dialogue-5-v1", "few-3-v1", "paper"]
)
def test_other_protocols_are_no_partners(other):
    assert partners_of(card("official-v1"), card(other, id="another")) == (None, None)


@pytest.mark.parametrize(
    "apart",
    [
        {"model": "org/other"},
        {"revision": "b" * 40},
        {"adapter": "org/adapter"},
        {"adapter": "org/adapter", "adapter_revision": "c" * 40},
        {"declaration": make_declaration(thinking=True)},
        {"judge": "other"},
        {"judge_revision": "r2"},
        {"judge_config": "0" * 64},
        {"judge_engine": "transformers"},
        {"judge_dtype": "bfloat16"},
        {"prompt_pack": "other"},
        {"data_sha": "e" * 40},
        {"context": (("encoder", "org/encoder@1"),)},
    ],
    ids=lambda apart: " and ".join(apart),
)
@pytest.mark.parametrize("protocol", ["gold-v1", "seen-v1"])
def test_a_result_of_another_model_judge_or_data_set_is_no_partner(protocol, apart):
    other = card(protocol).model_copy(update=apart)
    assert partners_of(card("official-v1"), other) == (None, None)


def test_of_several_results_that_would_do_the_newest_is_taken():
    old, new = card("gold-v1", id="old"), card("gold-v1", id="new", created_at=LATER)
    for others in ([old, new], [new, old]):
        assert partners_of(card("official-v1"), *others).gold == "new"


def test_a_result_on_seen_and_unseen_users_is_its_own_partner():
    demo = card("demo-v1")
    assert partners_of(demo) == (None, demo.id)


def test_a_result_of_a_protocol_that_is_no_longer_shipped_has_no_partners():
    assert find_partners([card("retired"), card("gold-v1")]).keys() == {card("gold-v1").id}


def board(*cards: Scorecard, without: Scorecard | None = None) -> dict[str, BoardRow]:
    """The rows of some scorecards by protocol; the sums of one may be lost."""
    splits = {"seen-v1": "test_1"}
    sums = {
        each.id: make_user_scores(each, split=splits.get(each.protocol, "test_2")).users
        for each in cards
        if each is not without
    }
    return {row.protocol: row for row in rank(cards, sums)}


OFFICIAL, GOLD, SEEN = card("official-v1", total=40.0), card("gold-v1", total=70.0), card("seen-v1", total=50.0)


def test_a_row_shows_the_gaps_to_its_partners():
    found = board(OFFICIAL, GOLD, SEEN)["official-v1"].desiderata
    assert (found.lc.value, found.lc.users, found.lc.between) == (-30, 12, (OFFICIAL.id, GOLD.id))
    assert found.generalisation.value == -8.75
    assert found.generalisation.between == (f"{OFFICIAL.id} test_2", f"{SEEN.id} test_1")
    assert found.aui == OFFICIAL.result.total


def test_without_a_partner_or_its_sums_a_gap_is_missing():
    alone = board(OFFICIAL)["official-v1"].desiderata
    assert (alone.lc, alone.generalisation) == (None, None)
    lost = board(OFFICIAL, GOLD, SEEN, without=GOLD)["official-v1"].desiderata
    assert lost.lc is None
    assert lost.generalisation is not None
    assert board(OFFICIAL, GOLD, SEEN, without=OFFICIAL)["official-v1"].desiderata.generalisation is None


def test_the_gaps_are_made_of_what_is_stored(store):
    unranked = [
        each.model_copy(update={"unranked_because": ("incomplete",)}) for each in (OFFICIAL, GOLD, card("few-3-v1"))
    ]
    for each in unranked:
        put_card(store, each, make_user_scores(each, split="test_2"))
    write_board(store)
    rows = {row.protocol: row for row in build_board(store).rows}
    assert rows["official-v1"].desiderata.lc.value == -30
    assert rows["few-3-v1"].desiderata.lc is None


def test_a_gap_goes_with_the_rows_that_it_was_worked_out_from(store):
    unranked = [each.model_copy(update={"unranked_because": ("incomplete",)}) for each in (OFFICIAL, GOLD)]
    for each in unranked:
        put_card(store, each, make_user_scores(each, split="test_2"))
    write_board(store)
    again = unranked[0].model_copy(update={"rows_sha": "9" * 64})
    put_card(store, again, make_user_scores(again, split="test_2"))
    rows = {row.protocol: row for row in build_board(store).rows}
    assert rows["official-v1"].desiderata.lc is None
