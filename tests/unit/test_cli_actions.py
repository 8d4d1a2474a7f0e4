"""What a maintainer does to submissions from the command line, and what it prints."""

from __future__ import annotations

import json
import sys

import pytest
from redis import Redis

from evaluator.errors import Cause, RapportError
from leaderboard.cli.main import main
from leaderboard.fleet import Fleet
from leaderboard.records import Failure, Lane, State, Submission
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.order import ServingOrder, WaitingRun, publish_order
from tests.announcements import make_announcement
from tests.builders import make_plan
from worker.troubles import Troubles

FAILURE = Failure(
    cause=Cause.LOAD_ERROR,
    message="The tokenizer \x1b[31mis missing.",
    remedy="Add it.",
    log=("loading", "KeyError: 'tokenizer'"),
)


@pytest.fixture
def rapport(monkeypatch: pytest.MonkeyPatch, redis_url: str, tmp_path, capsys):
    """Runs a command and returns its exit code, output and complaints."""
    monkeypatch.setenv("RAPPORT_REDIS_URL", redis_url)
    monkeypatch.setenv("RAPPORT_DATA", str(tmp_path))

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["rapport", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run


def test_a_submission_is_cancelled_retried_and_its_history_tells_so(rapport, ledger, submission):
    assert rapport("cancel", submission.id, "--reason", "A typo.") == (0, f"{submission.id} cancelled\n", "")
    assert rapport("retry", submission.id) == (0, f"{submission.id} queued\n", "")
    code, out, _ = rapport("history", submission.id)
    assert code == 0
    lines = out.splitlines()
    assert [line.split()[0] for line in lines] == ["1", "2", "3", "4"]
    assert lines[2].endswith("demo-v1 cancelled by maintainer: cancelled: maintainer stopped it. A typo.")
    assert lines[3].endswith("demo-v1 queued by maintainer")


@pytest.mark.parametrize("verb", ["lift", "pause"])
def test_a_maintainer_lifts_and_pauses_and_is_named(rapport, ledger: Ledger, submission: Submission, verb):
    assert rapport(verb, submission.id, "--reason", "Asked for.")[0] == 0
    event = ledger.history(submission.id).events[-1]
    assert (event.kind.value[:4], event.actor, event.text) == (verb[:4], "maintainer", "Asked for.")


def test_a_maintainer_flags_clears_hides_and_shows(rapport, ledger: Ledger, submission: Submission, run_id: str):
    for state in (State.GENERATING, State.JUDGING, State.SCORING, State.PUBLISHING, State.PUBLISHED):
        ledger.advance(run_id, state, "worker")
    for verb, kind in (("flag", "flagged"), ("clear", "cleared"), ("hide", "hidden"), ("show", "shown")):
        assert rapport(verb, submission.id, "--reason", "Looked at.") == (0, f"{submission.id} published\n", "")
        event = ledger.history(submission.id).events[-1]
        assert (event.kind.value, event.actor, event.text) == (kind, "maintainer", "Looked at.")
    assert rapport("flag", submission.id)[0] == 2, "a reason is needed"


def test_what_cannot_be_done_is_one_sentence_and_changes_nothing(rapport, ledger, submission):
    before = ledger.history(submission.id)
    code, out, err = rapport("resume", submission.id)
    assert (code, out) == (1, "")
    assert err.startswith(
        "rapport: forbidden: It is too early or too late to resume this submission: it is not paused."
    )
    assert rapport("withdraw", submission.id)[2].startswith("rapport: data_error: A reason is needed.")
    assert rapport("cancel", "s-20260101-ffffffff")[2].startswith("rapport: not_found: ")
    assert ledger.history(submission.id) == before


def test_a_correction_changes_what_is_named_and_leaves_the_rest(rapport, ledger, submission):
    assert rapport("correct", submission.id, "--base-model", "org/base", "--no-publish-answers")[0] == 0
    declared = ledger.history(submission.id).declaration
    assert declared == submission.declaration.model_copy(update={"base_model": "org/base", "publish_answers": False})
    assert rapport("correct", submission.id, "--base-model", "")[0] == 0
    assert ledger.history(submission.id).declaration.base_model is None
    assert "base_model" in rapport("correct", submission.id, "--base-model", "x" * 201)[2]


def test_a_dispute_is_answered(rapport, ledger, submission, run_id):
    for state in (State.GENERATING, State.JUDGING, State.SCORING, State.PUBLISHING, State.PUBLISHED):
        ledger.advance(run_id, state, "worker")
    assert rapport("dispute", submission.id, "--reason", "Gold is wrong.", "--about", "test_1/7")[0] == 0
    assert rapport("answer", submission.id, "--reason", "It is.", "--about", "test_1/7")[0] == 0
    told = rapport("history", submission.id)[1].splitlines()[-2:]
    assert told[0].endswith("disputed (about test_1/7) by maintainer: Gold is wrong.")
    assert told[1].endswith("answered (about test_1/7) by maintainer: It is.")


def test_status_tells_how_far_a_run_is(rapport, ledger, submission, run_id):
    ledger.put_plan(make_plan(run_id))
    code, out, _ = rapport("status", submission.id)
    assert code == 0
    assert out.splitlines()[0] == f"{submission.id} queued"
    assert out.splitlines()[1].startswith("demo-v1 queued: 0 of 6 answers, 0 of 10 verdicts")


def test_status_tells_of_the_time_to_come_what_the_page_tells(rapport, redis: Redis, submission, run_id):
    Fleet(redis).announce(make_announcement(), 60)
    waits = WaitingRun(run_id=run_id, submitter="alice", created_at=submission.created_at, lanes=(Lane.GENERATE,))
    publish_order(redis, ServingOrder(waiting=(waits,), working=()), 60)
    _, out, _ = rapport("status", submission.id)
    assert out.splitlines()[2:4] == ["  Place 1 of 1.", "  Begins as soon as a worker is ready."]
    assert "0 measurements" not in out


def test_status_of_a_failure_says_why_and_what_to_do_and_obeys_no_control_characters(
    rapport, ledger, submission, run_id
):
    ledger.fail(run_id, "worker", FAILURE)
    _, out, _ = rapport("status", submission.id)
    assert "load_error: The tokenizer" in out
    assert "Add it." in out
    assert "| KeyError: 'tokenizer'" in out
    assert "\x1b" not in out


def test_status_as_json_holds_all_of_it(rapport, redis: Redis, ledger, submission, run_id):
    values = json.loads(rapport("status", submission.id, "--json")[1])
    assert {name: values[name] for name in ("submission_id", "model", "submitter", "state", "saved")} == {
        "submission_id": submission.id,
        "model": submission.model,
        "submitter": "alice",
        "state": "queued",
        "saved": False,
    }
    (run,) = values["runs"]
    assert (run["run_id"], run["state"], run["failure"]) == (run_id, "queued", None)
    assert run["outlook"]["paused"] is False
    ledger.fail(run_id, "worker", FAILURE)
    (run,) = json.loads(rapport("status", submission.id, "--json")[1])["runs"]
    assert (run["failure"]["cause"], run["failure"]["log"][0], run["outlook"]) == ("load_error", "loading", None)


def test_the_history_tells_of_tries_that_came_to_nothing(rapport, redis, submission, run_id):
    failure = RapportError(Cause.INFRASTRUCTURE, "The Hub did not answer.", "Wait.")
    Troubles(redis, "gpu-1").may_try_again(run_id, failure)
    code, out, _ = rapport("history", submission.id)
    assert code == 0
    said = "demo-v1 tried by gpu-1: infrastructure: The Hub did not answer. Try 1 of 4; goes on at "
    assert said in out.splitlines()[-1]
