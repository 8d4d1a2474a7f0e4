"""The maintainers' pages: who may open them, what is done from them, and what other sites and hostile texts cannot."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import itsdangerous
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from redis import Redis
from starlette.middleware.sessions import SessionMiddleware

from evaluator.errors import Cause
from leaderboard.connection import web_client
from leaderboard.pages.maintain.routes import ANSWERS
from leaderboard.pages.maintain.submissions import RETRIED_AT_ONCE
from leaderboard.people import LOCAL_USER
from leaderboard.records import AmendmentKind, State
from leaderboard.settings import Settings
from leaderboard.submissions.ledger import Ledger
from leaderboard.web import create_app
from tests.web.maintaining import HOSTILE, enter, fail, visitor_of

NOWHERE = "redis://:canary@127.0.0.1:1/0"
SECRET = "secret-of-the-login"
ID = "s-20260301-00000003"
WRITES = [path for way, path in ANSWERS if way == "POST"]


@pytest.fixture
def maintainer(redis: Redis, tmp_path: Path) -> TestClient:
    return visitor_of(redis, tmp_path)


def filled(path: str) -> str:
    """An address of a route."""
    return path.replace("{id}", ID).replace("{act}", "hide")


@pytest.mark.parametrize("settings", [{"maintainers": ("carol", "org:lab")}, {"allow_local_user": False}])
def test_nobody_but_maintainers_opens_a_page_or_does_anything(
    redis: Redis, ledger: Ledger, tmp_path: Path, settings: dict[str, object]
) -> None:
    enter(ledger, 3, State.PUBLISHED)
    before = ledger.history(ID)
    visitor = visitor_of(redis, tmp_path, **settings)
    for way, path in ANSWERS:
        form = {"sure": "yes", "reason": "Because.", "cause": "crashed", "judge": "demo"} if way == "POST" else None
        answer = visitor.request(way, filled(path), data=form)
        assert answer.status_code == 403, (way, path)
        assert "This page is for maintainers" in answer.text
        assert answer.headers["cache-control"] == "no-store"
    assert ledger.history(ID) == before


def test_who_maintains_and_how_to_log_in_is_said_to_everybody_else(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = visitor_of(redis, tmp_path, maintainers=("carol", "org:lab")).get("/maintain").text
    assert "<bdi>carol</bdi>" in page
    assert "<bdi>lab</bdi>, everyone in that organisation" in page
    assert LOCAL_USER in page
    monkeypatch.setenv("SYSTEM", "spaces")
    monkeypatch.setenv("OAUTH_CLIENT_ID", "client")
    page = visitor_of(redis, tmp_path, allow_local_user=False).get("/maintain").text
    assert 'href="/login/huggingface?_target_url=/maintain"' in page


def cookie(user: str, *, secret: str = SECRET, expires: int = 2**33, **claims: object) -> dict[str, str]:
    """A session's cookie, signed as the login signs it."""
    session = {"oauth_info": {"userinfo": {"sub": "1", "preferred_username": user, **claims}, "expires_at": expires}}
    signed = itsdangerous.TimestampSigner(secret).sign(base64.b64encode(json.dumps(session).encode())).decode()
    return {"Cookie": f"session={signed}"}


def test_who_asks_is_whom_the_signed_session_names(
    redis: Redis, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYSTEM", "spaces")
    monkeypatch.setenv("OAUTH_CLIENT_ID", "client")
    gradio_app = FastAPI()
    gradio_app.add_middleware(SessionMiddleware, secret_key=SECRET)
    settings = {"maintainers": ("carol", "org:lab"), "allow_local_user": False}
    visitor = visitor_of(redis, tmp_path, gradio_app, **settings)
    lab = {"orgs": [{"preferred_username": "lab", "name": "The lab"}]}
    imitated = {"orgs": [{"preferred_username": "other", "name": "lab"}], "name": "carol"}
    strangers = (
        cookie("bob"),
        cookie("mallory", **imitated),
        cookie("carol", secret="guess"),
        cookie("carol", expires=9),
    )
    for headers in (*strangers, {}):
        assert visitor.get("/maintain", headers=headers).status_code == 403
        assert visitor.post("/maintain/submissions/retry", headers=headers).status_code == 403
    for headers in (cookie("carol"), cookie("alice", **lab)):
        assert visitor.get("/maintain", headers=headers).status_code == 200
    failed = fail(ledger, 5)
    visitor.post(f"/maintain/submissions/{failed}/retry", headers=cookie("alice", **lab))
    assert ledger.history(failed).events[-1].actor == "alice"


@pytest.mark.parametrize("path", WRITES)
@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
                                     {"Origin": "https://evil.example"}, {"Origin": "null"}])  # fmt: skip
