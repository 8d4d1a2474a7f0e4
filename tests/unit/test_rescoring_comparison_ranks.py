"""Totals and ranks of two judges side by side: the board's own, as if either judge were official."""

from __future__ import annotations

import pytest

from evaluator.hicupid.questions import Item
from evaluator.hicupid.user_scores import total_sums
from evaluator.metrics.intervals import paired_difference
from evaluator.metrics.ranks import Rank
from evaluator.records import Generation, Outcome, SlotOrder
from leaderboard.board.places import TOO_FEW_USERS
from leaderboard.rescoring.comparing_ranks import NO_TOTAL
from leaderboard.rescoring.comparing_rows import RunOfBoth
from leaderboard.rescoring.comparison import Move
from tests.builders import LOSS, NO, PERSONA, SCHEDULE, WIN, YES
from tests.ranked import places_of
from tests.unit.test_rescoring_comparison import Rule, compared, drawn, items_of, noisy, run_of


def with_wins(share: float) -> Rule:
    """A judge for whom an answer wins in a share of questions, the same ones for every model and user alike."""

    def rule(answer: Generation, item: Item, order: SlotOrder) -> Outcome:
        won = int(item.question_id.rpartition("-")[2]) < 4 * share
        return (YES if won else NO) if item.type is SCHEDULE else (WIN if won else LOSS)

    return rule


def test_ranks_are_the_boards_and_a_model_that_passes_others_is_seen_to_move() -> None:
    old, new = [0.75, 0.5, 0.25], [0.25, 0.5, 0.75]
    runs = [run_of(place, with_wins(old[place]), with_wins(new[place])) for place in range(3)]

    found = compared(*runs)

    ranks = [(model.old.rank, model.new.rank) for model in found.models]
    assert [(old and old.rank, new and new.rank) for old, new in ranks] == [(1, 3), (2, 2), (3, 1)]
    assert [model.move for model in found.models] == [Move.APART, Move.SAME, Move.APART]
    assert {side.ranked for model in found.models for side in (model.old, model.new)} == {3}
    assert found.order_agreement == -1.0
    for side in ("old", "new"):
        sides = [getattr(run, side) for run in runs]
        board = places_of([each.card for each in sides], {each.card.id: each.users.users for each in sides})
        assert [getattr(model, side).rank for model in found.models] == [board[each.card.id].rank for each in sides]


def test_rank_intervals_that_grow_are_moved() -> None:
    sure = [run_of(place, with_wins(share), with_wins(0.5)) for place, share in enumerate((0.75, 0.25))]

    assert [(each.old.rank and each.old.rank.high, each.move) for each in compared(*sure).models] == [
        (1, Move.MOVED),
        (2, Move.MOVED),
    ]


def test_a_candidate_is_ranked_as_if_it_were_official_and_nothing_else_is_overlooked() -> None:
    run, other, late = (run_of(number, drawn("a"), drawn("a")) for number in range(3))

    def changed(run: RunOfBoth, *reasons: str) -> RunOfBoth:
        assert run.new is not None
        card = run.new.card.model_copy(update={"judge_status": "candidate", "unranked_because": reasons})
        return run._replace(new=run.new._replace(card=card))

    runs = changed(run, "candidate judge"), changed(other, "candidate judge", "incomplete"), changed(late, "demo")

    first, second, third = compared(*runs).models
    assert (first.new.rank, first.new.ranked, first.old.ranked) == (Rank(low=1, high=1), 1, 3)
    assert (second.move, third.move) == (Move.LEFT, Move.LEFT)
    assert (second.new.unranked_because, third.new.unranked_because) == (("incomplete",), ("demo",))
    assert compared(*runs, disregarded=["demo"]).models[2].new.rank is not None


def test_differences_are_paired_over_users() -> None:
    run = run_of(1, drawn("a"), noisy(drawn("a"), 0.2))
    assert run.old
    assert run.new
    sums = total_sums({"old": run.old.users.users, "new": run.new.users.users})
    wanted = paired_difference(sums["new"], sums["old"])

    (model,) = compared(run).models

    assert wanted.estimate
    assert wanted.interval
    assert model.difference.interval
    assert (model.old.total, model.new.total) == (run.old.card.result.total, run.new.card.result.total)
    assert model.difference.estimate == round(wanted.estimate, 6)
    assert (model.difference.p_value, model.difference.users) == (wanted.p_value, 12)
    width = model.difference.interval.high - model.difference.interval.low
    assert width == pytest.approx(wanted.interval.high - wanted.interval.low, abs=2e-6)
    assert model.new.total.interval
    assert width < model.new.total.interval.high - model.new.total.interval.low


def test_who_has_no_total_or_too_few_users_does_not_rank_and_says_so() -> None:
    personas = [item for item in items_of() if item.type is PERSONA]

    (lacking,) = compared(run_of(1, drawn("a"), drawn("a"), personas)).models
    (lonely,) = compared(run_of(1, drawn("a"), drawn("a"), items_of(users=9))).models

    assert (lacking.old.total.value, lacking.difference.estimate, lacking.move) == (None, None, Move.UNRANKED)
    assert lacking.new.unranked_because == (NO_TOTAL,)
    assert lonely.new.unranked_because == (TOO_FEW_USERS,)
    assert (lonely.difference.estimate, lonely.difference.interval) == (0.0, None)


def test_several_revisions_of_the_old_judge_are_ranked_apart() -> None:
    def revised(run: RunOfBoth) -> RunOfBoth:
        assert run.old
        rows = [
            row.model_copy(update={"key": row.key.model_copy(update={"rater_revision": "r0"})})
            for row in run.old.verdicts
        ]
        card = run.old.card.model_copy(update={"judge_revision": "r0"})
        return run._replace(old=run.old._replace(card=card, verdicts=rows))

    found = compared(run_of(1, drawn("a"), drawn("a")), revised(run_of(2, drawn("a"), drawn("a"))))

    assert (found.old.revisions, found.new.revisions) == (("r0", "r1"), ("r1",))
    assert [(model.old.ranked, model.new.ranked) for model in found.models] == [(1, 2), (1, 2)]
