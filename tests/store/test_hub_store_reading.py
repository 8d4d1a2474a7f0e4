"""Reading from the Hub: what was read stays readable, what changed is found, what is broken is named."""

from __future__ import annotations

import json
import os
import socket
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from leaderboard.local_hub.repositories import Words, replace
from leaderboard.store import (
    BadPath,
    Delete,
    NotFound,
    StoreCorrupt,
    StoreForbidden,
    StoreGone,
    StoreUnavailable,
    Write,
)
from leaderboard.store.hub import HubStore
from leaderboard.store.hub_words import write_words
from tests.hub_server import Cut, Drop, Hold, LocalHub, Refuse
from tests.store.conftest import WRITER, OpenHub, boundless
from tests.store.test_hub_store_writing import name_of
from tests.waiting import at_once, until


@pytest.fixture
def filled(open_hub: OpenHub) -> HubStore:
    store = open_hub("filled")
    store.commit([Write("a/1", b"one"), Write("a/2", b"two"), Write("b/c/3", b"three")], "three files")
    return store


def down(hub: LocalHub) -> None:
    hub.faults.add("", Drop(), times=1_000_000)


def closed_port() -> str:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{one.getsockname()[1]}"


def test_a_content_is_fetched_once(hub: LocalHub, open_hub: OpenHub, filled: HubStore) -> None:
    assert [open_hub("copy").read("a/1") for _ in range(3)] == [b"one"] * 3
    assert len([path for path in hub.asked("GET") if path.endswith("a/1")]) == 1
    filled.commit([Write("moved", b"one")], "equal content")
    assert open_hub("copy").read("moved") == b"one"
    assert not [path for path in hub.asked("GET") if path.endswith("moved")]


def test_what_one_has_written_oneself_is_not_fetched(hub: LocalHub, filled: HubStore) -> None:
    filled.commit([Write("a/large.parquet", b"PAR1")], "a large one")
    hub.repositories.commit("dataset", name_of(filled), {"a/new": "1"}, title="by hand")
    assert (filled.read("a/1"), filled.read("a/large.parquet")) == (b"one", b"PAR1")
    assert not [path for path in hub.asked() if "/resolve/" in path]


def test_a_head_is_asked_for_no_more_often_than_needed(hub: LocalHub, open_hub: OpenHub, filled: HubStore) -> None:
    now = [0.0]
    store = open_hub(fresh_seconds=5, clock=lambda: now[0])
    for _ in range(100):
        assert store.head() == filled.head()
        assert len(store.list()) == 3
    before = len([path for path in hub.asked() if path.endswith("/refs")])
    filled.commit([Write("new", b"1")], "unseen for a moment")
    assert "new" not in store.list()
    now[0] = 5.0
    assert "new" in store.list()
    assert before < 110  # `filled` asks every time.


def test_only_folders_that_changed_are_listed_anew(hub: LocalHub, open_hub: OpenHub, filled: HubStore) -> None:
    reader = open_hub()
    filled.commit([Write(f"many/{n}/file", b"1") for n in range(30)], "many folders")
    assert len(reader.list()) == 33
    filled.commit([Write("b/c/4", b"four")], "one more")
    hub.requests.clear()
    assert reader.list("b") == ["b/c/3", "b/c/4"]
    assert [path.split("/tree/")[1].split("/", 1)[1:] for path in hub.asked() if "/tree/" in path] == [
        [],
        ["b"],
        ["b%2Fc"],
    ]


def test_a_listing_of_many_pages_is_read_whole(open_hub: OpenHub) -> None:
    paths = sorted(f"rows/{n}" for n in range(1100))
    open_hub().commit([Write(path, b"1") for path in paths], "more than a page")
    assert open_hub().list() == paths


