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

from openai import APIStatusError, OpenAIError

from evaluator.engines.base import (
    Completion,
    EndpointSpec,
    EngineInfo,
    Message,
    Request,
    Sampling,
    Samplings,
    sampling_for,
)
from evaluator.engines.openai_chat import (
    ChatReply,
    chat_body,
    check_followed,
    check_supported,
    check_whole,
    failure_of,
)
from evaluator.engines.openai_client import OpenAIClient, Server
from evaluator.engines.openai_facts import inspect, token_ids
from evaluator.engines.openai_prefixes import ToldPrefixes, prefixes_after
from evaluator.engines.prompt import prompt_digest, without_system_role
from evaluator.errors import Cause, RapportError
from evaluator.identity import digest

log = logging.getLogger("rapport.engine")

_TOO_LONG = ("input_tokens", "input_text", "context_length_exceeded")
_CONTEXT_WORDS = ("context length", "context size", "context window")
_ROUNDS = 2
"""How often a prompt that a standing server fails at is asked, all attempts each: in between it may have been started
again, which is no fault of the prompt."""
_MOST_IN_A_ROW = 8
"""Prompts that may fail alone with none answered in between; one more, and it is the server that fails."""
_PROBE = Request("probe", "probe", (Message("user", "Hello"),))


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
        self._in_a_row = 0
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

    def generate(
        self, requests: Sequence[Request], samplings: Samplings, seen: Sequence[Request] = ()
    ) -> Iterator[Completion]:
        """See `Engine.generate`.

        A prompt that does not fit (`context_overflow`), one that the server refuses for what it says (`load_error`),
        one without an answer after all attempts (`timeout`), and one that the server fails at or breaks off again and
        again while it answers another one (`infrastructure`, or `load_error` if nobody can read the reply) fail alone,
        the last of these only while they are few.

        Raises:
            RapportError: What makes every request fail: `gated`, `not_found`, `infrastructure` (a server that is gone,
                or refuses for now however often it is asked), and `load_error` for a sampling that the server cannot
                follow or does not.
        """
        for request in requests:
            check_supported(self._spec, sampling_for(samplings, request))

        async def answer(server: Server, request: Request) -> _Outcome:
            return await self._answer(server, request, sampling_for(samplings, request))

        prefixes = prefixes_after(map(self._sent, seen), self._spec, self._client)
        for outcome in self._client.each(requests, answer):
            yield self._completion(outcome, sampling_for(samplings, outcome.request), prefixes)

    async def _answer(self, server: Server, request: Request, sampling: Sampling) -> _Outcome:
        """Asks for one answer and says what came of it."""
        started = time.monotonic()
        sent = self._sent(request)
        reply, failure, prompt = None, None, None
        try:
            reply, failure = await self._reply(server, sent, sampling)
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

    async def _reply(
        self, server: Server, sent: Request, sampling: Sampling
    ) -> tuple[ChatReply, None] | tuple[None, Cause]:
        """Returns the reply, or why there is none although the server answers another prompt."""
        for _ in range(_ROUNDS):
            try:
                reply = await self._ask(server, sent, sampling)
            except (OpenAIError, RapportError) as error:
                if not _may_be_the_prompts(error) or not await self._stands(server, sampling):
                    raise
                fault = error if isinstance(error, RapportError) else self._client.typed(error)
            else:
                self._in_a_row = 0
                return reply, None
        self._in_a_row += 1
        if self._in_a_row > _MOST_IN_A_ROW:
            raise fault
        log.warning("%s answers, but not the prompt of %s: %s", self._spec.model, sent.key, fault)
        return None, fault.cause

    async def _ask(self, server: Server, sent: Request, sampling: Sampling) -> ChatReply:
        """Asks for one answer, which is not broken off."""
        reply = await server.ask(ChatReply, "/chat/completions", chat_body(self._spec, sent, sampling))
        return check_whole(self._spec, reply)

    async def _stands(self, server: Server, sampling: Sampling) -> bool:
        """Tells whether the server answers a tiny prompt under the same options."""
        try:
            await self._ask(server, _PROBE, sampling.model_copy(update={"max_tokens": 1}))
        except (OpenAIError, TimeoutError, RapportError):
            return False
        return True

    def _sent(self, request: Request) -> Request:
        """Returns a request as the server's template takes it."""
        return request._replace(messages=self._messages(request.messages))

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
            raise error  # All other parameters are the same in every request that is drawn as this one.
        log.warning("%s refuses the prompt of %s: %s", self._spec.model, request.key, self._client.words(error))
        return Cause.LOAD_ERROR

    def _completion(self, outcome: _Outcome, sampling: Sampling, prefixes: ToldPrefixes) -> Completion:
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
                shared_tokens=prefixes.add(request.group, prompt) if reply else 0,
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
            shared_tokens=prefixes.add(request.group, prompt),
            output_tokens=reply.usage.completion_tokens - reply.thought_tokens,
            finish_reason=reply.finish_reason,
            seconds=seconds,
            word_probabilities=reply.word_probabilities(sampling.watch),
        )

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


def _may_be_the_prompts(error: OpenAIError | RapportError) -> bool:
    """Tells whether an error may be owed to one prompt; refusals, and those for now (429), are the server's."""
    return not isinstance(error, APIStatusError) or error.status_code >= 500
