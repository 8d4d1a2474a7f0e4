"""Safetensors files for what looks at them without loading them, sound and broken, written byte by byte."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

_BYTES = {"F32": 4, "F16": 2, "BF16": 2, "I32": 4, "U8": 1, "I8": 1, "F8_E4M3": 1, "I64": 8}


def header_of(tensors: Mapping[str, tuple[str, tuple[int, ...]]]) -> dict[str, Any]:
    """Returns the header of tensors, type and shape by name, that lie one after the other."""
    header, reached = dict[str, Any](), 0
    for name, (dtype, shape) in tensors.items():
        end = reached + _BYTES[dtype] * math.prod(shape)
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [reached, end]}
        reached = end
    return header


def with_header(header: Any, data: int = 0) -> bytes:
    """Returns a file with a header, text or JSON, and so many bytes after it."""
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(raw).to_bytes(8, "little") + raw + bytes(data)


def weights_file(tensors: Mapping[str, tuple[str, tuple[int, ...]]]) -> bytes:
    """Returns a sound file with some tensors."""
    header = header_of(tensors)
    return with_header(header, max((each["data_offsets"][1] for each in header.values()), default=0))
