"""Records are frozen, closed and versioned, and their two names fit what they hold."""

import datetime
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from evaluator.errors import Cause
from evaluator.records import Generation, InputKey, Verdict, VerdictKey
from leaderboard.records import (
    Amendment,
    AmendmentKind,
    Batch,
    Failure,
    Plan,
    ShardReport,
    State,
    Submission,
    Tombstone,
    Transition,
    Trial,
    amendment_version,
)
from leaderboard.results import HumanScorecard, Scorecard
from leaderboard.scorecards import UserScores
from leaderboard.submissions.history import History
from tests.builders import (
    NOON,
    TIE,
    make_batch,
    make_declaration,
    make_generation,
    make_input_key,
    make_plan,
    make_report,
    make_scorecard,
    make_submission,
    make_user_scores,
    make_verdict,
    make_verdict_key,
    unlike,
)

GENERATION = make_generation()
VERDICT = make_verdict(GENERATION, TIE)
PLAN = make_plan("s-20260301-00000001.demo-v1")
TRANSITION = Transition(
    run_id=PLAN.run_id,
    sequence=1,
    before=None,
    after=State.CHECKING,
    at=NOON,
    actor="alice",
    failure=None,
)
AMENDMENT = Amendment(
    kind=AmendmentKind.DISPUTED,
    submission_id=PLAN.run_id.split(".")[0],
    sequence=2,
    at=NOON,
    actor="alice",
    text="The gold answer is wrong.",
    about="test_1/7",
)
TRIED = Amendment(
    kind=AmendmentKind.TRIED,
    submission_id=PLAN.run_id.split(".")[0],
    sequence=3,
    at=NOON,
    actor="gpu-1-4711",
    text="",
    trial=Trial(
        run_id=PLAN.run_id,
        failure=Failure(cause=Cause.INFRASTRUCTURE, message="The Hub did not answer.", remedy="Wait."),
        number=1,
        most=4,
        resumes_at=NOON,
    ),
)
RECORDS = [
    GENERATION,
    VERDICT,
    PLAN,
    TRANSITION,
    make_submission(),
    make_report(),
    make_batch(PLAN, PLAN.shards[0], "0000-000001-0001", last=True, generations=(GENERATION,), verdicts=(VERDICT,)),
    AMENDMENT,
    TRIED,
    History(submission=make_submission(), events=(TRANSITION, AMENDMENT, TRIED)),
    make_scorecard("org/model"),
    make_user_scores(make_scorecard("org/model")),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_record_comes_back_from_json_as_it_was(record):
    assert type(record).model_validate_json(record.model_dump_json()) == record


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_record_is_frozen_and_closed(record):
    with pytest.raises(ValidationError, match="frozen"):
        setattr(record, next(iter(type(record).model_fields)), None)
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        type(record).model_validate({**record.model_dump(), "surprise": 1})


@pytest.mark.parametrize(
    "kind",
    [
        Generation,
        Verdict,
        Submission,
        Transition,
        Amendment,
        Plan,
        ShardReport,
        Batch,
        Scorecard,
        HumanScorecard,
        UserScores,
        Tombstone,
        History,
    ],
)
def test_whatever_is_kept_says_which_version_of_its_schema_it_follows(kind):
    newest = {Plan: 2}.get(kind, 1)  # Of rows, version 2 is that of those which were taken down.
    assert kind.model_fields["schema_version"].default == newest


def test_a_try_and_nothing_else_has_come_to_nothing():
    with pytest.raises(ValidationError, match="a try, and nothing else"):
        Amendment.model_validate({**AMENDMENT.model_dump(), "trial": TRIED.trial})
    with pytest.raises(ValidationError, match="a try, and nothing else"):
        Amendment.model_validate({**TRIED.model_dump(), "trial": None})


@pytest.mark.parametrize("kind", AmendmentKind)
def test_an_amendment_says_whether_older_readers_know_its_kind(kind):
    """Those of version 1 knew these and no others; they ask nobody to upgrade who does not have to."""
    known = {"withdrawn", "corrected", "disputed", "answered", "lifted", "paused", "resumed", "tried"}
    version = amendment_version(kind)
    assert version == (1 if kind.value in known else 2)
    fields = {**AMENDMENT.model_dump(), "kind": kind, "about": None, "schema_version": 3 - version}
    fields |= {"declaration": make_declaration() if kind is AmendmentKind.CORRECTED else None}
    fields |= {"trial": TRIED.trial if kind is AmendmentKind.TRIED else None}
    with pytest.raises(ValidationError, match="of a kind that version 1 does not know"):
        Amendment.model_validate(fields)
    assert Amendment.model_validate(fields | {"schema_version": version}).kind is kind


@pytest.mark.parametrize("kind", ["suspected", "flagged", "cleared", "hidden", "shown"])
def test_a_decision_about_results_has_its_reason(kind):
    fields = {**AMENDMENT.model_dump(), "kind": kind, "about": None, "schema_version": 2, "text": " "}
    with pytest.raises(ValidationError, match=f"what is {kind} needs a text"):
        Amendment.model_validate(fields)


def test_a_row_of_a_later_schema_is_refused_instead_of_misread():
    with pytest.raises(ValidationError, match="schema_version"):
        Generation.model_validate({**GENERATION.model_dump(), "schema_version": 2})


def test_numbers_that_are_none_are_refused():
    with pytest.raises(ValidationError, match="finite number"):
        make_generation(seconds=float("nan"))


@given(st.sampled_from(sorted(InputKey.model_fields)))
def test_every_field_of_an_input_key_is_part_of_its_digest(field):
    key = make_input_key()
    assert key.model_copy(update={field: unlike(getattr(key, field))}).digest() != key.digest()


@given(st.sampled_from(sorted(VerdictKey.model_fields)))
def test_every_field_of_a_verdict_key_is_part_of_its_digest(field):
    key = make_verdict_key(GENERATION)
    assert key.model_copy(update={field: unlike(getattr(key, field))}).digest() != key.digest()


def test_two_answers_to_the_same_input_share_the_key_and_keep_their_own_content_hashes():
    one, other = make_generation(answer="Ramen."), make_generation(answer="Soup.")
    assert one.input_key == other.input_key
    assert one.content_hash != other.content_hash


def test_equal_answers_of_different_models_share_their_content_hash():
    one, other = make_generation(), make_generation(make_input_key(model="org/other"))
    assert one.content_hash == other.content_hash
    assert one.input_key != other.input_key


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"input_key": "0" * 64}, "input_key is not the digest of key"),
        ({"content_hash": "0" * 64}, "content_hash is not the digest of answer"),
        ({"content_hash": None}, "an answer with its hash, or a failure"),
        ({"failure": Cause.TIMEOUT}, "an answer with its hash, or a failure"),
        ({"answer": None}, "an answer with its hash, or a failure"),
        ({"answer": None, "content_hash": None}, "an answer with its hash, or a failure"),
        ({"answer": None, "failure": Cause.TIMEOUT}, "an answer with its hash, or a failure"),
    ],
)
def test_a_generation_whose_names_do_not_fit_its_content_is_refused(changes, complaint):
    with pytest.raises(ValidationError, match=complaint):
        Generation.model_validate({**GENERATION.model_dump(), **changes})


