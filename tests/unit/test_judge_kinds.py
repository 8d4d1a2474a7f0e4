"""Judges of all kinds are data: what each is asked, how it is decoded, and what its rows may say."""

from __future__ import annotations

from re import _parser as parser  # The only place that tells how long a match can be.

import pytest
from pydantic import ValidationError

from evaluator.human.records import Rating, Verification
from evaluator.human.stages.wording import CURRENT, load_wording
from evaluator.judges.spec import JudgeSpec, judge_ids, load_judge
from evaluator.records import Outcome, Verdict, verdict_version
from leaderboard.store.parquet import decode_parquet, encode_parquet
from leaderboard.upkeep.row_changes import without_words
from tests.builders import make_generation, make_verdict

DIGESTS = {
    "demo": "9a8a5f60dc6083380f43cff48911b684cf8738096d22baa42d3e9dc441ba17dc",
    "demo-rating": "8a3022ce718cfd7a706fb1ed831d697ca8ddd70c376b37a48ecec71f5a216711",
    "demo-verifier": "16f8c47f174185b37bd8746395ab903c8ca3272346fab74721309cb756eaf75a",
    "hicupid-llama-3.2-3b": "95ffc7eed2c686c19b1bb6c0418390613b9b9624e587c6a30e5bed2efb6a48d9",
    "zero-shot-rating": "5521d0e0d4dd3a211b8c3c5bab86904dc9d29c04ce5707f3b8e0b494a6151ecd",
    "zero-shot-verifier": "bd839bb0e1477ff7d6d6581cff9702db7c43814d556be9f18a7dd3e8b5e5a9a5",
}
"""Configurations that plans hold: neither judges of other kinds nor fields that say what was so before have changed
anything of them."""
ONE_WORD = [judge for judge in judge_ids() if load_judge(judge).kind != "pairwise"]


@pytest.mark.parametrize("judge", DIGESTS)
def test_a_judge_that_was_there_before_keeps_its_name_in_plans(judge):
    assert load_judge(judge).digest() == DIGESTS[judge]


@pytest.mark.parametrize("judge", ONE_WORD)
def test_a_judge_of_one_word_is_asked_in_peoples_words_and_every_word_fits(judge):
    spec = load_judge(judge)
    assert spec.prompt_pack == load_wording(spec.prompt_pack).id == CURRENT
    first, second = spec.word_samplings()
    assert (first.temperature, first.watch) == (0, spec.words)
    assert (second.temperature, second.seed) == (spec.retry_temperature, first.seed + 1)
    assert first.pattern == f"({'|'.join(spec.words)})"
    assert parser.parse(first.pattern).getwidth()[1] <= first.max_tokens, "a token may hold a single character"


def test_each_kind_has_a_judge_for_trying_and_one_that_may_become_official():
    found = {(load_judge(judge).kind, load_judge(judge).status) for judge in judge_ids()}
    wanted = {(kind, status) for kind in ("rating", "verifier") for status in ("demo", "candidate")}
    assert found >= wanted | {("pairwise", "demo"), ("pairwise", "official")}


@pytest.mark.parametrize(("judge", "kind"), [("demo", "rating"), ("demo-rating", "pairwise")])
def test_patterns_of_another_kind_are_refused(judge, kind):
    with pytest.raises(ValidationError, match=f"not those of a judge of kind {kind}"):
        JudgeSpec.model_validate(load_judge(judge).model_dump() | {"kind": kind})


def test_every_word_of_people_has_an_outcome():
    assert {Outcome(word.value) for word in Verification} <= set(Outcome)
    assert {Outcome(rating.name.lower()) for rating in Rating} <= set(Outcome)


@pytest.mark.parametrize("outcome", [*Outcome, None])
def test_a_row_is_of_the_oldest_version_that_knows_what_it_says(outcome):
    word = outcome and outcome.value
    row = make_verdict(make_generation(), None).model_dump()
    row |= {"word": word, "outcome": outcome, "schema_version": verdict_version(outcome)}
    verdict = Verdict.model_validate(row)
    assert decode_parquet(encode_parquet([verdict], Verdict), Verdict, "x") == [verdict]
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict
    other = {1: 3, 3: 1}[verdict.schema_version]
    with pytest.raises(ValidationError, match="is of version"):
        Verdict.model_validate(row | {"schema_version": other})


@pytest.mark.parametrize(("outcome", "version"), [(Outcome.WIN, 2), (Outcome.BETTER, 3)])
def test_words_are_taken_down_whatever_the_version(outcome, version):
    answer = make_generation()
    said = {"word": "4", "outcome": outcome, "schema_version": verdict_version(outcome), "completion": "4"}
    row = Verdict.model_validate(make_verdict(answer, None).model_dump() | said)
    gone = without_words(row, str(answer.content_hash))
    assert (gone.completion, gone.outcome, gone.schema_version) == ("", outcome, version)
    assert gone.taken_down
