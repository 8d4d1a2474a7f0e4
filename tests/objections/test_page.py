"""Objecting on the page of an answer: who may, what is kept of what was written, and what others see of it."""

from __future__ import annotations

import html
import re

import pytest
from fastapi.testclient import TestClient
from redis import Redis

from leaderboard.connection import web_client
from leaderboard.objections.desk import ObjectionDesk
from leaderboard.objections.records import Decision
from leaderboard.objections.service import Objections
from leaderboard.results import Scorecard
from leaderboard.settings import Settings
from leaderboard.store.base import Delete
from leaderboard.store.local import LocalStore
from leaderboard.submissions import keys
from tests.answers.runs import made_up_run
from tests.model_page.sites import published, seen
from tests.objections.sites import CAROL, guarded
from tests.web.maintaining import HOSTILE, visitor_of
from tests.web.test_maintain import NOWHERE, SECRET, cookie

RUN = made_up_run(2)
QUESTION = RUN.items[0].question_id
FORM = {"ground": "gold", "reason": "It names the ramen.\r\nTwice."}
THANKS = "Thank you. Maintainers have your objection"
ALICE, BOB = cookie("alice"), cookie("bob")


@pytest.fixture
def card(store: LocalStore) -> Scorecard:
    return published(store, RUN, submitter="alice")


