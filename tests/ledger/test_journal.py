"""The ledger's copy in the store: what is saved, and what comes back after Redis is lost."""

from evaluator.errors import Cause
from leaderboard.records import AmendmentKind, Failure, State, Tombstone
from leaderboard.store import LocalStore, layout
from leaderboard.store.base import Write
from leaderboard.submissions import journal, keys
from leaderboard.submissions.entering import SUBMIT_AGAIN, fingerprints, uncovered
from leaderboard.submissions.history import History
from leaderboard.submissions.ledger import Ledger
from tests.builders import make_declaration, make_submission

FAILURE = Failure(cause=Cause.OUT_OF_MEMORY, message="Too little memory.", remedy="Use more.")


def save(ledger: Ledger, store, submission_id: str) -> History:
    history = ledger.history(submission_id)
    store.commit(list(journal.files_of(history)), "journal")
    ledger.note_saved([history])
    return history


def lose_all(redis) -> None:
    redis.flushall()
    redis.set(keys.EPOCH, "tests:0")


def test_a_file_holds_the_submission_with_its_whole_history(ledger, store, submission, run_id):
    ledger.fail(run_id, "worker", FAILURE)
    history = save(ledger, store, submission.id)
    assert history.submission == submission
    assert [step.after for step in history.events] == [State.CHECKING, State.QUEUED, State.FAILED]
    assert history.events[-1].failure == FAILURE
    (path,) = store.list(layout.SUBMISSIONS)
    assert History.model_validate_json(store.read(path)) == history


def test_a_withdrawal_leaves_a_tombstone_that_tells_who_and_why(ledger, store, submission):
    ledger.amend(ledger.history(submission.id), AmendmentKind.WITHDRAWN, "alice", "A wrong model.")
    history = save(ledger, store, submission.id)
    tombstone = Tombstone.model_validate_json(store.read(layout.tombstone_path(submission.id)))
    assert (tombstone.actor, tombstone.reason, tombstone.at) == ("alice", "A wrong model.", history.events[-1].at)


def test_after_a_loss_everything_saved_is_back(redis, ledger, store, submission, run_id):
    ledger.fail(run_id, "worker", FAILURE)
    second = make_submission(2)
    ledger.create(second)
    saved = [save(ledger, store, one.id) for one in (submission, second)]
    lose_all(redis)
    assert journal.restore(redis, store) == 2
    assert ledger.histories([submission.id, second.id]) == saved
    assert ledger.view(submission.id).runs[0].failure == FAILURE
    assert ledger.state(second.run_ids()[0]) is State.CHECKING
    assert ledger.newest(10) == [second.id, submission.id]
    assert (ledger.active(), ledger.unsaved()) == ([second.id], [])


def test_a_restored_model_is_known_and_its_run_goes_on(redis, ledger, store, submission, run_id):
    save(ledger, store, submission.id)
    lose_all(redis)
    journal.restore(redis, store)
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
    lose_all(redis)
    assert journal.restore(redis, store) == 3
    again = [each.model_copy(update={"id": f"s-20260302-{n:08x}"}) for n, each in enumerate((plain, thinking, adapted))]
    assert [ledger.create(each) for each in again] == [plain.id, thinking.id, adapted.id]


def test_after_a_loss_a_withdrawn_model_can_be_submitted_anew_and_a_later_submission_of_it_stays_known(
    redis, ledger, store, submission
):
    ledger.amend(ledger.history(submission.id), AmendmentKind.WITHDRAWN, "alice", "A wrong model.")
    ledger.forget_fingerprints(submission)
    withdrawn = save(ledger, store, submission.id)
    lose_all(redis)
    journal.restore(redis, store)
    later = make_submission(0, model=submission.model, created_at=withdrawn.events[-1].at)
    assert ledger.create(later) == later.id
    save(ledger, store, later.id)
    lose_all(redis)
    journal.restore(redis, store)
    assert ledger.create(make_submission(3, model=submission.model)) == later.id


def test_a_run_that_can_never_go_on_opens_its_own_protocol_and_no_other_loss_or_no_loss(redis, ledger, store):
    both = make_submission(4, model="org/both", protocols=("demo-v1", "demo"))
    ledger.create(both)
    gone, _ = both.run_ids()
    ledger.fail(gone, "gpu-1", Failure(cause=Cause.DATA_ERROR, message="It has changed.", remedy=SUBMIT_AGAIN))
    assert uncovered(ledger.history(both.id)) == ("demo-v1",)
    ledger.forget_fingerprints(both, ["demo-v1"])
    save(ledger, store, both.id)
    for number, lose in ((5, lambda: None), (6, lambda: lose_all(redis))):
        lose()
        journal.restore(redis, store)
        again = make_submission(number, model="org/both", protocols=("demo",))
        assert ledger.create(again) == both.id
    anew = make_submission(7, model="org/both", protocols=("demo-v1",))
    assert ledger.create(anew) == anew.id


def test_after_a_loss_a_model_whose_run_can_never_go_on_is_still_submitted_anew(
    redis, ledger, store, submission, run_id
):
    ledger.fail(run_id, "gpu-1", Failure(cause=Cause.DATA_ERROR, message="It has changed.", remedy=SUBMIT_AGAIN))
    ledger.forget_fingerprints(submission)
    ledger.advance(run_id, State.QUEUED, "alice")
    save(ledger, store, submission.id)
    for lose in (lambda: None, lambda: lose_all(redis)):
        lose()
        journal.restore(redis, store)
        assert not redis.exists(*fingerprints(submission))
    anew = make_submission(3, model=submission.model)
    assert ledger.create(anew) == anew.id


