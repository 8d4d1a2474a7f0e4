"""The wire of a chat-completions server: what is sent for a request, and what its reply says."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from evaluator.engines.base import TEMPLATE_DATE, EndpointSpec, Message, Request, Sampling, request_seed
from evaluator.engines.words import word_probabilities
from evaluator.errors import Cause, RapportError

_LIKELIEST = 20
PINNED_DATE = datetime.date.fromisoformat(TEMPLATE_DATE).strftime("%d %b %Y")
_TEMPLATE = {"date_string": PINNED_DATE, "enable_thinking": False, "thinking": False}
"""There are two names in use for whether a model is to think."""
_NEUTRAL = {
    "min_p": 0.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
    "repetition_penalty": 1.0,
}
"""What vLLM would otherwise take from the model's repository: the protocol alone sets the sampling."""


class _Reply(BaseModel):
    """A part of a reply; fields that are not read here are left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _Message(_Reply):
    content: str | None = None
    refusal: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None


class _Token(_Reply):
    token: str
    logprob: float


class _Place(_Token):
    top_logprobs: tuple[_Token, ...] = ()


class _Logprobs(_Reply):
    content: tuple[_Place, ...] | None = None


class _Choice(_Reply):
    message: _Message
    finish_reason: str | None
    logprobs: _Logprobs | None = None


class _PromptDetails(_Reply):
    cached_tokens: int | None = None


class _OutputDetails(_Reply):
    reasoning_tokens: int | None = None


class _Usage(_Reply):
    prompt_tokens: int = Field(ge=0)
    completion_tokens: int = Field(ge=0)
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _OutputDetails | None = None


class ChatReply(_Reply):
    """The reply of `/chat/completions`."""

    choices: tuple[_Choice, ...] = Field(min_length=1)
    usage: _Usage
    prompt_token_ids: tuple[int, ...] | None = None
    """vLLM alone tells them."""

    @property
    def text(self) -> str:
        """The answer, or the words in which the model refuses one; empty if the server sends neither."""
        message = self.choices[0].message
        return message.content or message.refusal or ""

    @property
    def thought(self) -> str | None:
        """What the server separated from the answer as thought, under either of the names in use."""
        message = self.choices[0].message
        return message.reasoning or message.reasoning_content or None

    @property
    def finish_reason(self) -> str:
        """Why the answer ends, in the server's word."""
        return self.choices[0].finish_reason or "none"

    @property
    def cached_tokens(self) -> int | None:
        """Prompt tokens from the server's cache; None where it does not tell."""
        details = self.usage.prompt_tokens_details
        return details.cached_tokens if details else None

    @property
    def thought_tokens(self) -> int:
        """Tokens of the thought; 0 where the server does not count them apart."""
        details = self.usage.completion_tokens_details
        return (details.reasoning_tokens if details else None) or 0

    def word_probabilities(self, words: Sequence[str]) -> tuple[tuple[str, float], ...]:
        """Returns what `words.word_probabilities` finds; nothing where a thought stands among the tokens."""
        logprobs = self.choices[0].logprobs
        places = (logprobs.content if logprobs else None) or ()
        if self.thought or not places:
            return ()

        def text_of(numbers: Sequence[int]) -> str:
            return "".join(places[number].token for number in numbers)

        candidates = [{item.token: item.logprob for item in (*place.top_logprobs, place)} for place in places]
        numbers = range(len(places))
        return word_probabilities(words, text_of(numbers), numbers, candidates, text_of)


class ModelCard(_Reply):
    """One model of a server's list."""

    id: str
    max_model_len: int | None = None


class ModelList(_Reply):
    """The reply of `/models`."""

    data: tuple[ModelCard, ...]


class TokenReply(_Reply):
    """The reply of vLLM's `/tokenize`."""

    tokens: tuple[int, ...]


class TextReply(_Reply):
    """The reply of vLLM's `/detokenize`."""

    prompt: str


class VersionReply(_Reply):
    """The reply of vLLM's `/version`."""

    version: str


