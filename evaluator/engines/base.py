"""What an engine is: chat messages in, completions out as they finish, nothing else.

Generation and judging use the same Protocol, so a judge may run on any engine and the code that builds prompts never
learns which one answers.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, Self, TypeAlias

from pydantic import Field, model_validator

from evaluator.errors import Cause
from evaluator.identity import digest
from evaluator.records import Record

TEMPLATE_DATE = "2025-01-01"
"""The date that every chat template is told, so that prompts do not change from day to day."""

ADDRESS = r"^https?://[^\s/?#@]+(/[^\s?#@]*)?$"
"""What the address of a server looks like; neither a user's name nor a key may stand in it."""
VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"
"""What the name of an environment variable looks like."""
Flavour: TypeAlias = Literal["vllm", "plain"]
"""Kinds of chat-completions servers: `vllm serve`, or any other."""


_STATUS = Path("/proc/self/status")


class Message(NamedTuple):
    """One chat message."""

    role: Literal["system", "user", "assistant"]
    content: str


class Request(NamedTuple):
    """One prompt; `key` comes back with its completion, `group` names the prompts that share a long prefix."""

    key: str
    group: str
    messages: tuple[Message, ...]


class Sampling(Record):
    """How tokens are drawn."""

    temperature: float = Field(default=0.0, ge=0)
    top_k: int = Field(default=-1)
    top_p: float = Field(default=1.0, gt=0, le=1)
    max_tokens: int = Field(gt=0)
    seed: int = 42
    """What the random stream of each request is derived from."""
    pattern: str | None = None
    """A regular expression that the whole completion is forced to match."""
    watch: tuple[str, ...] = ()
    """Words whose probability is reported at the place where the last of them begins: among what the pattern allows
    there, before the temperature."""
    thought_tokens: int = Field(default=0, ge=0)
    """Tokens that a thinking model may think before its answer, which has `max_tokens` of its own; 0 tells it not to
    think."""
    ignore_end: bool = False
    """Answers with exactly `max_tokens` tokens, whatever the model says; for benchmarks."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.thought_tokens and (self.pattern is not None or self.watch):
            raise ValueError("a model that may think can neither be forced to a pattern nor watched for words")
        if self.ignore_end and self.pattern is not None:
            raise ValueError("a pattern has an end, which cannot be ignored")
        return self


Samplings: TypeAlias = Sampling | Mapping[str, Sampling]
"""How tokens are drawn: for all requests alike, or by their groups, each of which is named."""


def sampling_for(samplings: Samplings, request: Request) -> Sampling:
    """Returns how the tokens of one request are drawn.

    Example:
        >>> brief, long = Sampling(max_tokens=1), Sampling(max_tokens=100)
        >>> sampling_for({"verdicts": brief, "answers": long}, Request("q", "answers", ())).max_tokens
        100
    """
    return samplings if isinstance(samplings, Sampling) else samplings[request.group]


def request_seed(sampling: Sampling, request: Request) -> int:
    """Returns the seed from which a request is drawn, in 0..2**31 - 1.

    Engines begin a stream of random numbers with every request. Each key gets a stream of its own, so that questions
    are drawn independently; the same key gets the same one on every engine, whatever else is asked. An answer after a
    thought begins the stream of its request anew.

    Example:
        >>> one, other = (Request(key, "", ()) for key in ("one", "other"))
        >>> request_seed(Sampling(max_tokens=1), one) == request_seed(Sampling(max_tokens=1), other)
        False
    """
    return int(digest([sampling.seed, request.key])[:8], 16) & 0x7FFFFFFF


class Completion(Record):
    """What came out for one request; its prompt counts are those of the prompt without any thought."""

    key: str
    text: str | None
    """The answer, without the thought."""
    thought: str | None = None
    """What the model wrote before its answer, without its markers; None if it did not think."""
    thought_tokens: int = 0
    """Tokens that the model spent on its thought, its own markers among them."""
    failure: Cause | None = None
    prompt_hash: str
    prompt_tokens: int
    cached_tokens: int | None
    """Prompt tokens that were not computed; None where a server does not tell.

    An answer after a thought is asked for with a second request, and what of the prompt has left the cache by then
    counts as computed: these are the tokens that the first request found in the cache, less those that the second one
    did not find, at least 0. After a preemption vLLM computes a prompt again without telling, so that such tokens still
    count as cached."""
    shared_tokens: int | None
    """Longest common prefix with another prompt of the same group that was asked or seen before, see
    `Engine.generate`; None where a server does not tell its tokens."""
    output_tokens: int
    """Tokens of the answer alone."""
    finish_reason: str
    """`stop`, `length`, or `error` where there is no answer."""
    seconds: float
    word_probabilities: tuple[tuple[str, float], ...] = ()


class EngineSpec(Record):
    """Which model to load and how; equal specs can share one engine."""

    engine: Literal["vllm", "transformers", "deterministic"]
    model_path: str
    dtype: str
    max_model_len: int | None = Field(default=None, gt=0)
    """Most tokens of prompt, thought and answer together where the model declares more; None is what it declares."""
    kv_cache_gib: float = Field(default=1.0, gt=0)
    """Size of the key-value cache on a CPU; on a GPU vLLM takes its share of the card."""
    gpu_share: float = Field(default=0.9, gt=0, le=1)
    """Part of the card's memory that the engine may take, where there is a card."""
    block_size: int = 32
    """Tokens of a cache block: what does not fill one is computed again for every question."""
    kv_cache_tokens: int | None = Field(default=None, gt=0)
    """Forces vLLM's key-value cache to so many tokens, in whole blocks; for measuring small caches."""
    adapter_path: str | None = None
    """Folder of a LoRA adapter that every request goes through; None is the model as it is."""
    seed: int = 42

    @property
    def folder(self) -> Path:
        """The model's folder."""
        return Path(self.model_path)


