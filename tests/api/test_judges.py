"""The API under any judge: the rows of one, in the order of the ranks under it, and which of two is meant."""

from __future__ import annotations

import pytest

from evaluator.errors import RapportError
from leaderboard.api.endpoints import Endpoints
from leaderboard.pages.reader import Reader
from leaderboard.settings import Settings
from leaderboard.store.local import LocalStore
from tests.web.test_judge_view import MODELS, NEW, OLD, TOTALS, card_of, write_site


@pytest.fixture
def api(store: LocalStore) -> Endpoints:
    """A site whose two judges put three models in opposite orders."""
    cards = [
        card_of(model, judge, total)
        for judge, totals in TOTALS.items()
        for model, total in zip(MODELS, totals, strict=True)
    ]
    write_site(store, *cards)
    return Endpoints(Settings(), Reader(store, store, None), store, None, None)


def test_the_board_of_a_judge_is_in_the_order_of_its_ranks_and_official_ranks_stay_what_they_are(
    api: Endpoints,
) -> None:
    rows = api.board(judge=OLD)["rows"]
    assert [(row["model"], row["rank"], row["rank_under_judge"]) for row in rows] == [
        ("org/third", None, 1),
        ("org/second", None, 2),
        ("org/first", None, 3),
    ]
    assert {row["judge_status_since"] for row in rows} == {"2026-03-01T12:00:00+00:00"}
    assert [(row["model"], row["rank"]) for row in api.board(judge=NEW)["rows"]] == [
        ("org/first", 1),
        ("org/second", 2),
        ("org/third", 3),
    ]
    assert (api.board()["total"], api.board(judge="nobody")["total"]) == (6, 0)


def test_a_run_and_a_model_mean_their_official_result_and_a_scorecard_means_itself(api: Endpoints) -> None:
    old = card_of("org/first", OLD, 20)
    assert api.scorecard(old.run_id)["judge"] == NEW
    assert api.scorecard(old.id)["judge"] == OLD
    assert api.compare("org/first", "org/third")["judge"] == NEW
    assert api.compare(old.id, card_of("org/third", OLD, 60).id)["judge"] == OLD
    with pytest.raises(RapportError, match="differ in judge"):
        api.compare(old.id, card_of("org/third", NEW, 20).id)
