"""Python's collector of cycles, which stops everything while it walks all that there is."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa


@contextmanager
def uncollected() -> Iterator[None]:
    """Keeps the collector of cycles away while much is made that stays, and has no cycles.

    It would walk all of it again and again as it becomes more: a fifth of the time of an import, most of that of a
    large board.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def never_walked() -> None:
    """Has the collector of cycles pass over all that there is: a large board, which takes it a second without a page.

    Cycles among what is there by now are never freed, so this is for a process that has just built such a board. What
    Arrow and the C library keep for later, and may never need, is given back as well: a tenth of all.
    """
    gc.freeze()
    pa.default_memory_pool().release_unused()
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):  # There is one in glibc alone.
        trim(0)
