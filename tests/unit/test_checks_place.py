"""Whether there is room for a model: in its context, and on the workers that are alive."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.errors import Cause
from evaluator.facts import ModelFacts
from evaluator.protocol import load_protocol
from leaderboard.checks.findings import Surroundings
from leaderboard.checks.records import Check, CheckName, CheckRequest, CheckResult
from leaderboard.checks.run import report
from leaderboard.fleet import Announcement, Gpu
from leaderboard.records import Lane
from leaderboard.submissions.needs import Need
from leaderboard.submissions.room import fit_of, footprint_of
from tests.announcements import H100, make_announcement
from tests.model_folders import make_model_folder

BOTH = (Lane.GENERATE, Lane.JUDGE)
ANSWER = load_protocol("demo-v1").sampling.max_tokens
EIGHT_BILLION = ModelFacts(parameters=8_030_000_000, weight_bytes=16_060_000_000, kv_bytes_per_token=131_072)
CONTEXT = 131_072


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder with a very small model whose context is 131,072 tokens."""
    make_model_folder(tmp_path / "models")
    return tmp_path / "models"


def needing(characters: int | None):
    """What a leaderboard knows of its protocol's prompts."""

    def need(protocol: str) -> Need | None:
        if characters is None:
            return None
        return Need(protocol=protocol, data_sha="0", longest_characters=characters, items=100, users=10)

    return need


def line(models: Path, name: CheckName, thinking: bool = False, **surroundings) -> Check:
    found = report(CheckRequest("local/tiny", thinking=thinking), Surroundings(models, **surroundings))
    return next(check for check in found.checks if check.name is name)


@pytest.mark.parametrize(
    ("characters", "result"),
    [
        (1000, CheckResult.PASSED),
        (int(3.5 * (CONTEXT - ANSWER)), CheckResult.PASSED),
        (int(3.5 * (CONTEXT - ANSWER)) + 4, CheckResult.WARNED),
        (6 * (CONTEXT - ANSWER), CheckResult.WARNED),
        (6 * (CONTEXT - ANSWER) + 1, CheckResult.FAILED),
        (10**9, CheckResult.FAILED),
        (None, CheckResult.WARNED),
    ],
)
def test_the_longest_prompt_with_its_answer_must_fit_the_context(models, characters, result):
    check = line(models, CheckName.CONTEXT, need=needing(characters))
    assert check.result is result
    assert check.cause is (Cause.CONTEXT_OVERFLOW if result is CheckResult.FAILED else None)


def test_a_model_that_thinks_needs_room_for_its_thought(models):
    characters = 6 * (CONTEXT - ANSWER)
    assert line(models, CheckName.CONTEXT, need=needing(characters)).result is CheckResult.WARNED
    assert line(models, CheckName.CONTEXT, thinking=True, need=needing(characters)).result is CheckResult.FAILED


def test_without_a_leaderboard_the_context_is_told_and_not_judged(models):
    check = line(models, CheckName.CONTEXT)
    assert check.result is CheckResult.SKIPPED
    assert "131,072 tokens" in check.message


@pytest.mark.parametrize("fleet", [[], [make_announcement(lanes=(Lane.JUDGE,))]], ids=["none", "a judge's"])
def test_without_a_worker_that_takes_it_a_model_waits(models, fleet):
    check = line(models, CheckName.FIT, need=needing(1000), alive=lambda: fleet)
    assert check.result is CheckResult.WARNED
    assert "waits" in check.remedy


def test_one_worker_that_is_large_enough_is_enough(models):
    small = make_announcement(name="a", gpus=(Gpu(name="toy", memory_bytes=100),))
    check = line(models, CheckName.FIT, need=needing(1000), alive=lambda: [small, make_announcement(name="b")])
    assert check.result is CheckResult.PASSED
    assert (check.facts["workers"], check.facts["fitting"]) == (2, 1)


def test_a_model_larger_than_every_worker_is_refused_with_what_there_is(models):
    small = make_announcement(gpus=(Gpu(name="toy", memory_bytes=100),))
    check = line(models, CheckName.FIT, need=needing(1000), alive=lambda: [small])
    assert (check.result, check.cause) == (CheckResult.FAILED, Cause.TOO_LARGE)
    assert "weights of" in check.message


