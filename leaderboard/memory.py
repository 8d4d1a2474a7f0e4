"""What is kept of memory: Python's collector of cycles, which stops everything while it walks, and allocators."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager

_ARENA_MAX, _ARENAS = -8, 2


@contextmanager
def uncollected() -> Iterator[None]:
    """Keeps the collector of cycles away while much is made that stays, and has no cycles.

    It would walk all of it again and again as it becomes more: a fifth of the time of an import, most of that of a
    large board.
    """
    was = gc.isenabled()  # Not where another thread has it away: that one brings it back.
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def never_walked() -> None:
    """Has the collector of cycles pass over all that there is: a large board, which takes it a second without a page.

    Cycles among what is there by now are never freed, so this is for once, and not for every board that is built.
    """
    gc.freeze()


def give_back() -> None:
    """Gives back what Arrow and the C library keep for later: after a file of answers that is 30 MB."""
    import pyarrow as pa  # A site that is not set up serves its page without.

    pa.default_memory_pool().release_unused()
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):  # There is one in glibc alone.
        trim(0)


def few_arenas() -> None:
    """Has the C library keep memory for all threads together: of forty each would keep some of its own, for nothing.

    Elsewhere than in glibc nothing is done. The number of the setting, M_ARENA_MAX, is that of its `malloc.h`.
    """
    if setting := getattr(ctypes.CDLL(None), "mallopt", None):
        setting(_ARENA_MAX, _ARENAS)
