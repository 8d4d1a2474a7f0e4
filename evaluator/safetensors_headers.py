"""What safetensors files hold, read off their headers alone: names, types and shapes of weights, never the weights.

A file begins with the length of its header (eight bytes, the lowest first), then the header, a JSON object that gives
each tensor its type, shape and place in what follows. Files whose places overlap, leave gaps or do not end where the
file does are refused, as the library that loads them does.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeGuard

from evaluator.errors import Cause, RapportError
from evaluator.repositories import Repository, read_settings
from evaluator.untrusted_json import parse_object

INDEX_FILE = "model.safetensors.index.json"
_ENDING = ".safetensors"
_LARGEST_HEADER = 16 * 2**20
"""Bytes; the format allows 100 MB, and the largest header in use is a tenth of this."""
_LARGEST_HEADERS = 64 * 2**20
"""Bytes of all headers of a model."""
_MOST_FILES = 1000
_MOST_TENSORS = 250_000
_MOST_SECONDS = 90
_FIRST_BYTES = 100_000
"""What is read of a file at once: nearly always its whole header."""
_LENGTH = 8
_MOST_DIMENSIONS = 16
_LARGEST_SIZE = 2**53
"""Bytes or numbers; no file has as many, and every program can still count them."""
_AT_ONCE = 8
_BITS = {
    **dict.fromkeys(("F4",), 4),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    **dict.fromkeys(("I16", "U16", "F16", "BF16"), 16),
    **dict.fromkeys(("I32", "U32", "F32"), 32),
    **dict.fromkeys(("I64", "U64", "F64", "C64"), 64),
}
"""Bits of one number of each type that the format knows."""
_CONVERT = "Save the model again with save_pretrained(), which writes safetensors."


class Tensor(NamedTuple):
    """One tensor of a file."""

    dtype: str
    """As the format names it, such as `BF16`."""
    shape: tuple[int, ...]
    bytes: int


def is_weights(name: str) -> bool:
    """Says whether a file holds weights that engines load.

    What Mistral calls consolidated are the same weights under other names, which engines are told to leave alone.

    Example:
        >>> [is_weights(name) for name in ("model.safetensors", "consolidated.safetensors", "onnx/m.safetensors")]
        [True, False, False]
    """
    return name.endswith(_ENDING) and "/" not in name and not name.startswith("consolidated")


def weight_files(repository: Repository) -> list[str]:
    """Returns the files with the model's weights, sorted: those of its index, or all if it has none.

    Raises:
        RapportError: `unsafe_format` if the index leads out of the repository or there are too many files,
            `load_error` if it names a file that is not there.
    """
    name = repository.name
    files = _indexed(repository) if INDEX_FILE in repository.files else sorted(filter(is_weights, repository.files))
    for file in files:
        if not is_weights(file) or "\\" in file:
            raise RapportError(
                Cause.UNSAFE_FORMAT,
                f"{INDEX_FILE} of {name} names {file[:200]!r}, which is no weights file beside it.",
                "Let the index name only safetensors files that stand beside it.",
            )
        if file not in repository.files:
            raise RapportError(
                Cause.LOAD_ERROR, f"{INDEX_FILE} of {name} names {file[:200]!r}, which is not there.", _CONVERT
            )
    if len(files) > _MOST_FILES:
        raise RapportError(
            Cause.UNSAFE_FORMAT, f"{name} has {len(files):,} weight files; at most {_MOST_FILES:,} are read.", _CONVERT
        )
    return files


def _indexed(repository: Repository) -> list[str]:
    """Returns the files that the index names."""
    places = read_settings(repository, INDEX_FILE).get("weight_map")
    if not isinstance(places, dict) or not places or not all(isinstance(file, str) for file in places.values()):
        raise RapportError(
            Cause.LOAD_ERROR, f"{INDEX_FILE} of {repository.name} does not say which file holds which weight.", _CONVERT
        )
    return sorted(set(places.values()))


def read_tensors(repository: Repository, files: Iterable[str]) -> dict[str, Tensor]:
    """Returns all tensors of some files by name, from their headers.

    Args:
        repository: Where they lie.
        files: Safetensors files of it.

    Raises:
        RapportError: `load_error` if a file is broken or two hold a tensor of one name, `unsafe_format` if a header is
            larger than headers are, and what reading ended with.
    """
    budget, found = _Budget(repository.name), dict[str, Tensor]()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        headers = [(file, pool.submit(_read_header, repository, file, budget)) for file in files]
        try:
            for file, header in headers:
                if twice := found.keys() & header.result().keys():
                    raise _broken(repository.name, file, f"{min(twice)[:100]!r} stands in another file, too")
                found |= header.result()
        finally:
            for _, header in headers:
                header.cancel()
    return found


class _Budget:
    """What all headers of a repository together may take."""

    def __init__(self, name: str) -> None:
        """Starts the clock."""
        self._name, self._lock = name, threading.Lock()
        self._bytes, self._tensors, self._until = 0, 0, time.monotonic() + _MOST_SECONDS

    def take(self, size: int = 0, tensors: int = 0) -> None:
        """Notes what a header takes.

        Raises:
            RapportError: `unsafe_format` if it is too much, `infrastructure` if it takes too long.
        """
        with self._lock:
            self._bytes, self._tensors = self._bytes + size, self._tensors + tensors
            too_large = self._bytes > _LARGEST_HEADERS or self._tensors > _MOST_TENSORS
        if too_large:
            raise RapportError(
                Cause.UNSAFE_FORMAT,
                f"The headers of {self._name} are larger than {_LARGEST_HEADERS // 2**20} MB together, or name more "
                f"than {_MOST_TENSORS:,} tensors.",
                _CONVERT,
            )
        if time.monotonic() > self._until:
            raise RapportError(
                Cause.INFRASTRUCTURE,
                f"The Hub took too long over the headers of {self._name}.",
                "This is not about your input; try again in some minutes.",
            )


def _read_header(repository: Repository, file: str, budget: _Budget) -> dict[str, Tensor]:
    """Returns the tensors of one file by name."""
    start = repository.read(file, _FIRST_BYTES)
    if len(start) < _LENGTH:
        raise _broken(repository.name, file, "it is too short to be one")
    length = int.from_bytes(start[:_LENGTH], "little")
    if length > _LARGEST_HEADER:
        raise RapportError(
            Cause.UNSAFE_FORMAT,
            f"{file[:200]!r} of {repository.name} claims a header of {length:,} bytes; at most "
            f"{_LARGEST_HEADER // 2**20} MB are read.",
            _CONVERT,
        )
    budget.take(size=length)
    end = _LENGTH + length
    if len(start) < end and len(start) == _FIRST_BYTES:
        start = repository.read(file, end)
    if len(start) < end:
        raise _broken(repository.name, file, "it ends before its header does")
    try:
        tensors = _tensors(parse_object(start[_LENGTH:end]), repository.files[file], end)
    except ValueError as error:
        raise _broken(repository.name, file, str(error)) from error
    budget.take(tensors=len(tensors))
    return tensors


def _tensors(header: Mapping[str, Any], size: int | None, start: int) -> dict[str, Tensor]:
    """Reads a header, and checks that its tensors fill the rest of the file without a gap.

    Raises:
        ValueError: With the reason why the file is broken.
    """
    placed: list[tuple[int, int]] = []
    found: dict[str, Tensor] = {}
    for name, value in header.items():
        if name != "__metadata__":
            tensor, begin, end = _tensor(name, value)
            found[name] = tensor
            placed.append((begin, end))
    reached = 0
    for begin, end in sorted(placed):
        if begin != reached:
            raise ValueError("its tensors overlap or leave gaps")
        reached = end
    if size is not None and start + reached != size:
        raise ValueError(f"its tensors end at byte {start + reached:,}, and the file at {size:,}")
    return found


def _tensor(name: str, value: Any) -> tuple[Tensor, int, int]:
    """Reads one entry of a header: the tensor, and where it begins and ends."""
    named = f"tensor {name[:100]!r}"
    fields = value if isinstance(value, dict) else {}
    dtype, shape, offsets = (fields.get(field) for field in ("dtype", "shape", "data_offsets"))
    if not isinstance(dtype, str) or dtype not in _BITS:
        raise ValueError(f"{named} is of an unknown type")
    if not (_sizes(shape) and _sizes(offsets) and len(offsets) == 2 and offsets[0] <= offsets[1]):
        raise ValueError(f"{named} has no proper shape or place")
    begin, end = offsets
    if math.prod(shape) * _BITS[dtype] != 8 * (end - begin):
        raise ValueError(f"{named} does not fill its place")
    return Tensor(dtype, tuple(shape), end - begin), begin, end


def _sizes(value: Any) -> TypeGuard[list[int]]:
    """Says whether a value is a short list of whole numbers that could be sizes in a file."""
    return (
        isinstance(value, list)
        and len(value) <= _MOST_DIMENSIONS
        and all(type(size) is int and 0 <= size < _LARGEST_SIZE for size in value)
    )


def _broken(name: str, file: str, reason: str) -> RapportError:
    """Says that a file is no safetensors file."""
    return RapportError(
        Cause.LOAD_ERROR, f"{file[:200]!r} of {name} is no sound safetensors file: {reason}.", "Upload the file again."
    )
