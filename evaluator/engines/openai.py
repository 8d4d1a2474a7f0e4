"""A model behind a chat-completions server: `vllm serve`, a fleet of them behind a balancer, a hosted judge.

Prompts are written by the server's own template and tokenizer, so provenance is what the server tells: token ids where
it is vLLM, messages elsewhere. A vLLM counts the tokens of its cache only when it is started with
`--enable-prompt-tokens-details`; without it nobody knows them. Its text leaves out the unfinished last
character of an answer that was cut at `max_tokens`, for which engines of ours write a replacement character.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Self

from openai import APIStatusError

from evaluator.engines.base import Completion, EndpointSpec, EngineInfo, Message, Request, Sampling
from evaluator.engines.openai_chat import ChatReply, chat_body, check_followed, check_supported, failure_of
from evaluator.engines.openai_client import OpenAIClient, Server
from evaluator.engines.openai_facts import inspect, token_ids
from evaluator.engines.prefixes import SharedPrefixes
from evaluator.engines.prompt import prompt_digest, without_system_role
from evaluator.errors import Cause, RapportError
from evaluator.identity import digest

log = logging.getLogger("rapport.engine")

_TOO_LONG = ("input_tokens", "input_text", "context_length_exceeded")
_CONTEXT_WORDS = ("context length", "context size", "context window")


class _Outcome(NamedTuple):
    """What one request came to: a reply or a failure, sometimes both."""

    request: Request
    seconds: float
    reply: ChatReply | None
    failure: Cause | None
    prompt: tuple[int, ...] | None
    """Token ids, where the server tells them."""


class OpenAIEngine:
    """A model that a server serves.

    Example:
        >>> spec = EndpointSpec(base_url="http://judge.internal:8000/v1", model="judge", key_variable="JUDGE_KEY")
        >>> with OpenAIEngine(spec) as engine:  # doctest: +SKIP
        ...     for completion in engine.generate(requests, Sampling(max_tokens=48)):
        ...         print(completion.text)
    """

    def __init__(self, spec: EndpointSpec) -> None:
        """Asks the server what it is.

        Raises:
            RapportError: `gated` without a valid key, `not_found` if the server has no such model, `infrastructure` or
                `timeout` if it does not answer, `load_error` if it is something else or its context is not known.
        """
        started = time.monotonic()
        self._spec = spec
        self._client = OpenAIClient(spec)
        self._prefixes = SharedPrefixes()
        (self._served,) = self._client.each([spec], inspect)
        self.info = EngineInfo(
            engine="openai",
            version=self._served.version,
            dtype=spec.dtype,
            flags=(("concurrency", str(spec.concurrency)), ("flavour", spec.flavour)),
            hardware="remote",
            context_length=self._served.context_length,
            kv_cache_tokens=None,
            chat_template_hash=self._served.template_hash,
            chat_template_arguments=self._served.template_arguments,
            load_seconds=time.monotonic() - started,
        )

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> Iterator[Completion]:
        """See `Engine.generate`.

        A prompt that does not fit (`context_overflow`), one that the server refuses for what it says (`load_error`),
        and one without an answer after all attempts (`timeout`) fail alone.

        Raises:
            RapportError: What makes every request fail: `gated`, `not_found`, `infrastructure` (a server that is gone,
                or refuses for now however often it is asked), and `load_error` for a sampling that the server cannot
                follow or does not.
        """
        check_supported(self._spec, sampling)

        async def answer(server: Server, request: Request) -> _Outcome:
            return await self._answer(server, request, sampling)

        for outcome in self._client.each(requests, answer):
            yield self._completion(outcome, sampling)

    async def _answer(self, server: Server, request: Request, sampling: Sampling) -> _Outcome:
        """Asks for one answer."""
        started = time.monotonic()
        sent = request._replace(messages=self._messages(request.messages))
        reply, failure, prompt = None, None, None
        try:
            reply = await server.ask(ChatReply, "/chat/completions", chat_body(self._spec, sent, sampling))
        except TimeoutError:
            failure = Cause.TIMEOUT
        except APIStatusError as error:
            failure = self._refused(error, request)
            if failure is Cause.CONTEXT_OVERFLOW:
                prompt = await token_ids(server, self._spec, sent.messages)
        if reply is not None:
            prompt = reply.prompt_token_ids
            failure = failure_of(reply, sampling, self.info.context_length)
            if failure is None:
                check_followed(self._spec, reply, sampling)
        return _Outcome(request, time.monotonic() - started, reply, failure, prompt)

    def _messages(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        """Returns a conversation as the server's template takes it."""
        return messages if self._served.native_system else without_system_role(messages)

    def _refused(self, error: APIStatusError, request: Request) -> Cause:
        """Returns why a server refuses one prompt; raises what it would refuse every prompt for."""
        if error.status_code not in (400, 413, 422):
            raise error
        known = {error.param, error.code}.intersection(_TOO_LONG)
        if known or any(words in error.message.lower() for words in _CONTEXT_WORDS):
            return Cause.CONTEXT_OVERFLOW
        if error.param and not error.param.startswith("messages"):
            raise error  # All other parameters are the same in every request.
        log.warning("%s refuses the prompt of %s: %s", self._spec.model, request.key, self._client.words(error))
        return Cause.LOAD_ERROR

    def _completion(self, outcome: _Outcome, sampling: Sampling) -> Completion:
        """Turns an outcome into our record."""
        request, seconds, reply, failure, prompt = outcome
        if reply is None or failure is not None:
            return Completion(
                key=request.key,
                text=None,
                failure=failure,
                prompt_hash=self._prompt_hash(request, prompt),
                prompt_tokens=reply.usage.prompt_tokens if reply else len(prompt or ()),
                cached_tokens=reply.cached_tokens if reply else 0,
                shared_tokens=self._shared(request, prompt) if reply else 0,
                output_tokens=0,
                finish_reason="error",
                seconds=seconds,
            )
        return Completion(
            key=request.key,
            text=reply.text,
            thought=reply.thought,
            thought_tokens=reply.thought_tokens,
            prompt_hash=self._prompt_hash(request, prompt),
            prompt_tokens=reply.usage.prompt_tokens,
            cached_tokens=reply.cached_tokens,
            shared_tokens=self._shared(request, prompt),
            output_tokens=reply.usage.completion_tokens - reply.thought_tokens,
            finish_reason=reply.finish_reason,
            seconds=seconds,
            word_probabilities=reply.word_probabilities(sampling.watch),
        )

    def _shared(self, request: Request, prompt: tuple[int, ...] | None) -> int | None:
        """Returns how much of a prompt an earlier one of its group began with; None where its tokens are not known."""
        return None if prompt is None else self._prefixes.add(request.group, prompt)

    def _prompt_hash(self, request: Request, prompt: tuple[int, ...] | None) -> str:
        """Returns the digest of the prompt's token ids; where they are not known, of what the server makes it from."""
        if prompt is not None:
            return prompt_digest(prompt)
        return digest([self._messages(request.messages), self.info.chat_template_arguments])

    def count_tokens(self, conversations: Sequence[tuple[Message, ...]]) -> list[int]:
        """See `Engine.count_tokens`.

        Raises:
            RapportError: `load_error` if the server does not count, as only vLLM does.
        """

        async def count(server: Server, number: int) -> tuple[int, int]:
            tokens = await token_ids(server, self._spec, self._messages(conversations[number]))
            if tokens is None:
                raise RapportError(
                    Cause.LOAD_ERROR,
                    f"The server of {self._spec.model} does not count the tokens of a prompt.",
                    "Let a balancer pass /tokenize on to vLLM, or choose a context that needs no counting.",
                )
            return number, len(tokens)

        counts = dict(self._client.each(range(len(conversations)), count))
        return [counts[number] for number in range(len(conversations))]

    def peak_rss_mb(self) -> float:
        """Returns 0: the memory is the server's, which does not tell."""
        return 0.0

    def close(self) -> None:
        """Does nothing: all that an iteration starts ends with it."""

    def __enter__(self) -> Self:
        """Returns the engine itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Closes the engine."""
        self.close()
