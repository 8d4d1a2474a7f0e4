"""The main engine: vLLM in this process, with prefix caching.

The engine core runs inside the calling process (no `VLLM::EngineCore` child), so ending the process ends the engine.
Never import this module in a process that must stay small: `process.py` runs it in one of its own.
"""

from __future__ import annotations

import itertools
import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Self

import psutil
import torch

os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"  # Read when vllm is imported.
if torch.version.cuda is None and torch.version.hip is None:
    # Without a GPU, compiling what samples a token takes longer than it ever saves, and asks for a compiler.
    os.environ["TORCHDYNAMO_DISABLE"] = "1"

import vllm
from vllm import LLM, EngineArgs, ModelRegistry, SamplingParams
from vllm.inputs import TokensPrompt
from vllm.lora.request import LoRARequest
from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams

from evaluator.engines.adapter_settings import Adapter
from evaluator.engines.adapter_words import check_same_words
from evaluator.engines.adapters import check_fits, read_adapter
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
)
from evaluator.engines.prompt import PromptRenderer, Ready, overflow, prompt_digest
from evaluator.engines.thinking import Draft, cached_twice, no_draft
from evaluator.engines.words import word_probabilities
from evaluator.errors import Cause, RapportError
from evaluator.untrusted_json import parse_object

_LIKELIEST = 20
_REMEMBERED = 2**14
"""Tokens whose text is kept."""
_OUR_TEMPLATE = "{{ messages[0]['content'] }}"
"""vLLM writes a prompt as it loads, in this process and without a limit: the model's own template must not be asked."""


class _Asked(NamedTuple):
    """A request under way."""

    place: int
    """In the order given: a follow-up is served in the place of its request, while the cache still holds its prefix."""
    ready: Ready
    shared: int
    draft: Draft | None = None
    """What a model that thinks wrote first; the answer is asked for after it."""
    cached: int = 0
    """Prompt tokens that the draft took from the cache."""

    @property
    def left(self) -> int:
        """Tokens of the answer that the draft leaves to be written."""
        return self.draft.left if self.draft else 0


