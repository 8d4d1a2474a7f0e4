"""The fallback engine where vLLM is missing: plain transformers, one prompt at a time.

It keeps the key-value cache of the longest prefix that a prompt shares with the one before it, so the questions of one
user still share their history. Patterns are forced by the same grammar library as in vLLM, so a judge answers alike.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self

import psutil
import torch
import transformers
import xgrammar
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache, GenerationConfig

from evaluator.engines.base import Completion, EngineInfo, EngineSpec, Request, Sampling, process_peak_rss_mb
from evaluator.engines.prefixes import SharedPrefixes, common_prefix_of_lists
from evaluator.engines.prompt import PromptRenderer, overflow, prompt_digest
from evaluator.engines.words import word_probabilities

_LIKELIEST = 20


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
        self._end_tokens = _end_tokens(tokenizer, self._model)
        # The protocol sets the sampling, never the model's repository.
        self._model.generation_config = GenerationConfig(
            eos_token_id=self._end_tokens or None, pad_token_id=next(iter(self._end_tokens), None)
        )
        self._grammars: xgrammar.GrammarCompiler | None = None
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
        """See `Engine.generate`."""
        grammar = self._compile(sampling.pattern) if sampling.pattern else None
        for request in requests:
            prompt = self._renderer.render(request.messages)
            if len(prompt) + sampling.max_tokens > self.info.context_length:
                yield overflow(request, prompt)
                continue
            yield self._answer(request, prompt, sampling, grammar)

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

    def _answer(
        self, request: Request, prompt: list[int], sampling: Sampling, grammar: xgrammar.CompiledGrammar | None
    ) -> Completion:
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
        torch.manual_seed(sampling.seed)
        watched = _Watched()
        with torch.inference_mode():
            output = self._model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                past_key_values=cache,
                logits_processor=[*([_Forced(grammar)] if grammar else ()), *([watched] if sampling.watch else ())],
                **_arguments(sampling),
            )
        answer = output[0, len(prompt) :].tolist()
        self._last = ([*prompt, *answer[:-1]], cache)
        text, decode = self._renderer.text(answer), self._renderer.tokenizer.decode
        return Completion(
            key=request.key,
            text=text,
            prompt_hash=prompt_digest(prompt),
            prompt_tokens=len(prompt),
            cached_tokens=cached,
            shared_tokens=shared,
            output_tokens=len(answer),
            finish_reason="stop" if answer[-1] in self._end_tokens else "length",
            seconds=time.monotonic() - started,
            word_probabilities=word_probabilities(
                sampling.watch, text, answer, watched.candidates(answer, decode), decode
            ),
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


class _Forced:
    """Lets `generate` draw only tokens that can still lead to a text of the pattern.

    Once nothing can follow, the end tokens alone are left. One completion needs one of these.
    """

    def __init__(self, grammar: xgrammar.CompiledGrammar) -> None:
        """Starts at the pattern's beginning."""
        self._matcher = xgrammar.GrammarMatcher(grammar)
        self._mask = xgrammar.allocate_token_bitmask(1, grammar.tokenizer_info.vocab_size)
        self._begun = False

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Returns the scores of the next token, shape (1, vocabulary), minus infinity for what the pattern forbids."""
        if self._begun and not self._matcher.accept_token(int(input_ids[0, -1])):
            raise ValueError("a token was drawn that the pattern forbids")
        self._begun = True
        self._matcher.fill_next_token_bitmask(self._mask)
        xgrammar.apply_token_bitmask_inplace(scores, self._mask.to(scores.device))
        return scores


class _Watched:
    """Keeps how likely each token was in its place: after the pattern, before the temperature, as vLLM tells it."""

    def __init__(self) -> None:
        """Has seen nothing yet."""
        self._places: list[torch.Tensor] = []

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Returns the scores as they came, shape (1, vocabulary)."""
        self._places.append(scores[0].log_softmax(-1))
        return scores

    def candidates(self, answer: Sequence[int], decode: Callable[[Sequence[int]], str]) -> list[dict[str, float]]:
        """For each token of the answer, the log probability of the likeliest token texts in its place, and of itself.

        Args:
            answer: The token ids that were drawn.
            decode: Turns token ids into text.
        """
        found = []
        for token, shares in zip(answer, self._places, strict=False):
            likeliest = shares.topk(min(_LIKELIEST, len(shares))).indices.tolist()
            found.append({decode([number]): float(shares[number]) for number in (*likeliest, token)})
        return found


def _end_tokens(tokenizer: Any, model: Any) -> list[int]:
    """Returns the tokens that end an answer: the tokenizer's and those that the model declares, as in vLLM."""
    declared = model.generation_config.eos_token_id
    several = declared if isinstance(declared, list) else [declared]
    return sorted({token for token in (tokenizer.eos_token_id, *several) if token is not None})


def _arguments(sampling: Sampling) -> dict[str, Any]:
    """Translates the protocol's sampling into transformers'."""
    shared = {"max_new_tokens": sampling.max_tokens, "do_sample": sampling.temperature > 0}
    if not sampling.temperature:
        return {**shared, "temperature": None, "top_k": None, "top_p": None}
    top_k = {"top_k": sampling.top_k} if sampling.top_k > 0 else {"top_k": 0}
    return {**shared, "temperature": sampling.temperature, "top_p": sampling.top_p, **top_k}
