"""Every endpoint over a real server, asked with Gradio's own client and with plain requests."""

from __future__ import annotations

import inspect
import json
from typing import get_type_hints

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from pydantic import TypeAdapter

from evaluator.errors import Cause
from leaderboard.api import records
from leaderboard.api.attach import NAMES
from leaderboard.api.endpoints import Endpoints
from leaderboard.checks.records import Check, CheckReport
from leaderboard.people import LOCAL_USER
from leaderboard.records import Declaration, Failure, State
from leaderboard.submissions.ledger import Ledger
from tests.api.conftest import Site
from tests.builders import make_scorecard, make_submission
from tests.released import publish

FAILURE = Failure(cause=Cause.LOAD_ERROR, message="No tokenizer.", remedy="Add it.", log=("loading", "KeyError"))


def refusal(client: Client, endpoint: str, **arguments: object) -> tuple[str, str]:
    """What an endpoint says no with: the cause, and the sentence."""
    with pytest.raises(AppError) as refused:
        client.predict(**arguments, api_name=f"/{endpoint}")
    return refused.value.title, refused.value.message


def test_every_endpoint_says_what_it_does_takes_and_gives(site: Site) -> None:
    described = httpx.get(f"{site.url}/gradio_api/info").json()["named_endpoints"]
    assert set(described) == {f"/{name}" for name in NAMES}
    for name, endpoint in described.items():
        method = getattr(Endpoints, name.removeprefix("/"))
        assert endpoint["description"] == inspect.getdoc(method)
        takes = [each for each in inspect.signature(method).parameters if each not in ("self", "person")]
        assert [each["parameter_name"] for each in endpoint["parameters"]] == takes
        assert all(each["type"] for each in endpoint["parameters"]), name
        (given,) = endpoint["returns"]
        assert given["type"]["type"] == "object", name
        returned = get_type_hints(method)["return"]
        if name != "/scorecard":
            assert set(given["type"]["properties"]) == set(get_type_hints(returned)), name


def test_an_answer_has_exactly_the_fields_that_it_is_said_to_have(client: Client) -> None:
    entered = client.predict(model="local/tiny", api_name="/submit")
    submission_id = entered["submission_id"]
    answers = {
        records.Submitted: entered,
        records.Checklist: client.predict(model="local/tiny", api_name="/check"),
        records.Submission: client.predict(submission_id=submission_id, api_name="/status"),
        records.Logs: client.predict(submission_id=submission_id, api_name="/logs"),
        records.SubmissionPage: client.predict(api_name="/submissions"),
        records.BoardPage: client.predict(api_name="/board"),
        records.Comparison: client.predict(a="org/better", b="org/worse", api_name="/compare"),
    }
    for kind, answer in answers.items():
        assert TypeAdapter(kind).validate_python(answer) == answer, f"{kind}: a field that it has not is dropped"


def test_records_have_the_words_of_what_they_tell_of() -> None:
    assert set(records.Checklist.__annotations__) == set(CheckReport.model_fields)
    assert set(records.Checked.__annotations__) == set(Check.model_fields)
    assert set(records.Declared.__annotations__) == set(Declaration.model_fields)
    assert set(records.Failed.__annotations__) == set(Failure.model_fields)


def test_a_submission_is_followed_stopped_taken_up_corrected_and_withdrawn(client: Client, ledger: Ledger) -> None:
    entered = client.predict(model="local/tiny", relation="owner", api_name="/submit")
    name = entered["submission_id"]
    assert (entered["state"], entered["submitter"], entered["declaration"]["relation"]) == (
        "queued",
        LOCAL_USER,
        "owner",
    )
    assert client.predict(model="local/tiny", api_name="/submit")["submission_id"] == name, "it is known already"

    assert client.predict(submission_id=name, reason="A typo.", api_name="/cancel")["state"] == "cancelled"
    told = client.predict(submission_id=name, api_name="/status")
    assert told["runs"][0]["failure"]["cause"] == "cancelled"
    assert told["events"][-1]["text"].endswith("stopped it. A typo.")
    assert client.predict(submission_id=name, api_name="/retry")["state"] == "queued"

    corrected = client.predict(submission_id=name, base_model="org/base", api_name="/correct")
    assert (corrected["declaration"]["base_model"], corrected["declaration"]["relation"]) == ("org/base", "owner")
    assert client.predict(submission_id=name, base_model="", api_name="/correct")["declaration"]["base_model"] is None
    assert client.predict(submission_id=name, reason="Wrong weights.", api_name="/withdraw")["state"] == "cancelled"
    assert ledger.history(name).withdrawn


def test_who_may_not_is_told_why_and_nothing_happens(client: Client, ledger: Ledger) -> None:
    theirs = make_submission(7, submitter="bob")
    ledger.create(theirs)
    before = ledger.history(theirs.id)
    for action in ("cancel", "retry", "withdraw", "dispute", "correct"):
        cause, said = refusal(client, action, submission_id=theirs.id, **({} if action == "retry" else {"reason": "x"}))
        assert (cause, "Only bob and maintainers" in said) == ("forbidden", True), action
    for action in ("lift", "pause", "resume", "answer"):
        cause, said = refusal(client, action, submission_id=theirs.id, reason="x")
        assert (cause, "Only maintainers" in said) == ("forbidden", True), action
    assert ledger.history(theirs.id) == before


