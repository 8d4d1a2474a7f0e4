"""The fallback engine where vLLM is missing: plain transformers, one prompt at a time.

It keeps the key-value cache of the longest prefix that a prompt shares with the one before it, so the questions of one
user still share their history.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator, Sequence
from typing import Any, Self

import psutil
import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache

from evaluator.engines.base import Completion, EngineInfo, EngineSpec, Request, Sampling, process_peak_rss_mb
from evaluator.engines.prefixes import SharedPrefixes, common_prefix_of_lists
from evaluator.engines.prompt import PromptRenderer, overflow, prompt_digest
from evaluator.errors import Cause, RapportError


class TransformersEngine:
    """A model loaded by transformers."""

    def __init__(self, spec: EngineSpec) -> None:
        """Loads the model.

        Raises:
            RapportError: `no_chat_template` for a base model.
            Exception: Whatever transformers raises; the host process turns it into a `load_error`.
        """
        started = time.monotonic()
        torch.manual_seed(spec.seed)
        tokenizer = AutoTokenizer.from_pretrained(spec.model_path, trust_remote_code=False)
        self._renderer = PromptRenderer(tokenizer, spec.folder.name)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        self._model = AutoModelForCausalLM.from_pretrained(
            spec.model_path, dtype=spec.dtype, trust_remote_code=False, use_safetensors=True
        ).to(device)
        self._model.eval()
        self._prefixes = SharedPrefixes()
        self._last: tuple[list[int], DynamicCache | None] = ([], None)
        declared = int(getattr(self._model.config, "max_position_embeddings", 0)) or 2**20
        self.info = EngineInfo(
            engine="transformers",
            version=transformers.__version__,
            dtype=str(self._model.dtype).removeprefix("torch."),
            flags=(("prefix_caching", "previous prompt"), ("seed", str(spec.seed))),
            hardware=f"{psutil.cpu_count()} CPU cores, {platform.machine()}"
            if device == "cpu"
            else torch.cuda.get_device_name(0),
            context_length=min(declared, spec.max_model_len or declared),
            chat_template_hash=self._renderer.template_hash,
            chat_template_arguments=self._renderer.arguments,
            load_seconds=time.monotonic() - started,
        )

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> Iterator[Completion]:
        """See `Engine.generate`.

        Raises:
            RapportError: `infrastructure` if the sampling forces a pattern, which this engine cannot.
        """
        if sampling.pattern:
            raise RapportError(
                Cause.INFRASTRUCTURE,
                "The transformers engine cannot force a pattern, which this judge needs.",
                "Install vLLM (`make setup`) or choose a judge without a pattern.",
            )
        for request in requests:
            prompt = self._renderer.render(request.messages)
            if len(prompt) + sampling.max_tokens > self.info.context_length:
                yield overflow(request, prompt)
                continue
            yield self._answer(request, prompt, sampling)

    def _answer(self, request: Request, prompt: list[int], sampling: Sampling) -> Completion:
        """Answers one prompt, starting from what the one before left in the cache."""
        started = time.monotonic()
        shared = self._prefixes.add(request.group, prompt)
        # The last prompt token is computed anew: its logits give the first token of the answer.
        cached = min(common_prefix_of_lists(self._last[0], prompt), len(prompt) - 1)
        cache = self._last[1]
        if cache is not None and cached:
            cache.crop(cached)
        else:
            cache, cached = DynamicCache(config=self._model.config), 0
        ids = torch.tensor([prompt], device=self._model.device)
        with torch.inference_mode():
            output = self._model.generate(
                ids, attention_mask=torch.ones_like(ids), past_key_values=cache, **_arguments(sampling)
            )
        answer = output[0, len(prompt) :].tolist()
        self._last = ([*prompt, *answer[:-1]], cache)
        return Completion(
            key=request.key,
            text=self._renderer.text(answer),
            prompt_hash=prompt_digest(prompt),
            prompt_tokens=len(prompt),
            cached_tokens=cached,
            shared_tokens=shared,
            output_tokens=len(answer),
            finish_reason="length" if len(answer) >= sampling.max_tokens else "stop",
            seconds=time.monotonic() - started,
        )

    def peak_rss_mb(self) -> float:
        """See `Engine.peak_rss_mb`."""
        return process_peak_rss_mb()

    def close(self) -> None:
        """See `Engine.close`."""
        self._last = ([], None)

    def __enter__(self) -> Self:
        """Returns the engine itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Closes the engine."""
        self.close()


def _arguments(sampling: Sampling) -> dict[str, Any]:
    """Translates the protocol's sampling into transformers'."""
    shared = {"max_new_tokens": sampling.max_tokens, "do_sample": sampling.temperature > 0}
    if not sampling.temperature:
        return {**shared, "temperature": None, "top_k": None, "top_p": None}
    top_k = {"top_k": sampling.top_k} if sampling.top_k > 0 else {"top_k": 0}
    return {**shared, "temperature": sampling.temperature, "top_p": sampling.top_p, **top_k}