def test_a_page_of_another_site_can_do_nothing(
    maintainer: TestClient, ledger: Ledger, path: str, headers: dict[str, str]
) -> None:
    enter(ledger, 3, State.PUBLISHED)
    before = ledger.history(ID)
    form = {"sure": "yes", "reason": "Because.", "cause": "crashed", "judge": "demo"}
    answer = maintainer.post(filled(path), data=form, headers=headers)
    assert answer.status_code == 403
    assert "another site" in answer.text
    assert ledger.history(ID) == before


def test_the_whole_site_has_the_pages_and_its_footer_leads_there(redis: Redis, tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, allow_local_user=True, maintainers=(LOCAL_USER,))
    site = TestClient(create_app(settings, redis), base_url="http://127.0.0.1")
    assert '<a href="/maintain">Maintain</a></footer>' in site.get("/queue").text
    assert "<h1><bdi>Overview</bdi></h1>" in site.get("/maintain").text
    refused = site.post("/maintain/submissions/retry", headers={"Sec-Fetch-Site": "cross-site"})
    assert refused.status_code == 403


@pytest.mark.parametrize("url", ["", NOWHERE])
def test_while_redis_is_away_the_pages_say_so(tmp_path: Path, url: str) -> None:
    maintainer = visitor_of(web_client(url) if url else None, tmp_path)
    for way, path in ANSWERS:
        answer = maintainer.request(way, filled(path), data={"sure": "yes", "cause": "crashed", "judge": "demo"})
        assert answer.status_code in (303, 400, 404, 503), (way, path)
        assert "canary" not in answer.text
    assert maintainer.get("/maintain").status_code == 503


ACTS = {
    "lift": (State.QUEUED, AmendmentKind.LIFTED),
    "pause": (State.QUEUED, AmendmentKind.PAUSED),
    "flag": (State.PUBLISHED, AmendmentKind.FLAGGED),
    "hide": (State.PUBLISHED, AmendmentKind.HIDDEN),
    "withdraw": (State.PUBLISHED, AmendmentKind.WITHDRAWN),
}
TAKEN_BACK = {"resume": ("pause", AmendmentKind.RESUMED), "clear": ("flag", AmendmentKind.CLEARED),
              "show": ("hide", AmendmentKind.SHOWN)}  # fmt: skip


@pytest.mark.parametrize("act", [*ACTS, *TAKEN_BACK])
def test_each_act_is_done_with_its_reason_and_told(maintainer: TestClient, ledger: Ledger, act: str) -> None:
    first, kind = TAKEN_BACK.get(act, (act, None))
    state, own = ACTS[first]
    name = enter(ledger, 3, state).id
    home, form = f"/maintain/submissions/{name}", {"reason": "  It has to be.\r\nNow. ", "sure": "yes"}
    assert maintainer.post(f"{home}/{first}", data=form).headers["location"] == f"{home}?done={first}"
    if kind:
        assert maintainer.post(f"{home}/{act}", data=form).headers["location"] == f"{home}?done={act}"
    last = next(event for event in reversed(ledger.history(name).events) if event.event == "amendment")
    assert (last.kind, last.actor, last.text) == (kind or own, LOCAL_USER, "It has to be.\nNow.")
    page = maintainer.get(f"{home}?done={act}").text
    assert 'class="done" role="status"' in page
    assert "It has to be.\nNow." in page
    again = maintainer.post(f"{home}/{act}", data=form)
    assert again.status_code == 403
    assert "This was not done" in again.text


