"""The key goes to its server and nowhere else, and nothing of the environment goes anywhere."""

from __future__ import annotations

import logging
import traceback

import pytest
from pydantic import ValidationError

from evaluator.engines.base import EndpointSpec
from evaluator.errors import Cause, RapportError
from tests.engines.endpoint.conftest import GREEDY, Connect, questions, texts
from tests.engines.endpoint.proxy import Answer, Proxy
from tests.engines.endpoint.server import KEY, KEY_VARIABLE, SERVED, VllmServer


def test_the_right_key_opens_the_server_and_shows_up_nowhere(
    connect: Connect, proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), connect() as engine:
        completions = list(engine.generate(questions(2), GREEDY))

    assert {asked.headers["authorization"] for asked in proxy.asked} == {f"Bearer {KEY}"}
    shown = [repr(engine), repr(vars(engine)), repr(vars(engine._client)), repr(completions), caplog.text]
    assert all(KEY not in text for text in shown)


def test_a_wrong_key_is_refused_by_the_server_and_never_shown(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "canary-wrong")

    with caplog.at_level(logging.DEBUG), pytest.raises(RapportError, match="refuses the key") as refusal:
        connect()

    assert refusal.value.cause is Cause.GATED
    whole = "".join(traceback.format_exception(refusal.value))
    assert "canary" not in whole + caplog.text


@pytest.mark.parametrize("value", [None, "", "canary with spaces", "canary\n", "canaryä"])
def test_a_variable_without_a_usable_key_is_named_and_its_value_is_not(
    value: str | None, connect: Connect, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KEY_VARIABLE)
    if value is not None:
        monkeypatch.setenv(KEY_VARIABLE, value)

    with pytest.raises(RapportError, match=KEY_VARIABLE) as refusal:
        connect()

    assert refusal.value.cause is Cause.GATED
    assert "canary" not in "".join(traceback.format_exception(refusal.value))
    assert proxy.asked == []


def test_without_a_named_variable_no_key_of_the_environment_is_sent(
    connect: Connect, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    with pytest.raises(RapportError, match="refuses the key"):
        connect(key_variable=None)

    assert {asked.headers["authorization"] for asked in proxy.asked} == {"Bearer EMPTY"}


def test_nothing_of_the_environment_changes_where_requests_go_or_what_they_carry(
    connect: Connect, proxy: Proxy, server: VllmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Proxy(server.port) as trap:
        for name in ("OPENAI_BASE_URL", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, trap.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.setenv(name, "")
        for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
            monkeypatch.setenv(name, "canary-stray")
        monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Stray: canary-stray\nAuthorization: canary-stray")
        with connect() as engine:
            texts(engine, questions(2))

        assert trap.asked == []
    assert "canary-stray" not in repr([asked.headers for asked in proxy.asked])
    assert len(proxy.chats()) == 2


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status: int, connect: Connect, proxy: Proxy, server: VllmServer) -> None:
    with Proxy(server.port) as other:
        proxy.faults = {0: Answer(status, headers={"Location": f"{other.url}/chat/completions"})}
        with connect() as engine, pytest.raises(RapportError, match="another address") as refusal:
            list(engine.generate(questions(1), GREEDY))

        assert refusal.value.cause is Cause.LOAD_ERROR
        assert other.asked == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "http://user:canary@host/v1"},
        {"base_url": "http://host/v1?key=canary"},
        {"base_url": "ftp://canary/v1"},
        {"key_variable": "sk-canary-123"},
        {"key_variable": "sk canary"},
    ],
)
def test_a_specification_that_holds_a_secret_is_refused_without_showing_it(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as refusal:
        EndpointSpec(**{"base_url": "http://host/v1", "model": SERVED, **wrong})

    assert "canary" not in str(refusal.value)
