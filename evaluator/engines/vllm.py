"""The main engine: vLLM in this process, with prefix caching.

The engine core runs inside the calling process (no `VLLM::EngineCore` child), so ending the process ends the engine.
Never import this module in a process that must stay small: `process.py` runs it in one of its own.
"""

from __future__ import annotations

import itertools
import os
import platform
import time
from collections.abc import Iterator, Sequence
from typing import Any, Self

import psutil

os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"  # Read when vllm is imported.

import vllm
from vllm import LLM, SamplingParams
from vllm.inputs import TokensPrompt
from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams

from evaluator.engines.base import Completion, EngineInfo, EngineSpec, Request, Sampling, process_peak_rss_mb
from evaluator.engines.prefixes import SharedPrefixes
from evaluator.engines.prompt import PromptRenderer, overflow, prompt_digest
from evaluator.engines.words import word_probabilities

_LIKELIEST = 20


class VllmEngine:
    """A model loaded by vLLM."""

    def __init__(self, spec: EngineSpec) -> None:
        """Loads the model.

        Raises:
            RapportError: `no_chat_template` for a base model.
            Exception: Whatever vLLM raises; the process that hosts the engine turns it into a `load_error`.
        """
        started = time.monotonic()
        on_cpu = vllm.platforms.current_platform.is_cpu()
        if on_cpu:
            os.environ["VLLM_CPU_KVCACHE_SPACE"] = str(max(1, round(spec.kv_cache_gib)))
        self._llm = LLM(
            model=spec.model_path,
            dtype=spec.dtype,
            max_model_len=spec.max_model_len,
            seed=spec.seed,
            gpu_memory_utilization=spec.gpu_share,
            block_size=spec.block_size,
            enable_prefix_caching=True,
            enforce_eager=on_cpu,  # Compiling takes minutes on a CPU and gains little.
            generation_config="vllm",  # The protocol sets the sampling, never the model's repository.
            max_logprobs=_LIKELIEST,
            trust_remote_code=False,
        )
        self._renderer = PromptRenderer(self._llm.get_tokenizer(), spec.folder.name)
        self._prefixes = SharedPrefixes()
        self._numbers = itertools.count()
        model_config = self._llm.model_config
        self.info = EngineInfo(
            engine="vllm",
            version=vllm.__version__,
            dtype=str(model_config.dtype).removeprefix("torch."),
            flags=tuple(
                sorted(
                    {
                        "batch_invariant": os.environ.get("VLLM_BATCH_INVARIANT", "0"),
                        "block_size": str(spec.block_size),
                        "enforce_eager": str(on_cpu).lower(),
                        "kv_cache_gib": f"{spec.kv_cache_gib:g}" if on_cpu else "rest of gpu_share",
                        "gpu_share": "none" if on_cpu else f"{spec.gpu_share:g}",
                        "prefix_caching": "true",
                        "seed": str(spec.seed),
                    }.items()
                )
            ),
            hardware=_hardware(on_cpu),
            context_length=model_config.max_model_len,
            chat_template_hash=self._renderer.template_hash,
            chat_template_arguments=self._renderer.arguments,
            load_seconds=time.monotonic() - started,
        )

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> Iterator[Completion]:
        """See `Engine.generate`."""
        engine, parameters = self._llm.llm_engine, _parameters(sampling)
        waiting: dict[str, tuple[Request, list[int], int]] = {}
        started = time.monotonic()
        for request in requests:
            prompt = self._renderer.render(request.messages)
            if len(prompt) + sampling.max_tokens > self.info.context_length:
                yield overflow(request, prompt)
                continue
            shared = self._prefixes.add(request.group, prompt)
            request_id = f"{next(self._numbers)}"
            engine.add_request(request_id, TokensPrompt(prompt_token_ids=prompt), parameters)
            waiting[request_id] = (request, prompt, shared)
        while engine.has_unfinished_requests():
            for output in engine.step():
                if output.finished:
                    request, prompt, shared = waiting.pop(output.request_id)
                    yield self._completion(request, prompt, shared, output, sampling, time.monotonic() - started)

    def _completion(
        self, request: Request, prompt: list[int], shared: int, output: Any, sampling: Sampling, seconds: float
    ) -> Completion:
        """Turns vLLM's output into our record."""
        answer = output.outputs[0]
        # vLLM's own text leaves an unfinished last character out; other engines do not.
        text = self._renderer.text(answer.token_ids)
        watched = _candidates(answer.logprobs or ())
        return Completion(
            key=request.key,
            text=text,
            prompt_hash=prompt_digest(prompt),
            prompt_tokens=len(prompt),
            cached_tokens=output.num_cached_tokens or 0,
            shared_tokens=shared,
            output_tokens=len(answer.token_ids),
            finish_reason=str(answer.finish_reason),
            seconds=seconds,
            word_probabilities=word_probabilities(
                sampling.watch, text, answer.token_ids, watched, self._renderer.tokenizer.decode
            ),
        )

    def peak_rss_mb(self) -> float:
        """See `Engine.peak_rss_mb`."""
        return process_peak_rss_mb()

    def close(self) -> None:
        """See `Engine.close`."""
        self._llm.llm_engine.engine_core.shutdown()

    def __enter__(self) -> Self:
        """Returns the engine itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Closes the engine."""
        self.close()


def _parameters(sampling: Sampling) -> SamplingParams:
    """Translates the protocol's sampling into vLLM's."""
    return SamplingParams(
        temperature=sampling.temperature,
        top_k=sampling.top_k,
        top_p=sampling.top_p,
        max_tokens=sampling.max_tokens,
        seed=sampling.seed,
        logprobs=_LIKELIEST if sampling.watch else None,
        structured_outputs=StructuredOutputsParams(regex=sampling.pattern) if sampling.pattern else None,
        output_kind=RequestOutputKind.FINAL_ONLY,
    )


def _candidates(logprobs: Any) -> list[dict[str, float]]:
    """For each token, the log probability of the likeliest token texts in its place."""
    return [{item.decoded_token or "": item.logprob for item in place.values()} for place in logprobs]


def _hardware(on_cpu: bool) -> str:
    """Names what the engine runs on."""
    if on_cpu:
        return f"{psutil.cpu_count()} CPU cores, {platform.machine()}"
    import torch

    return f"{torch.cuda.device_count()} x {torch.cuda.get_device_name(0)}"
