"""Secrets are planted wherever the real pieces hold some; then everything that was written is searched for them."""

from __future__ import annotations

import base64
import io
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from evaluator.engines.base import Message
from evaluator.engines.tokenizer_only import TokenizerProcess, TokenizerSpec
from evaluator.errors import RapportError
from evaluator.logs import FORMAT, RedactingFilter
from evaluator.redaction import secrets_of, tail
from leaderboard.settings import Settings
from tests.engines.planted_calls import fetch_and_log, reach_redis_and_log
from tests.hub_server import Client, LocalHub, Refuse
from tests.hub_server.fixtures import CANARY, client, hub
from tests.tiny_model import CHAT_TEMPLATE, make_tiny_model

__all__ = ["client", "hub"]

PASSWORD = "canary-of-the-redis"
PLANTED = {
    "HF_TOKEN": CANARY,
    "RAPPORT_REDIS_URL": f"redis://worker:{PASSWORD}@127.0.0.1:1/0",
    "OAUTH_CLIENT_SECRET": "canary-of-the-login",
    "JUDGE_API_KEY": "sk-canary0123456789abcdef",
    "OPENAI_API_KEY_2": "canary-of-a-second-key",
    "RAPPORT_JUDGE_KEY_VARIABLE": "OUR_JUDGE",
    "OUR_JUDGE": "canary-of-the-judge",
    "RAPPORT_WEBHOOK_SECRET_VARIABLE": "OUR_NOTICES",
    "OUR_NOTICES": "whsec_canary/of+the+notices",
    "RAPPORT_WEBHOOK_URL": "https://hooks.example.org/services/canary-of-the-address",
}
SOUGHT = (b"canary", base64.b64encode(b"canary").lower())


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in PLANTED.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What a handler of this process writes, at every level and of every logger."""
    written, loggers = io.StringIO(), [logging.getLogger(), logging.getLogger("httpx")]
    root = loggers[0]
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter(FORMAT))
    handler.addFilter(RedactingFilter(secrets_of(os.environ | PLANTED)))
    root.addHandler(handler)
    levels = [each.level for each in loggers]
    for each in loggers:  # An earlier test of this process may have quietened them.
        each.setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    for each, level in zip(loggers, levels, strict=True):
        each.setLevel(level)


def assert_nowhere(*places: bytes | str | Path) -> None:
    """Searches texts, and all files below folders."""
    for place in places:
        if isinstance(place, Path):
            contents = {str(file): file.read_bytes() for file in place.rglob("*") if file.is_file()}
        else:
            contents = {"text": place.encode() if isinstance(place, str) else place}
        found = [name for name, content in contents.items() if any(word in content.lower() for word in SOUGHT)]
        assert not found


@pytest.mark.usefixtures("planted")
def test_a_process_of_a_model_has_no_secret_in_its_environment_its_command_or_its_log(
    tiny_model: Path, tmp_path: Path
) -> None:
    with TokenizerProcess(TokenizerSpec(model_path=str(tiny_model)), tmp_path / "engine.log") as tokenizer:
        tokenizer.count_tokens([(Message("user", "Hello"),)])
        process = Path(f"/proc/{tokenizer._process.pid}")
        environment, command = (process / "environ").read_bytes(), (process / "cmdline").read_bytes()

    assert b"HF_HUB_OFFLINE=1" in environment
    assert_nowhere(environment, command, tmp_path)


@pytest.mark.usefixtures("planted")
def test_what_a_model_makes_its_process_say_reaches_nobody_with_a_secret_in_it(tmp_path: Path) -> None:
    # A template cannot know a secret of ours, but one of its owner's may stand in it.
    says = f"Authorization: Bearer {CANARY} at {tmp_path}/x from 203.0.113.9"
    talking = make_tiny_model(
        tmp_path / "talking", chat_template="{{ raise_exception('" + says + "') }}" + CHAT_TEMPLATE
    )
    with pytest.raises(RapportError) as refusal:
        TokenizerProcess(TokenizerSpec(model_path=str(talking)), tmp_path / "logs" / "engine.log")

    assert "refuses the conversation" in refusal.value.message
    assert_nowhere(str(refusal.value), "\n".join(tail(tmp_path / "logs" / "engine.log")))
    assert "203.0.113.9" not in str(refusal.value)


@pytest.mark.parametrize(
    "fault", [Refuse(401), Refuse(403), Refuse(404), Refuse(501)], ids=lambda fault: str(fault.status)
)
def test_a_failing_fetch_tells_what_failed_and_no_token(
    fault: Refuse, hub: LocalHub, client: Client, tmp_path: Path
) -> None:
    sha = hub.repositories.commit("model", "org/tiny", {"config.json": "{}", "model.safetensors": b"weights"})
    hub.faults.add(".*", fault, times=99)
    client.setenv(PLANTED)

    answer = client.run(fetch_and_log, "org/tiny", sha)

    assert any(request.token == CANARY for request in hub.requests), "the token was never sent, so nothing was tried"
    assert "org/tiny" in answer.value
    assert "Traceback" in answer.log
    assert_nowhere(answer.value, answer.log, client.home)


def test_a_redis_that_does_not_answer_is_told_without_its_password(hub: LocalHub, client: Client) -> None:
    client.setenv(PLANTED)

    answer = client.run(reach_redis_and_log)

    assert "Redis does not answer" in answer.value
    assert "Traceback" in answer.log
    assert_nowhere(answer.value, answer.log)


@pytest.mark.usefixtures("planted")
def test_an_exception_with_every_secret_in_it_is_logged_without_one(log: io.StringIO) -> None:
    said = " ".join([*PLANTED.values(), f"Basic {base64.b64encode(b'canary-of-the-login').decode()}"])
    try:
        raise ConnectionError(said) from KeyError(PASSWORD)
    except ConnectionError as error:
        logging.getLogger("rapport.any").exception("%s failed with %r", "it", error, extra={"seen": said})
        logging.getLogger("httpx").debug("HTTP Request: GET https://hub/x?token=%s", CANARY)

    assert "Traceback" in log.getvalue()
    assert "HTTP Request" in log.getvalue()
    assert_nowhere(log.getvalue())


def test_every_setting_that_names_a_variable_is_followed_to_what_that_holds() -> None:
    naming = [f"RAPPORT_{name.upper()}" for name in Settings.model_fields if name.endswith("_variable")]

    assert len(naming) == 2
    for name in naming:
        assert "canary-of-it" in secrets_of({name: "PLAIN", "PLAIN": "canary-of-it"})
        assert name in PLANTED
    assert not secrets_of({"PLAIN": "canary-of-it"})


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text(f"x{CANARY}")
    for place in (tmp_path, CANARY, CANARY.encode(), base64.b64encode(b"canary").decode()):
        with pytest.raises(AssertionError):
            assert_nowhere(place)
