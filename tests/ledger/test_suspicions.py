"""What a program finds odd about a run stands in the submission's history: once."""

from __future__ import annotations

from functools import partial

import pytest

from leaderboard.records import AmendmentKind
from leaderboard.submissions.history import amendments_of, suspicion_of
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.suspicions import note_suspicion
from tests.builders import make_submission
from tests.waiting import at_once

TOLD = "98 % of its answers are the same text."


def suspected(ledger: Ledger, submission_id: str) -> list[str | None]:
    events = ledger.history(submission_id).events
    return [each.about for each in amendments_of(events, AmendmentKind.SUSPECTED)]


def test_a_suspicion_names_the_program_the_run_and_what_was_found(ledger, submission, run_id):
    assert note_suspicion(ledger, submission.id, run_id, TOLD)
    found = suspicion_of(ledger.history(submission.id).events)
    assert found is not None
    assert (found.actor, found.about, found.text, found.schema_version) == ("publisher", run_id, TOLD, 2)
    assert ledger.is_urgent(), "it is saved at once"


def test_each_run_is_suspected_once_whatever_was_decided(ledger):
    submission = make_submission(protocols=("one", "two"))
    ledger.create(submission)
    one, two = submission.run_ids()
    assert note_suspicion(ledger, submission.id, one, TOLD)
    ledger.amend(ledger.history(submission.id), AmendmentKind.CLEARED, "keeper", "It is fine.")
    assert not note_suspicion(ledger, submission.id, one, TOLD)
    assert suspicion_of(ledger.history(submission.id).events) is None
    assert note_suspicion(ledger, submission.id, two, TOLD)
    assert suspected(ledger, submission.id) == [one, two]


def test_of_many_who_note_it_at_once_one_does(ledger, submission, run_id):
    noted = at_once(*[partial(note_suspicion, ledger, submission.id, run_id, TOLD)] * 6)
    assert sorted(noted) == [False] * 5 + [True]
    assert suspected(ledger, submission.id) == [run_id]


def test_somebody_who_does_something_meanwhile_does_not_keep_it_from_being_noted(ledger, submission, run_id):
    class Busy(Ledger):
        amended = 0

        def amend(self, seen, kind, *rest, **more):
            if not self.amended:
                self.amended += 1
                super().amend(seen, AmendmentKind.PAUSED, "keeper", "")
            super().amend(seen, kind, *rest, **more)

    assert note_suspicion(Busy(ledger._redis), submission.id, run_id, TOLD)
    assert suspected(ledger, submission.id) == [run_id]


def test_nothing_is_said_of_what_was_withdrawn_or_is_not_there(ledger, submission, run_id):
    with pytest.raises(ValueError, match="is no run of"):
        note_suspicion(ledger, submission.id, "s-20260101-ffffffff.demo-v1", TOLD)
    with pytest.raises(KeyError):
        note_suspicion(ledger, "s-20260101-ffffffff", "s-20260101-ffffffff.demo-v1", TOLD)
    ledger.amend(ledger.history(submission.id), AmendmentKind.WITHDRAWN, "alice", "No longer.")
    assert not note_suspicion(ledger, submission.id, run_id, TOLD)
    assert suspected(ledger, submission.id) == []