class VllmEngine:
    """A model loaded by vLLM."""

    def __init__(self, spec: EngineSpec) -> None:
        """Loads the model and its adapter, if it has one.

        Raises:
            RapportError: `no_chat_template` for a base model, `load_error` or `unsafe_format` for an adapter or a
                template that cannot be used.
            Exception: Whatever vLLM raises; the process that hosts the engine turns it into a `load_error`.
        """
        started = time.monotonic()
        adapter = _readable_adapter(spec)
        on_cpu = vllm.platforms.current_platform.is_cpu()
        if on_cpu:
            os.environ["VLLM_CPU_KVCACHE_SPACE"] = str(max(1, round(spec.kv_cache_gib)))
            _meet_architecture(spec.folder)
        arguments = _load_arguments(spec, adapter, on_cpu)
        declared = _declared_context(arguments)
        length = min(declared, spec.max_model_len or declared)
        self._llm = LLM(**arguments, max_model_len=length, chat_template=_OUR_TEMPLATE)
        self._adapter = _load_adapter(self._llm, spec) if adapter else None
        self._renderer = PromptRenderer(self._llm.get_tokenizer(), spec.folder.name)
        self._token_text = lru_cache(maxsize=_REMEMBERED)(self._written_out)
        self._numbers = itertools.count()
        model_config = self._llm.model_config
        self.info = EngineInfo(
            engine="vllm",
            version=vllm.__version__,
            dtype=str(model_config.dtype).removeprefix("torch."),
            flags=_flags(self._llm, spec, adapter, declared, on_cpu),
            hardware=_hardware(on_cpu),
            context_length=model_config.max_model_len,
            kv_cache_tokens=_kv_cache_tokens(self._llm),
            chat_template_hash=self._renderer.template_hash,
            chat_template_arguments=self._renderer.arguments,
            load_seconds=time.monotonic() - started,
        )

    def generate(
        self, requests: Sequence[Request], samplings: Samplings, seen: Sequence[Request] = ()
    ) -> Iterator[Completion]:
        """See `Engine.generate`."""
        engine, started = self._llm.llm_engine, time.monotonic()
        ready, prefixes = self._renderer.ready(requests, samplings), self._renderer.prefixes(seen, samplings)
        waiting: dict[str, _Asked] = {}
        try:
            for place, item in enumerate(ready):
                if item.tokens > self.info.context_length:
                    yield overflow(item.request, item.prompt.token_ids)
                    continue
                shared = prefixes.add(item.request.group, item.prompt.token_ids)
                self._ask(waiting, _Asked(place, item, shared))
            while engine.has_unfinished_requests():
                for output in engine.step():
                    if not output.finished:
                        continue
                    asked = waiting.pop(output.request_id)
                    if asked.ready.sampling.thought_tokens and asked.draft is None:
                        asked = self._with_draft(asked, output)
                        if asked.left:
                            self._ask(waiting, asked)
                            continue
                    yield self._completion(asked, output, time.monotonic() - started)
        finally:
            engine.abort_request(list(waiting))  # Of a caller that wants no more; the next one must not get them.

    def _ask(self, waiting: dict[str, _Asked], asked: _Asked) -> None:
        """Hands a request over: for a draft, for the answer after one, or for the answer at once."""
        tail, sampling = list[int](), asked.ready.sampling
        seed = request_seed(sampling, asked.ready.request)
        if asked.draft:
            tail, parameters = asked.draft.prefix, _parameters(sampling, seed, asked.draft.left)
        elif sampling.thought_tokens:
            parameters = _parameters(sampling, seed, sampling.thought_tokens, stop=self._renderer.reader().markers.end)
        else:
            parameters = _parameters(sampling, seed, sampling.max_tokens)
        number = f"{next(self._numbers)}"
        prompt = TokensPrompt(prompt_token_ids=[*asked.ready.prompt.token_ids, *tail])
        self._llm.llm_engine.add_request(number, prompt, parameters, lora_request=self._adapter, priority=asked.place)
        waiting[number] = asked

    def _with_draft(self, asked: _Asked, output: Any) -> _Asked:
        """Notes the draft of a model that thinks."""
        written = output.outputs[0]
        draft = self._renderer.reader().read(
            written.token_ids,
            opened=asked.ready.prompt.opened,
            ended=written.finish_reason == "stop" and not isinstance(written.stop_reason, str),
            max_tokens=asked.ready.sampling.max_tokens,
        )
        return asked._replace(draft=draft, cached=output.num_cached_tokens)

    def _completion(self, asked: _Asked, output: Any, seconds: float) -> Completion:
        """Turns vLLM's output into our record."""
        written, request, sampling = output.outputs[0], asked.ready.request, asked.ready.sampling
        prompt = asked.ready.prompt.token_ids
        draft = asked.draft or no_draft(sampling.max_tokens)
        answer = [*draft.kept, *(written.token_ids if draft.left else ())]
        followed_up = asked.draft is not None and draft.left > 0
        cached: int = output.num_cached_tokens
        # vLLM's own text leaves an unfinished last character out; other engines do not.
        text = draft.begun + self._renderer.text(answer)
        return Completion(
            key=request.key,
            text=text,
            thought=draft.thought,
            thought_tokens=draft.thought_tokens,
            prompt_hash=prompt_digest(prompt),
            prompt_tokens=len(prompt),
            cached_tokens=cached_twice(len(prompt), asked.cached, cached) if followed_up else cached,
            shared_tokens=asked.shared,
            output_tokens=len(answer),
            finish_reason=str(written.finish_reason) if draft.left else draft.finish_reason,
            seconds=seconds,
            word_probabilities=word_probabilities(
                sampling.watch,
                text,
                answer,
                _candidates(written.logprobs or (), self._token_text),
                self._renderer.tokenizer.decode,
            ),
        )

    def _written_out(self, token: int) -> str:
        """Returns the text of a single token."""
        text: str = self._renderer.tokenizer.decode([token])
        return text

    def count_tokens(self, conversations: Sequence[tuple[Message, ...]]) -> list[int]:
        """See `Engine.count_tokens`."""
        return [len(self._renderer.render(conversation).token_ids) for conversation in conversations]

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


def _meet_architecture(folder: Path) -> None:
    """Tells vLLM what the model's architecture can do, which is half of the time that a small model takes to load.

    By itself vLLM starts a second process to find out, lest a GPU wake up in this one; without a GPU there is none to
    wake. A config without an architecture is left for vLLM to complain of.
    """
    config = parse_object((folder / "config.json").read_bytes())
    if name := next((name for name in config.get("architectures") or () if name in ModelRegistry.models), None):
        ModelRegistry.register_model(name, ModelRegistry.models[name].load_model_cls())


def _load_arguments(spec: EngineSpec, adapter: Adapter | None, on_cpu: bool) -> dict[str, Any]:
    """Translates a spec into vLLM's words."""
    # One more block than asked for: vLLM keeps one for itself.
    blocks = None if spec.kv_cache_tokens is None else spec.kv_cache_tokens // spec.block_size + 1
    return {
        "model": spec.model_path,
        "dtype": spec.dtype,
        "seed": spec.seed,
        "gpu_memory_utilization": spec.gpu_share,
        "block_size": spec.block_size,
        "num_gpu_blocks_override": blocks,
        "enable_prefix_caching": True,
        # In the order given, and a follow-up in the place of its request.
        "scheduling_policy": "priority",
        "enforce_eager": on_cpu,  # Compiling takes minutes on a CPU and gains little.
        # The files that every engine reads, so that they all see one model and one chat template.
        "config_format": "hf",
        "load_format": "safetensors",  # Of all kinds of files that vLLM would look for, the only one.
        "tokenizer_mode": "hf",
        "generation_config": "vllm",  # The protocol sets the sampling, never the model's repository.
        "max_logprobs": _LIKELIEST,
        "trust_remote_code": False,
        **({"enable_lora": True, "max_loras": 1, "max_lora_rank": adapter.max_rank} if adapter else {}),
    }


