"""The benchmark of load, run small: that it tells what is lost or doubled, and leaves nothing behind."""

from __future__ import annotations

import argparse
from pathlib import Path

import psutil
import pytest

from benchmarks.load import measure
from benchmarks.load_account import account_of
from benchmarks.load_visitors import Outcome, Person, orders_of
from leaderboard.records import State
from leaderboard.store import LocalStore, layout
from leaderboard.store.base import Delete
from leaderboard.submissions import journal
from leaderboard.submissions.ledger import Ledger
from tests.builders import make_submission
from tests.released import released

SMALL = argparse.Namespace(submissions=12, users=3, history=60, arrivals=4.0, seed=1)


def descendants() -> set[int]:
    return {process.pid for process in psutil.Process().children(recursive=True)}


def test_a_small_load_is_taken_in_whole_and_leaves_no_process() -> None:
    before = descendants()
    figures = measure(SMALL)
    assert {name: figures[name] for name in ("submissions", "lost", "duplicated", "refused", "sent_twice")} == {
        "submissions": 12,
        "lost": 0,
        "duplicated": 0,
        "refused": {},
        "sent_twice": 1,
    }
    assert figures["roles_that_ended"] == []
    assert 0 < figures["accept_p50_ms"] <= figures["accept_p95_ms"] <= figures["accept_max_ms"]
    assert 0 < figures["queue_page_ms"] <= figures["queue_page_max_ms"]
    assert descendants() <= before


def test_arrivals_are_drawn_before_anything_is_asked() -> None:
    people = [Person(name, {}) for name in ("ann", "bob")]
    orders = orders_of(people, [f"org/model-{number}" for number in range(200)], a_second=4.0, seed=1)
    assert orders == orders_of(people, [order.model for order in orders], a_second=4.0, seed=1)
    assert orders[-1].at / 200 == pytest.approx(0.25, rel=0.2)
    assert sum(order.twice for order in orders) == 20


def test_what_is_lost_or_doubled_is_found(ledger: Ledger, store: LocalStore, tmp_path: Path) -> None:
    kept, unsaved, again = (make_submission(number) for number in (1, 2, 3))
    double = make_submission(4, model=again.model, revision="b" * 40)
    for submission in (kept, unsaved, again, double):
        ledger.create(submission)
        ledger.advance(submission.run_ids()[0], State.QUEUED, submission.submitter)
    saved = ledger.histories([kept.id, again.id, double.id])
    store.commit([write for history in saved for write in journal.files_of(history)], "journal")
    stores = released(store, tmp_path)

    def told(model: str, submission_id: str, submitter: str = kept.submitter) -> Outcome:
        return Outcome(model, submitter, submission_id, "", 1.0, 1.0)

    assert account_of([told("org/model-1", kept.id)], ledger, stores, 10) == ((), ())
    assert account_of([told("org/model-1", kept.id, "mallory")], ledger, stores, 10).lost == (kept.id,)
    assert account_of([told("org/model-2", unsaved.id)], ledger, stores, 10).lost == (unsaved.id,)
    assert account_of([told("org/model-3", again.id)], ledger, stores, 10) == ((), ("org/model-3",))
    assert account_of([told("org/model-9", "s-20260301-00000009")], ledger, stores, 10).lost == ("s-20260301-00000009",)

    stores.requests.commit([Delete(layout.submission_path(kept.id))], "lost on the way to everyone")
    assert account_of([told("org/model-1", kept.id)], ledger, stores, 10).lost == (kept.id,)
