"""What does not belong together is refused by name, and nothing of it is counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from evaluator.errors import Cause, RapportError
from leaderboard.rescoring.comparing import Comparing
from leaderboard.rescoring.comparing_rows import RunOfBoth, Scored
from tests.builders import make_verdict
from tests.unit.test_rescoring_comparison import NEW, OLD, compared, drawn, items_of, run_of

RULE = drawn("a")


def one() -> RunOfBoth:
    return run_of(1, RULE, RULE, items_of(users=1))


def with_card(run: RunOfBoth, side: str, **changes: Any) -> RunOfBoth:
    scored: Scored = getattr(run, side)
    return run._replace(**{side: scored._replace(card=scored.card.model_copy(update=changes))})


def with_strange_verdict(run: RunOfBoth, **changes: Any) -> RunOfBoth:
    assert run.new
    key = run.new.verdicts[0].key.model_copy(update=changes)
    rows = [make_verdict(run.generations[0], None, key=key), *run.new.verdicts]
    return run._replace(new=run.new._replace(verdicts=rows))


def with_other_sums(run: RunOfBoth) -> RunOfBoth:
    assert run.old
    users = run.old.users.model_copy(update={"rows_sha": "0" * 64})
    return run._replace(old=run.old._replace(users=users))


def with_a_judge_for_a_person(run: RunOfBoth) -> RunOfBoth:
    assert run.old
    return run._replace(people=run.old.verdicts)


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (lambda run: with_card(run, "new", protocol="official-v1"), "of the protocol official-v1, not of demo-v1"),
        (lambda run: with_card(run, "new", judge="third"), "of the judge third, not of new-judge"),
        (lambda run: with_card(run, "new", revision="b" * 40), "differ in revision"),
        (lambda run: with_card(run, "new", data_sha="b" * 40), "differ in data_sha"),
        (lambda run: with_card(run, "new", engine="transformers"), "differ in engine"),
        (lambda run: with_card(run, "new", run_id="s-20260301-00000077.demo-v1"), "differ in run_id"),
        (lambda run: with_strange_verdict(run, rater=OLD), "of another judge, or of another revision"),
        (lambda run: with_strange_verdict(run, rater_revision="r2"), "of another judge, or of another revision"),
        (with_other_sums, "are of other rows than the scorecard"),
        (with_a_judge_for_a_person, "given as one of people"),
        (lambda run: run._replace(old=None, new=None), "without any scorecard"),
    ],
)
def test_what_does_not_belong_together_is_refused(broken: Callable[[RunOfBoth], RunOfBoth], told: str) -> None:
    comparing = Comparing("demo-v1", OLD, NEW)

    with pytest.raises(RapportError, match=told) as error:
        comparing.add(broken(one()))

    assert error.value.cause is Cause.DATA_ERROR
    comparing.add(one())
    assert comparing.finish() == compared(one())


@pytest.mark.parametrize("again", [one(), one()._replace(new=None), one()._replace(old=None)])
def test_a_run_is_added_once(again: RunOfBoth) -> None:
    comparing = Comparing("demo-v1", OLD, NEW)
    comparing.add(one())

    with pytest.raises(RapportError, match="was added before"):
        comparing.add(again)


def test_a_run_that_waited_is_not_added_once_more() -> None:
    comparing = Comparing("demo-v1", OLD, NEW)
    comparing.add(run_of(1, RULE, None))

    with pytest.raises(RapportError, match="was added before"):
        comparing.add(one())
