"""Which few items stand for all."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from evaluator.hicupid.questions import Item, QuestionType
from evaluator.hicupid.spread import spread
from tests.builders import make_item

TYPES = list(QuestionType)


@st.composite
def some_items(draw: st.DrawFn) -> list[Item]:
    counts = draw(st.lists(st.tuples(*[st.integers(0, 4)] * 3), max_size=12))
    return [
        make_item(f"test_1/{user}-{type_}-{number}", type_, user)
        for user, of_user in enumerate(counts)
        for type_, count in zip(TYPES, of_user, strict=True)
        for number in range(count)
    ]


@given(some_items(), st.integers(0, 60))
def test_so_many_different_items_are_taken_and_fewer_are_among_more(items: list[Item], count: int) -> None:
    chosen = spread(items, count)
    assert len(chosen) == len({item.question_id for item in chosen}) == min(count, len(items))
    assert chosen == spread(items, count + 1)[: len(chosen)]


@given(some_items(), st.integers(0, 60))
def test_nobody_gives_another_item_before_all_who_have_one_gave_as_many(items: list[Item], count: int) -> None:
    has, gave = (Counter(item.user_id for item in some) for some in (items, spread(items, count)))
    most = max(gave.values(), default=0)
    assert all(gave[user] >= min(has[user], most - 1) for user in has)


@given(some_items(), st.integers(0, 60), st.randoms(use_true_random=False))
def test_the_order_of_users_in_the_data_decides_nothing(items: list[Item], count: int, chance: object) -> None:
    users = sorted({item.user_id for item in items})
    chance.shuffle(users)  # type: ignore[attr-defined]
    shuffled = [item for user in users for item in items if item.user_id == user]
    assert spread(items, count) == spread(shuffled, count)


@given(st.integers(0, 90))
def test_types_differ_by_one_while_all_users_have_all(count: int) -> None:
    items = [make_item(f"test_1/{user}-{type_}", type_, user) for user in range(30) for type_ in TYPES]
    taken = Counter(item.type for item in spread(items, count))
    assert max(taken[type_] for type_ in TYPES) - min(taken[type_] for type_ in TYPES) <= 1
