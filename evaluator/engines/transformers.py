"""The fallback engine where vLLM is missing: plain transformers, one prompt at a time.

It keeps the key-value cache of the longest prefix that a prompt shares with the one before it, so the questions of one
user still share their history. Patterns are forced by the same grammar library as in vLLM, so a judge answers alike.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator, Sequence
from typing import Any, Self

import psutil
import torch
import transformers
import xgrammar
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache, GenerationConfig
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

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
from evaluator.engines.hooks import Forced, Until, Watched
from evaluator.engines.prefixes import common_prefix_of_lists
from evaluator.engines.prompt import Prompt, PromptRenderer, Ready, overflow, prompt_digest
from evaluator.engines.thinking import Draft, cached_twice, no_draft
from evaluator.engines.words import word_probabilities
from evaluator.errors import Cause, RapportError


class TransformersEngine:
    """A model loaded by transformers."""

    def __init__(self, spec: EngineSpec) -> None:
        """Loads the model.

        Raises:
            RapportError: `no_chat_template` for a base model, `load_error` for an adapter or a template that cannot be
                used.
            Exception: Whatever transformers raises; the host process turns it into a `load_error`.
        """
        started = time.monotonic()
        if spec.adapter_path:
            raise RapportError(
                Cause.LOAD_ERROR,
                "The transformers engine serves no adapters.",
                "Use a worker with vLLM, or merge the adapter into the model and submit the whole.",
            )
        torch.manual_seed(spec.seed)
        tokenizer = AutoTokenizer.from_pretrained(spec.model_path, trust_remote_code=False)
        self._renderer = PromptRenderer(tokenizer, spec.folder.name)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        self._model = AutoModelForCausalLM.from_pretrained(
            spec.model_path, dtype=spec.dtype, trust_remote_code=False, use_safetensors=True
        ).to(device)
        self._model.eval()
        self._end_tokens = _end_tokens(tokenizer, self._model)
        # The protocol sets the sampling, never the model's repository.
        self._model.generation_config = GenerationConfig(pad_token_id=next(iter(self._end_tokens), None))
        self._grammars: xgrammar.GrammarCompiler | None = None
        self._last: tuple[list[int], DynamicCache | None] = ([], None)
        declared = int(getattr(self._model.config.get_text_config(), "max_position_embeddings", 0)) or 2**20
        context_length = min(declared, spec.max_model_len or declared)
        self.info = EngineInfo(
            engine="transformers",
            version=transformers.__version__,
            dtype=str(self._model.dtype).removeprefix("torch."),
            flags=(
                ("adapter", "none"),
                ("batch_invariant", "1"),  # There is one prompt a batch.
                ("block_size", "1"),
                ("context_declared", str(declared)),
                ("context_used", str(context_length)),
                ("kv_cache_tokens", str(context_length)),
                ("prefix_caching", "previous prompt"),
                ("seed", str(spec.seed)),
            ),
            hardware=f"{psutil.cpu_count()} CPU cores, {platform.machine()}"
            if device == "cpu"
            else torch.cuda.get_device_name(0),
            context_length=context_length,
            kv_cache_tokens=context_length,
            chat_template_hash=self._renderer.template_hash,
            chat_template_arguments=self._renderer.arguments,
            load_seconds=time.monotonic() - started,
        )

    def generate(
        self, requests: Sequence[Request], samplings: Samplings, seen: Sequence[Request] = ()
    ) -> Iterator[Completion]:
        """See `Engine.generate`."""
        ready, prefixes = self._renderer.ready(requests, samplings), self._renderer.prefixes(seen, samplings)
        for item in ready:
            if item.tokens > self.info.context_length:
                yield overflow(item.request, item.prompt.token_ids)
                continue
            yield self._answer(item, prefixes.add(item.request.group, item.prompt.token_ids))

    def count_tokens(self, conversations: Sequence[tuple[Message, ...]]) -> list[int]:
        """See `Engine.count_tokens`."""
        return [len(self._renderer.render(conversation).token_ids) for conversation in conversations]

    def _compile(self, pattern: str) -> xgrammar.CompiledGrammar:
        """Compiles a pattern for this model's tokens; the compiler remembers what it has compiled."""
        if self._grammars is None:
            tokens = xgrammar.TokenizerInfo.from_huggingface(
                self._renderer.tokenizer,
                vocab_size=self._model.config.get_text_config().vocab_size,
                stop_token_ids=self._end_tokens or None,
            )
            self._grammars = xgrammar.GrammarCompiler(tokens)
        return self._grammars.compile_regex(pattern)

    def _answer(self, item: Ready, shared: int) -> Completion:
        """Answers one prompt, after a thought if the model is to think."""
        request, sampling, prompt = item.request, item.sampling, item.prompt
        started, ids, seed = time.monotonic(), prompt.token_ids, request_seed(sampling, request)
        cached = self._cached(ids)
        draft = no_draft(sampling.max_tokens)
        if sampling.thought_tokens:
            draft = self._draft(prompt, sampling, seed)
            if draft.left:
                cached = cached_twice(len(ids), cached, self._cached([*ids, *draft.prefix]))
        watched = Watched()
        forced = [Forced(self._compile(sampling.pattern))] if sampling.pattern else []
        processors = [*forced, *([watched] if sampling.watch else ())]
        written = []
        if draft.left:
            written = self._write([*ids, *draft.prefix], draft.left, sampling, seed, processors=processors)
        answer = [*draft.kept, *written]
        text, decode = draft.begun + self._renderer.text(answer), self._renderer.tokenizer.decode
        return Completion(
            key=request.key,
            text=text,
            thought=draft.thought,
            thought_tokens=draft.thought_tokens,
            prompt_hash=prompt_digest(ids),
            prompt_tokens=len(ids),
            cached_tokens=cached,
            shared_tokens=shared,
            output_tokens=len(answer),
            finish_reason=("stop" if self._ended(written, sampling) else "length") if written else draft.finish_reason,
            seconds=time.monotonic() - started,
            word_probabilities=word_probabilities(
                sampling.watch, text, answer, watched.candidates(answer, decode), decode
            ),
        )

    def _draft(self, prompt: Prompt, sampling: Sampling, seed: int) -> Draft:
        """Lets the model write until its end marker, its own end or the end of its budget."""
        reader = self._renderer.reader()
        until = Until(reader.markers.end, len(prompt.token_ids), reader.decode)
        written = self._write(prompt.token_ids, sampling.thought_tokens, sampling, seed, until=until)
        ended = self._ended(written, sampling)
        return reader.read(written, opened=prompt.opened, ended=ended, max_tokens=sampling.max_tokens)

    def _ended(self, written: Sequence[int], sampling: Sampling) -> bool:
        """Tells whether the model ended by itself."""
        return not sampling.ignore_end and written[-1] in self._end_tokens

    def _cached(self, ids: Sequence[int]) -> int:
        """Returns how many leading tokens of a prompt the cache holds and can be cut back to."""
        tokens, cache = self._last
        # The last token is computed anew: its logits give the first token of what follows.
        cached = min(common_prefix_of_lists(tokens, ids), len(ids) - 1)
        return cached if cache is not None and (cached == len(tokens) or _can_be_cut(cache)) else 0

    def _write(
        self,
        ids: list[int],
        max_tokens: int,
        sampling: Sampling,
        seed: int,
        processors: Sequence[Any] = (),
        until: Until | None = None,
    ) -> list[int]:
        """Returns the tokens that follow a prompt, starting from what the one before left in the cache."""
        cached, (tokens, cache) = self._cached(ids), self._last
        if cache is None or not cached:
            cache = DynamicCache(config=self._model.config)
        elif cached < len(tokens):
            cache.crop(cached - len(tokens))  # Negative: how many are to go.
        self._last = ([], None)  # Should this fail, nobody knows what the cache holds.
        prompt = torch.tensor([ids], device=self._model.device)
        torch.manual_seed(seed)
        with torch.inference_mode():
            output = self._model.generate(
                prompt,
                attention_mask=torch.ones_like(prompt),
                past_key_values=cache,
                max_new_tokens=max_tokens,
                eos_token_id=None if sampling.ignore_end else self._end_tokens or None,
                logits_processor=list(processors),
                stopping_criteria=[until] if until else None,
                **_arguments(sampling),
            )
        written: list[int] = output[0, len(ids) :].tolist()
        self._last = ([*ids, *written[:-1]], cache)
        return written

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


def _end_tokens(tokenizer: Any, model: Any) -> list[int]:
    """Returns the tokens that end an answer: the tokenizer's and those that the model declares, as in vLLM."""
    declared = model.generation_config.eos_token_id
    several = declared if isinstance(declared, list) else [declared]
    return sorted({token for token in (tokenizer.eos_token_id, *several) if token is not None})


def _can_be_cut(cache: DynamicCache) -> bool:
    """Tells whether a cache can go back to fewer tokens: recurrent states cannot, nor a window that has moved on."""
    return all(
        type(layer) is DynamicLayer
        or (type(layer) is DynamicSlidingWindowLayer and layer.get_seq_length() < layer.sliding_window)
        for layer in cache.layers
    )


def _arguments(sampling: Sampling) -> dict[str, Any]:
    """Translates the protocol's sampling into transformers'."""
    if not sampling.temperature:
        return {"do_sample": False, "temperature": None, "top_k": None, "top_p": None}
    top_k = max(sampling.top_k, 0)
    return {"do_sample": True, "temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": top_k}
