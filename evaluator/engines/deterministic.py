"""An engine without a model, for rehearsing everything around one: an answer follows from the prompt and a name.

It is named `deterministic` wherever an engine is named, and what it says is never ranked. Restarts, retries and the
order of questions change nothing in its answers, which is what tests of faults compare.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import time
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from pydantic import Field, ValidationError

from evaluator.engines.base import (
    Completion,
    EngineInfo,
    EngineSpec,
    Message,
    Request,
    Sampling,
    Samplings,
    process_peak_rss_mb,
    request_seed,
    sampling_for,
)
from evaluator.engines.prefixes import SharedPrefixes
from evaluator.engines.prompt import overflow, prompt_digest
from evaluator.errors import Cause, RapportError
from evaluator.identity import text_digest
from evaluator.records import Record

SPEED_FILE = "deterministic.json"
"""Stands in the model's folder where loading and answering are to take time."""
_WORDS = """
tea garden river evening music letter winter bread window market friend story lamp coffee mountain paper sister train
summer kitchen morning cat bicycle island soup painting harbour candle forest neighbour
"""
_VOCABULARY = tuple(_WORDS.split())
_LEAST_WORDS, _MOST_WORDS = 4, 12


class Speed(Record):
    """How long this engine takes.

    Example:
        >>> Speed(seconds_per_answer=0.05).load_seconds
        0.0
    """

    load_seconds: float = Field(default=0.0, ge=0)
    seconds_per_answer: float = Field(default=0.0, ge=0)


class DeterministicEngine:
    """Says words that a hash of its folder's name and the prompt chooses, or the verdict that a pattern asks for."""

    def __init__(self, spec: EngineSpec) -> None:
        """Reads nothing but the model's `SPEED_FILE`.

        Raises:
            RapportError: `load_error` if that file is broken.
        """
        self._speed, self._model = _speed(spec.folder / SPEED_FILE), spec.folder.name
        time.sleep(self._speed.load_seconds)
        length = spec.max_model_len or 2**20
        self.info = EngineInfo(
            engine="deterministic",
            version="1",
            dtype="none",
            flags=(("context_used", str(length)), ("seed", str(spec.seed))),
            hardware=f"{os.cpu_count()} CPU cores, {platform.machine()}",
            context_length=length,
            kv_cache_tokens=None,
            chat_template_hash=text_digest("deterministic"),
            chat_template_arguments=(),
            load_seconds=self._speed.load_seconds,
        )

    def generate(
        self, requests: Sequence[Request], samplings: Samplings, seen: Sequence[Request] = ()
    ) -> Iterator[Completion]:
        """See `Engine.generate`."""
        prefixes = SharedPrefixes()
        for request in seen:
            prefixes.add(request.group, _tokens(request.messages))
        for request in requests:
            prompt, sampling = _tokens(request.messages), sampling_for(samplings, request)
            if len(prompt) + sampling.max_tokens > self.info.context_length:
                yield overflow(request, prompt)
                continue
            time.sleep(self._speed.seconds_per_answer)
            shared = prefixes.add(request.group, prompt)
            text = _text(f"{self._model}:{prompt_digest(prompt)}", sampling, request)
            yield Completion(
                key=request.key,
                text=text,
                prompt_hash=prompt_digest(prompt),
                prompt_tokens=len(prompt),
                cached_tokens=shared,
                shared_tokens=shared,
                output_tokens=len(text.split()),
                finish_reason="stop",
                seconds=self._speed.seconds_per_answer,
            )

    def count_tokens(self, conversations: Sequence[tuple[Message, ...]]) -> list[int]:
        """See `Engine.count_tokens`; a token is a word."""
        return [len(_tokens(messages)) for messages in conversations]

    def peak_rss_mb(self) -> float:
        """See `Engine.peak_rss_mb`."""
        return process_peak_rss_mb()

    def close(self) -> None:
        """See `Engine.close`; there is nothing to end."""

    def __enter__(self) -> Self:
        """Returns the engine itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Closes the engine."""


def _speed(path: Path) -> Speed:
    """Reads how fast to be; without a file, at once."""
    try:
        return Speed.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Speed()
    except ValidationError as error:
        raise RapportError(Cause.LOAD_ERROR, f"{path.name} is broken: {error}", "Mend or remove the file.") from error


def _tokens(messages: Sequence[Message]) -> list[int]:
    """Returns a number for each word of a conversation, its roles among them."""
    words = (word for message in messages for word in (message.role, *message.content.split()))
    return [zlib.crc32(word.encode()) & 0x7FFFFFFF for word in words]


def _text(asked: str, sampling: Sampling, request: Request) -> str:
    """Returns what is said: greedily the same to each prompt, drawn by the request's own seed."""
    drawn = request_seed(sampling, request) if sampling.temperature else 0
    choice = _Choice(f"{asked}:{drawn}")
    if sampling.pattern is not None:
        return said_by_pattern(sampling.pattern, choice.below)
    words = [
        _VOCABULARY[choice.below(len(_VOCABULARY))]
        for _ in range(_LEAST_WORDS + choice.below(_MOST_WORDS - _LEAST_WORDS))
    ]
    return " ".join(words[: sampling.max_tokens]).capitalize() + "."


class _Choice:
    """An endless row of choices that follows from a text."""

    def __init__(self, text: str) -> None:
        """Begins the row."""
        self._text, self._number = text, 0

    def below(self, count: int) -> int:
        """Returns the next choice, from 0 to `count` - 1."""
        self._number += 1
        block = hashlib.sha256(f"{self._text}:{self._number}".encode()).digest()
        return int.from_bytes(block[:8], "big") % count


def said_by_pattern(pattern: str, below: Any) -> str:
    r"""Returns a text that a regular expression matches whole.

    Args:
        pattern: Of literals, character sets, groups, alternatives and bounded repetitions, which is what judges use.
        below: Chooses a number from 0 to one less than its argument.

    Raises:
        RapportError: `load_error` for a pattern of other parts.

    Example:
        >>> said_by_pattern("Better Response: (A|B|Tie)", lambda count: count - 1)
        'Better Response: Tie'
        >>> said_by_pattern(r"[a-c ]{2,4}\.", lambda count: 0)
        'aa.'
    """
    return "".join(_part(str(kind), value, below) for kind, value in re._parser.parse(pattern))  # type: ignore[attr-defined]


def _part(kind: str, value: Any, below: Any) -> str:
    """Returns a text for one part of a parsed pattern."""
    if kind == "LITERAL":
        return chr(value)
    if kind == "IN":
        return _part(*_named(value[below(len(value))]), below)
    if kind == "RANGE":
        return chr(value[0] + below(value[1] - value[0] + 1))
    if kind == "SUBPATTERN":
        return "".join(_part(*_named(part), below) for part in value[-1])
    if kind == "BRANCH":
        return "".join(_part(*_named(part), below) for part in value[1][below(len(value[1]))])
    if kind in ("MAX_REPEAT", "MIN_REPEAT"):
        least, most, inner = value
        return "".join(_part(*_named(part), below) for _ in range(least + below(most - least + 1)) for part in inner)
    raise RapportError(
        Cause.LOAD_ERROR, f"The deterministic engine cannot follow a pattern with {kind}.", "Use another engine."
    )


def _named(part: tuple[Any, Any]) -> tuple[str, Any]:
    """Returns the kind of a part as text, and what belongs to it."""
    return str(part[0]), part[1]
