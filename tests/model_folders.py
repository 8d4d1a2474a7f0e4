"""Folders that look like models and adapters, for what looks at them without loading them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from tests.safetensors_files import weights_file

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "dtype": "bfloat16",
    "hidden_size": 8,
    "max_position_embeddings": 131_072,
    "model_type": "llama",
    "num_attention_heads": 2,
    "num_hidden_layers": 1,
    "num_key_value_heads": 1,
}
"""Settings of a very small model with a long context."""
WEIGHTS = weights_file({"model.layers.0.self_attn.q_proj.weight": ("BF16", (8, 8))}).decode("latin-1")
"""A file that holds one matrix; every byte of it is a character below 128."""
LORA = weights_file(
    {
        f"base_model.model.model.layers.0.self_attn.q_proj.lora_{side}.weight": ("BF16", shape)
        for side, shape in (("A", (4, 8)), ("B", (8, 4)))
    }
).decode("latin-1")


def make_model_folder(models: Path, name: str = "tiny", *, leave_out: Iterable[str] = (), **files: str) -> Path:
    """Writes a folder that looks like a chat model; `files` maps names, dots written as `__`, to other contents."""
    folder = models / name
    folder.mkdir(parents=True)
    contents = {
        "config.json": json.dumps(CONFIG),
        "model.safetensors": WEIGHTS,
        "tokenizer_config.json": json.dumps({"chat_template": "{{ messages }}"}),
    }
    contents |= {file.replace("__", "."): text for file, text in files.items()}
    for file, text in contents.items():
        if file not in set(leave_out):
            (folder / file).write_text(text, encoding="utf-8")
    return folder


def make_adapter_folder(models: Path, name: str = "lora", *, leave_out: str = "") -> str:
    """Writes a folder that looks like a LoRA adapter, without one of its files, and returns the adapter's name."""
    folder = models / name
    folder.mkdir(parents=True)
    files = {
        "adapter_config.json": json.dumps({"peft_type": "LORA", "r": 4}),
        "adapter_model.safetensors": LORA,
    }
    for file, text in files.items():
        if file != leave_out:
            (folder / file).write_text(text, encoding="utf-8")
    return f"local/{name}"
