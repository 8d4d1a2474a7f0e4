"""How much an engine could have shared, and how much of it it did."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.engines import prefixes
from evaluator.engines.prefixes import SharedPrefixes, common_prefix_of_lists
from evaluator.errors import Cause
from evaluator.metrics.efficiency import prefill_efficiency
from tests.builders import make_generation

prompts = st.lists(st.integers(0, 2) | st.sampled_from([255, 256, 65_537, 2**31 - 1]), max_size=8)


def prompt(tokens: int, *, shared: int | None, cached: int | None):
    return make_generation(prompt_tokens=tokens, shared_tokens=shared, cached_tokens=cached)


def test_a_history_that_is_prefilled_once_is_fully_efficient():
    assert prefill_efficiency([prompt(100, shared=0, cached=0), prompt(100, shared=90, cached=90)]) == 1


def test_prefilling_the_same_history_for_every_question_is_not():
    rows = [prompt(100, shared=0, cached=0), *[prompt(100, shared=90, cached=0)] * 9]
    assert prefill_efficiency(rows) == (100 + 9 * 10) / 1000


def test_a_cache_that_stops_at_block_ends_loses_a_little():
    assert prefill_efficiency([prompt(100, shared=0, cached=0), prompt(100, shared=90, cached=80)]) == 110 / 120


def test_efficiency_never_exceeds_one_even_if_the_cache_was_warm_before():
    assert prefill_efficiency([prompt(100, shared=0, cached=96)]) == 1


def test_without_a_computed_prompt_there_is_no_efficiency():
    assert prefill_efficiency([]) is None


def test_a_prompt_that_did_not_fit_was_never_computed():
    computed = [prompt(100, shared=0, cached=0), prompt(100, shared=90, cached=0)]
    too_long = make_generation(answer=None, failure=Cause.CONTEXT_OVERFLOW, prompt_tokens=9000)
    assert prefill_efficiency([*computed, too_long]) == prefill_efficiency(computed)
    assert prefill_efficiency([too_long]) is None


def test_what_an_engine_does_not_tell_makes_efficiency_unknown():
    known = prompt(100, shared=0, cached=0)
    for untold in (prompt(100, shared=90, cached=None), prompt(100, shared=None, cached=90)):
        assert prefill_efficiency([known, untold]) is None


def test_what_an_engine_does_not_tell_of_a_prompt_that_did_not_fit_is_not_needed():
    too_long = make_generation(answer=None, failure=Cause.CONTEXT_OVERFLOW, cached_tokens=None, shared_tokens=None)
    assert prefill_efficiency([prompt(100, shared=0, cached=0), too_long]) == 1


def prefixes_of(tokens: list[int]) -> set[tuple[int, ...]]:
    return {tuple(tokens[:length]) for length in range(len(tokens) + 1)}


@given(prompts, prompts)
def test_the_common_prefix_is_the_longest_prefix_of_both(left, right):
    longest = max(len(prefix) for prefix in prefixes_of(left) & prefixes_of(right))
    assert common_prefix_of_lists(left, right) == longest


@given(st.lists(st.tuples(st.sampled_from(["user 1", "user 2"]), prompts), max_size=40))
def test_sharing_is_told_as_by_the_set_of_all_prefixes_seen_in_the_group(asked):
    shared = SharedPrefixes()
    seen: dict[str, set[tuple[int, ...]]] = {}
    for group, tokens in asked:
        earlier = seen.setdefault(group, set())
        longest = max((len(prefix) for prefix in prefixes_of(tokens) & earlier), default=0)
        assert shared.add(group, tokens) == longest
        earlier |= prefixes_of(tokens)


def test_the_same_prompt_again_is_shared_whole():
    shared = SharedPrefixes()
    assert [shared.add("user 1", [1, 2, 3]) for _ in range(3)] == [0, 3, 3]


def test_users_share_nothing():
    shared = SharedPrefixes()
    assert [shared.add(user, [1, 2, 3]) for user in ("user 1", "user 2")] == [0, 0]


def test_the_work_for_a_prompt_does_not_grow_with_those_that_came_before(monkeypatch: pytest.MonkeyPatch):
    compared = 0

    def counting(left, right):
        nonlocal compared
        compared += 1
        return common_prefix(left, right)

    common_prefix = prefixes.common_prefix
    monkeypatch.setattr(prefixes, "common_prefix", counting)
    shared = SharedPrefixes()
    for number in range(500):
        shared.add("judge/persona", [7, 7, 7, number % 20, number, 7])
    assert compared <= 3 * 500