def _declared_context(arguments: dict[str, Any]) -> int:
    """Returns the tokens that the model declares, as vLLM derives them: stretched positions and all."""
    return int(EngineArgs(**arguments).create_model_config().max_model_len)


def _readable_adapter(spec: EngineSpec) -> Adapter | None:
    """Reads what the adapter needs; None if there is none."""
    if not spec.adapter_path:
        return None
    folder = Path(spec.adapter_path)
    adapter = read_adapter(folder)
    check_fits(folder, spec.folder)
    check_same_words(folder, spec.folder)
    return adapter


def _load_adapter(llm: Any, spec: EngineSpec) -> LoRARequest:
    """Loads the adapter now, so that one that does not fit the model is known before the first question."""
    request = LoRARequest("adapter", 1, str(spec.adapter_path))
    try:
        llm.llm_engine.add_lora(request)
    except (ValueError, RuntimeError) as error:
        words = " ".join(str(error).split())[:300]
        raise RapportError(
            Cause.LOAD_ERROR,
            f"The adapter {Path(request.lora_path).name} does not fit the model: {words}",
            "Check that it was trained on this model, or merge it into the model and submit the whole.",
        ) from error
    return request


def _kv_cache_tokens(llm: Any) -> int:
    """Returns how many tokens the cache holds, without the one block that vLLM keeps for itself."""
    cache = llm.llm_engine.vllm_config.cache_config
    return int(cache.kv_cache_size_tokens * (cache.num_gpu_blocks - 1) // cache.num_gpu_blocks)


def _flags(
    llm: Any, spec: EngineSpec, adapter: Adapter | None, declared: int, on_cpu: bool
) -> tuple[tuple[str, str], ...]:
    """Returns what else decides how fast and how exactly the engine answers, sorted by name."""
    flags = {
        "adapter": f"rank {adapter.rank}" if adapter else "none",
        "batch_invariant": os.environ.get("VLLM_BATCH_INVARIANT", "0"),
        "block_size": str(llm.llm_engine.vllm_config.cache_config.block_size),
        "context_declared": str(declared),
        "context_used": str(llm.model_config.max_model_len),
        "enforce_eager": str(on_cpu).lower(),
        "kv_cache_gib": f"{spec.kv_cache_gib:g}" if on_cpu else "rest of gpu_share",
        "kv_cache_tokens": str(_kv_cache_tokens(llm)),
        "gpu_share": "none" if on_cpu else f"{spec.gpu_share:g}",
        "prefix_caching": "true",
        "seed": str(spec.seed),
    }
    return tuple(sorted(flags.items()))


def _parameters(sampling: Sampling, seed: int, max_tokens: int, stop: str | None = None) -> SamplingParams:
    """Translates the protocol's sampling into vLLM's; `stop` is a text that ends a draft and belongs to it."""
    return SamplingParams(
        temperature=sampling.temperature,
        top_k=sampling.top_k,
        top_p=sampling.top_p,
        max_tokens=max_tokens,
        seed=seed,
        ignore_eos=sampling.ignore_end,
        logprobs=_LIKELIEST if sampling.watch else None,
        structured_outputs=StructuredOutputsParams(regex=sampling.pattern) if sampling.pattern else None,
        output_kind=RequestOutputKind.FINAL_ONLY,
        # We make the text, of the tokens. vLLM would do so step by step, and for each of the likeliest in every place:
        # with many answers under way that takes longer than a GPU's step.
        detokenize=stop is not None,
        stop=stop,
        include_stop_str_in_output=stop is not None,
        skip_special_tokens=stop is None,  # A marker may be one.
        spaces_between_special_tokens=stop is None,
    )


def _candidates(logprobs: Any, text_of: Callable[[int], str]) -> list[dict[str, float]]:
    """For each token, the log probability of the likeliest token texts in its place."""
    return [{text_of(token): item.logprob for token, item in place.items()} for place in logprobs]


def _hardware(on_cpu: bool) -> str:
    """Names what the engine runs on."""
    if on_cpu:
        return f"{psutil.cpu_count()} CPU cores, {platform.machine()}"
    return f"{torch.cuda.device_count()} x {torch.cuda.get_device_name(0)}"
