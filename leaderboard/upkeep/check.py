"""Looks at all three stores, and puts right what can be derived from what is sound; rows are never deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from leaderboard.open_data.cleaning import Secrets
from leaderboard.store.open import Names, Stores
from leaderboard.upkeep.archive_check import Progress, check_archive
from leaderboard.upkeep.findings import Finding, FindingKind, Found
from leaderboard.upkeep.public_check import check_public
from leaderboard.upkeep.writing import Writer, last_mark

_HIDING = (FindingKind.UNREADABLE, FindingKind.NEWER, FindingKind.MISPLACED)
"""Findings of the archive after which it is not known what else it holds."""
_WORDS = "repaired what can be derived"


def check_stores(
    stores: Stores,
    names: Names,
    secrets: Secrets,
    *,
    repair: bool = False,
    tell: Callable[[Progress], None] = lambda progress: None,
    judges: Path | None = None,
) -> Iterator[Finding]:
    """Yields everything that is wrong.

    Args:
        stores: The three data sets; if they are to be repaired, with their publisher at rest.
        names: What they are called.
        secrets: Texts that must not appear in public.
        repair: Whether to put right what can be; a finding says whether it was.
        tell: Told after each submission of the archive.
        judges: A folder of judges beside those that ship.

    Raises:
        Conflict: If somebody else writes to a store that is being repaired.
        StoreError: If a store as a whole cannot be read or written.
    """
    writer = Writer(stores.archive, last_mark(stores.archive)) if repair else None
    whole = True
    for each in check_archive(stores.archive, tell):
        # What is written again from its rows hides nothing, whatever stands there now.
        whole = whole and (each.finding.kind not in _HIDING or each.finding.repairable)
        yield _dealt_with(each, writer)
    if writer:
        writer.flush(_WORDS)
    writers = {name: Writer(getattr(stores, name)) for name in ("results", "requests")} if repair else {}
    for each in check_public(stores, names, secrets, judges, whole=whole):
        yield _dealt_with(each, writers.get(each.finding.data_set))
    for public in writers.values():
        public.flush(_WORDS)


def _dealt_with(each: Found, writer: Writer | None) -> Finding:
    """Repairs a finding if it can be and is to be."""
    if writer is None or not each.finding.repairable:
        return each.finding
    writer.put(each.repair, _WORDS)
    return each.finding.model_copy(update={"repaired": True})
