"""Gaps between two results of one model: who is compared with whom, what counts, and what is missing."""

import pytest

from evaluator.hicupid.desiderata import desiderata, generalisation_gap, long_context_gap
from evaluator.hicupid.scoring import total_of
from evaluator.hicupid.user_scores import UserScore
from evaluator.metrics.intervals import UserSums
from tests.builders import make_scorecard

NAMES = ("one", "other")
NONE = UserSums(0.0, 0)


def user(number: int, persona: float, profile: float = 0.0, schedule: float = 0.0, split: str = "test_2") -> UserScore:
    """A user with two persona items, one profile item and one schedule item."""
    return UserScore(split, number, UserSums(2 * persona, 2), UserSums(profile, 1), UserSums(schedule, 1))


def test_the_long_context_gap_is_the_persona_score_after_everything_less_that_after_gold():
    full = [user(number, 40 + number) for number in range(12)]
    gold = [user(number, 50 + number * 2, 100, 100) for number in range(12)]
    gap = long_context_gap(full, gold, NAMES)
    assert gap.value == -10 - 5.5
    assert (gap.judged, gap.users, gap.between) == ((24, 24), 12, NAMES)
    assert gap.interval.low < gap.value < gap.interval.high < 0


def test_what_makes_a_user_hard_in_both_modes_cancels_out():
    full = [user(number, 8 * number) for number in range(12)]
    gold = [user(number, 8 * number + 5 + number % 2) for number in range(12)]
    interval = long_context_gap(full, gold, NAMES).interval
    assert interval.high - interval.low < 1


def test_only_users_who_were_judged_in_both_modes_are_compared():
    full = [user(1, 50), user(2, 0), user(3, 0)]
    gold = [user(1, 100), user(2, 0)._replace(persona=NONE), user(4, 100)]
    gap = long_context_gap(full, gold, NAMES)
    assert (gap.value, gap.judged, gap.users, gap.interval) == (-50, (2, 2), 1, None)


def test_the_same_id_in_another_split_is_another_user():
    assert long_context_gap([user(1, 50)], [user(1, 60, split="test_1")], NAMES).users == 0


def test_the_generalisation_gap_is_the_total_of_unseen_users_less_that_of_seen_ones():
    unseen = [user(number, 40, 20, 60) for number in range(10)]
    seen = [user(number, 50, 30, 80, split="test_1") for number in range(20)]
    gap = generalisation_gap(unseen, seen, NAMES)
    assert gap.value == pytest.approx(total_of(40, 20, 60) - total_of(50, 30, 80))
    assert (gap.judged, gap.users, gap.between) == ((40, 80), 30, NAMES)


def test_errors_of_seen_and_unseen_users_add_up():
    unseen = [user(number, 40 + 20 * (number % 2)) for number in range(20)]
    seen = [user(number, 40 + 20 * (number % 2), split="test_1") for number in range(20)]
    certain = [user(number, 50, split="test_1") for number in range(20)]

    def width(first, second):
        interval = generalisation_gap(first, second, NAMES).interval
        return interval.high - interval.low

    assert width(unseen, seen) > 1.3 * width(unseen, certain) > 0


@pytest.mark.parametrize("few", [0, 9])
def test_with_fewer_than_ten_users_on_a_side_there_is_no_interval(few):
    many, some = [user(number, 40) for number in range(12)], [user(number, 50) for number in range(few)]
    assert generalisation_gap(many, some, NAMES).interval is None
    assert generalisation_gap(some, many, NAMES).interval is None
    assert long_context_gap(many, some, NAMES).interval is None


def test_without_an_item_of_some_type_there_is_no_gap():
    whole, part = [user(1, 40)], [user(2, 40)._replace(schedule=NONE)]
    assert generalisation_gap(whole, part, NAMES).value is None
    assert generalisation_gap(part, whole, NAMES).value is None
    assert long_context_gap([], [], NAMES).value is None


def test_the_five_desiderata_are_the_scores_under_other_names():
    result = make_scorecard("org/model").result
    gap = long_context_gap([], [], NAMES)
    found = desiderata(result, gap, None)
    assert (found.aui, found.uii, found.mi) == (result.total, result.persona.score, result.profile.score)
    assert (found.pr, found.lc, found.generalisation) == (result.schedule, gap, None)
