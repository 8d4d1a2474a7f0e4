"""What several processes do to one file at once."""

from __future__ import annotations

from leaderboard.store import Conflict, NotFound, Store, Write


def count_up(store: Store, times: int) -> None:
    """Counts in one file, starting anew whenever somebody else was faster."""
    for _ in range(times):
        while True:
            head = store.head()
            try:
                count = int(store.read("count"))
            except NotFound:
                count = 0
            try:
                store.commit([Write("count", str(count + 1).encode())], "count", expected_parent=head)
            except Conflict:
                continue
            break