def test_a_hub_that_is_down_is_read_from_the_copy(hub: LocalHub, open_hub: OpenHub, filled: HubStore) -> None:
    reader = open_hub("copy")
    assert (reader.read("a/1"), reader.condition().current) == (b"one", True)
    down(hub)
    opened_while_down = open_hub("copy")
    for store in (reader, opened_while_down):
        assert store.head() == filled.head()
        assert store.list("a") == ["a/1", "a/2"]
        assert store.read("a/1") == b"one"
        condition = store.condition()
        assert not condition.current
        assert condition.stale_since is not None
        assert timedelta(0) <= datetime.now(UTC) - condition.stale_since < timedelta(minutes=5)
        assert "does not answer" in condition.reason
        with pytest.raises(StoreUnavailable, match="does not answer"):
            store.read("a/2")
        with pytest.raises(NotFound):
            store.read("a/none")
        with pytest.raises(BadPath):
            store.read("../a")


def test_a_hub_that_comes_back_is_current_again(hub: LocalHub, open_hub: OpenHub, filled: HubStore) -> None:
    now = [0.0]
    reader = open_hub(clock=lambda: now[0])
    reader.head()
    down(hub)
    assert not reader.list("new")
    assert not reader.condition().current
    hub.faults.clear()
    filled.commit([Write("new/file", b"1")], "meanwhile")
    now[0] += 60
    assert reader.read("new/file") == b"1"
    assert reader.condition() == reader.condition()._replace(stale_since=None, reason="")


def test_a_hub_that_is_down_is_left_alone_for_a_while(hub: LocalHub, open_hub: OpenHub, filled: HubStore) -> None:
    reader = open_hub(clock=lambda: 0.0, pause=lambda _: None)
    reader.read("a/1")
    down(hub)
    reader.head()
    asked = len(hub.requests)
    for _ in range(50):
        assert reader.read("a/1") == b"one"
        with pytest.raises(StoreUnavailable):
            reader.read("a/2")
    assert len(hub.requests) == asked


def test_without_a_copy_a_hub_that_is_down_is_unavailable(tmp_path: Path) -> None:
    store = HubStore("org/results", tmp_path / "copy", endpoint=closed_port(), budget=boundless())
    for look in (store.head, store.list, store.history, lambda: store.read("a")):
        with pytest.raises(StoreUnavailable, match=r"hub://org/results.*ConnectError"):
            look()
    assert not store.condition().current


def test_a_deleted_data_set_is_read_from_the_copy_and_said_to_be_gone(
    hub: LocalHub, open_hub: OpenHub, filled: HubStore
) -> None:
    reader = open_hub("copy")
    reader.read("a/1")
    hub.repositories.delete("dataset", name_of(filled))
    assert reader.read("a/1") == b"one"
    assert "there is no store at hub://" in reader.condition().reason
    with pytest.raises(StoreGone):
        open_hub().head()


def test_a_private_data_set_hides_from_strangers(hub: LocalHub, open_hub: OpenHub, filled: HubStore) -> None:
    hub.repositories.create("dataset", name_of(filled), private=True)
    with pytest.raises(StoreGone, match="private"):
        open_hub(token=None).head()
    assert open_hub().read("a/1") == b"one"


def test_a_gated_data_set_names_its_gate(hub: LocalHub, open_hub: OpenHub, filled: HubStore) -> None:
    hub.repositories.create("dataset", name_of(filled), gated=True)
    with pytest.raises(StoreForbidden, match="gated"):
        open_hub(token=None).read("a/1")


@pytest.mark.parametrize("fault", [Cut(after_bytes=2), Drop(), Refuse(500), Refuse(429, retry_after=0)])
def test_a_fetch_that_fails_in_passing_is_tried_again(
    hub: LocalHub, open_hub: OpenHub, filled: HubStore, fault: Cut | Drop | Refuse
) -> None:
    reader = open_hub(pause=lambda _: None)
    hub.faults.add("/resolve/.*/b/c/3", fault, times=2)
    assert reader.read("b/c/3") == b"three"
    assert reader.condition().current


