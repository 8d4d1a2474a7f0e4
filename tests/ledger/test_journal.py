"""The ledger's copy in the store: what is saved, and what comes back after Redis is lost."""

import pytest

from evaluator.errors import Cause, RapportError
from leaderboard.records import Failure, State
from leaderboard.store.base import Write
from leaderboard.submissions import journal, keys
from leaderboard.submissions.journal import Entry
from leaderboard.submissions.ledger import Ledger
from tests.builders import make_declaration, make_submission

FAILURE = Failure(cause=Cause.OUT_OF_MEMORY, message="Too little memory.", remedy="Use more.")


def save(ledger: Ledger, store, submission_id: str) -> Entry:
    entry = journal.entry(ledger, submission_id)
    store.commit([entry.write()], "journal")
    return entry


def test_an_entry_holds_the_submission_with_its_whole_history(ledger, store, submission, run_id):
    ledger.fail(run_id, "worker", FAILURE)
    entry = save(ledger, store, submission.id)
    assert entry.submission == submission
    assert [step.after for step in entry.transitions] == [State.CHECKING, State.QUEUED, State.FAILED]
    assert entry.transitions[-1].failure == FAILURE
    (path,) = store.list("submissions")
    assert Entry.model_validate_json(store.read(path)) == entry


def test_after_a_loss_everything_saved_is_back(redis, ledger, store, submission, run_id):
    ledger.fail(run_id, "worker", FAILURE)
    second = make_submission(2)
    ledger.create(second)
    saved = [save(ledger, store, one.id) for one in (submission, second)]
    redis.flushall()
    assert journal.restore(ledger, store) == 2
    assert [journal.entry(ledger, entry.submission.id) for entry in saved] == saved
    assert ledger.view(submission.id).runs[0].failure == FAILURE
    assert ledger.state(second.run_ids()[0]) is State.CHECKING
    assert ledger.newest(10) == [second.id, submission.id]
    assert ledger.active() == [submission.id, second.id]


def test_a_restored_model_is_known_and_its_run_goes_on(redis, ledger, store, submission, run_id):
    save(ledger, store, submission.id)
    redis.flushall()
    journal.restore(ledger, store)
    assert ledger.create(make_submission(9, model=submission.model)) == submission.id
    assert ledger.advance(run_id, State.GENERATING, "worker")
    assert [step.sequence for step in ledger.transitions(submission.id)] == [1, 2, 3]


def test_after_a_loss_the_ways_in_which_a_model_was_submitted_are_still_told_apart(redis, ledger, store):
    plain = make_submission(1)
    thinking = make_submission(2, model=plain.model, declaration=make_declaration(thinking=True))
    adapted = make_submission(3, model=plain.model, adapter="org/lora", adapter_revision="c" * 40)
    for each in (plain, thinking, adapted):
        ledger.create(each)
        save(ledger, store, each.id)
    redis.flushall()
    assert journal.restore(ledger, store) == 3
    again = [each.model_copy(update={"id": f"s-20260302-{n:08x}"}) for n, each in enumerate((plain, thinking, adapted))]
    assert [ledger.create(each) for each in again] == [plain.id, thinking.id, adapted.id]


def test_a_newer_copy_in_the_store_replaces_an_older_one_in_redis(redis, ledger, store, submission, run_id):
    older = redis.dump(keys.transitions(submission.id))
    ledger.advance(run_id, State.GENERATING, "worker")
    newer = save(ledger, store, submission.id)
    redis.restore(keys.transitions(submission.id), 0, older, replace=True)
    redis.set(keys.state(run_id), State.QUEUED)
    assert journal.restore(ledger, store) == 1
    assert journal.entry(ledger, submission.id) == newer
    assert ledger.state(run_id) is State.GENERATING


def test_an_older_copy_in_the_store_changes_nothing(ledger, store, submission, run_id):
    save(ledger, store, submission.id)
    ledger.advance(run_id, State.GENERATING, "worker")
    before = journal.entry(ledger, submission.id)
    assert journal.restore(ledger, store) == 0
    assert journal.entry(ledger, submission.id) == before
    assert ledger.state(run_id) is State.GENERATING


def test_restoring_twice_changes_nothing(redis, ledger, store, submission):
    saved = save(ledger, store, submission.id)
    redis.flushall()
    assert [journal.restore(ledger, store) for _ in range(2)] == [1, 0]
    assert journal.entry(ledger, submission.id) == saved


def test_nothing_is_restored_from_an_empty_store(ledger, store):
    assert journal.restore(ledger, store) == 0


def test_a_broken_entry_is_named(ledger, store):
    store.commit([Write("submissions/202603/01/s-20260301-00000001.json", b'{"submission": 1}')], "broken")
    with pytest.raises(RapportError, match=r"s-20260301-00000001\.json is no Entry") as caught:
        journal.restore(ledger, store)
    assert caught.value.cause is Cause.DATA_ERROR


def test_once_saved_a_submission_with_an_open_run_stays_active(ledger, submission):
    ledger.note_saved(submission.id, 2)
    assert (ledger.unsaved(), ledger.active()) == ([], [submission.id])
    assert ledger.view(submission.id).saved


def test_a_step_taken_while_the_journal_was_written_keeps_it_unsaved(ledger, submission, run_id):
    written = len(journal.entry(ledger, submission.id).transitions)
    ledger.advance(run_id, State.GENERATING, "worker")
    ledger.note_saved(submission.id, written)
    assert ledger.unsaved() == [submission.id]
    ledger.note_saved(submission.id, written + 1)
    assert ledger.unsaved() == []


def test_a_submission_whose_runs_have_all_ended_leaves_the_active_ones_once_that_is_saved(ledger):
    submission = make_submission(protocols=("demo-v1", "other"))
    ledger.create(submission)
    one, other = submission.run_ids()
    ledger.fail(one, "worker", FAILURE)
    ledger.note_saved(submission.id, 3)
    assert ledger.active() == [submission.id]
    ledger.fail(other, "worker", FAILURE)
    assert ledger.active() == [submission.id], "its end is not in the store yet"
    ledger.note_saved(submission.id, 4)
    assert (ledger.active(), ledger.unsaved()) == ([], [])


def test_a_run_that_is_taken_up_again_makes_its_submission_active_again(ledger, submission, run_id):
    ledger.fail(run_id, "worker", FAILURE)
    ledger.note_saved(submission.id, 3)
    ledger.advance(run_id, State.QUEUED, "alice")
    assert (ledger.active(), ledger.unsaved()) == ([submission.id], [submission.id])
