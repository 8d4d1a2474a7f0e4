"""Hands finished rows over under a lease, a few at a time, so that little is lost with a machine."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TypeVar

from evaluator.ask import KnownRows
from evaluator.records import Generation, Verdict
from leaderboard.records import Batch, ShardReport
from worker.lease import Lease, Leases
from worker.outbox import Outbox, unjudged

Row = TypeVar("Row")

ROWS = 8
"""A batch is handed over when it holds this many rows,"""
SECONDS = 2.0
"""or when its first row has waited this long."""

_NONE: Mapping[str, int] = MappingProxyType({})


class Handover:
    """The way of rows from a worker to the ledger's outbox: a `RowSink` under a lease.

    Raises:
        StaleLease: From every method that writes, once the lease is lost.
    """

    def __init__(self, leases: Leases, lease: Lease, outbox: Outbox, orders: Mapping[str, int] = _NONE) -> None:
        """Hands over under one lease.

        Args:
            leases: Where.
            lease: The right to.
            outbox: Knows what was handed over before.
            orders: In how many slot orders the answer to each question is judged; it has to name those of answers that
                nobody judges.
        """
        self._leases, self._lease, self._outbox, self._orders = leases, lease, outbox, orders
        self._number = 0
        self._nonce = secrets.token_hex(4)
        self._last = ""
        """The batch that was taken in last."""

    def known_rows(self) -> KnownRows:
        """Returns the rows of this shard that were handed over before."""
        batches = self._outbox.of_shard(self._lease.run_id, self._lease.shard_id)
        return KnownRows(
            {row.input_key: row for batch in batches for row in batch.generations},
            tuple(row for batch in batches for row in batch.verdicts),
        )

    def generations(self, rows: Iterable[Generation]) -> list[Generation]:
        """Hands over generations as they come and returns them all."""
        everything: list[Generation] = []
        for group in _groups(rows):
            self._send(generations=tuple(group))
            everything += group
        return everything

    def verdicts(self, rows: Iterable[Verdict]) -> None:
        """Hands over verdicts as they come."""
        for group in _groups(rows):
            self._send(verdicts=tuple(group))

    def finish(self, report: ShardReport) -> None:
        """Hands over the report, which closes the shard in its lane."""
        self._send(report=report)

    def _send(
        self,
        generations: tuple[Generation, ...] = (),
        verdicts: tuple[Verdict, ...] = (),
        report: ShardReport | None = None,
    ) -> None:
        """Makes a batch whose id is never used twice, not even when a lost Redis counts fencing numbers anew."""
        self._number += 1
        shard = self._lease.shard_id.rsplit(".", 1)[1]
        batch = Batch(
            id=f"{shard}-{self._lease.number:06d}-{self._nonce}-{self._number:04d}",
            run_id=self._lease.run_id,
            shard_id=self._lease.shard_id,
            generations=generations,
            verdicts=verdicts,
            report=report,
        )
        self._leases.hand_over(self._lease, batch, unjudged(batch, self._orders), after=self._last)
        self._last = batch.id


def _groups(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Cuts a stream of rows into groups by number and age; what came before it broke off is a group too."""
    group: list[Row] = []
    begun = time.monotonic()
    try:
        for row in rows:
            begun = begun if group else time.monotonic()
            group.append(row)
            if len(group) >= ROWS or time.monotonic() - begun >= SECONDS:
                yield group
                group = []
    except GeneratorExit:  # It was the taker that broke off, for whom nothing can be done.
        raise
    except BaseException:
        if group:
            yield group
        raise
    if group:
        yield group