@pytest.mark.parametrize(
    ("lanes", "filled", "result"),
    [
        ((Lane.GENERATE,), 0.85, CheckResult.PASSED),
        ((Lane.GENERATE,), 0.95, CheckResult.WARNED),
        ((Lane.GENERATE,), 1.05, CheckResult.FAILED),
        (BOTH, 0.42, CheckResult.PASSED),
        (BOTH, 0.48, CheckResult.WARNED),
        (BOTH, 0.95, CheckResult.WARNED),
        (BOTH, 1.05, CheckResult.FAILED),
    ],
)
def test_what_certainly_does_not_fit_is_refused_and_what_may_not_is_let_in_with_a_word(models, lanes, filled, result):
    taken = 128 + 16 * (1 + ANSWER)
    card = Gpu(name="toy", memory_bytes=round(taken / 0.9 / filled))
    worker = make_announcement(lanes=lanes, gpus=(card,))
    assert line(models, CheckName.FIT, need=needing(1), alive=lambda: [worker]).result is result


def test_workers_set_up_for_shorter_prompts_do_not_count(models):
    check = line(models, CheckName.FIT, need=needing(6 * 5000), alive=lambda: [make_announcement(context_tokens=4096)])
    assert (check.result, check.cause) == (CheckResult.FAILED, Cause.TOO_LARGE)
    assert "4,096 tokens" in check.message


def test_where_nobody_knows_the_prompts_only_the_weights_are_judged(models):
    check = line(models, CheckName.FIT, need=needing(None), alive=lambda: [make_announcement()])
    assert check.result is CheckResult.WARNED
    assert "weights fit 1 of 1" in check.message


@pytest.mark.parametrize(
    ("changes", "gigabytes"),
    [
        ({}, 16.06),
        ({"dtype": "float16"}, 16.06),
        ({"dtype": "float32"}, 32.12),
        ({"gpus": ()}, 32.12),
        ({"gpus": (), "dtype": "bfloat16"}, 16.06),
    ],
)
def test_weights_count_as_they_lie_in_memory(changes, gigabytes):
    footprint, kind = footprint_of(EIGHT_BILLION, 0), make_announcement(**changes).kind
    assert (footprint.wide_weights if kind.wide else footprint.weights) == pytest.approx(gigabytes * 1e9)


def test_quantised_and_uncounted_weights_count_as_they_are_stored():
    quantised = EIGHT_BILLION.model_copy(update={"quantisation": "gptq", "weight_bytes": 5 * 10**9})
    for facts, weights in ((quantised, 5 * 10**9), (ModelFacts(weight_bytes=7 * 10**9), 7 * 10**9)):
        footprint = footprint_of(facts, 0)
        assert footprint.weights == footprint.wide_weights == weights


def part(worker: Announcement, tokens: int = 16_000) -> float:
    return fit_of(worker.kind, footprint_of(EIGHT_BILLION, tokens)).part


def test_a_worker_that_also_judges_has_half_the_room():
    assert part(make_announcement(lanes=BOTH)) == 2 * part(make_announcement())
    both = make_announcement(lanes=BOTH).kind
    assert fit_of(both, footprint_of(EIGHT_BILLION, 16_000)).alone == part(make_announcement())


def test_an_engine_uses_one_card_the_largest():
    assert part(make_announcement(gpus=(H100, H100))) == part(make_announcement())
    mixed = make_announcement(gpus=(Gpu(name="small", memory_bytes=10**9), H100))
    assert part(mixed) == part(make_announcement())


def test_an_eight_billion_model_fits_an_h100_and_not_a_card_of_sixteen_gigabytes():
    assert part(make_announcement()) < 0.3
    assert part(make_announcement(gpus=(Gpu(name="T4", memory_bytes=16 * 10**9),))) > 1


def test_without_a_gpu_a_history_must_fit_the_cache_that_was_set():
    worker = make_announcement(gpus=(), kv_cache_bytes=10**9)
    assert part(worker, tokens=3800) < 1
    assert part(worker, tokens=3900) > 1


@given(
    tokens=st.integers(0, 10**7),
    more=st.integers(0, 10**6),
    memory=st.integers(1, 10**13),
    on_gpu=st.booleans(),
    lanes=st.sampled_from([BOTH, (Lane.GENERATE,)]),
)
def test_longer_prompts_never_fit_better_and_larger_workers_never_worse(tokens, more, memory, on_gpu, lanes):
    def worker(size: int) -> Announcement:
        gpus = (Gpu(name="card", memory_bytes=size),) if on_gpu else ()
        return make_announcement(gpus=gpus, memory_bytes=size, lanes=lanes)

    assert part(worker(memory), tokens) <= part(worker(memory), tokens + more)
    assert part(worker(memory + more), tokens) <= part(worker(memory), tokens)
