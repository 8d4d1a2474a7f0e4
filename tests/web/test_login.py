"""Who somebody is, with the real login against a provider of our own: several people, some with bad intentions."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import itsdangerous
import pytest
from redis import Redis

from evaluator.human.importers.pseudonyms import VARIABLE, Salt
from leaderboard.guard.rates import BY_USER
from leaderboard.labelling.consent import CONSENT
from leaderboard.labelling.desk import Desk
from leaderboard.labelling.records import Task
from leaderboard.labelling.standing import standing_of
from tests.labelling.people import look
from tests.labelling.test_page import token_of
from tests.web.login import ROOT, SECRET, SUBMISSION, Visitor, running_site
from tests.web.provider import Provider, running_provider

HOSTILE = "<img src=x onerror=alert(1)>"
SALT = "canary: a secret of sixteen bytes or more"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with running_provider() as provider:
        yield provider


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("space")


@pytest.fixture(scope="module")
def site(provider: Provider, folder: Path, redis_url: str) -> Iterator[str]:
    maintainers = json.dumps(["org:board-lab", "carol"])
    secret = {VARIABLE: SALT}
    with running_site(
        folder, provider.url, RAPPORT_REDIS_URL=redis_url, RAPPORT_MAINTAINERS=maintainers, **secret
    ) as address:
        yield address


def logged_in(site: str, provider: Provider, user: str) -> Visitor:
    visitor = Visitor(site)
    answer = visitor.log_in(provider, user)
    assert (answer.status_code, answer.headers["location"]) == (307, "/submit")
    return visitor


def test_each_visitor_acts_as_whom_the_provider_named(site: str, provider: Provider) -> None:
    alice, bob, nobody = logged_in(site, provider, "alice"), logged_in(site, provider, "bob"), Visitor(site)

    assert "<bdi>alice</bdi>" in alice.greeting()
    assert "<bdi>bob</bdi>" in bob.greeting()
    assert "Log in with Hugging Face" in nobody.greeting()
    assert '"title": "malformed_id"' in alice.submit().text
    assert "Nobody is logged in" not in alice.submit().text
    assert "Nobody is logged in" in nobody.submit().text


def test_nothing_but_the_name_is_asked_for(site: str, provider: Provider) -> None:
    logged_in(site, provider, "bob")
    assert set(provider.scopes) == {"openid profile"}


def test_members_of_a_listed_organisation_maintain_and_nobody_who_only_calls_himself_so(
    site: str, provider: Provider
) -> None:
    assert "(maintainer)" in logged_in(site, provider, "alice").greeting()
    assert "(maintainer)" not in logged_in(site, provider, "bob").greeting()
    assert "(maintainer)" not in logged_in(site, provider, "mallory").greeting()


@pytest.mark.parametrize("user", [HOSTILE, "maintainer"])
def test_a_name_that_is_none_of_the_hub_or_the_leaderboards_own_cannot_act(
    site: str, provider: Provider, user: str
) -> None:
    visitor = logged_in(site, provider, user)
    assert "cannot be used here" in visitor.greeting()
    assert "<img" not in visitor.greeting()
    assert "cannot be used here" in visitor.submit().text


def test_who_logs_out_is_nobody(site: str, provider: Provider) -> None:
    visitor = logged_in(site, provider, "bob")
    visitor.request("GET", "/logout?_target_url=/submit")
    assert "Nobody is logged in" in visitor.submit().text


def session_of(user: str, secret: str) -> str:
    """A session cookie signed as Gradio signs it."""
    claims = {"sub": "1", "name": user, "preferred_username": user, "profile": "", "picture": "", "orgs": []}
    session = {"oauth_info": {"userinfo": claims, "access_token": "t", "scope": "openid", "expires_at": 2**33}}
    key = hashlib.sha256(f"{secret}-v4".encode()).hexdigest()
    return f"session={itsdangerous.TimestampSigner(key).sign(base64.b64encode(json.dumps(session).encode())).decode()}"


@pytest.mark.parametrize("secret", ["", "secret", "client"])
def test_a_session_signed_with_another_secret_is_nobodys(site: str, secret: str) -> None:
    assert "Nobody is logged in" in Visitor(site, session_of("alice", secret)).submit().text


def test_the_same_session_signed_with_the_right_secret_would_count(site: str) -> None:
    assert "Nobody is logged in" not in Visitor(site, session_of("alice", SECRET)).submit().text


def test_a_changed_session_is_nobodys(site: str, provider: Provider) -> None:
    cookie = logged_in(site, provider, "bob").cookie
    content, signature = cookie.removeprefix("session=").split(".", 1)
    told = base64.b64decode(content).replace(b'"preferred_username": "bob"', b'"preferred_username": "eve"')
    forged = f"session={base64.b64encode(told).decode()}.{signature}"
    assert b'"eve"' in told
    assert "Nobody is logged in" in Visitor(site, forged).submit().text


def test_a_name_in_the_request_changes_nothing(site: str) -> None:
    claimed = {"username": "alice", "preferred_username": "alice", "oauth_token": "hf_canary"}
    visitor = Visitor(site)
    headers = {"X-HF-Authorization": "Bearer hf_canary", "X-Forwarded-User": "alice", "Cookie": "session=alice"}
    asked = visitor.request("POST", "/gradio_api/call/submit", json={"data": SUBMISSION, **claimed}, headers=headers)
    outcome = visitor.request("GET", f"/gradio_api/call/submit/{asked.json()['event_id']}")
    assert "Nobody is logged in" in outcome.text
    one_more = {"data": [*SUBMISSION, {"name": "alice", "profile": "", "picture": "", **claimed}]}
    asked = visitor.request("POST", "/gradio_api/call/submit", json=one_more)
    outcome = visitor.request("GET", f"/gradio_api/call/submit/{asked.json()['event_id']}")
    assert "Nobody is logged in" in outcome.text or "event: error" in outcome.text


def test_a_page_of_another_site_cannot_submit_with_a_visitors_cookie(site: str, provider: Provider) -> None:
    alice = logged_in(site, provider, "alice")
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ):
        assert alice.submit(**headers).status_code == 403, headers
    assert alice.submit(Origin=site).status_code == 200
    assert alice.submit(**{"Sec-Fetch-Site": "same-origin"}).status_code == 200


def test_each_person_labels_under_a_pseudonym_and_nobody_else_does(site: str, provider: Provider, redis: Redis) -> None:
    names = {name: Salt(SALT.encode()).pseudonym("annotator", name) for name in ("alice", "bob")}
    alice, bob, nobody = (Visitor(site, address="192.0.2.99") for _ in range(3))
    for visitor, name in ((alice, "alice"), (bob, "bob")):
        visitor.log_in(provider, name)
        page = visitor.request("GET", "/label").text
        assert f"<bdi>{name}</bdi>" in page
        assert names[name] in page
        visitor.request("POST", "/label/consent", data={"version": CONSENT.version})
    token = token_of(alice.request("GET", "/label/relevance").text)
    bob.request("POST", "/label/relevance", data={"token": token, "word": "NO"})
    look(redis, names["alice"], Task.RELEVANCE)
    alice.request("POST", "/label/relevance", data={"token": token, "word": "YES"})
    given = {name: standing_of(Desk(redis).events(pseudonym)).labels for name, pseudonym in names.items()}
    assert [each.label.word for each in given["alice"]] == ["YES"]
    assert given["bob"] == ()

    assert 'href="/login/huggingface?_target_url=/label"' in nobody.request("GET", "/label").text
    forged = Visitor(site, session_of("alice", "another secret"))
    for visitor in (nobody, forged):
        for path in ("/label/relevance", "/label/mine.json", "/label/withdraw"):
            assert visitor.request("GET", path).status_code == 403
    assert alice.request("GET", "/label/mine.json").json()["annotator"] == names["alice"]
    held = b"".join([name + redis.dump(name) for name in redis.scan_iter("rapport:label:*")])
    assert names["alice"].encode() in held
    assert b"alice" not in held
    evil = alice.request("POST", "/label/withdraw", data={"sure": "yes"}, headers={"Origin": "https://evil.example"})
    assert evil.status_code == 403
    assert standing_of(Desk(redis).events(names["alice"])).labels


def test_a_user_is_limited_from_however_many_addresses_and_nobody_else_is(site: str, provider: Provider) -> None:
    cookie = logged_in(site, provider, "bob").cookie
    asked = [
        Visitor(site, cookie, f"198.51.100.{number}").request("POST", "/gradio_api/cancel", content=b"{}")
        for number in range(BY_USER[0].events + 1)
    ]
    assert asked[-1].status_code == 429
    assert 0 < int(asked[-1].headers["Retry-After"]) <= 60
    assert "You have done a lot" in asked[-1].json()["detail"]
    assert logged_in(site, provider, "alice").submit().status_code == 200


def test_the_log_holds_no_address_no_token_and_no_traceback(site: str, provider: Provider, folder: Path) -> None:
    logged_in(site, provider, "alice").submit()
    Visitor(site, address="192.0.2.77, 192.0.2.78").submit()
    log = (folder / "log").read_text()
    assert "192.0.2." not in log
    assert "203.0.113." not in log
    assert "canary" not in log
    assert SECRET not in log
    assert "Traceback" not in log


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"SPACE_ID": ""}, "set up by half: SPACE_ID"),
        ({"OAUTH_CLIENT_SECRET": ""}, "set up by half: OAUTH_CLIENT_SECRET"),
        ({"OAUTH_SCOPES": "openid profile write-repos"}, "openid profile write-repos"),
        ({"RAPPORT_ALLOW_LOCAL_USER": "true"}, "every visitor would be the same user"),
    ],
)
def test_a_space_where_anybody_could_be_anybody_serves_nothing_but_what_is_wrong(
    provider: Provider, tmp_path: Path, changes: dict[str, str], said: str
) -> None:
    with running_site(tmp_path, provider.url, RAPPORT_REDIS_URL="redis://127.0.0.1:1/0", **changes) as site:
        for path in ("/", "/submit", "/login/huggingface", "/gradio_api/info", "/config"):
            answer = httpx.get(site + path)
            assert "This leaderboard is not set up yet" in answer.text, path
            assert said in answer.text
            assert "set-cookie" not in answer.headers
        assert httpx.post(f"{site}/gradio_api/call/submit", json={"data": []}).status_code == 405


def test_off_a_space_there_is_no_pretended_login() -> None:
    code = (
        "from leaderboard.settings import Settings\nfrom leaderboard.web import create_app, _gradio_app\n"
        "from redis import Redis\n"
        "app = create_app(Settings(allow_local_user=True), Redis(port=1))\n"
        "print(sorted(route.path for route in _gradio_app(app).routes if 'login' in route.path))"
    )
    paths = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert "/login/huggingface" not in paths
    assert "/login/callback" not in paths
