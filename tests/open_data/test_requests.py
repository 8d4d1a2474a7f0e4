"""What of a submission is public: all that happened to it, without logs and without secrets."""

from __future__ import annotations

import datetime

import pytest

from evaluator.errors import Cause, RapportError
from evaluator.facts import ModelFacts
from leaderboard.open_data.files import decode_request, encode_request
from leaderboard.open_data.records import OpenRequest
from leaderboard.open_data.views import history_of, open_request
from leaderboard.records import Amendment, AmendmentKind, Failure, State, Trial
from leaderboard.submissions.history import History
from tests.builders import NOON, make_declaration
from tests.open_data.rows import make_history, make_step

TOKEN = "hf_canaryCanaryCanaryCanary"
WEBHOOK = "https://hooks.example.org/services/T0/B0/canary-of-a-webhook"
SECRETS = frozenset({WEBHOOK})
RUN = "s-20260301-00000001.demo-v1"


def public(history: History) -> OpenRequest:
    row = open_request(history, SECRETS)
    assert row is not None
    return row


def broken(log: tuple[str, ...] = ("Traceback: a line of the log",), **changes: str) -> Failure:
    values = {"message": "The engine ended.", "remedy": "Submit it again."} | changes
    return Failure(cause=Cause.CRASHED, log=log, **values)


def amended(kind: AmendmentKind, text: str = "", **changes: object) -> Amendment:
    return Amendment(
        kind=kind, submission_id="s-20260301-00000001", sequence=4, at=NOON, actor="alice", text=text, **changes
    )


def test_a_submission_under_way_is_told_without_an_end() -> None:
    row = public(
        make_history(facts=ModelFacts(parameters=7, licence="mit"), adapter="org/a", adapter_revision="b" * 40)
    )

    assert (row.id, row.model, row.state) == ("s-20260301-00000001", "org/model-1", State.QUEUED)
    assert (row.ended_at, row.withdrawn_at, row.cause, row.message, row.remedy) == (None,) * 5
    assert (row.parameters, row.model_licence, row.adapter) == (7, "mit", "org/a")


def test_a_submission_that_failed_says_why_and_what_to_do_but_shows_no_log() -> None:
    history = make_history(1, make_step(RUN, 3, State.QUEUED, State.FAILED, failure=broken()))
    row = public(history)

    assert (row.state, row.cause, row.ended_at) == (State.FAILED, Cause.CRASHED, NOON + datetime.timedelta(minutes=3))
    assert (row.message, row.remedy) == ("The engine ended.", "Submit it again.")
    assert "Traceback" in history.model_dump_json()
    assert "Traceback" not in row.model_dump_json()


def test_a_submission_that_goes_on_after_a_failure_has_no_cause() -> None:
    steps = [
        make_step(RUN, 3, State.QUEUED, State.FAILED, failure=broken()),
        make_step(RUN, 4, State.FAILED, State.QUEUED),
    ]
    assert (public(make_history(1, *steps)).cause, public(make_history(1, *steps)).ended_at) == (None, None)


def test_a_submission_of_which_one_run_has_failed_and_one_goes_on_has_no_cause_yet() -> None:
    failed = make_step(RUN, 3, State.QUEUED, State.FAILED, failure=broken())
    other = RUN.replace("demo-v1", "gold-v1")
    goes_on = [make_step(other, 4, None, State.CHECKING), make_step(other, 5, State.CHECKING, State.QUEUED)]
    row = public(make_history(1, failed, *goes_on, protocols=("demo-v1", "gold-v1")))

    assert (row.state, row.cause, row.message, row.ended_at) == (State.QUEUED, None, None, None)


def test_the_log_of_a_try_is_left_out_too() -> None:
    trial = Trial(run_id=RUN, failure=broken(), number=1, most=4, resumes_at=NOON)
    history = make_history()
    row = public(history.model_copy(update={"events": (*history.events, amended(AmendmentKind.TRIED, trial=trial))}))

    (told,) = [event.trial for event in history_of(row).events if isinstance(event, Amendment)]
    assert told is not None
    assert (told.failure.log, told.failure.message, told.number) == ((), "The engine ended.", 1)
    assert "Traceback" not in row.model_dump_json()


def test_a_correction_counts_and_a_withdrawal_is_dated() -> None:
    history = make_history()
    events = (
        amended(AmendmentKind.CORRECTED, declaration=make_declaration(base_model="org/base", publish_answers=False)),
        amended(AmendmentKind.WITHDRAWN, "a mistake"),
    )
    row = public(history.model_copy(update={"events": (*history.events, *events)}))

    assert (row.base_model, row.publish_answers, row.withdrawn_at) == ("org/base", False, NOON)


def test_the_public_history_is_the_history_where_there_is_nothing_to_hide() -> None:
    history = make_history(1, make_step(RUN, 3, State.QUEUED, State.GENERATING, actor="worker gpu-1"))
    row = public(history)

    assert history_of(row) == history
    assert decode_request(encode_request(row), "x.json") == row


@pytest.mark.parametrize("canary", [TOKEN, WEBHOOK, f"https://user:{'secret' * 3}@host/x", "Bearer abcdefghijkl"])
def test_no_secret_leaves_in_any_text_and_what_is_left_can_be_read(canary: str) -> None:
    failure = broken((f"log {canary}",), message=f"It said {canary} and ended.", remedy=f"Change {canary}.")
    trial = Trial(run_id=RUN, failure=failure, number=1, most=4, resumes_at=NOON)
    history = make_history(
        1,
        make_step(RUN, 3, State.QUEUED, State.FAILED, failure=failure, actor=f"worker {canary}"),
        declaration=make_declaration(base_model=f"my base {canary}"),
        facts=ModelFacts(architecture=canary, licence=canary[:100], quantisation=canary[:100]),
    )
    events = (
        amended(AmendmentKind.DISPUTED, f"see {canary}", about=f"v {canary}"),
        amended(AmendmentKind.CORRECTED, canary, declaration=make_declaration(base_model=canary)),
        amended(AmendmentKind.TRIED, canary, trial=trial),
    )
    told = public(history.model_copy(update={"events": (*history.events, *events)}))

    assert canary in history.model_dump_json()
    assert canary not in told.model_dump_json()
    assert "canary" not in told.model_dump_json().lower()
    assert len(history_of(told).events) == len(history.events) + 3


def test_a_text_that_would_grow_beyond_its_length_is_left_out_whole() -> None:
    longest = "?token=a1 " * 100
    assert len(longest) <= 1000
    history = make_history()
    events = (*history.events, amended(AmendmentKind.DISPUTED, longest))

    told = history_of(public(history.model_copy(update={"events": events}))).events[-1]

    assert isinstance(told, Amendment)
    assert told.text == "[redacted]"


def test_a_secret_that_is_a_common_word_breaks_no_record() -> None:
    history = make_history(1, make_step(RUN, 3, State.QUEUED, State.CANCELLED))
    words = frozenset({"queued", "cancelled", "pseudonymous", "transition", "alice", "owner", "public", "demo-v1"})
    row = open_request(history, words)

    assert row is not None
    assert (row.state, row.submitter, row.protocols) == (State.CANCELLED, "alice", ("demo-v1",))
    assert history_of(row).submission == history.submission


def test_a_request_that_cannot_be_read_is_named() -> None:
    with pytest.raises(RapportError, match=r"submissions/x\.json"):
        decode_request(b"{", "submissions/x.json")
    row = public(make_history()).model_copy(update={"history": "{}"})
    with pytest.raises(RapportError, match="the history of s-20260301-00000001"):
        history_of(row)