@pytest.mark.parametrize("damage", [b"", b"two", b"onf"])
def test_a_damaged_copy_is_fetched_anew(hub: LocalHub, open_hub: OpenHub, tmp_path: Path, damage: bytes) -> None:
    store = open_hub("copy")
    store.commit([Write("a", b"one")], "one")
    (content,) = (path for path in (tmp_path / "copy/contents").rglob("*") if path.is_file())
    content.write_bytes(damage)
    assert store.read("a") == b"one" == content.read_bytes()


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"format": 2}', b'{"format": 1, "revision": "0"}'])
def test_a_damaged_index_is_made_anew(
    hub: LocalHub, open_hub: OpenHub, tmp_path: Path, filled: HubStore, damage: bytes
) -> None:
    (tmp_path / "filled/index.json").write_bytes(damage)
    assert open_hub("filled").list() == filled.list()
    assert json.loads((tmp_path / "filled/index.json").read_bytes())["revision"] == filled.head()


def test_half_written_files_are_swept_out_when_their_writer_is_gone(open_hub: OpenHub, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    open_hub("copy")
    for name in ("draft-old", "draft-new"):
        (copy / name).write_bytes(b"half")
    os.utime(copy / "draft-old", (0, 0))
    open_hub("copy").head()
    assert {path.name for path in copy.iterdir()} == {"contents", "index.json", "draft-new"}


def test_what_was_taken_down_leaves_the_copy_too(open_hub: OpenHub, filled: HubStore, tmp_path: Path) -> None:
    reader = open_hub("copy")
    assert reader.read("a/1") == b"one"
    filled.commit([Delete("a/1"), Write("a/2", b"changed")], "taken down")
    assert reader.list("a") == ["a/2"]
    for copy in ("copy", "filled"):
        assert b"one" not in [path.read_bytes() for path in (tmp_path / copy).rglob("*") if path.is_file()]


def test_other_bytes_than_the_hub_lists_are_named(hub: LocalHub, open_hub: OpenHub, filled: HubStore) -> None:
    repository = hub.repositories.find("dataset", name_of(filled))
    assert repository is not None
    file = repository.files(filled.head())["a/1"]
    file.content.write_bytes(b"0ne")
    reader = open_hub()
    with pytest.raises(StoreCorrupt, match="a/1 is damaged") as caught:
        reader.read("a/1")
    assert caught.value.remedy
    assert reader.read("a/2") == b"two"


@pytest.mark.parametrize("refs", [{}, {"side": "0" * 40}, {"main": "../../index"}])
def test_a_data_set_without_a_proper_branch_is_named(
    hub: LocalHub, open_hub: OpenHub, filled: HubStore, refs: dict[str, str]
) -> None:
    repository = hub.repositories.find("dataset", name_of(filled))
    assert repository is not None
    replace(repository.folder / "refs.json", refs)
    with pytest.raises(StoreCorrupt, match="hub://org"):
        open_hub().head()


def test_files_of_strangers_are_passed_over(hub: LocalHub, open_hub: OpenHub, filled: HubStore) -> None:
    strange = {".hidden/x": "1", "a/copy of 1": "1", "a/.tmp": "1", "naïve": "1", "x" * 201: "1"}
    hub.repositories.commit("dataset", name_of(filled), strange, title="by hand")
    for store in (filled, open_hub()):
        assert store.list() == ["a/1", "a/2", "b/c/3"]
        assert store.read("a/1") == b"one"
        with pytest.raises(BadPath):
            store.read("a/.tmp")
    filled.commit([Write("a/4", b"four")], "goes on")
    assert [info.message for info in filled.history()] == ["goes on", "three files"]


def test_a_folder_of_strangers_is_no_place_for_a_file(hub: LocalHub, open_hub: OpenHub, filled: HubStore) -> None:
    hub.repositories.commit("dataset", name_of(filled), {"taken/.keep": "1"})
    for store in (filled, open_hub()):
        with pytest.raises(BadPath, match="a folder has that name"):
            store.commit([Write("taken", b"1")], "refused")


def test_commits_by_hand_are_told_with_what_they_changed(hub: LocalHub, open_hub: OpenHub, filled: HubStore) -> None:
    start = filled.head()
    name = name_of(filled)
    by_hand = hub.repositories.commit("dataset", name, {"a/1": "changed", "a/2": None, "d": "new"}, title="by hand")
    forged = write_words("forged", "0a", ["a/1"])._replace(description='Rapport-Commit: {"paths": 5}')
    words = Words(forged.title, forged.description)
    hub.repositories.commit("dataset", name, {"e": "new"}, words=words)
    filled.commit([Write("f", b"1")], "ours again")
    newest, strange, edited, oldest = open_hub().history()
    assert (newest.paths, newest.parent) == (("f",), strange.revision)
    assert strange.paths == ("e",)
    assert (edited.revision, edited.parent, edited.message) == (by_hand, start, "by hand")
    assert edited.paths == ("a/1", "a/2", "d")
    assert oldest.paths == ("a/1", "a/2", "b/c/3")


def test_a_long_history_is_read_from_its_end(hub: LocalHub, open_hub: OpenHub, filled: HubStore) -> None:
    for number in range(60):
        hub.repositories.commit("dataset", name_of(filled), {"count": str(number)}, title=f"{number}")
    hub.requests.clear()
    assert [info.message for info in filled.history(limit=3)] == ["59", "58", "57"]
    assert len([path for path in hub.asked() if "/commits/" in path]) == 1
    assert len(filled.history(limit=1000)) == 61


def test_a_history_that_was_squashed_reads_on(hub: LocalHub, open_hub: OpenHub, filled: HubStore) -> None:
    reader = open_hub(fresh_seconds=1000)
    assert reader.read("a/1") == b"one"
    hub.repositories.squash("dataset", name_of(filled), "main", Words("squashed"))
    # What the reader knows names a commit that is nowhere any more.
    assert reader.read("a/2") == b"two"
    (only,) = reader.history()
    assert (only.message, only.paths, only.parent) == ("squashed", ("a/1", "a/2", "b/c/3"), "0" * 40)
    assert filled.commit([Write("g", b"1")], "goes on", expected_parent=filled.head()) == filled.head()


def test_whoever_knows_something_does_not_wait_for_another_who_asks(
    hub: LocalHub, open_hub: OpenHub, filled: HubStore
) -> None:
    reader, gate = open_hub(), threading.Event()
    reader.read("a/1")
    asked = len(hub.requests)
    hub.faults.add("/refs", Hold(gate))
    asking = threading.Thread(target=reader.head)
    asking.start()
    try:
        until(lambda: len(hub.requests) > asked, what="a thread is asking")
        assert reader.read("a/1") == b"one"
        assert asking.is_alive()
    finally:
        gate.set()
        asking.join()


def test_many_threads_read_at_once(open_hub: OpenHub, filled: HubStore) -> None:
    reader = open_hub()
    reads = at_once(*(lambda path=path: reader.read(path) for path in ("a/1", "a/2", "b/c/3") * 3))  # type: ignore[misc]
    assert list(reads) == [b"one", b"two", b"three"] * 3


def test_a_copy_that_has_no_room_keeps_nobody_from_reading(
    open_hub: OpenHub, filled: HubStore, tiny_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    filled.commit([Write("big", b"x" * 400_000)], "more than the disk of the reader holds")
    reader = HubStore(
        name_of(filled), tiny_disk / "copy", WRITER, endpoint=filled._client._api.endpoint, budget=boundless()
    )
    assert reader.read("big") == b"x" * 400_000
    assert "no free disk space" in caplog.text


@pytest.mark.parametrize("token", ["hf_a\n", "hf a", "", "hf_é"])
def test_what_can_be_no_token_is_refused_unseen(tmp_path: Path, token: str) -> None:
    with pytest.raises(StoreForbidden) as caught:
        HubStore("org/results", tmp_path, token)
    assert "HF_TOKEN" in caught.value.remedy
    assert not token or token not in f"{caught.value!r}"