def test_a_dispute_is_heard_of_a_published_result_alone(client: Client, ledger: Ledger) -> None:
    mine = make_submission(8, submitter=LOCAL_USER)
    ledger.create(mine)
    assert refusal(client, "dispute", submission_id=mine.id, reason="Gold is wrong.")[0] == "forbidden"
    for state in list(State)[1:7]:
        ledger.advance(mine.run_ids()[0], state, "worker")
    told = client.predict(submission_id=mine.id, reason="Gold is wrong.", about="test_1/7", api_name="/dispute")
    assert (told["events"][-1]["what"], told["events"][-1]["about"]) == ("disputed", "test_1/7")


def test_logs_are_those_that_a_failure_keeps(client: Client, ledger: Ledger) -> None:
    mine = make_submission(9)
    ledger.create(mine)
    ledger.fail(mine.run_ids()[0], "worker", FAILURE)
    (run,) = client.predict(submission_id=mine.id, api_name="/logs")["runs"]
    assert (run["state"], run["lines"]) == ("failed", ["loading", "KeyError"])


def test_submissions_come_page_by_page_the_newest_first(client: Client, ledger: Ledger) -> None:
    for number in range(60):
        ledger.create(make_submission(number))
    first, beyond = (client.predict(page=page, api_name="/submissions") for page in (1, 99))
    assert (first["pages"], first["total"], len(first["submissions"])) == (2, 60, 50)
    assert first["submissions"][0]["submission_id"] == make_submission(59).id
    assert (beyond["page"], len(beyond["submissions"])) == (2, 10)


def test_the_board_gives_every_figure_under_its_name(client: Client) -> None:
    board = client.predict(api_name="/board")
    better, worse = board["rows"]
    assert (better["model"], better["rank"], better["total"], worse["rank"]) == ("org/better", 1, 60.0, 2)
    assert client.predict(protocol="official-v1", api_name="/board")["rows"] == []
    whole = client.predict(run_id=better["run_id"], api_name="/scorecard")
    assert (whole["scorecard_id"], whole["total"]["value"], whole["judge_engine"]) == (
        better["scorecard_id"],
        60.0,
        "vllm",
    )
    assert refusal(client, "scorecard", run_id="s-20260301-00000001.demo-v1")[0] == "not_found"


def test_two_results_are_compared_on_the_users_that_both_have(client: Client, site: Site) -> None:
    found = client.predict(a="org/better", b="org/worse", api_name="/compare")
    assert found["difference"] == pytest.approx(17.5)
    assert (found["users"], found["left_out"]) == (12, 0)
    assert found["low"] <= found["difference"] <= found["high"]
    assert found["p_value"] < 0.05
    assert found["sentence"].startswith("org/better scores 17.5 points more than org/worse over the 12 users")
    turned = client.predict(a=found["second"]["run_id"], b=found["first"]["scorecard_id"], api_name="/compare")
    assert turned["difference"] == pytest.approx(-found["difference"])
    publish(site.store, make_scorecard("org/other", 50.0, judge_revision="r2"))
    assert refusal(client, "compare", a="org/better", b="org/nothing")[0] == "not_found"
    cause, said = refusal(client, "compare", a="org/better", b="org/other")
    assert cause == "data_error"
    assert "they differ in judge_revision" in said


WRONG = [
    ("status", {"submission_id": 7}, "submission_id"),
    ("status", {"submission_id": "x" * 41}, "submission_id"),
    ("status", {"submission_id": ["s"]}, "submission_id"),
    ("submit", {"model": "local/tiny", "relation": "friend"}, "relation"),
    ("submit", {"model": "local/tiny", "thinking": "perhaps"}, "thinking"),
    ("submit", {"model": "x" * 201}, "model"),
    ("cancel", {"submission_id": "s-20260301-00000001", "reason": "x" * 1001}, "reason"),
    ("board", {"page": 0}, "page"),
    ("board", {"page": "two"}, "page"),
]


def test_an_argument_that_is_none_is_named_and_not_repeated(client: Client) -> None:
    for endpoint, arguments, named in WRONG:
        cause, said = refusal(client, endpoint, **arguments)
        assert (cause, f"`{named}`" in said) == ("data_error", True), arguments
        assert all(str(value) not in said for value in arguments.values() if isinstance(value, str)), said
        assert len(said) < 300


def call(site: Site, endpoint: str, body: object) -> httpx.Response:
    return httpx.post(f"{site.url}/gradio_api/call/v2/{endpoint}", json=body)


def test_arguments_are_sent_by_name_without_any_client(site: Site) -> None:
    asked = call(site, "compare", {"a": "org/better", "b": "org/worse"})
    answer = httpx.get(f"{site.url}/gradio_api/call/compare/{asked.json()['event_id']}").text
    assert answer.startswith("event: complete\ndata: ")
    (found,) = json.loads(answer.split("data: ", 1)[1])
    assert found["first"]["model"] == "org/better"


def test_a_call_that_fits_no_endpoint_is_refused_without_a_traceback(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    for endpoint, body in (("nothing", {}), ("status", {}), ("status", {"nonsense": 1})):
        answer = call(site, endpoint, body)
        assert answer.status_code == 422
        assert "/gradio_api/info" in answer.json()["detail"]
    asked = httpx.post(f"{site.url}/gradio_api/call/nothing", json={"data": []})
    assert asked.status_code == 422
    assert "Traceback" not in caplog.text


def test_a_handler_of_a_form_is_none_of_the_api(client: Client) -> None:
    for name in ("form_submit", "form_check", "form_cancel", "form_correct"):
        with pytest.raises(ValueError, match="api_name"):
            client.predict(api_name=f"/{name}")