def test_a_newer_copy_in_the_store_replaces_an_older_one_in_redis(redis, ledger, store, submission, run_id):
    older = redis.dump(keys.events(submission.id))
    ledger.advance(run_id, State.GENERATING, "worker")
    newer = save(ledger, store, submission.id)
    redis.restore(keys.events(submission.id), 0, older, replace=True)
    redis.set(keys.state(run_id), State.QUEUED)
    assert journal.restore(redis, store) == 1
    assert ledger.history(submission.id) == newer
    assert ledger.state(run_id) is State.GENERATING
    assert ledger.unsaved() == []


def test_what_happened_to_an_older_copy_is_dropped_and_said(redis, ledger, store, submission, run_id, caplog):
    older = redis.dump(keys.events(submission.id))
    ledger.advance(run_id, State.GENERATING, "worker")
    saved = save(ledger, store, submission.id)
    redis.restore(keys.events(submission.id), 0, older, replace=True)
    redis.set(keys.state(run_id), State.QUEUED)
    ledger.fail(run_id, "worker", FAILURE)
    journal.restore(redis, store)
    assert ledger.history(submission.id) == saved
    assert ledger.state(run_id) is State.GENERATING
    assert "dropped" in caplog.text
    assert "Too little memory." in caplog.text


def test_an_older_copy_in_the_store_changes_nothing(redis, ledger, store, submission, run_id):
    save(ledger, store, submission.id)
    ledger.advance(run_id, State.GENERATING, "worker")
    before = ledger.history(submission.id)
    assert journal.restore(redis, store) == 0
    assert ledger.history(submission.id) == before
    assert ledger.state(run_id) is State.GENERATING
    assert ledger.unsaved() == [submission.id]


def test_what_the_store_does_not_hold_is_saved_anew(redis, ledger, store, submission, tmp_path):
    save(ledger, store, submission.id)
    journal.restore(redis, LocalStore(tmp_path / "another"))
    assert ledger.unsaved() == [submission.id]


def test_restoring_twice_changes_nothing(redis, ledger, store, submission):
    saved = save(ledger, store, submission.id)
    lose_all(redis)
    assert [journal.restore(redis, store) for _ in range(2)] == [1, 0]
    assert ledger.history(submission.id) == saved


def test_nothing_is_restored_from_an_empty_store(redis, store):
    assert journal.restore(redis, store) == 0


def test_a_broken_file_is_named_and_holds_up_no_other(redis, ledger, store, submission, caplog):
    saved = save(ledger, store, submission.id)
    broken = "submissions/202602/01/s-20260201-00000001.json"
    store.commit([Write(broken, b'{"submission": 1}')], "broken")
    lose_all(redis)
    assert journal.restore(redis, store) == 1
    assert ledger.history(submission.id) == saved
    assert f"{broken} is no History" in caplog.text


def test_what_cannot_be_read_in_redis_is_taken_from_the_store_and_else_named_and_left(
    redis, ledger, store, submission, caplog
):
    saved = save(ledger, store, submission.id)
    lost, sound = make_submission(2), make_submission(3)
    for each in (lost, sound):
        ledger.create(each)
    for each in (submission, lost):
        redis.rpush(keys.events(each.id), b"{}")
    assert journal.restore(redis, store) == 1
    assert ledger.history(submission.id) == saved
    ids = [submission.id, lost.id, sound.id]
    assert [each.submission.id for each in journal.readable(ledger, ids)] == [submission.id, sound.id]
    assert f"What is stored as {keys.events(lost.id)} is no event" in caplog.text


def test_once_saved_a_submission_with_an_open_run_stays_active(ledger, submission):
    ledger.note_saved([ledger.history(submission.id)])
    assert (ledger.unsaved(), ledger.active()) == ([], [submission.id])
    assert ledger.view(submission.id).saved


def test_a_step_taken_while_the_journal_was_written_keeps_it_unsaved(ledger, submission, run_id):
    written = ledger.history(submission.id)
    ledger.advance(run_id, State.GENERATING, "worker")
    ledger.note_saved([written])
    assert ledger.unsaved() == [submission.id]
    ledger.note_saved([ledger.history(submission.id)])
    assert ledger.unsaved() == []


def test_a_submission_whose_runs_have_all_ended_leaves_the_active_ones_once_that_is_saved(ledger):
    submission = make_submission(protocols=("demo-v1", "other"))
    ledger.create(submission)
    one, other = submission.run_ids()
    ledger.fail(one, "worker", FAILURE)
    ledger.note_saved([ledger.history(submission.id)])
    assert ledger.active() == [submission.id]
    assert not ledger.is_urgent()
    ledger.fail(other, "worker", FAILURE)
    assert ledger.active() == [submission.id], "its end is not in the store yet"
    assert ledger.is_urgent()
    ledger.note_saved([ledger.history(submission.id)])
    assert (ledger.active(), ledger.unsaved(), ledger.is_urgent()) == ([], [], False)


def test_a_run_that_is_taken_up_again_makes_its_submission_active_again(ledger, submission, run_id):
    ledger.fail(run_id, "worker", FAILURE)
    ledger.note_saved([ledger.history(submission.id)])
    ledger.advance(run_id, State.QUEUED, "alice")
    assert (ledger.active(), ledger.unsaved()) == ([submission.id], [submission.id])
