"""Skipping and going back: what a person did last is undone, and nothing else."""

from __future__ import annotations

import pytest
from redis import Redis

from evaluator.errors import RapportError
from leaderboard.labelling.desk import Desk
from leaderboard.labelling.pools import human_pools
from leaderboard.labelling.records import Task
from leaderboard.labelling.service import Back, Labelling
from tests.labelling.people import ALICE, BOB, SmallPool, agree, label_next, make_labelling

RELEVANCE, RATING = Task.RELEVANCE, Task.RATING
NAMES = tuple(f"p1/a{number}" for number in range(6))


@pytest.fixture
def labelling(redis: Redis) -> Labelling:
    made = make_labelling(redis, {RELEVANCE: SmallPool(NAMES), RATING: SmallPool(NAMES)})
    agree(made, ALICE, BOB)
    return made


def done(labelling: Labelling, person: str, task: Task = RELEVANCE) -> set[str]:
    return set(labelling.standing(person).done("org/set", task))


def skip_next(labelling: Labelling, person: str, task: Task = RELEVANCE) -> str:
    """Skips what is shown; returns the item's name."""
    shown = labelling.next(person, task).shown
    assert shown is not None
    labelling.skip(person, task, shown.token)
    return shown.asked.item_id


def test_what_is_skipped_comes_again_last(labelling):
    first = labelling.next(ALICE, RELEVANCE).shown
    assert first is not None
    labelling.skip(ALICE, RELEVANCE, first.token)
    labelling.skip(ALICE, RELEVANCE, first.token)
    seen = [label_next(labelling, ALICE, RELEVANCE, "NO") for _ in NAMES]
    assert seen[-1] == first.asked.item_id


def test_a_label_that_is_taken_back_can_be_given_anew(labelling, redis):
    item = label_next(labelling, ALICE, RELEVANCE, "YES")
    labelling.go_back(ALICE, RELEVANCE)
    assert Desk(redis).counts("org/set", RELEVANCE) == {}
    assert label_next(labelling, ALICE, RELEVANCE, "NO") == item
    (given,) = labelling.standing(ALICE).labels
    assert given.label.word == "NO"
    labelling.go_back(ALICE, RATING)
    assert len(labelling.standing(ALICE).labels) == 1


def test_going_back_after_a_skip_brings_that_item_back_and_no_label_goes(labelling):
    labelled = label_next(labelling, ALICE, RELEVANCE, "YES")
    skipped = [skip_next(labelling, ALICE) for _ in range(2)]
    for item in reversed(skipped):
        assert labelling.next(ALICE, RELEVANCE).back is Back.SKIP
        labelling.go_back(ALICE, RELEVANCE)
        assert done(labelling, ALICE) == {labelled}
        shown = labelling.next(ALICE, RELEVANCE).shown
        assert shown is not None
        assert shown.asked.item_id == item
    assert labelling.next(ALICE, RELEVANCE).back is Back.LABEL
    labelling.go_back(ALICE, RELEVANCE)
    assert done(labelling, ALICE) == set()


def test_after_a_label_what_was_skipped_before_is_not_brought_back(labelling):
    skip_next(labelling, ALICE)
    label_next(labelling, ALICE, RELEVANCE, "YES")
    labelling.go_back(ALICE, RELEVANCE)
    assert done(labelling, ALICE) == set()


def test_what_is_skipped_again_and_again_comes_in_turn(labelling):
    seen = [skip_next(labelling, ALICE) for _ in range(3 * len(NAMES))]
    assert sorted(seen[: len(NAMES)]) == sorted(NAMES)
    assert seen == seen[: len(NAMES)] * 3


def test_a_label_is_taken_back_five_times_at_most(labelling):
    item = label_next(labelling, ALICE, RELEVANCE, "YES")
    for _ in range(5):
        labelling.go_back(ALICE, RELEVANCE)
        assert label_next(labelling, ALICE, RELEVANCE, "NO") == item
    assert labelling.next(ALICE, RELEVANCE).back is None
    with pytest.raises(RapportError, match="taken back 5 times"):
        labelling.go_back(ALICE, RELEVANCE)
    assert done(labelling, ALICE) == {item}


def test_going_back_reaches_into_no_other_data_set(redis):
    one, two = SmallPool(NAMES), SmallPool(NAMES)
    two.data_set = "org/two"
    pools = {RELEVANCE: one}
    labelling = make_labelling(redis, pools)
    agree(labelling, ALICE)
    label_next(labelling, ALICE, RELEVANCE, "YES")
    skip_next(labelling, ALICE)
    pools[RELEVANCE] = two
    assert labelling.next(ALICE, RELEVANCE).back is None
    labelling.go_back(ALICE, RELEVANCE)
    assert len(done(labelling, ALICE)) == 1


def test_an_attention_item_that_is_skipped_comes_again_and_what_is_owed_is_shown_at_the_end(redis):
    labelling = make_labelling(redis, human_pools("demo"), attention=True)
    for number in range(24):
        person = f"annotator-000{number:02d}"
        agree(labelling, person)
        skipped = set()
        while (shown := labelling.next(person, RATING).shown) is not None:
            if number % 2 and shown.asked.attention and shown.asked.item_id not in skipped:
                skipped.add(shown.asked.item_id)
                labelling.skip(person, RATING, shown.token)
            else:
                labelling.label(person, RATING, shown.token, "3")
        standing = labelling.standing(person)
        assert labelling.progress(standing, RATING) == (22, 22)
        assert standing.attention[0] == 2
