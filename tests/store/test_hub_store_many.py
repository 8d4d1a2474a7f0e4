"""Reading many files from the Hub: some at a time, each once, within what the Hub takes."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from leaderboard.local_hub.repositories import Words
from leaderboard.store import NotFound, StoreBusy, StoreCorrupt, StoreForbidden, StoreGone, StoreUnavailable, Write
from leaderboard.store.hub import HubStore
from leaderboard.store.hub_budget import Bucket, Budget, Meter
from tests.hub_server import Drop, Hold, LocalHub, Refuse
from tests.store.conftest import OpenHub, boundless
from tests.store.test_hub_store_writing import name_of
from tests.waiting import until

ROWS = {f"rows/{n:02}": f"row {n}".encode() for n in range(30)}


@pytest.fixture
def filled(open_hub: OpenHub) -> HubStore:
    store = open_hub("filled")
    store.commit([Write(path, content) for path, content in ROWS.items()], "thirty files")
    return store


def fetched(hub: LocalHub) -> list[str]:
    return [path.split("/resolve/")[1].split("/", 1)[1] for path in hub.asked("GET") if "/resolve/" in path]


def test_files_are_fetched_some_at_a_time_and_each_once(hub: LocalHub, open_hub: OpenHub, filled: HubStore) -> None:
    gate, reader = threading.Event(), open_hub()
    read: dict[str, bytes] = {}
    hub.faults.add("/resolve/", Hold(gate), times=len(ROWS))
    reading = threading.Thread(target=lambda: read.update(reader.read_all(ROWS)))
    reading.start()
    try:
        until(lambda: len(fetched(hub)) == 6, what="six files are being fetched")
    finally:
        gate.set()
        reading.join()
    assert read == ROWS
    assert sorted(fetched(hub)) == sorted(ROWS)
    hub.requests.clear()
    assert reader.read_all(ROWS) == ROWS
    assert fetched(hub) == []


def test_equal_contents_are_fetched_once(hub: LocalHub, open_hub: OpenHub) -> None:
    contents = {f"{n}": str(n % 3).encode() for n in range(12)}
    open_hub().commit([Write(path, content) for path, content in contents.items()], "three contents")
    assert open_hub().read_all(contents) == contents
    assert len(fetched(hub)) == 3


def test_nothing_is_fetched_if_a_file_is_missing(hub: LocalHub, open_hub: OpenHub, filled: HubStore) -> None:
    with pytest.raises(NotFound, match="rows/none"):
        open_hub().read_all([*ROWS, "rows/none"])
    assert fetched(hub) == []


def test_a_failure_ends_it_and_the_next_try_fetches_only_the_rest(
    hub: LocalHub, open_hub: OpenHub, filled: HubStore
) -> None:
    reader = open_hub("copy", pause=lambda _: None)
    hub.faults.add("/resolve/.*rows/2", Drop(), times=1000)
    with pytest.raises(StoreUnavailable, match="does not answer"):
        reader.read_all(ROWS)
    assert not reader.condition().current
    hub.faults.clear()
    answered = {path.rsplit("/", 1)[1] for method, path, status in hub.answers if "/resolve/" in path and status == 200}
    assert len(answered) >= 15
    hub.requests.clear()
    assert open_hub("copy").read_all(ROWS) == ROWS
    assert {path.rsplit("/", 1)[1] for path in fetched(hub)} == {path.rsplit("/", 1)[1] for path in ROWS} - answered


def test_a_damaged_file_among_many_is_named_and_the_rest_is_read(
    hub: LocalHub, open_hub: OpenHub, filled: HubStore
) -> None:
    repository = hub.repositories.find("dataset", name_of(filled))
    assert repository is not None
    repository.files(filled.head())["rows/07"].content.write_bytes(b"truncate")
    reader = open_hub()
    with pytest.raises(StoreCorrupt, match="rows/07 is damaged"):
        reader.read_all(ROWS)
    rest = {path: content for path, content in ROWS.items() if path != "rows/07"}
    assert reader.read_all(rest) == rest


def test_a_history_that_was_squashed_meanwhile_reads_on(hub: LocalHub, open_hub: OpenHub, filled: HubStore) -> None:
    reader = open_hub(fresh_seconds=1000)
    assert reader.read("rows/00") == b"row 0"
    hub.repositories.squash("dataset", name_of(filled), "main", Words("squashed"))
    assert reader.read_all(ROWS) == ROWS


def test_a_data_set_deleted_while_it_is_read_is_named(hub: LocalHub, open_hub: OpenHub, filled: HubStore) -> None:
    reader = open_hub(fresh_seconds=1000)
    assert reader.read_all(["rows/00", "rows/01"])
    hub.repositories.delete("dataset", name_of(filled))
    with pytest.raises(StoreGone):
        reader.read_all(ROWS)
    assert reader.read_all(["rows/00", "rows/01"]) == {"rows/00": b"row 0", "rows/01": b"row 1"}
    with pytest.raises(StoreGone):
        reader.hashes()


def test_a_gate_closed_while_it_is_read_is_named(hub: LocalHub, open_hub: OpenHub, filled: HubStore) -> None:
    reader = open_hub(token=None, fresh_seconds=1000)
    assert reader.list("rows") == sorted(ROWS)
    hub.repositories.create("dataset", name_of(filled), gated=True)
    with pytest.raises(StoreForbidden, match="gated"):
        reader.read_all(ROWS)


def test_calls_that_are_spent_are_waited_for_however_many_files_there_are(
    hub: LocalHub, open_hub: OpenHub, filled: HubStore
) -> None:
    pauses: list[float] = []
    meter = Meter(Bucket(size=5, refill=100.0), clock=lambda: 0.01 * len(pauses))
    reader = open_hub(budget=Budget(calls=meter), pause=pauses.append)
    assert reader.read_all(ROWS) == ROWS
    assert len(pauses) >= len(ROWS) - 5
    assert max(pauses) <= 0.1


def test_stores_of_one_process_share_its_calls_and_not_their_commits(hub: LocalHub, open_hub: OpenHub) -> None:
    meter = Meter(Bucket(size=12, refill=1 / 60), clock=lambda: 0.0)
    one, other = (open_hub(budget=Budget(calls=meter, clock=lambda: 0.0)) for _ in range(2))
    for number in range(3):
        one.commit([Write(f"{number}", b"1")], "nine calls and more")
    with pytest.raises(StoreBusy):
        other.read_all(one.list())
    assert one._budget.take_commit() == other._budget.take_commit() == 0


def test_a_hub_that_wants_to_be_left_alone_is_left_alone_by_all_stores(hub: LocalHub, open_hub: OpenHub) -> None:
    meter = Meter(Bucket(1e9, 1.0), clock=lambda: 0.0)
    one, other = (open_hub(budget=Budget(calls=meter)) for _ in range(2))
    hub.faults.add("/refs", Refuse(429, retry_after=200))
    with pytest.raises(StoreBusy):
        one.head()
    asked = len(hub.requests)
    with pytest.raises(StoreBusy) as caught:
        other.commit([Write("a", b"1")], "not even sent")
    assert (caught.value.seconds, other.condition().commit_in, len(hub.requests)) == (200, 200, asked)


def test_without_a_budget_of_its_own_a_store_shares_the_process_s(tmp_path: Path) -> None:
    one, other = (HubStore(f"org/{name}", tmp_path / name) for name in "ab")
    assert one._budget._calls is other._budget._calls
    assert one._budget._commits is not other._budget._commits
    assert boundless()._calls is not one._budget._calls