class EndpointSpec(Record, hide_input_in_errors=True):
    """A chat-completions server that somebody runs: where it is, never the key that opens it.

    Example:
        >>> EndpointSpec(base_url="http://judge.internal:8000/v1", model="judge", key_variable="JUDGE_KEY").flavour
        'vllm'
    """

    engine: Literal["openai"] = "openai"
    base_url: str = Field(pattern=ADDRESS)
    """As its operator gives it, most often with `/v1` at the end; neither a user's name nor a key may stand in it."""
    model: str = Field(min_length=1)
    """The name under which the server knows the model."""
    key_variable: str | None = Field(default=None, pattern=VARIABLE)
    """Name of the environment variable that holds the key; None for a server that asks for none."""
    flavour: Flavour = "vllm"
    """`plain` is sent nothing that other servers than vLLM refuse or ignore."""
    concurrency: int = Field(default=32, gt=0, le=1000)
    """Requests under way at the same time."""
    request_seconds: float = Field(default=600.0, gt=0)
    """How long one attempt may take; a request with all its attempts and pauses may take `retries` + 1 times that."""
    retries: int = Field(default=6, ge=0)
    """Further attempts after a refusal for now (408, 409, 429, 5xx), a lost connection or a time-out."""
    dtype: str = Field(default="undeclared", min_length=1)
    """What the operator declares; a server does not tell."""
    context_length: int | None = Field(default=None, gt=0)
    """Tokens of prompt and answer together, for a server that does not tell; it must not contradict one that does."""


class EngineInfo(Record):
    """What a loaded engine says of itself, for provenance."""

    engine: str
    version: str
    dtype: str
    flags: tuple[tuple[str, str], ...]
    hardware: str
    context_length: int
    """Tokens of prompt, thought and answer together."""
    kv_cache_tokens: int | None = None
    """Tokens that the key-value cache holds; None where that is unknown."""
    chat_template_hash: str
    chat_template_arguments: tuple[tuple[str, str], ...]
    load_seconds: float


def process_peak_rss_mb() -> float:
    """Returns the highest resident memory of this process so far, in MB of 1024 x 1024 bytes.

    `getrusage` is asked only where there is no /proc: on Linux it counts what the process was before it became this
    program, so a small one that was started by a large one would be told as large.
    """
    try:
        lines = _STATUS.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


class Engine(Protocol):
    """A loaded model."""

    @property
    def info(self) -> EngineInfo:
        """Provenance of everything that this engine produces."""

    def generate(
        self, requests: Sequence[Request], samplings: Samplings, seen: Sequence[Request] = ()
    ) -> Iterator[Completion]:
        """Yields one completion a request, in the order in which they finish; they are begun in the order given.

        A request that does not fit the context yields a completion with a `failure`; it never stops the others.

        Args:
            requests: The prompts, those of a group one after the other.
            samplings: How tokens are drawn. Requests that are drawn differently belong in one call: between two, an
                engine that answers many at once would run empty, with ever fewer of them under way.
            seen: Prompts of the same groups that were answered before, perhaps by an engine that is gone. They are not
                answered again, only counted as earlier prompts of their groups in `Completion.shared_tokens`.

        Raises:
            RapportError: `load_error` before anything is generated, if the model's template refuses a conversation or
                the model is to think and marks its thoughts in no known way; `out_of_memory` or `infrastructure` if
                the engine itself is gone.
        """

    def count_tokens(self, conversations: Sequence[tuple[Message, ...]]) -> list[int]:
        """Returns the prompt tokens of each conversation, as the model's own template writes it for a direct answer.

        The prompt that asks for an answer without a thought is the longer one, if only by some tokens.

        Raises:
            RapportError: `load_error` if the template refuses a conversation, or what `generate` raises.
        """

    def peak_rss_mb(self) -> float:
        """Returns the highest resident memory of the engine's processes so far, in MB."""

    def close(self) -> None:
        """Ends the engine and everything it started; safe to call twice."""

    def __enter__(self) -> Self:
        """Returns the engine itself."""

    def __exit__(self, *exc: object) -> None:
        """Closes the engine."""
