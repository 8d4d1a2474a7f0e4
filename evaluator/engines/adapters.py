"""LoRA adapters: what one asks of the engine, and which ones are refused because they would be applied wrongly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from evaluator.engines.adapter_settings import CONFIG_FILE, WEIGHTS_FILE, Adapter, check_adapter_settings
from evaluator.engines.adapter_shapes import PACKED, check_low_rank, check_shapes
from evaluator.errors import Cause, RapportError


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
    check_shapes(adapter.name, _shapes(adapter / WEIGHTS_FILE), weights)


def _shapes(file: Path) -> dict[str, tuple[int, int]]:
    """Returns the rows and columns of every matrix in a safetensors file that holds plain numbers."""
    with safe_open(str(file), framework="numpy") as weights:
        slices = {name: weights.get_slice(name) for name in weights.keys()}  # noqa: SIM118 (no mapping)
        return {
            name: (shape[0], shape[1])
            for name, part in slices.items()
            if len(shape := part.get_shape()) == 2 and part.get_dtype() != PACKED
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
    check_low_rank(folder.name, names)