@pytest.fixture
def site(store: LocalStore, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """The pages as on a Space with login."""
    on_space(monkeypatch)
    return guarded(store, redis, maintainers=("carol",))


def on_space(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYSTEM", "spaces")
    monkeypatch.setenv("OAUTH_CLIENT_ID", "client")


def of(card: Scorecard) -> str:
    return f"/answer?scorecard={card.id}&question={QUESTION}"


def test_who_is_not_logged_in_is_asked_to_and_comes_back_to_the_same_answer(
    site: TestClient, redis: Redis, card: Scorecard
) -> None:
    page = site.get(f"{of(card)}&only=lost")
    assert page.status_code == 200
    assert "<textarea" not in page.text
    (login,) = re.findall(r'href="(/login/huggingface[^"]*)"', page.text)
    back = f"/answer?scorecard={card.id}&question={QUESTION}&only=lost#disagree"
    assert httpx_target(html.unescape(login)) == back
    sent = site.post(of(card), data=FORM)
    assert sent.status_code == 403
    assert "Nobody is logged in." in seen(sent.text)
    assert ">It names the ramen.\nTwice.</textarea>" in sent.text, "what was written is kept"
    assert 'value="gold" required checked' in sent.text
    for headers in (cookie("bob", secret="guess"), cookie("bob", expires=9), cookie("maintainer")):
        assert site.post(of(card), data=FORM, headers=headers).status_code == 403
    assert ObjectionDesk(redis).all().total == 0


def httpx_target(address: str) -> str:
    from urllib.parse import parse_qs, urlsplit

    return parse_qs(urlsplit(address).query)["_target_url"][0]


def test_a_reader_objects_sees_what_becomes_of_it_and_others_only_what_is_accepted(
    site: TestClient, redis: Redis, card: Scorecard
) -> None:
    before, tag = site.get(of(card)), ""
    sent = site.post(of(card), data=FORM, headers=BOB)
    assert sent.status_code == 303
    assert sent.headers["location"] == f"{of(card)}&sent=yes#disagree"
    assert sent.headers["cache-control"] == "no-store"
    page = site.get(sent.headers["location"], headers=BOB)
    assert THANKS in seen(page.text)
    assert "Your objection: the gold answer is wrong." in seen(page.text)
    assert "Waits for maintainers" in seen(page.text)
    assert "<textarea" not in page.text, "once is enough"
    assert page.headers["cache-control"] == "private, no-cache"
    tag = page.headers["etag"]
    assert site.get(of(card), headers={**BOB, "If-None-Match": tag}).status_code == 200, "the thanks are for once"
    for headers in ({}, ALICE, cookie("carol")):
        assert "ramen" not in site.get(f"{of(card)}&sent=yes", headers=headers).text
        assert THANKS not in site.get(f"{of(card)}&sent=yes", headers=headers).text
    assert site.get(of(card)).content == before.content, "nothing of it is public"

    (objection,) = ObjectionDesk(redis).waiting().objections
    assert (objection.person, objection.submitter, objection.text) == ("bob", "alice", "It names the ramen.\nTwice.")
    Objections(Settings(), redis).reply(CAROL, objection.id, Decision.ACCEPTED, "It does; the item goes.")
    mine, anybodys = seen(site.get(of(card), headers=BOB).text), seen(site.get(of(card)).text)
    assert "Accepted by carol" in mine
    assert "Objection accepted: the gold answer is wrong." in anybodys
    assert "It does; the item goes." in anybodys
    assert "ramen" not in anybodys
    assert "bob" not in anybodys


def test_a_declined_objection_is_not_public(site: TestClient, redis: Redis, card: Scorecard) -> None:
    before = site.get(of(card)).content
    site.post(of(card), data=FORM, headers=BOB)
    (objection,) = ObjectionDesk(redis).waiting().objections
    Objections(Settings(), redis).reply(CAROL, objection.id, Decision.DECLINED, "It does not.")
    assert site.get(of(card)).content == before
    assert "Declined by carol" in seen(site.get(of(card), headers=BOB).text)
    assert "It does not." in seen(site.get("/objections", headers=BOB).text)


def test_ones_own_list_shows_both_sides_and_never_who_objects(site: TestClient, redis: Redis, card: Scorecard) -> None:
    site.post(of(card), data=FORM, headers=BOB)
    mine, theirs, nobodys = (site.get("/objections", headers=each) for each in (BOB, ALICE, {}))
    for page in (mine, theirs, nobodys):
        assert page.status_code == 200
        assert page.headers["cache-control"] == "no-store"
    assert "Yours (1)" in seen(mine.text)
    assert "About what you submitted (0)" in seen(mine.text)
    assert "It names the ramen." in seen(mine.text)
    assert html.escape(of(card)) in mine.text
    assert "About what you submitted (1)" in seen(theirs.text)
    assert "It names the ramen." in seen(theirs.text)
    assert "bob" not in theirs.text
    assert "ramen" not in nobodys.text
    assert "_target_url=/objections" in nobodys.text
    assert "ramen" not in site.get("/objections?page=2", headers=BOB).text
    assert site.get("/objections?page=x", headers=BOB).status_code == 200


@pytest.mark.parametrize(
    ("form", "status", "says"),
    [
        ({"ground": "gold", "reason": ""}, 400, "A reason is needed."),
        ({"ground": "", "reason": HOSTILE}, 400, "It does not say what is wrong."),
        ({"ground": HOSTILE, "reason": HOSTILE}, 400, "It does not say what is wrong."),
        ({"ground": "gold", "reason": HOSTILE + "x" * 10_000}, 400, "1000 are kept."),
        ({"ground": "gold", "reason": "‮\x00 {{ 7*7 }}" + "x" * 1000}, 400, "1000 are kept."),
    ],
)
def test_what_is_refused_says_why_and_keeps_what_was_written_as_text(
    site: TestClient, redis: Redis, card: Scorecard, form: dict[str, str], status: int, says: str
) -> None:
    sent = site.post(of(card), data=form, headers=BOB)
    assert sent.status_code == status
    assert says in seen(sent.text)
    assert "<script>document" not in sent.text
    assert "onerror='document" not in sent.text
    (kept,) = re.findall(r"<textarea[^>]*>(.*?)</textarea>", sent.text, re.DOTALL)
    reason = form.get("reason", "")
    assert html.unescape(kept) == reason[:4000]
    assert ("Only the beginning of what you wrote is shown." in seen(sent.text)) == (len(reason) > 4000)
    assert ObjectionDesk(redis).all().total == 0


def test_what_is_no_form_of_the_page_is_refused(site: TestClient, redis: Redis, card: Scorecard) -> None:
    for content in (b"\xff", "&".join(f"field-{number}=x" for number in range(9)).encode()):
        sent = site.post(of(card), content=content, headers=BOB)
        assert sent.status_code == 400
        assert "This is no form of this page." in seen(sent.text)
    assert ObjectionDesk(redis).all().total == 0


def test_hostile_words_are_text_for_the_reader_the_submitter_and_maintainers(
    site: TestClient, redis: Redis, card: Scorecard, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = f"{HOSTILE}\u202e{{{{ 7*7 }}}}"
    assert site.post(of(card), data={"ground": "other", "reason": words}, headers=BOB).status_code == 303
    pages = [site.get(path, headers=who).text for who in (BOB, ALICE) for path in (of(card), "/objections")]
    monkeypatch.delenv("SYSTEM")
    maintainer = visitor_of(redis, tmp_path)
    pages.append(maintainer.get("/maintain/objections").text)
    (objection,) = ObjectionDesk(redis).waiting().objections
    maintainer.post(f"/maintain/objections/{objection.id}", data={"decision": "accepted", "reason": words})
    pages.append(maintainer.get("/maintain/objections?show=all").text)
    on_space(monkeypatch)
    pages.append(site.get(of(card)).text)
    assert sum("&lt;script&gt;document" in page for page in pages) == 6, "all but the submitter's page of the answer"
    for page in pages:
        assert "<script>document" not in page
        assert "onerror='document" not in page
        assert "49" not in re.findall(r"<bdi>[^<]*7\*7[^<]*</bdi>", page)
        assert all("<bdi>" in line for line in page.splitlines() if "\u202e" in line)


def test_twice_and_too_often_are_refused_kindly(site: TestClient, redis: Redis, card: Scorecard) -> None:
    assert site.post(of(card), data=FORM, headers=BOB).status_code == 303
    again = site.post(of(card), data={"ground": "verdict", "reason": "Another word."}, headers=BOB)
    assert again.status_code == 403
    assert "once is enough" in seen(again.text)
    assert "Another word." in seen(again.text)
    limit = Settings().objections_per_day
    for item in RUN.items[1:limit]:
        sent = site.post(f"/answer?scorecard={card.id}&question={item.question_id}", data=FORM, headers=BOB)
        assert sent.status_code == 303
    last = f"/answer?scorecard={card.id}&question={RUN.items[limit].question_id}"
    refused = site.post(last, data=FORM, headers=BOB)
    assert refused.status_code == 429
    assert f"You have objected {limit} times within a day" in seen(refused.text)
    assert "It names the ramen." in refused.text
    assert ObjectionDesk(redis).by("bob").total == limit
    assert site.post(last, data=FORM, headers=ALICE).status_code == 303


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
                                     {"Origin": "https://evil.example"}, {"Origin": "null"}])  # fmt: skip
def test_a_page_of_another_site_cannot_object(
    site: TestClient, redis: Redis, card: Scorecard, headers: dict[str, str]
) -> None:
    refused = site.post(of(card), data=FORM, headers={**BOB, **headers})
    assert refused.status_code == 403
    assert "another site" in refused.text
    assert ObjectionDesk(redis).all().total == 0


def test_what_is_not_there_cannot_be_objected_to_and_the_words_are_kept(
    site: TestClient, redis: Redis, card: Scorecard, store: LocalStore
) -> None:
    for address in (f"/answer?scorecard={card.id}&question=nothing", "/answer?scorecard=nothing", "/answer"):
        sent = site.post(address, data={"ground": "gold", "reason": HOSTILE}, headers=BOB)
        assert sent.status_code == 404
        assert "&lt;script&gt;document" in sent.text
        assert "<script>document" not in sent.text
    store.commit([Delete(path) for path in store.list("generations")], "no rows")
    assert site.post(of(card), data=FORM, headers=BOB).status_code in (303, 404, 503)
    assert not any(each.question_id != QUESTION for each in ObjectionDesk(redis).all().objections)


@pytest.mark.parametrize("url", ["", NOWHERE])
def test_while_redis_is_away_the_answer_is_read_all_the_same(
    store: LocalStore, card: Scorecard, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_space(monkeypatch)
    site = guarded(store, web_client(url) if url else None)
    page = site.get(of(card), headers=BOB)
    assert page.status_code == 200
    assert "canary" not in page.text
    assert "<textarea" not in page.text
    assert ("Redis does not answer." if url else "This site has no Redis") in seen(page.text)
    sent = site.post(of(card), data=FORM, headers=BOB)
    assert sent.status_code == 503
    assert "It names the ramen." in sent.text
    assert "canary" not in sent.text
    assert site.get("/objections", headers=BOB).status_code == 200


def test_nothing_is_taken_while_the_ledger_is_restored(site: TestClient, redis: Redis, card: Scorecard) -> None:
    redis.delete(keys.EPOCH)
    sent = site.post(of(card), data=FORM, headers=BOB)
    assert sent.status_code == 503
    assert "being restored" in seen(sent.text)
    assert "It names the ramen." in sent.text


def test_where_nobody_can_log_in_or_none_is_taken_the_page_says_so(
    store: LocalStore, redis: Redis, card: Scorecard
) -> None:
    page = seen(guarded(store, redis).get(of(card)).text)
    assert "Nobody can log in here." in page
    closed = guarded(store, redis, allow_local_user=True, objections_per_day=0)
    assert "This site takes no objections." in seen(closed.get(of(card)).text)
    assert closed.post(of(card), data=FORM).status_code == 403
    local = guarded(store, redis, allow_local_user=True)
    assert local.post(of(card), data=FORM).status_code == 303
    assert local.head(of(card)).status_code == 200


def test_maintainers_find_objections_by_age_and_reply_to_each(
    site: TestClient, redis: Redis, card: Scorecard, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for item, headers in zip(RUN.items, (BOB, ALICE, BOB), strict=False):
        site.post(f"/answer?scorecard={card.id}&question={item.question_id}", data=FORM, headers=headers)
    monkeypatch.delenv("SYSTEM")
    maintainer, stranger = visitor_of(redis, tmp_path), visitor_of(redis, tmp_path, maintainers=("carol",))
    assert '<strong>3</strong><a href="/maintain/objections">' in maintainer.get("/maintain").text
    page = maintainer.get("/maintain/objections").text
    names = re.findall(r'<article class="run" id="(o-[0-9a-f]{24})">', page)
    assert [each.id for each in ObjectionDesk(redis).waiting().objections] == names
    assert html.escape(of(card)) in page
    path = f"/maintain/objections/{names[0]}"
    assert stranger.post(path, data={"decision": "accepted", "reason": "Because."}).status_code == 403
    for form in ({"decision": "accepted"}, {"decision": "<b>", "reason": "Because."}, {"reason": "Because."}):
        assert maintainer.post(path, data=form).status_code == 400
    assert (
        maintainer.post("/maintain/objections/o-none", data={"decision": "declined", "reason": "x"}).status_code == 404
    )
    assert ObjectionDesk(redis).waiting().total == 3
    sent = maintainer.post(path, data={"decision": "accepted", "reason": "It holds."})
    assert sent.headers["location"] == "/maintain/objections?done=objection-accepted"
    page = seen(maintainer.get(sent.headers["location"]).text)
    assert "The objection is accepted; your reply stands beside the answer for everybody." in page
    assert "2 objections of readers to single answers wait for a reply" in page
    assert maintainer.post(path, data={"decision": "declined", "reason": "No."}).status_code == 403
    everything = seen(maintainer.get("/maintain/objections?show=all").text)
    assert "3 objections in all" in everything
    assert "It holds." in everything
    assert "submission.answer" in maintainer.get("/maintain/log").text


def test_the_session_of_another_secret_is_nobodys(site: TestClient, card: Scorecard) -> None:
    assert "<textarea" in site.get(of(card), headers=BOB).text
    assert "<textarea" not in site.get(of(card), headers=cookie("bob", secret=SECRET + "x")).text
