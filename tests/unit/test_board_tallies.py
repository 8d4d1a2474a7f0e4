"""Public rows added up in SQL come to what `score` and `user_scores` make of the rows themselves."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evaluator.errors import Cause
from evaluator.hicupid.outcomes import MadeOn
from evaluator.hicupid.scoring import score
from evaluator.hicupid.user_scores import user_scores
from evaluator.records import Defect, SlotOrder
from leaderboard.board.figures import result_of, user_scores_of
from leaderboard.board.tallies import tally_rows
from tests.builders import (
    BOTH_ORDERS,
    LOSS,
    NO,
    PERSONA,
    PROFILE,
    SCHEDULE,
    TIE,
    WIN,
    YES,
    answered,
    make_generation,
    make_input_key,
    make_item,
    make_verdict,
    make_verdict_key,
)
from tests.unit.open_rows import write_rows

RUN = "s-20260301-00000001.demo-v1"


@st.composite
def rows(draw):
    """Items with several attempts at answers and verdicts, by two engines, and all that can be wrong with them."""
    items, generations, verdicts = [], [], []
    for number in range(draw(st.integers(1, 14))):
        type_ = draw(st.sampled_from([PERSONA, PROFILE, SCHEDULE]))
        orders = draw(st.sampled_from([BOTH_ORDERS, BOTH_ORDERS[:1], BOTH_ORDERS[1:]]))
        orders = (SlotOrder.SINGLE,) if type_ is SCHEDULE else orders
        split = draw(st.sampled_from(["test_1", "test_2"]))
        item = make_item(f"{split}/{number}", type_, draw(st.integers(1, 12)), orders)
        items.append(item.model_copy(update={"evidence": draw(st.sampled_from([(), (40,)]))}))
        for _ in range(draw(st.integers(0 if number else 1, 3))):
            answer = draw(generation_of(item))
            generations.append(answer)
            if answer.content_hash is not None:
                verdicts += draw(verdicts_on(item, answer))
    asked = {row.key.question_id for row in generations}
    return [item for item in items if item.question_id in asked], generations, verdicts


@st.composite
def generation_of(draw, item):
    """An answer, a broken one, or a failure."""
    key = make_input_key(item.question_id, engine=draw(st.sampled_from(["vllm", "transformers"])))
    failure = draw(st.sampled_from([None, None, None, Cause.CONTEXT_OVERFLOW, Cause.TIMEOUT]))
    told = st.one_of(st.integers(0, 100), st.integers(0, 100), st.integers(0, 100), st.none())
    same = {
        "attempt": draw(st.integers(1, 3)),
        "cached_tokens": draw(told),
        "shared_tokens": draw(told),
        "seconds": draw(st.sampled_from([0.5, 1.0])),
    }
    if failure:
        return make_generation(key, None, failure=failure, **same)
    return make_generation(
        key,
        draw(st.sampled_from(["One answer.", "Another answer.", f"Answer to {item.question_id}."])),
        defect=draw(st.sampled_from([None, None, None, *Defect])),
        bleu=draw(st.floats(0, 100)),
        rouge_l=draw(st.floats(0, 100)),
        evidence_recall=draw(st.sampled_from([0.0, 1 / 3, 0.5, 1.0])) if item.evidence else None,
        **same,
    )


@st.composite
def verdicts_on(draw, item, answer):
    """Verdicts in each order, perhaps none, perhaps several that clash or could not be read."""
    found = []
    words = [YES, NO] if item.type is SCHEDULE else [WIN, TIE, LOSS]
    for order in item.orders:
        for _ in range(draw(st.integers(0, 3))):
            outcome = draw(st.sampled_from([*words, *words, None]))
            failure = draw(st.sampled_from([None, Cause.TIMEOUT])) if outcome is None else None
            key = make_verdict_key(answer, order, engine=draw(st.sampled_from(["vllm", "transformers"])))
            attempt = draw(st.integers(1, 2))
            found.append(make_verdict(answer, outcome, order, key=key, attempt=attempt, failure=failure))
    return found


def tally_of(items, generations, verdicts, made_on=None):
    with tempfile.TemporaryDirectory() as folder:
        answers, words = write_rows(Path(folder), RUN, items, generations, verdicts, made_on)
        (tally,) = tally_rows([answers], [words])
    return tally


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(rows(), st.sampled_from([None, MadeOn("vllm", "float32", "vllm", "float32")]), st.booleans())
def test_sums_and_figures_are_those_of_the_rows(made, made_on, doubled):
    items, generations, verdicts = made
    if doubled:
        generations, verdicts = generations * 2, verdicts * 2
    tally = tally_of(items, generations, verdicts, made_on)
    assert user_scores_of(tally) == user_scores(items, generations, verdicts, made_on)
    assert result_of(tally) == score(items, generations, verdicts, made_on)


@pytest.mark.parametrize("users", [9, 40])
def test_a_run_of_some_size_has_the_same_intervals(users):
    entries = []
    for number in range(users * 8):
        type_ = (PERSONA, PERSONA, PROFILE, SCHEDULE)[number % 4]
        split = "test_1" if number % (2 * users) < users else "test_2"
        item = make_item(f"{split}/{number}", type_, number % users)
        words = [YES, NO] if type_ is SCHEDULE else [WIN, TIE, LOSS]
        outcomes = [words[number * 7 % 5 % len(words)], words[number * 11 % 7 % len(words)]]
        entries.append(
            answered(item, *outcomes[: number % 9 or 1], bleu=number * 0.37 % 100, evidence_recall=number % 3 / 3)
        )
    items = [entry.item for entry in entries]
    generations = [row for entry in entries for row in entry.generations]
    verdicts = [row for entry in entries for row in entry.verdicts]
    found = result_of(tally_of(items, generations, verdicts))
    assert found == score(items, generations, verdicts)
    assert (found.total.interval is None) == (users < 10)
    assert found.missing > 0


def test_runs_of_several_models_are_told_apart(tmp_path):
    files = []
    for number, outcome in enumerate([WIN, TIE, LOSS]):
        entry = answered(make_item("test_1/1"), outcome, outcome)
        run_id = f"s-20260301-0000000{number}.demo-v1"
        files.append(
            write_rows(tmp_path, run_id, [entry.item], entry.generations, entry.verdicts, model=f"org/m-{number}")
        )
    found = tally_rows([answers for answers, _ in files], [words for _, words in files])
    assert [(tally.run_id[-9], result_of(tally).persona.score.value) for tally in found] == [
        ("0", 100),
        ("1", 50),
        ("2", 0),
    ]
