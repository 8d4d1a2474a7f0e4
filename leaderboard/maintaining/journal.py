"""The log of what maintainers do, in the archive: in files that are written once, and back from there into Redis."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from redis import Redis
from redis.client import Pipeline

from evaluator.errors import Cause, RapportError
from leaderboard.maintaining.desk import Entry, read_act
from leaderboard.maintaining.records import Act
from leaderboard.maintaining.state import site_of
from leaderboard.store import layout
from leaderboard.store.base import BadPath, NotFound, Store, StoreCorrupt, Write
from leaderboard.store.rows import decode_rows, encode_rows
from leaderboard.submissions import keys

log = logging.getLogger("rapport.publisher")

_NAME = re.compile(r"acts/([0-9]{8,})-([0-9]{8,})\.jsonl", re.ASCII)
_ITS_OWN = (RapportError, NotFound, BadPath, StoreCorrupt)
"""What is wrong with one file; all other errors are about the store as a whole."""


def files_of(entries: Sequence[Entry]) -> Iterator[Write]:
    """Yields the new file that holds some entries, oldest first; where numbers are missing between them, several.

    An entry that cannot be read is kept as it stands, in a file of its own: the archive holds something under its
    number, no other entry is lost with it, and whoever can read it one day has it back.
    """
    together = list[Act]()
    for entry in entries:
        if together and (entry.act is None or entry.place != together[-1].sequence + 1):
            yield _file_of(together)
            together = []
        if entry.act is None:
            yield Write(layout.acts_path(entry.place, entry.place), entry.value + b"\n")
        else:
            together.append(entry.act)
    if together:
        yield _file_of(together)


def _file_of(acts: Sequence[Act]) -> Write:
    """Returns the file of some acts whose numbers follow each other."""
    return Write(layout.acts_path(acts[0].sequence, acts[-1].sequence), encode_rows(acts))


def span_of(path: str) -> tuple[int, int] | None:
    """Returns the first and the last sequence number that a file of the log holds by its path; None for other files.

    Example:
        >>> span_of("acts/00000001-00000020.jsonl"), span_of("acts/notes.txt"), span_of("acts/00000003-00000002.jsonl")
        ((1, 20), None, None)
    """
    named = _NAME.fullmatch(path)
    if named is None:
        return None
    first, last = int(named[1]), int(named[2])
    return (first, last) if 1 <= first <= last and path == layout.acts_path(first, last) else None


def saved_up_to(store: Store) -> int:
    """Returns the last sequence number that an archive holds, by the names of its files; 0 if it holds none."""
    return max((span[1] for path in store.list(layout.ACTS) if (span := span_of(path))), default=0)


def read_acts(content: bytes, path: str) -> list[Act]:
    """Reads a file of the log.

    Raises:
        RapportError: `data_error` if it cannot be read, or holds other entries than its name says.
    """
    acts, span = decode_rows(content, Act, path), span_of(path)
    numbers = [act.sequence for act in acts]
    if span is None or numbers != list(range(span[0], span[1] + 1)):
        raise RapportError(
            Cause.DATA_ERROR, f"{path} does not hold the entries that it is named after.", "Restore it from a backup."
        )
    return acts


class Merged(NamedTuple):
    """What is true of the log after Redis was compared with the archive."""

    acts: tuple[Act | None, ...]
    """By place; None where neither knows any more what was done."""
    dropped: tuple[Act, ...]
    """Acts that stood in Redis alone and do not follow from what the archive holds."""


def merge(saved: Mapping[int, Act], last: int, live: Sequence[Act | None]) -> Merged:
    """Merges the log that the archive holds with that of Redis: the archive's counts, under the numbers that it has.

    Args:
        saved: Acts of the archive by sequence number.
        last: The last sequence number that the archive holds, though it may not be readable.
        live: Those of Redis in order; None for what cannot be read.

    Example:
        >>> merge({}, 0, ())
        Merged(acts=(), dropped=())
    """
    known = dict(enumerate(live, start=1))
    parted = min((at for at, act in saved.items() if known.get(at) not in (None, act)), default=None)
    agree = {at: act for at, act in known.items() if parted is None or at < parted}
    end = max(last, len(live)) if parted is None else last
    acts = tuple(saved.get(at) or agree.get(at) for at in range(1, end + 1))
    dropped = tuple(act for at, act in known.items() if act and acts[at - 1 : at] != (act,))
    return Merged(acts, dropped)


def restore(redis: Redis, store: Store) -> int:
    """Merges the log of Redis with that of the archive, and makes anew what follows from it.

    A file that cannot be read is named in the log of this process and holds up nothing else: its entries keep their
    numbers, and come back with the file. So is an entry of Redis, which stays as it stands if the archive has none yet.

    Returns:
        How many acts the archive knew better.
    """
    saved, last = _saved(store), saved_up_to(store)
    changed: list[int] = []
    holes: list[list[int]] = []

    def put(pipe: Pipeline) -> None:
        values = pipe.lrange(keys.ACTS, 0, -1)
        live = [_live(value) for value in values]
        merged = merge(saved, last, live)
        for act in merged.dropped:
            log.warning("dropped from the log of maintainers, for the store holds another past: %s", act)
        site = site_of(act for act in merged.acts if act).fields()
        unsaved = {at: value for at, value in enumerate(values, start=1) if at > last}
        told = [act.model_dump_json() if act else unsaved.get(at, "") for at, act in enumerate(merged.acts, start=1)]
        pipe.multi()
        pipe.delete(keys.ACTS, keys.SITE)
        if told:
            pipe.rpush(keys.ACTS, *told)
        if site:
            pipe.hset(keys.SITE, items=[part for pair in site.items() for part in pair])
        known = dict(enumerate(live, start=1))
        holes.append([at for at, value in enumerate(told, start=1) if not value])
        changed.append(sum(known.get(at) != act for at, act in enumerate(merged.acts, start=1)))

    redis.transaction(put, keys.ACTS, keys.SITE)
    if holes[-1]:
        log.error("the log of maintainers lacks the entries %s; restore its files from a backup", holes[-1])
    return changed[-1]


def _saved(store: Store) -> dict[int, Act]:
    """Reads the log of an archive, as far as it can be read."""
    found: dict[int, Act] = {}
    for path in store.list(layout.ACTS):
        try:
            acts = read_acts(store.read(path), path)
        except _ITS_OWN as error:
            log.error("not restored: %s", error)
            continue
        for act in acts:
            found.setdefault(act.sequence, act)
    return found


def _live(value: bytes | str) -> Act | None:
    """Reads an act of Redis; None if its place alone is known, or it cannot be read, which is told."""
    try:
        return read_act(value) if value else None
    except RapportError as error:
        log.error("%s The store's copy takes its place, if there is one.", error)
        return None