def test_cancel_and_re_run(maintainer: TestClient, ledger: Ledger) -> None:
    name = enter(ledger, 3).id
    maintainer.post(f"/maintain/submissions/{name}/cancel", data={"reason": "By mistake."})
    assert ledger.history(name).state is State.CANCELLED
    assert "By mistake." in maintainer.get(f"/maintain/submissions/{name}").text
    maintainer.post(f"/maintain/submissions/{name}/retry")
    assert ledger.history(name).state is State.QUEUED


@pytest.mark.parametrize("act", ["hide", "withdraw"])
def test_what_readers_notice_is_asked_once_more(maintainer: TestClient, ledger: Ledger, act: str) -> None:
    name = enter(ledger, 3, State.PUBLISHED).id
    asks = f"/maintain/submissions/{name}/{act}"
    assert f'href="{asks}"' in maintainer.get(f"/maintain/submissions/{name}").text
    assert maintainer.post(asks, data={"reason": "Because."}).headers["location"] == asks
    assert ledger.history(name).events[-1].event == "transition"
    page = maintainer.get(asks).text
    assert 'name="sure" value="yes"' in page
    assert "<strong>Public:</strong>" in page


def test_what_is_missing_or_too_long_is_refused_and_what_was_written_is_shown_once_more(
    maintainer: TestClient, ledger: Ledger
) -> None:
    name = enter(ledger, 3, State.PUBLISHED).id
    before = ledger.history(name)
    assert maintainer.post(f"/maintain/submissions/{name}/flag", data={"reason": " "}).status_code == 400
    answer = maintainer.post(f"/maintain/submissions/{name}/flag", data={"reason": HOSTILE + "x" * 1000})
    assert answer.status_code == 400
    assert "<script>document" not in answer.text
    assert "&lt;script&gt;document" in answer.text
    assert maintainer.post("/maintain/submissions/s-20260101-00000000/flag", data={"reason": "x"}).status_code == 404
    assert maintainer.post(f"/maintain/submissions/{name}/submit", data={"reason": "x"}).status_code == 404
    assert maintainer.get("/maintain/submissions/nothing").status_code == 404
    assert maintainer.post(f"/maintain/submissions/{name}/flag", content=b"\xff").status_code == 400
    assert ledger.history(name) == before


def test_only_what_may_be_done_now_is_offered(maintainer: TestClient, ledger: Ledger) -> None:
    page = maintainer.get(f"/maintain/submissions/{enter(ledger, 3, State.PUBLISHED).id}").text
    offered = {act for act in (*ACTS, *TAKEN_BACK, "cancel", "retry") if f'id="act-{act}"' in page}
    assert offered == {"flag", "hide", "withdraw"}
    assert "nothing of it can be stopped any more" in page


def test_failures_are_counted_by_cause_and_listed(maintainer: TestClient, ledger: Ledger) -> None:
    for number in range(30):
        fail(ledger, number, Cause.CRASHED if number % 3 else Cause.INFRASTRUCTURE, model=f"org/of-{number}-b")
    gone = fail(ledger, 40, Cause.GATED)
    maintainer.post(f"/maintain/submissions/{gone}/withdraw", data={"reason": "Gone.", "sure": "yes"})
    page = " ".join(maintainer.get("/maintain").text.split())
    assert 'cause=infrastructure">infrastructure</a></th><td data-label="Whose">ours</td>' in page
    assert 'data-label="Submissions">20</td>' in page
    assert page.index("cause=infrastructure") < page.index("cause=crashed")
    assert "cause=gated" not in page
    listed = maintainer.get("/maintain/submissions?cause=crashed").text
    assert "20 submissions." in listed
    assert "the last line" in listed
    assert listed.count('aria-label="Re-run org/of-') == 20
    everything = maintainer.get("/maintain/submissions?page=2").text
    assert "Page 2 of 2" in everything
    assert maintainer.get("/maintain/submissions?page=x&state=none&cause=%3Cb%3E").status_code == 200
    assert "1 submission." in maintainer.get("/maintain/submissions?word=OF-17-").text


