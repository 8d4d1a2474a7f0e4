"""Whether the matrices of a LoRA adapter fit a model, told from names and shapes: before queueing, and when loaded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from evaluator.engines.adapter_settings import MERGE
from evaluator.errors import Cause, RapportError

PACKED = "U8"
"""How bitsandbytes keeps two numbers of four bits in one."""
Shape = tuple[int, int]
"""Rows and columns of a matrix."""

_PEFT_PREFIX = "base_model.model."
_LOW_RANK = (".lora_A.", ".lora_B.", ".lora_embedding_A", ".lora_embedding_B")


def check_shapes(adapter: str, low_rank: Mapping[str, Shape], weights: Mapping[str, Shape]) -> None:
    """Compares the sizes of an adapter's matrices with those of the model's weights.

    vLLM itself would fill up matrices that are too small and pass over layers that are not there. Weights that are
    packed, or named otherwise than by the adapter, are left to it. Some architectures keep their weights transposed.

    Args:
        adapter: Its name, for errors.
        low_rank: Shape of each of its matrices.
        weights: Shape of each matrix of the model that is not packed.

    Raises:
        RapportError: `load_error` if the adapter was made for a model of another size.

    Example:
        >>> low_rank = {"base_model.model.q.lora_A.weight": (8, 64), "base_model.model.q.lora_B.weight": (32, 8)}
        >>> check_shapes("org/lora", low_rank, {"q.weight": (32, 64)})
    """
    deepest = max(map(_layer, weights), default=0)
    for name, (rank, width) in low_rank.items():
        module, found, _ = name.removeprefix(_PEFT_PREFIX).partition(".lora_A.")
        whole = weights.get(f"{module}.weight")
        height = low_rank.get(name.replace(".lora_A.", ".lora_B."), (0, 0))[0]
        if found and (_layer(module) > deepest or whole not in (None, (height, width), (width, height))):
            raise RapportError(
                Cause.LOAD_ERROR,
                f"The adapter {adapter} does not fit the model: for {module[:200]!r} it brings a matrix of {height} x "
                f"{width} in rank {rank}, and the model has {'none' if whole is None else f'{whole[0]} x {whole[1]}'}.",
                "Name the very model on which the adapter was trained.",
            )


def _layer(name: str) -> int:
    """Returns the number of the layer to which a weight belongs; 0 if it belongs to none."""
    number = re.search(r"\.(\d{1,6})\.", name)
    return int(number[1]) if number else 0


def check_low_rank(adapter: str, names: Iterable[str]) -> None:
    """Refuses weights that are to replace those of the model, such as resized embeddings.

    Args:
        adapter: Its name, for errors.
        names: Those of all its tensors.

    Raises:
        RapportError: `load_error` if there are such, or none at all.
    """
    brought = sorted(names)
    whole = [f"{name[:200]!r}" for name in brought if not any(part in name for part in _LOW_RANK)]
    if whole or not brought:
        raise RapportError(
            Cause.LOAD_ERROR,
            f"The adapter {adapter} brings whole weights besides its low-rank ones: {', '.join(whole[:5])}."
            if whole
            else f"The adapter {adapter} holds no weights.",
            MERGE,
        )
