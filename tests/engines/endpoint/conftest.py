"""One real server for all tests of endpoints, with a proxy of its own before each of them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from evaluator.engines.base import EndpointSpec, Message, Request, Sampling
from evaluator.engines.openai import OpenAIEngine
from tests.engines.endpoint.proxy import Proxy
from tests.engines.endpoint.server import KEY, KEY_VARIABLE, SERVED, VllmServer

GREEDY = Sampling(max_tokens=12)
WISHES = {"do_sample": True, "repetition_penalty": 9.0, "temperature": 2.0, "top_k": 3, "min_p": 0.5}
"""What the served model's repository would like its answers to be drawn with."""

Connect = Callable[..., OpenAIEngine]


def questions(number: int, group: str = "user") -> list[Request]:
    history = (
        Message("user", "On the first day I swam in the lake and cooked noodles. " * 8),
        Message("assistant", "That sounds like a fine day."),
    )
    return [
        Request(f"{group}-q{place}", group, (*history, Message("user", f"What shall I do on day {place}?")))
        for place in range(number)
    ]


def texts(engine: OpenAIEngine, requests: list[Request], sampling: Sampling = GREEDY) -> dict[str, str | None]:
    """Returns the answers by key, of requests that must each come back once."""
    completions = list(engine.generate(requests, sampling))
    assert sorted(completion.key for completion in completions) == sorted(request.key for request in requests)
    assert [completion.failure for completion in completions] == [None] * len(requests)
    return {completion.key: completion.text for completion in completions}


@pytest.fixture(scope="session")
def server(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VllmServer]:
    folder = tmp_path_factory.mktemp("served")
    model = shutil.copytree(tiny_model, folder / "opinionated")
    config = json.loads((model / "generation_config.json").read_text())
    (model / "generation_config.json").write_text(json.dumps({**config, **WISHES}))
    with VllmServer(model, folder / "server.log") as running:
        yield running


@pytest.fixture
def proxy(server: VllmServer) -> Iterator[Proxy]:
    with Proxy(server.port) as before:
        yield before


@pytest.fixture
def connect(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> Connect:
    """Makes an engine that speaks to the server through the proxy."""
    monkeypatch.setenv(KEY_VARIABLE, KEY)

    def make(**changes: Any) -> OpenAIEngine:
        usual = {"base_url": proxy.url, "model": SERVED, "key_variable": KEY_VARIABLE}
        return OpenAIEngine(EndpointSpec(**{**usual, **changes}))

    return make
