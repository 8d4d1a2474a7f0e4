"""What holds of every comparison, whatever two judges say: counts add up, and no order of anything shows."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from evaluator.hicupid.questions import Item, Question
from evaluator.records import Generation, Outcome, SlotOrder
from leaderboard.rescoring.comparing_rows import RunOfBoth
from leaderboard.rescoring.comparison import Comparison, Figure
from tests.builders import LOSS, NO, SCHEDULE, TERMS, TIE, WIN, YES, make_question
from tests.unit.test_rescoring_comparison import compared, drawn, items_of, noisy, run_of, scored

QUICK = settings(max_examples=15, deadline=None)


def judge(seed: int, missing: float = 0.1):
    """A judge that says anything, and now and then nothing."""

    def rule(answer: Generation, item: Item, order: SlotOrder) -> Outcome | None:
        source = random.Random(f"{seed} {answer.content_hash} {order}")
        if source.random() < missing:
            return None
        return source.choice([YES, NO] if item.type is SCHEDULE else [WIN, TIE, LOSS])

    return rule


@st.composite
def some_runs(draw: st.DrawFn) -> list[RunOfBoth]:
    """One to three runs of some users, each judged by two judges that have nothing in common."""
    items = items_of(draw(st.integers(1, 12)), draw(st.integers(1, 2)))
    seed = draw(st.integers(0, 10**6))
    return [run_of(number, judge(seed), judge(seed + 1), items) for number in range(draw(st.integers(1, 3)))]


def shuffled(run: RunOfBoth, source: random.Random) -> RunOfBoth:
    """The same run with all of its rows in another order."""
    assert run.old
    assert run.new
    rows = [list(part) for part in (run.items, run.generations, run.old.verdicts, run.new.verdicts)]
    for part in rows:
        source.shuffle(part)
    items, generations, old, new = rows
    return RunOfBoth(items, generations, run.old._replace(verdicts=old), run.new._replace(verdicts=new))


@QUICK
@given(some_runs(), st.randoms(use_true_random=False))
def test_no_order_shows(runs: list[RunOfBoth], source: random.Random) -> None:
    again = [shuffled(run, source) for run in runs]
    source.shuffle(again)

    assert compared(*again, flips=2).model_dump_json() == compared(*runs, flips=2).model_dump_json()


@QUICK
@given(some_runs())
def test_counts_add_up(runs: list[RunOfBoth]) -> None:
    found = compared(*runs)

    for counts, agreement in [
        (found.counts, found.agreement),
        *((each.counts, each.agreement) for each in found.by_type),
    ]:
        gone = counts.old_alone + counts.new_alone + counts.neither
        assert counts.owed == counts.defects + counts.compared + gone
        assert (agreement.raw.compared, agreement.raw.missing) == (counts.compared, gone)
        assert sum(number for _, number in counts.old_because) == counts.new_alone + counts.neither
        assert sum(number for _, number in counts.new_because) == counts.old_alone + counts.neither
    for each in found.by_type:
        assert sum(map(sum, each.matrix)) == each.counts.compared
        assert sum(row[place] for place, row in enumerate(each.matrix)) == each.agreement.raw.agree
        places = {outcome: place for place, outcome in enumerate(each.outcomes)}
        mine = [group for group in found.flips if group.type is each.type]
        assert sum(group.count for group in mine) == each.agreement.flips
        assert all(each.matrix[places[group.old]][places[group.new]] == group.count for group in mine)
    assert found.flipped == sum(model.agreement.flips for model in found.models)
    assert found.counts.owed == sum(len(item.orders) for run in runs for item in run.items)
    for side in ("old", "new"):
        causes = dict(getattr(found.counts, f"{side}_because"))
        own = [dict(getattr(model, side).missing_because) for model in found.models]
        assert causes == {name: sum(each.get(name, 0) for each in own) for name in causes}
        assert sum(causes.values()) == sum(getattr(model, side).missing for model in found.models)


@QUICK
@given(some_runs())
def test_judges_that_change_places_give_the_same_turned_round(runs: list[RunOfBoth]) -> None:
    def turned(run: RunOfBoth) -> RunOfBoth:
        assert run.old
        assert run.new
        card, rows = run.old.card, (run.new.verdicts, run.old.verdicts)
        sides = [
            scored(card.run_id, card.model, name, run.items, run.generations, [renamed(row, name) for row in own])
            for name, own in zip(("old-judge", "new-judge"), rows, strict=True)
        ]
        return run._replace(old=sides[0], new=sides[1])

    def renamed(row, name):
        key = row.key.model_copy(update={"rater": name})
        return row.model_copy(update={"key": key, "verdict_key": key.digest()})

    found, back = compared(*runs), compared(*map(turned, runs))

    for one, other in zip(found.by_type, back.by_type, strict=True):
        assert one.matrix == tuple(zip(*other.matrix, strict=True))
        assert one.agreement.raw == other.agreement.raw
        assert close(one.agreement.kappa, other.agreement.kappa)
        assert (one.agreement.old_score, one.agreement.new_score) == (
            other.agreement.new_score,
            other.agreement.old_score,
        )
        assert one.counts.old_because == other.counts.new_because
    assert [model.difference.estimate for model in found.models] == [
        -model.difference.estimate if model.difference.estimate else model.difference.estimate for model in back.models
    ]
    assert [(model.old.rank, model.new.rank) for model in found.models] == [
        (model.new.rank, model.old.rank) for model in back.models
    ]
    assert found.old_position == back.new_position


def close(one: Figure, other: Figure) -> bool:
    """Whether two figures are the same but for the last bits; kappa is symmetric within a question type."""
    if one.value is None or other.value is None:
        return one == other
    return abs(one.value - other.value) < 2e-6 and one.reason == other.reason and one.users == other.users


@QUICK
@given(some_runs(), st.integers(0, 5))
def test_fewer_flips_are_among_more(runs: list[RunOfBoth], most: int) -> None:
    every, some = compared(*runs, flips=10**6), compared(*runs, flips=most)

    assert [(group.type, group.old, group.new, group.count) for group in some.flips] == [
        (group.type, group.old, group.new, group.count) for group in every.flips
    ]
    for few, all_ in zip(some.flips, every.flips, strict=True):
        assert len(all_.shown) == all_.count
        assert few.shown == all_.shown[:most]
    assert some.model_copy(update={"flips": ()}) == every.model_copy(update={"flips": ()})


@QUICK
@given(some_runs())
def test_flips_are_what_the_rows_say(runs: list[RunOfBoth]) -> None:
    said = {
        (run.old.card.run_id, side, row.key.question_id, row.key.slot_order): row
        for run in runs
        for side, scored_ in (("old", run.old), ("new", run.new))
        if run.old and scored_
        for row in scored_.verdicts
    }

    for group in compared(*runs, flips=3).flips:
        for flip in group.shown:
            old, new = (said[flip.run_id, side, flip.question_id, flip.order] for side in ("old", "new"))
            assert (old.outcome, new.outcome) == (group.old, group.new)
            (both,) = [each for each in flip.said if each.order is flip.order]
            assert both.old
            assert both.new
            assert (both.old.completion, both.new.completion) == (old.completion, new.completion)


def test_flips_favour_no_run() -> None:
    runs = [run_of(number, drawn("a"), noisy(drawn("a"), 0.5)) for number in range(6)]

    found = compared(*runs, flips=20)

    full = [group for group in found.flips if len(group.shown) == 20]
    assert full
    assert all(len({flip.run_id for flip in group.shown}) >= 4 for group in full)


def test_what_may_not_be_passed_on_is_not_shown() -> None:
    def with_texts(redistributable: bool) -> Comparison:
        run = run_of(
            1,
            drawn("a"),
            noisy(drawn("a"), 0.5),
            card={"terms": TERMS.model_copy(update={"redistributable": redistributable})},
        )
        texts: dict[str, Question] = {
            item.question_id: make_question(item.question_id, item.type) for item in run.items[::2]
        }
        return compared(run._replace(texts=texts))

    shown, hidden = ([flip for group in with_texts(allowed).flips for flip in group.shown] for allowed in (True, False))

    assert {(flip.question, flip.gold) for flip in shown} == {
        (None, None),
        ("What shall I eat tonight?", "The ramen you love."),
    }
    assert {(flip.question, flip.gold) for flip in hidden} == {(None, None)}
    assert all(flip.answer for flip in hidden)


def test_words_that_were_taken_down_are_told_apart_from_none() -> None:
    run = run_of(1, drawn("a"), noisy(drawn("a"), 0.5))
    assert run.new
    rows = [
        row.model_copy(update={"completion": "", "taken_down": "f" * 64, "schema_version": 2})
        for row in run.new.verdicts
    ]
    answers = [
        row.model_copy(update={"answer": None, "taken_down": True, "schema_version": 2}) for row in run.generations
    ]

    found = compared(run._replace(generations=answers, new=run.new._replace(verdicts=rows)))

    flips = [flip for group in found.flips for flip in group.shown]
    assert found.flipped == compared(run).flipped
    assert {flip.answer for flip in flips} == {None}
    assert {both.new and (both.new.completion, both.new.taken_down) for flip in flips for both in flip.said} == {
        ("", True)
    }
