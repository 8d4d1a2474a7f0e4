"""Who calls, told by a token: with the real Hub client against a local Hub, on a site as a Space runs it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from redis import Redis

from evaluator.errors import Cause, RapportError
from leaderboard.api.attach import identity
from leaderboard.api.tokens import ASKED_OF_THE_HUB, Tokens, person_told
from leaderboard.guard.rates import BY_USER
from leaderboard.people import LOCAL_USER, Person
from leaderboard.records import State
from leaderboard.settings import Settings
from leaderboard.submissions.ledger import Ledger
from tests.api.space import running_space
from tests.builders import make_submission
from tests.hub_server import Account, LocalHub

ALICE = "hf_canaryOfAliceThatMustNotBeKept"
BOB = "hf_canaryOfBobThatMustNotBeKept"
SENT: Any = SimpleNamespace(headers={"authorization": f"Bearer {ALICE}"})
POWERLESS: dict[str, Any] = {"role": "fineGrained", "fineGrained": {"global": [], "scoped": []}}


@dataclass(frozen=True)
class Named(Account):
    """An account with a token of any kind."""

    told: tuple[tuple[str, Any], ...] = ()
    """What the Hub says otherwise than of a fine-grained token without any permission."""

    def describe(self) -> dict[str, Any]:
        auth = {"type": "access_token", "accessToken": POWERLESS}
        return {"type": "user", "name": self.name, "orgs": [{"type": "org", "name": "lab"}], "auth": auth} | dict(
            self.told
        )


@pytest.fixture
def space(hub: LocalHub, tmp_path: Path, redis: Redis, redis_url: str) -> Iterator[str]:
    """A site that alice and everybody in `lab` maintain."""
    hub.tokens |= {ALICE: Named("alice"), BOB: Named("bob")}
    maintainers = '["alice", "org:lab"]'
    with running_space(tmp_path / "space", redis_url, hub.url, RAPPORT_MAINTAINERS=maintainers) as url:
        yield url


def connected(url: str, authorization: str | None) -> Client:
    headers = {"Authorization": authorization} if authorization else {}
    return Client(url, token=False, headers=headers, verbose=False, analytics_enabled=False)


def refusal(client: Client, endpoint: str, **arguments: object) -> tuple[str, str]:
    with pytest.raises(AppError) as refused:
        client.predict(**arguments, api_name=f"/{endpoint}")
    return refused.value.title, refused.value.message


def kept_in(redis: Redis) -> str:
    """All that Redis holds, as text."""
    readers = {
        b"string": redis.get,
        b"hash": redis.hgetall,
        b"set": redis.smembers,
        b"list": lambda key: redis.lrange(key, 0, -1),
        b"zset": lambda key: redis.zrange(key, 0, -1),
        b"stream": redis.xrange,
    }
    kinds = {key: redis.type(key) for key in redis.keys("*")}
    return "\n".join(
        f"{key} {readers[kind if isinstance(kind, bytes) else kind.encode()](key)}" for key, kind in kinds.items()
    )


def test_a_token_names_a_person_and_stays_nowhere(
    space: str, hub: LocalHub, redis: Redis, ledger: Ledger, tmp_path: Path
) -> None:
    mine, theirs = make_submission(1, submitter="alice"), make_submission(2, submitter="bob")
    ledger.create(mine)
    ledger.create(theirs)
    alice = connected(space, f"Bearer {ALICE}")

    assert alice.predict(submission_id=mine.id, reason="A typo.", api_name="/cancel")["state"] == "cancelled"
    assert ledger.history(mine.id).events[-1].actor == "alice"
    assert refusal(alice, "submit", model="no id")[0] == "malformed_id"

    cause, said = refusal(alice, "cancel", submission_id=theirs.id, reason="x")
    assert (cause, "Only bob and maintainers" in said) == ("forbidden", True), "nobody maintains by a token"
    assert refusal(alice, "lift", submission_id=mine.id)[0] == "forbidden"
    assert ledger.view(theirs.id).state is State.CHECKING
    assert (
        connected(space, f"Bearer {BOB}").predict(submission_id=theirs.id, api_name="/cancel")["state"] == "cancelled"
    )

    assert "/api/whoami-v2" in hub.asked()
    written = [path.read_bytes() for path in (tmp_path / "space").rglob("*") if path.is_file()]
    for kept in (*written, kept_in(redis).encode()):
        assert ALICE.encode() not in kept
        assert b"canary" not in kept


def test_no_other_token_is_taken_and_the_hub_is_not_asked_for_what_is_none(
    space: str, hub: LocalHub, ledger: Ledger, tmp_path: Path
) -> None:
    mine = make_submission(1, submitter="alice")
    ledger.create(mine)
    scope = {"entity": {"type": "user", "name": "alice"}, "permissions": ["repo.write"]}
    told: list[dict[str, Any]] = [
        {"auth": {"type": "access_token", "accessToken": {"role": "write"}}},
        {"auth": {"type": "access_token", "accessToken": {"role": "read"}}},
        {"auth": {"type": "access_token", "accessToken": {"role": "fineGrained"}}},
        {
            "auth": {
                "type": "access_token",
                "accessToken": POWERLESS | {"fineGrained": {"global": [], "scoped": [scope]}},
            }
        },
        {"auth": {"type": "access_token", "accessToken": POWERLESS | {"fineGrained": {"global": ["x"], "scoped": []}}}},
        {"auth": {"type": "oauth", "accessToken": POWERLESS}},
        {"auth": None},
        {"type": "org"},
        {"name": "maintainer"},
        {"name": "<b>alice</b>"},
        {"name": None},
    ]
    for number, differs in enumerate(told):
        token = f"hf_canaryNumber{number}"
        hub.tokens[token] = Named("alice", told=tuple(differs.items()))
        cause, said = refusal(connected(space, f"Bearer {token}"), "cancel", submission_id=mine.id)
        assert cause == "forbidden", differs
        assert "canary" not in said
    assert refusal(connected(space, "Bearer hf_canaryThatNobodyHas"), "cancel", submission_id=mine.id)[0] == "forbidden"
    asked = len(hub.asked())
    for header in ("Bearer hf_oauth_canaryOfAnotherSite", f"Basic {ALICE}", ALICE, "Bearer", f"Bearer {ALICE} {BOB}"):
        assert refusal(connected(space, header), "cancel", submission_id=mine.id)[0] == "forbidden", header
    assert len(hub.asked()) == asked
    cause, said = refusal(connected(space, None), "cancel", submission_id=mine.id)
    assert (cause, "Nobody is logged in" in said) == ("forbidden", True)
    assert ledger.view(mine.id).state is State.CHECKING
    log = (tmp_path / "space" / "log").read_text()
    assert "canary" not in log
    assert "Traceback" not in log


def test_a_hub_that_does_not_answer_is_no_verdict_on_a_token(
    hub: LocalHub, tmp_path: Path, redis: Redis, redis_url: str, ledger: Ledger
) -> None:
    mine = make_submission(1, submitter="alice")
    ledger.create(mine)
    with running_space(tmp_path / "space", redis_url, "http://127.0.0.1:9") as url:
        cause, said = refusal(connected(url, f"Bearer {ALICE}"), "cancel", submission_id=mine.id)
        assert cause == "infrastructure"
        assert "did not say whose token" in said
        assert (
            connected(url, f"Bearer {ALICE}").predict(submission_id=mine.id, api_name="/status")["state"] == "checking"
        )
    assert "canary" not in (tmp_path / "space" / "log").read_text()


def claims(name: str) -> dict[str, Any]:
    return {"type": "user", "name": name, "auth": {"type": "access_token", "accessToken": POWERLESS}}


def test_one_person_is_limited_and_nobody_else_is_and_the_hub_is_asked_once_of_each() -> None:
    asked: list[str] = []

    def whoami(token: str) -> dict[str, Any]:
        asked.append(token)
        return claims(token[3:])

    tokens = Tokens(whoami)
    for _ in range(BY_USER[0].events):
        assert tokens.person("Bearer hf_alicealice") == Person("alicealice")
    with pytest.raises(RapportError) as refused:
        tokens.person("Bearer hf_alicealice")
    assert refused.value.cause is Cause.QUOTA
    assert "Try again in" in refused.value.remedy
    assert tokens.person("Bearer hf_bobbobbob") == Person("bobbobbob")
    assert asked == ["hf_alicealice", "hf_bobbobbob"]


def test_strangers_tokens_cannot_make_us_ask_the_hub_without_end() -> None:
    asked: list[str] = []

    def nobody(token: str) -> dict[str, Any]:
        asked.append(token)
        raise RapportError(Cause.FORBIDDEN, "Unknown.", "")

    tokens = Tokens(nobody)
    causes = []
    for number in range(ASKED_OF_THE_HUB[0].events + 5):
        with pytest.raises(RapportError) as refused:
            tokens.person(f"Bearer hf_stranger{number:04d}")
        causes.append(refused.value.cause)
    assert len(asked) == ASKED_OF_THE_HUB[0].events
    assert set(causes[-5:]) == {Cause.INFRASTRUCTURE}


def test_no_error_holds_on_to_the_token() -> None:
    def fails(token: str) -> dict[str, Any]:
        raise RapportError(Cause.INFRASTRUCTURE, "The Hub is away.", "Wait.")

    with pytest.raises(RapportError) as refused:
        Tokens(fails).person("Bearer hf_canarycanary")
    assert refused.value.__context__ is None
    assert refused.value.__cause__ is None


def test_where_nobody_can_log_in_a_token_changes_nothing() -> None:
    def never(token: str) -> dict[str, Any]:
        raise AssertionError("the Hub was asked")

    identify = identity(Settings(allow_local_user=True), Tokens(never))
    assert identify(None, SENT).name == LOCAL_USER
    with pytest.raises(RapportError, match="Nobody can log in here"):
        identity(Settings(allow_local_user=False), Tokens(never))(None, SENT)


def test_a_login_comes_before_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYSTEM", "spaces")
    monkeypatch.setenv("OAUTH_CLIENT_ID", "client")
    identify = identity(Settings(maintainers=("carol",)), Tokens(lambda _: claims("alice")))
    assert identify({"preferred_username": "carol"}, SENT) == Person("carol", maintainer=True)
    assert identify(None, SENT) == Person("alice")
    assert person_told(claims("carol")) == Person("carol")