def test_what_failed_of_a_cause_is_re_run_in_bounds_and_each_result_is_told(
    maintainer: TestClient, ledger: Ledger
) -> None:
    gone = fail(ledger, 0)
    maintainer.post(f"/maintain/submissions/{gone}/withdraw", data={"reason": "Gone.", "sure": "yes"})
    names = [fail(ledger, number) for number in range(1, RETRIED_AT_ONCE + 3)]
    other = fail(ledger, 50, Cause.GATED)
    sent = maintainer.post("/maintain/submissions/retry", data={"cause": "crashed"})
    assert sent.status_code == 303
    states = [ledger.history(name).state for name in names]
    assert states == [State.QUEUED] * RETRIED_AT_ONCE + [State.FAILED] * 2
    assert ledger.history(other).state is State.FAILED
    page = maintainer.get(sent.headers["location"]).text
    assert f"{RETRIED_AT_ONCE} submissions are queued again." in page
    assert page.count(": queued again; it is") == RETRIED_AT_ONCE
    assert "3 submissions." in page
    assert maintainer.post("/maintain/submissions/retry", data={"cause": "<b>"}).status_code == 400


def test_a_submission_that_moves_meanwhile_is_told_apart(
    maintainer: TestClient, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    from leaderboard.submissions.service import SubmissionService

    names = [fail(ledger, number) for number in range(3)]
    queue = SubmissionService.retry

    def retry(self: SubmissionService, name: str, person: object) -> object:
        if name == names[0]:  # Its submitter takes up the next one at the same moment.
            ledger.move(f"{names[1]}.demo-v1", State.FAILED, State.QUEUED, "alice")
        return queue(self, name, person)  # type: ignore[arg-type]

    monkeypatch.setattr(SubmissionService, "retry", retry)
    page = maintainer.get(maintainer.post("/maintain/submissions/retry", data={"cause": "crashed"}).headers["location"])
    assert "2 submissions are queued again; 1 was refused or has moved on" in page.text
    assert "not queued; it is" in page.text


def test_an_address_says_nothing_of_its_own(maintainer: TestClient) -> None:
    for query in ("done=Give+me+your+token", f"done={HOSTILE}", "done=retried&count=%3Cb%3E&kept=0", "queued=<b>,x"):
        page = maintainer.get(f"/maintain/submissions?{query}").text
        assert 'class="done"' not in page
        assert "token" not in page
        assert "<script>document" not in page


def test_disputes_and_suspicions_are_answered_from_their_list(maintainer: TestClient, ledger: Ledger) -> None:
    disputed, suspected = enter(ledger, 3, State.PUBLISHED), enter(ledger, 4, State.PUBLISHED)
    ledger.amend(ledger.history(disputed.id), AmendmentKind.DISPUTED, "bob", HOSTILE, about=HOSTILE)
    run_id = suspected.run_ids()[0]
    ledger.amend(ledger.history(suspected.id), AmendmentKind.SUSPECTED, "publisher", "All the same.", about=run_id)
    page = maintainer.get("/maintain/disputes").text
    assert "2 submissions wait" in page
    assert "<script>document" not in page
    assert "All the same." in page
    form = {"reason": "It is right.", "about": HOSTILE, "from": "disputes"}
    sent = maintainer.post(f"/maintain/submissions/{disputed.id}/answer", data=form)
    assert sent.headers["location"] == "/maintain/disputes?done=answer"
    maintainer.post(f"/maintain/submissions/{suspected.id}/clear", data={"reason": "Looked at.", "from": "disputes"})
    assert ledger.history(disputed.id).events[-1].kind is AmendmentKind.ANSWERED
    assert ledger.history(suspected.id).events[-1].kind is AmendmentKind.CLEARED
    page = maintainer.get("/maintain/disputes?done=answer").text
    assert "Nothing waits for an answer." in page
    assert "The dispute is answered." in page


def test_hostile_texts_are_shown_as_texts(maintainer: TestClient, ledger: Ledger) -> None:
    name = fail(ledger, 3, message=HOSTILE, model=f"org/{HOSTILE}", submitter=HOSTILE)
    ledger.amend(ledger.history(name), AmendmentKind.PAUSED, HOSTILE, HOSTILE)
    for path in (
        "",
        "/submissions",
        f"/submissions?word={HOSTILE}",
        f"/submissions/{name}",
        f"/submissions/{name}/hide",
    ):
        page = maintainer.get(f"/maintain{path}")
        assert page.status_code == 200, path
        assert "<script>document" not in page.text
        assert "<img" not in page.text
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["content-security-policy"].startswith("default-src 'self'")
