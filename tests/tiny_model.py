"""A real, tiny Llama with random weights, made on the spot: for what needs a model but not its sense."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluator.demo_model import open_to_all

_GENERATION_PROMPT = "{% if add_generation_prompt %}<|assistant|>{% endif %}"
_TURNS = "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>{% endfor %}"
CHAT_TEMPLATE = _TURNS + _GENERATION_PROMPT
DATED_TEMPLATE = "{{ strftime_now('%d %B %Y') }} {{ date_string }} " + CHAT_TEMPLATE
BEGIN_TEMPLATE = "{{ bos_token }}" + CHAT_TEMPLATE
REFUSING_TEMPLATE = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    + CHAT_TEMPLATE
)
DROPPING_TEMPLATE = (
    "{% for message in messages if message['role'] != 'system' %}"
    "<|{{ message['role'] }}|>{{ message['content'] }}<|end|>{% endfor %}" + _GENERATION_PROMPT
)
_TAKING_TURNS = (
    "{% for message in messages if message['role'] != 'system' %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Roles must alternate, as in\n  user/assistant.') }}{% endif %}{% endfor %}"
)
MARKERS = ("<think>", "</think>")
THINKING_TEMPLATE = _TAKING_TURNS + CHAT_TEMPLATE + "{% if not enable_thinking %}<think>\n\n</think>\n\n{% endif %}"
"""The model opens its thought itself; told not to think, it is shown an empty one."""
OPENING_TEMPLATE = CHAT_TEMPLATE + "{{ '<think>\n' }}"
"""Every answer begins with a thought, whatever the template is told."""


def make_tokenizer(
    *, chat_template: str | None = CHAT_TEMPLATE, words: Sequence[str] = (), adds_begin: bool = False
) -> Any:
    """Returns a byte-level tokenizer.

    Args:
        chat_template: What turns messages into text.
        words: Further tokens, such as the markers of a thought.
        adds_begin: Whether it puts `<|begin|>` before every text, as many do.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = ["<|end|>", "<|system|>", "<|user|>", "<|assistant|>", *(["<|begin|>"] if adds_begin else [])]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate([*special, *alphabet])}
    core = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    core.add_special_tokens(special)
    core.add_tokens([AddedToken(word, special=False, normalized=False) for word in words])
    begin = "<|begin|>" if adds_begin else None
    if begin:
        core.post_processor = processors.TemplateProcessing(
            single=f"{begin} $A", special_tokens=[(begin, vocabulary[begin])]
        )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token=begin, eos_token="<|end|>", pad_token="<|end|>"
    )
    tokenizer.chat_template = chat_template
    return tokenizer


def make_tiny_model(
    folder: Path,
    *,
    context: int = 4096,
    chat_template: str | None = CHAT_TEMPLATE,
    seed: int = 0,
    words: Sequence[str] = (),
    instead: Mapping[str, str] | None = None,
    window: int | None = None,
) -> Path:
    """Writes a two-layer Llama with a byte-level tokenizer; returns its folder.

    Args:
        folder: Where to.
        context: Tokens of prompt and answer together.
        chat_template: What turns messages into text.
        seed: Decides the weights.
        words: Further tokens, such as the markers of a thought.
        instead: Tokens that are drawn wherever another one would be: new token to old token.
        window: Tokens that a layer looks back at; None is all.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM

    tokenizer = make_tokenizer(chat_template=chat_template, words=words)
    shape: dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "hidden_size": 128,
        "intermediate_size": 256,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": context,
        "bos_token_id": None,
        "eos_token_id": 0,
        "pad_token_id": 0,
        "initializer_range": 0.2,
    }
    torch.manual_seed(seed)
    model = (
        MistralForCausalLM(MistralConfig(**shape, sliding_window=window))
        if window
        else LlamaForCausalLM(LlamaConfig(**shape))
    )
    with torch.no_grad():
        for new, old in (instead or {}).items():
            rows = tokenizer.convert_tokens_to_ids([new, old])
            model.lm_head.weight[rows[0]] = 1.05 * model.lm_head.weight[rows[1]]
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    open_to_all(folder)
    return folder


def make_adapter(folder: Path, *, rank: int = 4, **settings: Any) -> Path:
    """Writes a random LoRA adapter for the tiny Llama; returns its folder.

    Args:
        folder: Where to.
        rank: Rank of its matrices.
        settings: What stands in its configuration besides or instead of the usual.
    """
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(rank)
    sizes = {"self_attn.q_proj": (128, 128), "self_attn.v_proj": (128, 64), "mlp.down_proj": (256, 128)}
    weights = {}
    for layer in range(2):
        for module, (wide, high) in sizes.items():
            name = f"base_model.model.model.layers.{layer}.{module}"
            weights[f"{name}.lora_A.weight"] = torch.randn(rank, wide) * 0.1
            weights[f"{name}.lora_B.weight"] = torch.randn(high, rank) * 0.1
    folder.mkdir(parents=True)
    save_file(weights, folder / "adapter_model.safetensors")
    usual = {
        "peft_type": "LORA",
        "r": rank,
        "lora_alpha": 2 * rank,
        "target_modules": ["q_proj", "v_proj", "down_proj"],
        "bias": "none",
        "modules_to_save": None,
        "auto_mapping": None,
    }
    (folder / "adapter_config.json").write_text(json.dumps(usual | settings))
    open_to_all(folder)
    return folder


def merge_adapter(model: Path, adapter: Path, folder: Path) -> Path:
    """Writes a copy of a tiny model with an adapter worked into its weights; returns its folder."""
    from safetensors.torch import load_file, save_file

    shutil.copytree(model, folder)
    config = json.loads((adapter / "adapter_config.json").read_text())
    weights, low_rank = load_file(folder / "model.safetensors"), load_file(adapter / "adapter_model.safetensors")
    for name in [name for name in low_rank if name.endswith(".lora_A.weight")]:
        module = name.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
        product = low_rank[name.replace("lora_A", "lora_B")] @ low_rank[name]
        weights[f"{module}.weight"] += config["lora_alpha"] / config["r"] * product
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    open_to_all(folder)
    return folder
