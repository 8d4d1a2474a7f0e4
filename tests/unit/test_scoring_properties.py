"""Scoring is a pure function of the set of rows: the order in which they lie never shows."""

import random
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from evaluator.errors import Cause
from evaluator.hicupid.questions import Item
from evaluator.hicupid.scoring import score
from evaluator.hicupid.user_scores import UserScore, total_parts, user_scores
from evaluator.metrics.intervals import clustered_interval, ratio
from evaluator.records import Defect, Generation, Outcome, Verdict
from evaluator.results import Result
from tests.builders import (
    LOSS,
    NO,
    PERSONA,
    PROFILE,
    SCHEDULE,
    TIE,
    WIN,
    YES,
    Answered,
    answered,
    make_generation,
    make_item,
    make_verdict,
)

pair_outcomes = st.lists(st.sampled_from([WIN, TIE, LOSS, None]), min_size=2, max_size=2)


@st.composite
def answered_items(draw) -> list[Answered]:
    """Up to twenty items of some users, with verdicts missing here and there."""
    entries = []
    for number in range(draw(st.integers(1, 20))):
        type_ = draw(st.sampled_from([PERSONA, PROFILE, SCHEDULE]))
        outcomes: list[Outcome | None]
        outcomes = [draw(st.sampled_from([YES, NO, None]))] if type_ is SCHEDULE else draw(pair_outcomes)
        split = draw(st.sampled_from(["test_1", "test_2"]))
        item = make_item(f"{split}/{number}", type_, user_id=draw(st.integers(1, 12)))
        defect = draw(st.sampled_from([None, None, None, *Defect]))
        changes = {"bleu": draw(st.floats(0, 100)), "rouge_l": draw(st.floats(0, 100)), "defect": defect}
        outcomes = [None] * len(outcomes) if defect else outcomes
        entries.append(answered(item, *outcomes, cached_tokens=draw(st.integers(0, 100)), **changes))
    return entries


class Rows(NamedTuple):
    """What is scored."""

    items: list[Item]
    generations: list[Generation]
    verdicts: list[Verdict]

    def written(self) -> tuple[str, str]:
        """Everything that comes out, byte for byte."""
        users = user_scores(*self)
        return score(*self).model_dump_json(), TypeAdapter(tuple[UserScore, ...]).dump_json(users).decode()


def rows_of(entries: list[Answered]) -> Rows:
    return Rows(
        [entry.item for entry in entries],
        [row for entry in entries for row in entry.generations],
        [row for entry in entries for row in entry.verdicts],
    )


@given(answered_items(), st.randoms(use_true_random=False))
def test_shuffled_rows_give_a_byte_identical_result(entries: list[Answered], shuffler: random.Random):
    rows = rows_of(entries)
    straight = rows.written()
    for some in rows:
        shuffler.shuffle(some)
    assert rows.written() == straight


@given(answered_items())
def test_a_result_comes_back_from_json_as_it_was(entries: list[Answered]):
    result = score(*rows_of(entries))
    assert Result.model_validate_json(result.model_dump_json()) == result


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"answer": "Another answer."}, id="another answer"),
        pytest.param({"answer": None, "failure": Cause.TIMEOUT}, id="a failure"),
        pytest.param({"cached_tokens": 50, "shared_tokens": 90}, id="another cost"),
    ],
)
def test_which_of_two_rows_under_one_key_counts_does_not_depend_on_their_order(changes):
    entry = answered(make_item("test_1/1"), WIN, WIN)
    (first,) = entry.generations
    second: Generation = make_generation(first.key, **({"answer": first.answer} | changes))
    forwards = score([entry.item], [first, second], entry.verdicts)
    assert score([entry.item], [second, first], entry.verdicts) == forwards


def test_which_of_two_verdicts_under_one_key_counts_does_not_depend_on_their_order():
    entry = answered(make_item("test_1/1"))
    win, loss = (make_verdict(entry.generations[0], outcome) for outcome in (WIN, LOSS))
    forwards = score([entry.item], entry.generations, [win, loss])
    assert score([entry.item], entry.generations, [loss, win]) == forwards


