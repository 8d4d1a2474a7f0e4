"""What an evaluation would take: tokens, memory and time, from counts and a model's settings alone.

Times are worked out for one H100 with 80 GB under assumptions that are stated with them; they say which order of
magnitude to expect, not when to come back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from evaluator.records import Record

GPU_BYTES = 80e9
GPU_SHARE = 0.9
FLOPS = 989e12 * 0.4
"""Of dense bfloat16 matrices, and the part of it that prefilling reaches."""
BYTES_PER_SECOND = 3.35e12 * 0.6
"""Of the card's memory, and the part of it that decoding reaches."""
SEQUENCES = 256
"""Answers that are decoded together at most."""
ASSUMPTIONS = (
    "one H100-80GB at 90 % of its memory; 2 FLOP a parameter and token at 40 % of 989 TFLOP/s; decoding reads weights "
    "and cache at 60 % of 3.35 TB/s, up to 256 answers at once; every history prefilled once, every answer as long as "
    "it may be; loading not counted"
)


class ModelSize(NamedTuple):
    """How large a model is."""

    weight_bytes: int | None
    """None where it is not known."""
    parameters: int | None
    kv_bytes_per_token: int | None
    """Of the key-value cache; None where the settings do not tell."""
    context_length: int | None
    """Tokens; None where the settings do not tell."""


class Work(Record):
    """What one model has to do."""

    prompts: int
    prompt_tokens: int
    distinct_tokens: int
    """Prompt tokens without those that an earlier prompt of the same user began with: what is prefilled at least."""
    longest_prompt: int
    """Tokens of the longest one that was measured."""
    answer_tokens: int
    """Tokens of all answers and thoughts, if each is as long as it may be."""


class Cost(Record):
    """What a model takes, and how long."""

    weight_gb: float | None
    kv_kb_per_token: float | None
    cache_tokens: int | None
    """Tokens of the key-value cache that fit beside the weights."""
    context_length: int | None
    """Tokens of a prompt and its answer; longer ones are not asked."""
    minutes: float | None
    """On the assumed card; None where the model's size is not known."""


def model_size(config: Mapping[str, Any], weight_bytes: int | None) -> ModelSize:
    """Reads a model's size off its `config.json`.

    Example:
        >>> config = {"num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "hidden_size": 64}
        >>> model_size(config | {"dtype": "bfloat16", "max_position_embeddings": 2048}, 10_000)
        ModelSize(weight_bytes=10000, parameters=5000, kv_bytes_per_token=256, context_length=2048)
    """
    text = {**config, **(config.get("text_config") or {})}
    stored = str(text.get("dtype") or text.get("torch_dtype") or "")
    whole = "quantization_config" not in text and stored in ("bfloat16", "float16", "float32")
    bytes_each = 4 if stored == "float32" else 2
    return ModelSize(
        weight_bytes=weight_bytes,
        parameters=weight_bytes // bytes_each if weight_bytes is not None and whole else None,
        kv_bytes_per_token=_kv_bytes(text),
        context_length=_whole(text, "max_position_embeddings"),
    )


def _kv_bytes(text: Mapping[str, Any]) -> int | None:
    """Returns the bytes of one token in a cache of 16 bits, sliding layers counted whole."""
    layers, heads, width = (_whole(text, name) for name in ("num_hidden_layers", "num_attention_heads", "hidden_size"))
    kinds = text.get("layer_types")
    if isinstance(kinds, list):
        layers = sum("attention" in str(kind) and "linear" not in str(kind) for kind in kinds)
    latent = _whole(text, "kv_lora_rank")
    if latent and layers:
        return 2 * layers * (latent + (_whole(text, "qk_rope_head_dim") or 0))
    if not (layers and heads and width):
        return None
    kv_heads = _whole(text, "num_key_value_heads") or heads
    return 2 * 2 * layers * kv_heads * (_whole(text, "head_dim") or width // heads)


def _whole(settings: Mapping[str, Any], name: str) -> int | None:
    """Returns a setting that is a positive whole number."""
    value = settings.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def cost(work: Work, size: ModelSize, gpu_share: float = GPU_SHARE) -> Cost:
    """Says what some work takes on the assumed card.

    Prefilling is bound by arithmetic: 2 FLOP a parameter and distinct token. Decoding is bound by memory: each step
    reads all weights once and the cache of every answer under way.

    Args:
        work: What there is to do.
        size: The model.
        gpu_share: Part of the card's memory that the model may take.
    """
    weights, kv = size.weight_bytes, size.kv_bytes_per_token
    room = None if weights is None or kv is None else max(0, int((GPU_BYTES * gpu_share - weights) / kv))
    minutes = None
    if size.parameters is not None and weights is not None and kv is not None and work.prompts:
        prefill = 2 * size.parameters * work.distinct_tokens / FLOPS
        together = min(SEQUENCES, work.prompts)
        steps = work.answer_tokens / together
        decode = steps * (weights + together * kv * work.prompt_tokens / work.prompts) / BYTES_PER_SECOND
        minutes = round((prefill + decode) / 60, 2)
    return Cost(
        weight_gb=None if weights is None else round(weights / 1e9, 2),
        kv_kb_per_token=None if kv is None else round(kv / 1e3, 2),
        cache_tokens=room,
        context_length=size.context_length,
        minutes=minutes,
    )


def scaled(work: Work, prompts: int) -> Work:
    """Returns the work of all prompts, given that of some of them.

    Example:
        >>> some = Work(prompts=2, prompt_tokens=30, distinct_tokens=20, longest_prompt=16, answer_tokens=8)
        >>> scaled(some, 10).prompt_tokens
        150
    """
    factor = prompts / work.prompts if work.prompts else 0.0
    return Work(
        prompts=prompts,
        prompt_tokens=round(work.prompt_tokens * factor),
        distinct_tokens=round(work.distinct_tokens * factor),
        longest_prompt=work.longest_prompt,
        answer_tokens=round(work.answer_tokens * factor),
    )
