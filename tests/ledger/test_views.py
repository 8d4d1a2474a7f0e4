"""Reading many submissions at once, and refusing plainly when Redis or a disk is away."""

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from evaluator.errors import Cause, RapportError
from leaderboard.people import Person
from leaderboard.settings import Settings
from leaderboard.store.base import StoreUnavailable
from leaderboard.submissions.service import SubmissionService
from tests.builders import make_declaration, make_plan, make_submission


def test_many_submissions_are_read_as_each_would_be_alone(ledger):
    made = [make_submission(number, protocols=("one", "two")) for number in range(4)]
    for submission in made:
        ledger.create(submission)
    ledger.put_plan(make_plan(made[0].run_ids()[1]))
    ids = [submission.id for submission in made]
    assert ledger.views(ids) == [ledger.view(name) for name in ids]
    assert ledger.views(ids)[0].runs[1].progress.items == 6
    assert ledger.views(["s-20260101-ffffffff", *ids[:1]]) == ledger.views(ids[:1]), "the unknown are left out"
    assert ledger.views([]) == []


def test_submissions_are_counted_and_listed_from_anywhere(ledger):
    made = [make_submission(number) for number in range(5)]
    for submission in made:
        ledger.create(submission)
    assert ledger.count() == 5
    assert ledger.newest(2, 3) == [made[1].id, made[0].id]


@pytest.mark.parametrize("error", [RedisConnectionError("at redis://:canary@x"), OSError(5, "canary"), "store"])
def test_what_is_our_fault_reaches_the_submitter_as_one_sentence(monkeypatch, tmp_path, redis, error):
    service = SubmissionService(Settings(data=tmp_path), redis)
    fault = StoreUnavailable("canary", "gone") if error == "store" else error

    def fail(*_: object) -> None:
        raise fault

    monkeypatch.setattr("leaderboard.submissions.service.checked", fail)
    with pytest.raises(RapportError, match="could not be completed") as caught:
        service.submit("org/model", None, make_declaration(), Person("alice"))
    assert caught.value.cause is Cause.INFRASTRUCTURE
    assert "canary" not in str(caught.value)