@given(answered_items())
def test_every_item_and_every_verdict_is_accounted_for(entries: list[Answered]):
    rows = rows_of(entries)
    result = score(*rows)
    lost = [entry for entry in entries if entry.generations[0].defect]
    owed = sum(len(entry.item.orders) for entry in entries if entry not in lost)
    assert (result.items, result.generations) == (len(entries), len(entries))
    assert (result.verdicts, result.missing) == (len(rows.verdicts), owed - len(rows.verdicts))
    assert sum(count for _, count in result.missing_because) == result.missing
    assert sum(count for _, count in result.defects) == len(lost)
    whole = [entry for entry in entries if entry in lost or len(entry.verdicts) == len(entry.item.orders)]
    assert result.judged == len(whole)


@given(answered_items())
def test_the_worst_case_is_the_total_with_a_loss_for_every_missing_verdict(entries: list[Answered]):
    rows = rows_of(entries)
    losses = []
    for entry in entries:
        (answer,) = entry.generations
        missing = set(entry.item.orders) - {row.key.slot_order for row in entry.verdicts}
        lost = NO if entry.item.type is SCHEDULE else LOSS
        losses += [make_verdict(answer, lost, order) for order in missing if answer.defect is None]
    total = score(*rows).total
    assert total.worst_case == score(*rows._replace(verdicts=rows.verdicts + losses)).total.value
    if total.value is not None:
        assert total.worst_case is not None
        assert 0 <= total.worst_case <= 87.5
        assert 0 <= total.value <= 87.5


@given(answered_items())
def test_a_half_judged_item_counts_as_one_that_nobody_judged(entries: list[Answered]):
    halves = {
        entry.item.question_id
        for entry in entries
        if entry.generations[0].defect is None and len(entry.verdicts) < len(entry.item.orders)
    }
    rows = rows_of(entries)
    without = rows._replace(verdicts=[row for row in rows.verdicts if row.key.question_id not in halves])
    result, unjudged = score(*rows), score(*without)
    assert user_scores(*rows) == user_scores(*without)
    assert (result.persona, result.profile, result.schedule) == (unjudged.persona, unjudged.profile, unjudged.schedule)
    assert (result.total.value, result.total.judged) == (unjudged.total.value, unjudged.total.judged)
    assert result.judged == unjudged.judged == result.total.judged


@given(answered_items())
def test_what_the_judge_ran_on_changes_no_figure(entries: list[Answered]):
    rows = rows_of(entries)
    keys = [row.key.model_copy(update={"engine": "transformers", "dtype": "bfloat16"}) for row in rows.verdicts]
    elsewhere = [
        row.model_copy(update={"key": key, "verdict_key": key.digest()})
        for row, key in zip(rows.verdicts, keys, strict=True)
    ]
    assert rows._replace(verdicts=elsewhere).written() == rows.written()


@given(answered_items())
def test_scoring_the_same_rows_twice_changes_nothing(entries: list[Answered]):
    items, generations, verdicts = rows_of(entries)
    assert score(items, generations * 2, verdicts * 2) == score(items, generations, verdicts)


@given(answered_items())
def test_the_users_sums_are_those_of_the_result(entries: list[Answered]):
    rows = rows_of(entries)
    result, users = score(*rows), user_scores(*rows)
    assert len(users) == result.users
    assert [user.user for user in users] == sorted({user.user for user in users})
    for name, rate in [
        ("persona", result.persona.score),
        ("profile", result.profile.score),
        ("schedule", result.schedule),
    ]:
        sums = [getattr(user, name) for user in users]
        assert sum(of.items for of in sums) == rate.judged
        assert ratio(sums) == (None if rate.value is None else pytest.approx(rate.value, abs=1e-6))
    interval = clustered_interval(total_parts(users))
    assert (interval is None) == (result.total.interval is None)
    if interval is not None:
        assert result.total.interval.low == pytest.approx(max(0, interval.low), abs=1e-6)
