"""Two to four runs beside each other: as ranks have it, corrected, and said in words."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from evaluator.hicupid.outcomes import join_rows
from evaluator.hicupid.scoring import score_of
from evaluator.hicupid.user_scores import total_sums
from evaluator.human.report.resampled import rejected
from evaluator.metrics.intervals import paired_difference
from leaderboard.answers.choosing import Only, differences
from leaderboard.answers.pairs import compare, holm, in_words, share, why_not_comparable
from leaderboard.answers.slices import SliceKind
from tests.answers.runs import Run, made_up_run, scripted_run
from tests.builders import make_scorecard


def full(run: Run) -> Run:
    """Returns a run without what is missing, so that the same is shared with every other one."""
    from tests.answers.runs import make_run

    judged = {entry.item.question_id for entry in join_rows(run.items, run.generations, run.verdicts) if entry.judged}
    return make_run(
        [item for item in run.items if item.question_id in judged],
        [row for row in run.generations if row.key.question_id in judged],
        [row for row in run.verdicts if row.key.question_id in judged],
    )


def of_same(*skills: int, users: int = 30) -> list[Run]:
    """Runs of models that miss the same items."""
    return [full(made_up_run(users, skill=skill, model=f"org/m{skill}")) for skill in skills]


def test_totals_differ_as_ranks_have_it_where_nothing_is_missing() -> None:
    first, second = of_same(0, 8)
    found = compare([first.table, second.table])
    expected = paired_difference(*total_sums({"first": first.users, "second": second.users}).values())
    (pair,) = found.pairs
    assert pair.total.value == pytest.approx(expected.estimate, abs=1e-6)
    assert expected.interval is not None
    assert pair.total.interval is not None
    assert pair.total.interval.low == pytest.approx(expected.interval.low, abs=1e-6)
    assert pair.total.interval.high == pytest.approx(expected.interval.high, abs=1e-6)
    assert pair.total.p_value == pytest.approx(expected.p_value)
    assert (pair.total.users, pair.total.items, found.left_out) == (expected.users, found.items, (0, 0))
    assert pair.total.told_apart


def test_only_items_count_that_all_have_judged() -> None:
    runs = [made_up_run(20, seed=seed) for seed in (0, 1, 2)]
    tables = [run.table for run in runs]
    found = compare(tables)
    scores = [
        {entry.item.question_id: score_of(entry) for entry in join_rows(run.items, run.generations, run.verdicts)}
        for run in runs
    ]
    shared = [name for name in scores[0] if all(each[name] is not None for each in scores)]
    judged = [sum(value is not None for value in each.values()) for each in scores]
    assert found.items == len(shared) < min(judged)
    assert found.left_out == tuple(number - len(shared) for number in judged)
    assert [(pair.first, pair.second) for pair in found.pairs] == [(0, 1), (0, 2), (1, 2)]
    types = {item.question_id: item for item in runs[0].items}
    for pair in found.pairs:
        for each in pair.slices:
            if each.kind is SliceKind.CATEGORY:
                mine = [
                    name
                    for name in shared
                    if types[name].persona_category == each.name and types[name].type is each.type
                ]
                gaps = [scores[pair.first][name] - scores[pair.second][name] for name in mine]
                assert each.difference.value == pytest.approx(np.mean(gaps), abs=1e-6)
                assert each.difference.items == len(gaps)


def test_runs_that_were_not_asked_the_same_are_laid_side_by_side_by_question() -> None:
    from tests.answers.runs import make_run

    whole, other = made_up_run(20), made_up_run(20, seed=1)
    few = make_run(
        other.items[5:],
        *(
            [row for row in rows if not row.key.question_id.startswith("test_1/0-")]
            for rows in (other.generations, other.verdicts)
        ),
    )
    shared = share([whole.table, few.table])
    by_name = dict(zip(few.table.question_id.tolist(), few.table.score.tolist(), strict=True))
    first, second = shared.tables
    assert first.question_id.tolist() == second.question_id.tolist()
    assert second.score.tolist() == [by_name[name] for name in second.question_id]
    assert 0 < len(second.score) < len(few.table.score)


def test_with_one_item_a_user_a_slice_has_the_paired_t_test() -> None:
    first, second = (made_up_run(30, seed=seed) for seed in (0, 5))
    one = {f"test_{1 + user % 2}/{user}-0" for user in range(30)}
    tables = [run.table for run in (first, second)]
    shared = share(tables)
    keep = [place for place, name in enumerate(shared.tables[0].question_id) if name in one]
    scores = [table.score[keep] for table in shared.tables]
    only = [
        table._replace(score=np.where(np.isin(table.question_id, list(one)), table.score, np.nan)) for table in tables
    ]
    found = next(each for each in compare(only).pairs[0].slices if each.kind is SliceKind.TYPE).difference
    expected = stats.ttest_rel(*scores)
    assert found.value == pytest.approx(float(np.mean(scores[0] - scores[1])), abs=1e-6)
    assert found.p_value == pytest.approx(float(expected.pvalue), rel=1e-6)
    assert (found.items, found.users) == (len(keep), len(keep))


def test_totals_and_slices_are_corrected_each_by_themselves() -> None:
    runs = [made_up_run(24), made_up_run(24, seed=1), made_up_run(24, seed=2, skill=25)]
    found = compare([run.table for run in runs])
    totals = [pair.total for pair in found.pairs]
    slices = [each.difference for pair in found.pairs for each in pair.slices]
    for family in (totals, slices):
        tested = [each for each in family if each.p_value is not None]
        assert len(tested) > 2
        p_values = [each.p_value or 0.0 for each in tested]
        assert [each.corrected for each in tested] == holm(p_values)
        assert [each.told_apart for each in tested] == rejected(p_values)
    assert len({each.told_apart for each in totals}) == 2
    assert len({each.told_apart for each in slices}) == 2


def test_a_run_is_not_told_apart_from_its_like() -> None:
    run = made_up_run(20)
    (pair,) = compare([run.table, run.table]).pairs
    assert (pair.total.value, pair.total.p_value, pair.total.told_apart) == (0.0, 1.0, False)
    assert in_words(pair, ["A", "B"]).startswith(
        "Not told apart: A and B: Total +0.0 for A (0.0 to 0.0), p = 1.00, on "
    )


def test_it_is_said_in_words_who_is_better() -> None:
    runs = of_same(8, 0)
    (pair,) = compare([run.table for run in runs]).pairs
    words = in_words(pair, ["A", "B"])
    assert words.startswith("A is better than B: Total +")
    assert words.endswith(f"on {pair.total.items:,} shared items of 30 users.")
    (other,) = compare([run.table for run in reversed(runs)]).pairs
    assert in_words(other, ["B", "A"]) == words


def test_few_users_and_no_shared_kind_are_said() -> None:
    few = [made_up_run(6, seed=seed).table for seed in (0, 1)]
    (pair,) = compare(few).pairs
    assert (pair.total.interval, pair.total.p_value, pair.total.corrected) == (None, None, None)
    assert "too few users for an interval" in in_words(pair, ["A", "B"])
    bare = few[0]._replace(score=np.where(few[0].type.are("persona"), few[0].score, np.nan))
    (pair,) = compare([bare, few[1]]).pairs
    assert pair.total.value is None
    assert "not all kinds of questions" in in_words(pair, ["A", "B"])
    nothing = few[0]._replace(score=few[0].score * np.nan)
    found = compare([nothing, few[1]])
    assert (found.items, found.users, found.pairs[0].slices) == (0, 0, ())


def test_real_runs_can_be_compared(setup, demo_run: Run) -> None:
    other = scripted_run(setup, seed=1)
    (pair,) = compare([demo_run.table, other.table]).pairs
    assert pair.total.value is not None
    assert "too few users" in in_words(pair, ["A", "B"])


def test_only_like_is_compared_with_like() -> None:
    table = made_up_run(10).table
    with pytest.raises(ValueError, match="two to 4 runs"):
        compare([table])
    with pytest.raises(ValueError, match="one data set under one judge"):
        compare([table, table._replace(data_sha="e" * 40)])
    one, other = make_scorecard("org/a", 40.0), make_scorecard("org/b", 50.0)
    assert why_not_comparable([one, other]) is None
    for cards, words in (
        ([one], "Choose two to 4"),
        ([one, one], "with itself"),
        ([one, other.model_copy(update={"protocol": "gold-v1"})], "different protocols"),
        ([one, other.model_copy(update={"judge_config": "0" * 64})], "settings (judge config)"),
    ):
        assert words in (why_not_comparable(cards) or "")


def test_differences_are_shown_item_by_item() -> None:
    tables = [made_up_run(20, seed=seed).table for seed in (0, 1)]
    scores = [dict(zip(table.question_id.tolist(), table.score.tolist(), strict=True)) for table in tables]
    gaps = {name: abs(scores[0][name] - scores[1][name]) for name in scores[0]}
    first = differences(tables)
    assert first.found == sum(gap > 0 for gap in gaps.values())
    assert first.pages == -(-first.found // 20)
    rows = [row for page in range(1, first.pages + 1) for row in differences(tables, page=page).rows]
    assert len({row.question_id for row in rows}) == first.found
    assert [row.spread for row in rows] == sorted((gap for gap in gaps.values() if gap > 0), reverse=True)
    for row in rows:
        assert row.scores == tuple(each[row.question_id] for each in scores)
    counts = {which: differences(tables, which).found for which in ("differ", "alike", "missing")}  # type: ignore[arg-type]
    assert first.counts == counts == differences(tables, "alike", best=1).counts
    assert counts["alike"] == sum(gap == 0 for gap in gaps.values())
    missing = differences(tables, "missing")
    assert missing.found == sum(gap != gap for gap in gaps.values()) > 0
    assert all("missing" in row.standings and None in row.scores and row.spread is None for row in missing.rows)
    better = differences(tables, best=1, only=Only(type="persona"))
    assert 0 < better.found < first.found
    assert all(row.scores[1] > row.scores[0] and row.type == "persona" for row in better.rows)
