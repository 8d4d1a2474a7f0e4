"""Slices are the rates that the scorecard's own functions give for the same items."""

from __future__ import annotations

import pytest

from evaluator.hicupid.outcomes import JudgedItem, join_rows
from evaluator.hicupid.questions import QuestionType
from evaluator.hicupid.scoring import cut, rate_of_items, score_of, sums_by_user, users_of
from evaluator.metrics.intervals import Part, clustered_interval, ratio
from leaderboard.answers.slices import FEELINGS, POSITIONS, SliceKind, sentiment_gaps, slices_of
from tests.answers.runs import Run, made_up_run

SENTIMENTS = {name: word for word, name in FEELINGS.items()}


def belongs(entry: JudgedItem, kind: SliceKind, name: str) -> bool:
    item = entry.item
    if kind is SliceKind.POSITION:
        place = max(item.evidence_position, default=-1.0)
        return place >= 0 and POSITIONS[min(4, int(place * 5))] == name
    return (
        name
        == {
            SliceKind.TYPE: item.type,
            SliceKind.SPLIT: item.split,
            SliceKind.CATEGORY: item.persona_category,
            SliceKind.SENTIMENT: FEELINGS[item.sentiment] if item.sentiment else None,
        }[kind]
    )


@pytest.fixture(params=["demo", "many", "few"])
def run(request: pytest.FixtureRequest) -> Run:
    if request.param == "demo":
        found: Run = request.getfixturevalue("demo_run")
        return found
    return made_up_run(26 if request.param == "many" else 8, seed=3)


def test_a_slice_is_the_rate_of_its_items(run: Run) -> None:
    entries = join_rows(run.items, run.generations, run.verdicts)
    found = slices_of(run.table)
    for each in found:
        mine = [entry for entry in entries if entry.item.type is each.type and belongs(entry, each.kind, each.name)]
        assert mine
        assert each.rate == rate_of_items(mine, score_of), each
    assert len({each[:3] for each in found}) == len(found)
    for kind in SliceKind:
        of_kind = [entry for entry in entries for name in names_of(found, kind) if belongs(entry, kind, name)]
        assert sum(each.rate.items for each in found if each.kind is kind) == len(of_kind)


def names_of(found, kind: SliceKind) -> set[str]:
    return {each.name for each in found if each.kind is kind}


def test_every_kind_is_there_in_its_order() -> None:
    found = slices_of(made_up_run(26).table)
    kinds = [each.kind for each in found]
    assert list(dict.fromkeys(kinds)) == list(SliceKind)
    assert [each.type for each in found[:3]] == list(QuestionType)
    positions = list(dict.fromkeys(each.name for each in found if each.kind is SliceKind.POSITION))
    assert positions == list(POSITIONS)
    categories = [each.name for each in found if each.kind is SliceKind.CATEGORY]
    assert categories == sorted(categories)
    assert len(set(categories)) == 3
    assert any(each.rate.interval for each in found)


def test_a_single_split_and_what_is_not_told_have_no_slices() -> None:
    run = made_up_run(12)
    table = run.table
    only = table.split.taken(table.split.code * 0)
    bare = table._replace(split=only, category=table.category.taken([0])._replace(code=table.category.code * 0 - 1))
    kinds = {each.kind for each in slices_of(bare)}
    assert kinds == {SliceKind.TYPE, SliceKind.POSITION, SliceKind.SENTIMENT}


def test_likes_against_dislikes_is_compared_user_by_user() -> None:
    run = made_up_run(26, seed=4)
    entries = join_rows(run.items, run.generations, run.verdicts)
    gaps = sentiment_gaps(run.table)
    assert [each.type for each in gaps] == [QuestionType.PERSONA, QuestionType.PROFILE]
    for each in gaps:
        of_type = [entry for entry in entries if entry.item.type is each.type]
        users = users_of(of_type)
        likes, dislikes = (
            sums_by_user([entry for entry in of_type if entry.item.sentiment == word], users, score_of)
            for word in ("POS", "NEG")
        )
        expected = clustered_interval([Part(likes, 1.0), Part(dislikes, -1.0)])
        assert each.gap.interval == cut(expected, -100, 100) is not None
        assert each.gap.value == pytest.approx((ratio(likes) or 0) - (ratio(dislikes) or 0), abs=1e-6)
        assert each.gap.judged == tuple(sum(user.items for user in users) for users in (likes, dislikes))
        assert each.gap.between == ("likes", "dislikes")
