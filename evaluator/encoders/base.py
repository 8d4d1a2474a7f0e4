"""What an encoder is: texts in, vectors out."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, Protocol, Self, TypeAlias

import numpy as np

from evaluator.records import Record

Vectors: TypeAlias = "np.ndarray[Any, np.dtype[np.float32]]"
"""One text, shape (windows, dimensions): a text that does not fit the encoder at once has several windows."""


class EncoderSpec(Record):
    """Which encoder to load."""

    model: str
    """Hub id, or `local/NAME`."""
    sha: str
    path: str
    """Folder of its files."""


class EncoderInfo(Record):
    """What a loaded encoder says of itself, for provenance."""

    encoder: str
    """Name and SHA, such as `facebook/contriever@0a1b...`."""
    library: str
    """Name and version of what computes the vectors."""
    hardware: str
    dimensions: int
    window_tokens: int
    """Tokens that are encoded together, special ones among them."""
    load_seconds: float


class Encoder(Protocol):
    """A loaded encoder."""

    @property
    def info(self) -> EncoderInfo:
        """Provenance of every vector."""

    def encode(self, texts: Sequence[str]) -> list[Vectors]:
        """Returns the vectors of each text, in order; nothing is cut off.

        Texts are computed in groups, so one vector may differ by a rounding when others are asked for with it. Equal
        calls give equal vectors on one machine.

        Raises:
            RapportError: `load_error` if the encoder cannot encode, `out_of_memory`, `timeout` or `infrastructure` if
                it is gone.
        """

    def peak_rss_mb(self) -> float:
        """Returns the highest resident memory of the encoder's process so far, in MB."""

    def close(self) -> None:
        """Ends the encoder and everything it started; safe to call twice."""

    def __enter__(self) -> Self:
        """Returns the encoder itself."""

    def __exit__(self, *exc: object) -> None:
        """Closes the encoder."""


def pack(vectors: Sequence[Vectors]) -> dict[str, Any]:
    """Writes vectors as a JSON value, without loss.

    Example:
        >>> pack([np.ones((1, 2), np.float32)])
        {'shapes': [[1, 2]], 'numbers': 'AACAPwAAgD8='}
    """
    numbers = b"".join(np.ascontiguousarray(item, "<f4").tobytes() for item in vectors)
    return {"shapes": [list(item.shape) for item in vectors], "numbers": base64.b64encode(numbers).decode()}


def unpack(packed: dict[str, Any]) -> list[Vectors]:
    """Reads what `pack` wrote.

    Example:
        >>> unpack(pack([np.ones((1, 2), np.float32)]))
        [array([[1., 1.]], dtype=float32)]
    """
    numbers = np.frombuffer(base64.b64decode(packed["numbers"]), "<f4")
    ends = np.cumsum([rows * columns for rows, columns in packed["shapes"]], dtype=int)
    return [part.reshape(shape) for part, shape in zip(np.split(numbers, ends)[:-1], packed["shapes"], strict=True)]