def test_an_empty_answer_is_an_answer():
    assert make_generation(answer="").content_hash is not None


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"verdict_key": "0" * 64}, "verdict_key is not the digest of key"),
        ({"word": None}, "a word and its outcome, or neither"),
        ({"outcome": None}, "a word and its outcome, or neither"),
    ],
)
def test_a_verdict_whose_names_do_not_fit_its_content_is_refused(changes, complaint):
    with pytest.raises(ValidationError, match=complaint):
        Verdict.model_validate({**VERDICT.model_dump(), **changes})


def test_a_moment_needs_a_time_zone_and_is_kept_in_utc():
    tokyo = datetime.timezone(datetime.timedelta(hours=9))
    assert make_submission(created_at=datetime.datetime(2026, 1, 1, 9, tzinfo=tokyo)).created_at.isoformat() == (
        "2026-01-01T00:00:00+00:00"
    )
    with pytest.raises(ValidationError, match="time zone"):
        make_submission(created_at=datetime.datetime(2026, 1, 1))


@pytest.mark.parametrize("id_", ["", "s-2026-00000001", "s-20260301-0000000G", "s-20260301-00000001/..", "x"])
def test_submission_ids_are_safe_to_use_in_paths(id_):
    with pytest.raises(ValidationError, match="id"):
        make_submission(id=id_)


def test_what_was_kept_before_there_were_amendments_is_still_read():
    kept = History(submission=make_submission(), events=(TRANSITION,)).model_dump(mode="json")
    kept["transitions"] = [{name: value for name, value in step.items() if name != "event"} for step in kept["events"]]
    del kept["events"]
    assert History.model_validate_json(json.dumps(kept)).events == (TRANSITION,)


def test_events_come_back_as_what_they_are():
    history = History(submission=make_submission(), events=(TRANSITION, AMENDMENT))
    read = History.model_validate_json(history.model_dump_json())
    assert [type(event) for event in read.events] == [Transition, Amendment]
    with pytest.raises(ValidationError, match="does not match any of the expected tags"):
        History.model_validate({**history.model_dump(), "events": [{**AMENDMENT.model_dump(), "event": "rumour"}]})


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"kind": "corrected"}, "a correction, and nothing else, has a declaration"),
        ({"declaration": make_submission().declaration}, "a correction, and nothing else, has a declaration"),
        ({"kind": "lifted"}, "only disputes, answers and suspicions are about"),
        ({"kind": "withdrawn", "about": None, "text": " "}, "what is withdrawn needs a text"),
        ({"text": ""}, "what is disputed needs a text"),
        ({"text": "x" * 1001}, "at most 1000 characters"),
    ],
)
def test_an_amendment_says_what_its_kind_needs_and_nothing_else(changes, complaint):
    with pytest.raises(ValidationError, match=complaint):
        Amendment.model_validate({**AMENDMENT.model_dump(), **changes})


def test_a_failure_keeps_the_last_lines_of_a_log_and_no_more():
    failure = {"cause": Cause.LOAD_ERROR, "message": "It does not load.", "remedy": "Mend it."}
    assert Failure(**failure, log=("x" * 300,) * 20).log[19] == "x" * 300
    for log in (("x",) * 21, ("x" * 301,)):
        with pytest.raises(ValidationError, match="log"):
            Failure(**failure, log=log)
