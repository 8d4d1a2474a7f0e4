"""What an engine is: chat messages in, completions out as they finish, nothing else.

Generation and judging use the same Protocol, so a judge may run on any engine and the code that builds prompts never
learns which one answers.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, Self

from pydantic import Field

from evaluator.errors import Cause
from evaluator.records import Record

TEMPLATE_DATE = "2025-01-01"
"""The date that every chat template is told, so that prompts do not change from day to day."""


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
    pattern: str | None = None
    """A regular expression that the whole completion is forced to match."""
    watch: tuple[str, ...] = ()
    """Words whose probability is reported at the place where the last of them begins: among what the pattern allows
    there, before the temperature."""


class Completion(Record):
    """What came out for one request."""

    key: str
    text: str | None
    failure: Cause | None = None
    prompt_hash: str
    prompt_tokens: int
    cached_tokens: int
    shared_tokens: int
    output_tokens: int
    finish_reason: str
    seconds: float
    word_probabilities: tuple[tuple[str, float], ...] = ()


class EngineSpec(Record):
    """Which model to load and how; equal specs can share one engine."""

    engine: Literal["vllm", "transformers"]
    model_path: str
    dtype: str
    max_model_len: int | None = None
    """Tokens; None takes what the model's config declares."""
    kv_cache_gib: float = Field(default=1.0, gt=0)
    """Size of the key-value cache on a CPU; on a GPU vLLM takes its share of the card."""
    gpu_share: float = Field(default=0.9, gt=0, le=1)
    """Part of the card's memory that the engine may take, where there is a card."""
    block_size: int = 32
    """Tokens of a cache block: what does not fill one is computed again for every question."""
    seed: int = 42

    @property
    def folder(self) -> Path:
        """The model's folder."""
        return Path(self.model_path)


class EngineInfo(Record):
    """What a loaded engine says of itself, for provenance."""

    engine: str
    version: str
    dtype: str
    flags: tuple[tuple[str, str], ...]
    hardware: str
    context_length: int
    """Tokens of prompt and answer together."""
    chat_template_hash: str
    chat_template_arguments: tuple[tuple[str, str], ...]
    load_seconds: float


def process_peak_rss_mb() -> float:
    """Returns the highest resident memory of this process so far, in MB of 1024 x 1024 bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Engine(Protocol):
    """A loaded model."""

    @property
    def info(self) -> EngineInfo:
        """Provenance of everything that this engine produces."""

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> Iterator[Completion]:
        """Yields one completion a request, in the order in which they finish.

        A request that cannot be answered yields a completion with a `failure`; it never stops the others.

        Raises:
            RapportError: If the engine itself is gone (`out_of_memory`, `infrastructure`).
        """

    def peak_rss_mb(self) -> float:
        """Returns the highest resident memory of the engine's processes so far, in MB."""

    def close(self) -> None:
        """Ends the engine and everything it started; safe to call twice."""

    def __enter__(self) -> Self:
        """Returns the engine itself."""

    def __exit__(self, *exc: object) -> None:
        """Closes the engine."""
