"""How many parameters a model has, counted in the headers of its files, packed ones unpacked."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from evaluator.safetensors_headers import Tensor

_WHOLE = ("F32", "F16", "BF16", "F64")
_SMALL_FLOATS = ("F8_E5M2", "F8_E4M3", "F8_E4M3FNUZ", "F8_E5M2FNUZ")
_PACKED = ("U8", "I8", "I32")
"""Whole numbers into which quantised weights of fewer bits are packed."""
_BESIDES = re.compile(
    r"(scales?|scale_inv|scale_\d+|zeros|zero_point|g_idx|absmax|quant_map|SCB|weight_format|weight_shape)$|quant_state"
)
"""Names of what belongs to quantised weights without being one."""
_LONGEST_METHOD = 50


class Quantisation(NamedTuple):
    """How a model's weights were made smaller."""

    method: str
    """As its `config.json` names it."""
    bits: int | None
    """Of one weight; None where its `config.json` does not tell."""


class Count(NamedTuple):
    """What was counted."""

    parameters: int | None
    """None where packed weights do not tell how many they are."""
    by_type: tuple[tuple[str, int], ...]
    """Stored numbers by type, the most first."""


def quantisation(config: Mapping[str, Any]) -> Quantisation | None:
    """Returns how a model was quantised; None for one that was not.

    Example:
        >>> quantisation({"quantization_config": {"quant_method": "gptq", "bits": 4}})
        Quantisation(method='gptq', bits=4)
        >>> quantisation({}) is None
        True
    """
    text = config.get("text_config")
    settings = config.get("quantization_config") or (isinstance(text, dict) and text.get("quantization_config"))
    if not settings:
        return None
    fields = settings if isinstance(settings, dict) else {}
    method = fields.get("quant_method")
    named = method if isinstance(method, str) and method.isprintable() else "of an unknown kind"
    return Quantisation(named[:_LONGEST_METHOD], _bits(named, fields))


def _bits(method: str, fields: Mapping[str, Any]) -> int | None:
    """Returns the bits of one weight."""
    if method == "mxfp4" or fields.get("load_in_4bit") is True:
        return 4
    if fields.get("load_in_8bit") is True:
        return 8
    groups = fields.get("config_groups")
    first = next(iter(groups.values()), None) if isinstance(groups, dict) else None
    weights = first.get("weights") if isinstance(first, dict) else None
    found = weights.get("num_bits") if isinstance(weights, dict) else fields.get("bits")
    return found if found in (2, 3, 4, 8) and type(found) is int else None


def count(tensors: Mapping[str, Tensor], quantised: Quantisation | None) -> Count:
    """Counts parameters.

    Args:
        tensors: All tensors of a model.
        quantised: How it was quantised, if it was: weights packed into whole numbers are then counted one by one, and
            scales and the like are not.

    Example:
        >>> count({"w": Tensor("BF16", (4, 2), 16)}, None)
        Count(parameters=8, by_type=(('BF16', 8),))
        >>> count({"w.qweight": Tensor("I32", (4, 2), 32), "w.scales": Tensor("F16", (2,), 4)}, Quantisation("awq", 4))
        Count(parameters=64, by_type=(('I32', 8), ('F16', 2)))
    """
    by_type: Counter[str] = Counter()
    for tensor in tensors.values():
        by_type[tensor.dtype] += _numbers(tensor)
    weights = [
        _weights(tensor, quantised)
        for name, tensor in tensors.items()
        if quantised is None or not _BESIDES.search(name)
    ]
    known = [each for each in weights if each is not None]
    return Count(sum(known) if len(known) == len(weights) else None, tuple(by_type.most_common()))


def _weights(tensor: Tensor, quantised: Quantisation | None) -> int | None:
    """Returns how many parameters a tensor holds; None where it does not tell."""
    if tensor.dtype in _WHOLE or tensor.dtype in _SMALL_FLOATS:
        return _numbers(tensor)
    if quantised is None or tensor.dtype not in _PACKED:
        return 0  # Counters and masks.
    return None if quantised.bits is None else 8 * tensor.bytes // quantised.bits


def _numbers(tensor: Tensor) -> int:
    """Returns how many numbers a tensor stores."""
    return math.prod(tensor.shape)
