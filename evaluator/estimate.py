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


_TEXT_PARTS = ("text_config", "language_config", "llm_config")
"""Where a model of more than text keeps the settings of its text part."""
_LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
_HEADS = ("num_attention_heads", "n_head", "n_heads")
_WIDTH = ("hidden_size", "n_embd", "d_model")
_CONTEXT = (
    "max_position_embeddings",
    "n_positions",
    "max_seq_len",
    "seq_length",
    "max_target_positions",
    "max_sequence_length",
    "max_seq_length",
    "seq_len",
)
"""Where vLLM looks for the context; the smallest of them counts."""
_STRETCHED_ALREADY = ("su", "longrope", "llama3", "yarn", "deepseek_yarn", "deepseek_llama_scaling")
"""Ways to stretch positions under which the declared context is the stretched one, as vLLM reads it."""
_LARGEST_SETTING = 2**40
"""No size in a model's settings is larger; larger ones are a joke or an attack."""
_LARGEST_STRETCH = 1000


def model_size(config: Mapping[str, Any], weight_bytes: int | None, parameters: int | None = None) -> ModelSize:
    """Reads a model's size off its `config.json`.

    Args:
        config: Its content, whatever a stranger wrote into it.
        weight_bytes: Size of its weights; None where it is not known.
        parameters: Counted in its files; None works them out from bytes and precision, where that is possible.

    Example:
        >>> config = {"num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "hidden_size": 64}
        >>> model_size(config | {"dtype": "bfloat16", "max_position_embeddings": 2048}, 10_000)
        ModelSize(weight_bytes=10000, parameters=5000, kv_bytes_per_token=256, context_length=2048)
    """
    part: Mapping[str, Any] = next((config[name] for name in _TEXT_PARTS if isinstance(config.get(name), dict)), {})
    text = {**config, **part}
    if parameters is None:
        parameters = _parameters(text, weight_bytes)
    return ModelSize(weight_bytes, parameters, _kv_bytes(text), _context(text))


def _parameters(text: Mapping[str, Any], weight_bytes: int | None) -> int | None:
    """Works out parameters where all weights have one precision."""
    stored = text.get("dtype") or text.get("torch_dtype")
    if weight_bytes is None or "quantization_config" in text or stored not in ("bfloat16", "float16", "float32"):
        return None
    return weight_bytes // (4 if stored == "float32" else 2)


def _context(text: Mapping[str, Any]) -> int | None:
    """Returns the tokens of prompt and answer that a model declares, as vLLM derives them."""
    declared = [value for name in _CONTEXT if (value := _whole(text, name))]
    context = _whole(text, "model_max_length") or min(declared, default=None)
    rope = text.get("rope_parameters") or text.get("rope_scaling")
    if context is None or not isinstance(rope, dict) or "gemma3" in str(text.get("model_type"))[:100]:
        return context
    factor = rope.get("factor")
    if rope.get("rope_type", rope.get("type")) in _STRETCHED_ALREADY or not isinstance(factor, int | float):
        return context
    return int(context * factor) if 1 <= factor <= _LARGEST_STRETCH else context


def _kv_bytes(text: Mapping[str, Any]) -> int | None:
    """Returns the bytes of one token in a cache of 16 bits, sliding layers counted whole."""
    layers, heads, width = (
        next((value for name in names if (value := _whole(text, name))), None) for names in (_LAYERS, _HEADS, _WIDTH)
    )
    kinds = text.get("layer_types")
    if isinstance(kinds, list):
        layers = sum(isinstance(kind, str) and "attention" in kind and "linear" not in kind for kind in kinds)
    latent = _whole(text, "kv_lora_rank")
    if latent and layers:
        return 2 * layers * (latent + (_whole(text, "qk_rope_head_dim") or 0))
    if not (layers and heads and width):
        return None
    kv_heads = _whole(text, "num_key_value_heads") or heads
    return 2 * 2 * layers * kv_heads * (_whole(text, "head_dim") or width // heads) or None


def _whole(settings: Mapping[str, Any], name: str) -> int | None:
    """Returns a setting that is a positive whole number of a plausible size."""
    value = settings.get(name)
    return value if type(value) is int and 0 < value < _LARGEST_SETTING else None


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
