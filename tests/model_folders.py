"""Folders that look like models and adapters, for what looks at them without loading them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path


def make_model_folder(models: Path, name: str = "tiny", *, leave_out: Iterable[str] = (), **files: str) -> Path:
    """Writes a folder that looks like a chat model; `files` maps names, dots written as `__`, to other contents."""
    folder = models / name
    folder.mkdir(parents=True)
    contents = {
        "config.json": "{}",
        "model.safetensors": "weights",
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
        "adapter_config.json": json.dumps({"peft_type": "LORA", "r": 8}),
        "adapter_model.safetensors": "weights",
    }
    for file, text in files.items():
        if file != leave_out:
            (folder / file).write_text(text, encoding="utf-8")
    return f"local/{name}"
