"""A model's tokenizer in a process of its own, without its weights: counts prompts, answers nothing.

It stands where an engine does, so that whatever asks an engine can be measured before any weight is downloaded.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from evaluator.engines.base import (
    Completion,
    EngineInfo,
    Message,
    Request,
    Samplings,
    process_peak_rss_mb,
    sampling_for,
)
from evaluator.engines.child import ChildProcess
from evaluator.engines.hosting import Answerer, Answers, host
from evaluator.engines.prefixes import SharedPrefixes
from evaluator.records import Record


class TokenizerSpec(Record):
    """Which tokenizer to load."""

    model_path: str
    """Folder of the model's settings and tokenizer."""


class TokenizerProcess(ChildProcess[EngineInfo]):
    """A loaded tokenizer behind the Protocol of an engine; every answer of it is empty.

    Example:
        >>> with TokenizerProcess(TokenizerSpec(model_path="model"), Path("log")) as tokenizer:  # doctest: +SKIP
        ...     tokenizer.count_tokens([(Message("user", "Hello"),)])
        [30]
    """

    MODULE = "evaluator.engines.tokenizer_only"
    ROLE = "tokenizer"
    IF_SILENT = "Check that the model's chat template comes to an end."

    def __init__(self, spec: TokenizerSpec, log: Path) -> None:
        """Starts the process and waits until the tokenizer is loaded; its output goes to the file `log`.

        Raises:
            RapportError: As of `ChildProcess`; `no_chat_template` for a base model.
        """
        folder = Path(spec.model_path).absolute()
        super().__init__(TokenizerSpec(model_path=str(folder)), EngineInfo, [folder], log)

    def generate(
        self, requests: Sequence[Request], samplings: Samplings, seen: Sequence[Request] = ()
    ) -> Iterator[Completion]:
        """Yields an empty answer to each request, with its prompt's tokens counted; see `Engine.generate`.

        What a cache that keeps everything would give again is told as cached.
        """
        for number, request in enumerate([*seen, *requests]):
            thinking = sampling_for(samplings, request).thought_tokens > 0
            tokens, shared = self._measure(request, thinking, afresh=number == 0)
            if number < len(seen):
                continue
            yield Completion(
                key=request.key,
                text="",
                prompt_hash="",
                prompt_tokens=tokens,
                cached_tokens=shared,
                shared_tokens=shared,
                output_tokens=0,
                finish_reason="stop",
                seconds=0.0,
            )

    def count_tokens(self, conversations: Sequence[tuple[Message, ...]]) -> list[int]:
        """See `Engine.count_tokens`."""
        asked = (Request("", f"{number}", messages) for number, messages in enumerate(conversations))
        return [self._measure(request, thinking=False, afresh=True)[0] for request in asked]

    def _measure(self, request: Request, thinking: bool, afresh: bool) -> tuple[int, int]:
        """Returns a prompt's tokens, and how many of them an earlier prompt of its group began with.

        The process counts these, for the tokens themselves would take longer on their way than in the making.

        Args:
            request: The prompt.
            thinking: Whether the model is to think first.
            afresh: Whether all earlier prompts are forgotten.
        """
        messages = [list(part) for part in request.messages]
        self._send({"messages": messages, "group": request.group, "thinking": thinking, "afresh": afresh})
        measured = self._receive()
        return measured["tokens"], measured["shared"]


def main() -> None:
    """Serves one tokenizer until standard input ends."""
    host(_load, TokenizerProcess.ROLE)


def _load(spec: str) -> tuple[dict[str, Any], Answerer]:
    """Loads the tokenizer that a spec names."""
    started = time.monotonic()
    import transformers

    from evaluator.engines.prompt import PromptRenderer

    folder = TokenizerSpec.model_validate_json(spec).model_path
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    renderer, prefixes = PromptRenderer(tokenizer, Path(folder).name), SharedPrefixes()

    def answer(asked: dict[str, Any]) -> Answers:
        nonlocal prefixes
        if asked["afresh"]:
            prefixes = SharedPrefixes()
        messages = [Message(role, content) for role, content in asked["messages"]]
        ids = renderer.render(messages, thinking=asked["thinking"]).token_ids
        shared = prefixes.add(asked["group"], ids)
        yield {"tokens": len(ids), "shared": shared, "peak_rss_mb": process_peak_rss_mb()}

    info = EngineInfo(
        engine="tokenizer",
        version=transformers.__version__,
        dtype="none",
        flags=(),
        hardware="none",
        context_length=0,
        chat_template_hash=renderer.template_hash,
        chat_template_arguments=renderer.arguments,
        load_seconds=time.monotonic() - started,
    )
    return info.model_dump(mode="json"), answer


if __name__ == "__main__":
    main()
