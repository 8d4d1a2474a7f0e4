"""An engine that says what it is told, and a run of it over the shipped demo set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import pytest

from evaluator.engines.base import Completion, EngineInfo, Message, Request, Samplings
from evaluator.errors import Cause
from evaluator.hicupid.contexts import FullContexts
from evaluator.hicupid.data import HicupidData, demo_set
from evaluator.hicupid.prompts import builtin_pack
from evaluator.hicupid.selection import UserItems, select_users
from evaluator.judges.spec import load_judge
from evaluator.models import PinnedModel
from evaluator.protocol import load_protocol
from evaluator.records import Generation
from evaluator.setup import HicupidSetup
from tests.builders import TERMS

INFO = EngineInfo(
    engine="scripted",
    version="1",
    dtype="float32",
    flags=(),
    hardware="cpu",
    context_length=32768,
    kv_cache_tokens=None,
    chat_template_hash="t" * 64,
    chat_template_arguments=(),
    load_seconds=0.0,
)


class Asked(NamedTuple):
    """One call of an engine."""

    requests: Sequence[Request]
    sampling: Samplings
    seen: Sequence[Request]


class ScriptedEngine:
    """Answers each request with what a function returns for it; None is a prompt that is too long."""

    def __init__(self, say: Callable[[Request], str | None], **info: Any) -> None:
        self.say = say
        self.info = INFO.model_copy(update=info)
        self.calls: list[Asked] = []

    @property
    def asked(self) -> list[Request]:
        return [request for call in self.calls for request in call.requests]

    def generate(
        self, requests: Sequence[Request], sampling: Samplings, seen: Sequence[Request] = ()
    ) -> Iterator[Completion]:
        self.calls.append(Asked(tuple(requests), sampling, tuple(seen)))
        for request in reversed(requests):  # Completions come in any order.
            text = self.say(request)
            yield Completion(
                key=request.key,
                text=text,
                failure=Cause.CONTEXT_OVERFLOW if text is None else None,
                prompt_hash="p" * 64,
                prompt_tokens=10,
                cached_tokens=0,
                shared_tokens=0,
                output_tokens=3,
                finish_reason="error" if text is None else "stop",
                seconds=0.01,
            )

    def count_tokens(self, conversations: Sequence[tuple[Message, ...]]) -> list[int]:
        return [sum(len(message.content.split()) for message in messages) for messages in conversations]

    def peak_rss_mb(self) -> float:
        return 1.0

    def close(self) -> None:
        """Nothing to end."""

    def __enter__(self) -> ScriptedEngine:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def make_setup(cache: object) -> HicupidSetup:
    """Returns a run of `org/model` on the demo protocol; unpacks the demo set into `cache`."""
    import datasets

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets.config, "HF_DATASETS_CACHE", str(cache))
        setup = HicupidSetup(
            model=PinnedModel("org/model", "a" * 40),
            adapter=None,
            thinking=False,
            data=HicupidData.open(str(demo_set())),
            protocol=load_protocol("demo-v1"),
            pack=builtin_pack(),
            judge=load_judge("demo"),
            judge_revision="r1",
            terms=TERMS,
        )
        for split in setup.protocol.splits:
            setup.data.history(split, setup.data.users(split)[0])
    return setup


def users_in(setup: HicupidSetup) -> list[UserItems]:
    return list(select_users(setup.data, setup.protocol))


def hello(request: Request) -> str:
    """An answer of its own to every question."""
    return f"  Answer to {request.messages[-1].content}\n"


def judging(request: Request) -> str:
    """A judge that finds the answer no better than gold, and every warning good enough."""
    return "Satisfaction: YES" if request.group == "judge/schedule" else "Better Response: Tie"


def answers(
    setup: HicupidSetup, users: Sequence[UserItems], say: Callable[[Request], str | None] = hello
) -> list[Generation]:
    """Returns the answers of an engine that says what it is told."""
    from evaluator.generate import generate

    return list(generate(setup, users, ScriptedEngine(say), FullContexts(), done={}))
