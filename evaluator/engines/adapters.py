"""LoRA adapters: what one asks of the engine, and which ones are refused because they would be applied wrongly."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from evaluator.engines.adapter_settings import CONFIG_FILE, MERGE, WEIGHTS_FILE, Adapter, check_adapter_settings
from evaluator.errors import Cause, RapportError

_PACKED = "U8"
"""How bitsandbytes keeps two numbers of four bits in one."""
_PEFT_PREFIX = "base_model.model."
_LOW_RANK = (".lora_A.", ".lora_B.", ".lora_embedding_A", ".lora_embedding_B")


def read_adapter(folder: Path) -> Adapter:
    """Reads what an adapter is, without loading its weights.

    Raises:
        RapportError: `unsafe_format` if it has no safetensors weights or needs code of its own, `load_error` if it is
            broken, larger than rank 256, or more than a plain LoRA.
    """
    adapter = check_adapter_settings(folder.name, _read_settings(folder))
    if not (folder / WEIGHTS_FILE).is_file():
        raise RapportError(
            Cause.UNSAFE_FORMAT,
            f"The adapter {folder.name} has no {WEIGHTS_FILE}; pickled weights are not loaded.",
            "Save the adapter with save_pretrained(), which writes safetensors.",
        )
    _refuse_whole_weights(folder)
    return adapter


def _read_settings(folder: Path) -> dict[str, Any]:
    """Reads the adapter's settings."""
    try:
        settings = json.loads((folder / CONFIG_FILE).read_bytes())
    except (OSError, ValueError):
        settings = None
    if not isinstance(settings, dict):
        raise RapportError(
            Cause.LOAD_ERROR,
            f"The adapter {folder.name} has no {CONFIG_FILE} that tells what it is.",
            "Save the adapter again with save_pretrained().",
        )
    return settings


def check_fits(adapter: Path, model: Path) -> None:
    """Compares the sizes of an adapter's matrices with those of the model's weights, without loading either.

    vLLM itself would fill up matrices that are too small and pass over layers that are not there. Weights that are
    packed, or named otherwise than by the adapter, are left to it. Some architectures keep their weights transposed.

    Raises:
        RapportError: `load_error` if the adapter was made for a model of another size.
    """
    weights = {name: shape for file in sorted(model.glob("*.safetensors")) for name, shape in _shapes(file).items()}
    low_rank = _shapes(adapter / WEIGHTS_FILE)
    deepest = max(map(_layer, weights), default=0)
    for name, (rank, width) in low_rank.items():
        module, found, _ = name.removeprefix(_PEFT_PREFIX).partition(".lora_A.")
        whole = weights.get(f"{module}.weight")
        height = low_rank.get(name.replace(".lora_A.", ".lora_B."), (0, 0))[0]
        if found and (_layer(module) > deepest or whole not in (None, (height, width), (width, height))):
            raise RapportError(
                Cause.LOAD_ERROR,
                f"The adapter {adapter.name} does not fit the model: for {module} it brings a matrix of {height} x "
                f"{width} in rank {rank}, and the model has {'none' if whole is None else f'{whole[0]} x {whole[1]}'}.",
                "Name the very model on which the adapter was trained.",
            )


def _layer(name: str) -> int:
    """Returns the number of the layer to which a weight belongs; 0 if it belongs to none."""
    number = re.search(r"\.(\d+)\.", name)
    return int(number[1]) if number else 0


def _shapes(file: Path) -> dict[str, tuple[int, int]]:
    """Returns the rows and columns of every matrix in a safetensors file that holds plain numbers."""
    with safe_open(str(file), framework="numpy") as weights:
        slices = {name: weights.get_slice(name) for name in weights.keys()}  # noqa: SIM118 (no mapping)
        return {
            name: (shape[0], shape[1])
            for name, part in slices.items()
            if len(shape := part.get_shape()) == 2 and part.get_dtype() != _PACKED
        }


def _refuse_whole_weights(folder: Path) -> None:
    """Refuses weights that are to replace those of the model, such as resized embeddings."""
    try:
        with safe_open(str(folder / WEIGHTS_FILE), framework="numpy") as weights:
            names = sorted(weights.keys())
    except (SafetensorError, OSError) as error:
        raise RapportError(
            Cause.LOAD_ERROR,
            f"The file {WEIGHTS_FILE} of adapter {folder.name} is broken: {error}",
            "Save the adapter again with save_pretrained().",
        ) from error
    whole = [name for name in names if not any(part in name for part in _LOW_RANK)]
    if whole or not names:
        raise RapportError(
            Cause.LOAD_ERROR,
            f"The adapter {folder.name} brings whole weights besides its low-rank ones: {', '.join(whole[:5])}."
            if whole
            else f"The adapter {folder.name} holds no weights.",
            MERGE,
        )