def check_supported(spec: EndpointSpec, sampling: Sampling) -> None:
    """Refuses a sampling that the server would not follow to the letter.

    A budget for thoughts is refused everywhere: a server has one limit for thought and answer together (vLLM's
    `thinking_token_budget` only ends the thought), so an answer after a short thought could exceed its own.

    Raises:
        RapportError: `load_error` naming what the server cannot do.
    """
    wishes = {"a budget for thoughts": sampling.thought_tokens > 0}
    if spec.flavour == "plain":
        wishes |= {
            "a forced pattern": sampling.pattern is not None,
            "top_k": sampling.top_k > 0,
            "going on after the end token": sampling.ignore_end,
        }
    missing = [wish for wish, wanted in wishes.items() if wanted]
    if missing:
        raise RapportError(
            Cause.LOAD_ERROR,
            f"The server of {spec.model} ({spec.flavour}) cannot follow the protocol: {', '.join(missing)}.",
            "Choose a protocol or judge without it, or an engine that runs the model itself.",
        )


def chat_body(spec: EndpointSpec, request: Request, sampling: Sampling) -> dict[str, Any]:
    """Returns the body of a request for one answer.

    Example:
        >>> spec = EndpointSpec(base_url="http://judge/v1", model="judge", flavour="plain")
        >>> body = chat_body(spec, Request("q", "user", (Message("user", "Hello"),)), Sampling(max_tokens=8))
        >>> sorted(body)
        ['max_tokens', 'messages', 'model', 'seed', 'temperature', 'top_p']
    """
    body = {
        "model": spec.model,
        "messages": [message._asdict() for message in request.messages],
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "seed": request_seed(sampling, request),
        "max_tokens": sampling.max_tokens,
    }
    if sampling.watch:
        body |= {"logprobs": True, "top_logprobs": _LIKELIEST}
    if spec.flavour == "vllm":
        body |= _NEUTRAL | {
            "top_k": sampling.top_k,
            "ignore_eos": sampling.ignore_end,
            "return_token_ids": True,
            "chat_template_kwargs": _TEMPLATE,
        }
        if sampling.pattern is not None:
            body["structured_outputs"] = {"regex": sampling.pattern}
    return body


def token_body(spec: EndpointSpec, messages: Sequence[Message]) -> dict[str, Any]:
    """Returns the body with which vLLM's `/tokenize` is asked for a prompt's token ids."""
    return {
        "model": spec.model,
        "messages": [message._asdict() for message in messages],
        "add_generation_prompt": True,
        "chat_template_kwargs": _TEMPLATE,
    }


def failure_of(reply: ChatReply, sampling: Sampling, context_length: int) -> Cause | None:
    """Returns why a reply is no answer to its own prompt; None if it is one.

    A server answers although prompt and answer together may not fit, and cuts where the context ends; engines of ours
    never ask such a question, so it is an overflow here too. An answer that the server holds back (`content_filter`)
    is a failure of the server; a refusal in the model's own words is an answer.
    """
    if reply.usage.prompt_tokens + sampling.max_tokens > context_length:
        return Cause.CONTEXT_OVERFLOW
    return Cause.LOAD_ERROR if reply.finish_reason == "content_filter" else None


def check_whole(spec: EndpointSpec, reply: ChatReply) -> ChatReply:
    """Returns a reply that has an end.

    Raises:
        RapportError: `infrastructure` if the answer was broken off.
    """
    if reply.finish_reason not in ("stop", "length", "content_filter"):
        raise RapportError(
            Cause.INFRASTRUCTURE,
            f"The server of {spec.model} broke an answer off ({reply.finish_reason[:40]!r}).",
            "Look at the server's log, then try again.",
        )
    return reply


def check_followed(spec: EndpointSpec, reply: ChatReply, sampling: Sampling) -> None:
    """Refuses a server that answered, but not to the request that it was sent.

    Raises:
        RapportError: `load_error` if an option was ignored.
    """
    given, end = reply.usage.completion_tokens, reply.finish_reason
    if spec.flavour == "plain":
        return
    if end == "length" and given < sampling.max_tokens:
        raise RapportError(
            Cause.LOAD_ERROR,
            f"The server of {spec.model} ended an answer after {given} of {sampling.max_tokens} allowed tokens.",
            "Start it with `--generation-config vllm`: the model's repository must not set the sampling.",
        )
    if sampling.pattern is not None and end == "stop" and not re.fullmatch(sampling.pattern, reply.text):
        raise RapportError(
            Cause.LOAD_ERROR,
            f"The server of {spec.model} does not hold its answers to the forced pattern.",
            "Use a vLLM of the pinned version, and no reasoning parser for a model that is forced.",
        )
