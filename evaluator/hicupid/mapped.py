"""Rows of an unpacked split, mapped into memory page by page as they are read, and let go of again."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datasets import Dataset


class MappedRows(NamedTuple):
    """A split on disk.

    `datasets` maps it too, but what was read once stays resident until the process ends, so that a data set of four
    times the users would seem to take four times the memory.

    Attributes:
        rows: The split.
        maps: The files that it is read from.
    """

    rows: Dataset
    maps: tuple[mmap.mmap, ...]

    def release(self) -> None:
        """Gives the pages back that were read; reading them again fetches them from the system's cache."""
        for each in self.maps:
            each.madvise(mmap.MADV_DONTNEED)


def map_rows(rows: Dataset) -> MappedRows:
    """Maps the files of a split that `datasets` has unpacked.

    Args:
        rows: A whole split, as `load_dataset` opens it.
    """
    import pyarrow as pa
    from datasets import Dataset
    from datasets.table import InMemoryTable, concat_tables

    maps = []
    for file in rows.cache_files:
        with open(file["filename"], "rb") as opened:
            maps.append(mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ))
    tables = [InMemoryTable(pa.ipc.open_stream(pa.py_buffer(each)).read_all()) for each in maps]
    # The fingerprint is handed on: making a new one would read everything.
    again = Dataset(concat_tables(tables), info=rows.info, split=rows.split, fingerprint=rows._fingerprint)
    return MappedRows(again, tuple(maps))
