"""The ledger's copy in the store: what is left if Redis is lost."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence

from redis import Redis

from evaluator.errors import RapportError
from leaderboard.records import Tombstone
from leaderboard.store import layout
from leaderboard.store.base import Delete, Operation, Store, StoreCorrupt, Write
from leaderboard.store.rows import read_record
from leaderboard.submissions.history import History, withdrawal_of
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.restoring import index, restore_history

log = logging.getLogger("rapport.publisher")

_AT_ONCE = 500
"""Histories that are held in memory together."""


def files_of(history: History) -> Iterator[Operation]:
    """Yields what saves a history: itself, and its withdrawal if it was withdrawn, which lies nowhere else then."""
    yield Write(layout.submission_path(history.submission.id), history.model_dump_json().encode())
    if withdrawal := withdrawal_of(history.events):
        tombstone = Tombstone(
            submission_id=history.submission.id,
            at=withdrawal.at,
            actor=withdrawal.actor,
            reason=withdrawal.text,
        )
        yield Write(layout.tombstone_path(history.submission.id), tombstone.model_dump_json().encode())
        yield Delete(layout.old_tombstone_path(history.submission.id))


def restore(redis: Redis, store: Store) -> int:
    """Merges the ledger with what the store holds; returns how many submissions the store knew better.

    What cannot be read is named in the log and holds up no other: what Redis knows of it will be saved anew.
    """
    ledger, changed, saved = Ledger(redis), 0, set[str]()
    for paths in _pieces(store.list(layout.SUBMISSIONS)):
        stored = list(_stored(store, paths))
        saved |= {history.submission.id for history in stored}
        live = {history.submission.id: history for history in readable(ledger, [each.submission.id for each in stored])}
        changed += sum(_merge(redis, each) for each in stored if live.get(each.submission.id) != each)
    for ids in _pieces(ledger.newest(ledger.count())[::-1]):
        index(redis, readable(ledger, ids), saved)
    return changed


def readable(ledger: Ledger, submission_ids: Sequence[str]) -> list[History]:
    """Reads histories from the ledger; one that cannot be read is named in the log and holds up no other."""
    try:
        return ledger.histories(submission_ids)
    except RapportError as error:
        if len(submission_ids) == 1:
            log.error("%s", error)
            return []
    return [history for each in submission_ids for history in readable(ledger, [each])]


def _stored(store: Store, paths: Iterable[str]) -> Iterator[History]:
    """Reads histories from the store, setting aside what cannot be read."""
    for path in paths:
        try:
            yield read_record(store.read(path), History, path)
        except (RapportError, StoreCorrupt) as error:
            log.error("not restored: %s", error)


def _merge(redis: Redis, saved: History) -> bool:
    """Merges one submission; says whether the store knew it better."""
    merged = restore_history(redis, saved)
    if merged is None:
        return False
    for event in merged.dropped:
        log.warning("dropped from %s, for the store holds another past: %s", saved.submission.id, event)
    return True


def _pieces(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Cuts a list of ids into pieces."""
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]
