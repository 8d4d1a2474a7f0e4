"""Commits to the Hub: raced for, refused, doubted, and still made exactly once."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from leaderboard.store import (
    Conflict,
    Delete,
    Operation,
    StoreCorrupt,
    StoreForbidden,
    StoreFull,
    StoreGone,
    StoreUnavailable,
    Write,
)
from leaderboard.store.hub import HubStore
from tests.hub_server import Account, Client, Cut, Drop, Lag, LocalHub, Refuse, Slow
from tests.hub_server.faults import Fault
from tests.store import hub_processes
from tests.store.conftest import READER, WRITER, OpenHub
from tests.waiting import at_once, until

COMMIT = "POST .*/commit/"


def name_of(store: HubStore) -> str:
    return store._client.place.removeprefix("hub://")


def impatient(open_hub: OpenHub, **options: object) -> HubStore:
    """A store that does not wait between its tries."""
    return open_hub(pause=lambda _: None, **options)


def commits_answered(hub: LocalHub) -> list[int]:
    return [status for method, path, status in hub.answers if method == "POST" and "/commit/" in path]


def test_a_commit_takes_three_calls_however_many_files_it_has(hub: LocalHub, open_hub: OpenHub) -> None:
    store = open_hub()
    store.head()
    hub.requests.clear()
    store.commit([Write(f"rows/{n}.jsonl", b"{}") for n in range(100)], "a hundred files")
    assert [path.rsplit("/", 2)[-2:] for path in hub.asked()] == [
        [name_of(store).split("/")[1], "refs"],
        ["preupload", "main"],
        ["commit", "main"],
    ]


@pytest.mark.parametrize("fault", [Cut(), Refuse(500, late=True), Refuse(504, late=True)])
def test_a_commit_whose_answer_was_lost_is_recognised(hub: LocalHub, open_hub: OpenHub, fault: Fault) -> None:
    store = impatient(open_hub)
    hub.faults.add(COMMIT, fault)
    head = store.commit([Write("a", b"1")], "lost")
    assert len(commits_answered(hub)) == 1
    assert [info.revision for info in store.history()] == [head] == [open_hub().head()]
    assert open_hub().read("a") == b"1"


def test_a_lost_answer_is_no_conflict_even_if_others_have_committed_since(hub: LocalHub, open_hub: OpenHub) -> None:
    other = open_hub()
    # The other writer commits while the first one waits before it tries again.
    store = open_hub(pause=lambda _: other.commit([Write("b", b"2")], "in between") and None)
    start = store.head()
    hub.faults.add(COMMIT, Cut())
    landed = store.commit([Write("a", b"1")], "lost", expected_parent=start)
    assert [info.message for info in store.history()] == ["in between", "lost"]
    assert store.history()[1].revision == landed


PASSING = [Drop(), Cut(), Refuse(429, retry_after=0), Refuse(500), Refuse(503)]
CALLS = [COMMIT, "POST .*/preupload/", "GET .*/refs"]


@pytest.mark.parametrize(
    ("where", "fault"), [(COMMIT, Refuse(412)), *((where, fault) for where in CALLS for fault in PASSING)]
)
def test_a_passing_refusal_is_tried_again(hub: LocalHub, open_hub: OpenHub, where: str, fault: Fault) -> None:
    store = impatient(open_hub)
    store.head()
    hub.faults.add(where, fault, times=2)
    store.commit([Write("a", b"1")], "at last")
    assert [info.message for info in store.history()] == ["at last"]


def test_a_commit_that_arrives_after_all_does_not_arrive_twice(hub: LocalHub, open_hub: OpenHub) -> None:
    store = impatient(open_hub, timeout_seconds=0.2)
    hub.faults.add(COMMIT, Slow(1.0))
    store.commit([Write("a", b"1")], "late")
    until(lambda: len(commits_answered(hub)) == 2, what="both tries are through")
    assert sorted(commits_answered(hub)) == [200, 412]
    assert [info.message for info in store.history()] == ["late"]


def test_a_hub_that_fails_again_and_again_is_told_in_the_end(hub: LocalHub, open_hub: OpenHub) -> None:
    pauses: list[float] = []
    store = open_hub(pause=pauses.append)
    store.head()
    hub.faults.add(COMMIT, Refuse(502), times=1000)
    with pytest.raises(StoreUnavailable, match="502") as caught:
        store.commit([Write("a", b"1")], "never")
    assert "status.huggingface.co" in caught.value.remedy
    assert len(pauses) > 4
    assert len(set(pauses)) == len(pauses)
    assert all(0 <= pause <= 8 for pause in pauses)
    hub.faults.clear()
    assert (store.list(), store.history()) == ([], [])


def test_equal_bytes_of_two_writers_at_once_are_a_conflict(hub: LocalHub, open_hub: OpenHub) -> None:
    """The client skips a commit whose files the Hub already has: the second count of one would be lost."""
    one, other = open_hub(), impatient(open_hub)
    five = one.commit([Write("count", b"5")], "five")
    assert other.head() == five
    one.commit([Write("count", b"6")], "one counts", expected_parent=five)
    hub.faults.add("GET .*/refs", Lag())
    with pytest.raises(Conflict):
        other.commit([Write("count", b"6")], "the other counts", expected_parent=five)


def test_a_head_that_lags_behind_does_not_lead_back(hub: LocalHub, open_hub: OpenHub) -> None:
    store = open_hub()
    first = store.commit([Write("a", b"1")], "first")
    second = store.commit([Write("a", b"2")], "second", expected_parent=first)
    hub.faults.add("GET .*/refs", Lag(), times=2)
    assert (store.head(), store.read("a")) == (second, b"2")
    third = store.commit([Write("b", b"3")], "third", expected_parent=second)
    assert open_hub().head() == third


def test_a_parent_that_is_stale_since_a_moment_is_a_conflict(hub: LocalHub, open_hub: OpenHub) -> None:
    one, other = open_hub(), impatient(open_hub)
    start = one.head()
    hub.faults.add("GET .*/refs", Lag())
    head = one.commit([Write("a", b"1")], "first")
    hub.faults.add("GET .*/refs", Lag())
    with pytest.raises(Conflict) as caught:
        other.commit([Write("b", b"1")], "late", expected_parent=start)
    assert (caught.value.expected, caught.value.actual) == (start, head)


def test_processes_that_count_in_one_file_lose_no_count(hub: LocalHub, open_hub: OpenHub, tmp_path: Path) -> None:
    store = open_hub()
    clients = [Client(hub.url, tmp_path / f"home-{n}") for n in range(2)]
    at_once(
        *(
            lambda client=client: (
                client.run(  # type: ignore[misc]
                    hub_processes.count_up_there, name_of(store), client.home / "copy", WRITER, 6
                ).value
            )
            for client in clients
        )
    )
    assert (store.read("count"), len(store.history())) == (b"12", 12)


def test_processes_with_files_of_their_own_lose_none(hub: LocalHub, open_hub: OpenHub, tmp_path: Path) -> None:
    store = open_hub()
    clients = {name: Client(hub.url, tmp_path / name) for name in "ab"}
    outcomes = at_once(
        *(
            lambda name=name, client=client: (
                client.run(  # type: ignore[misc]
                    hub_processes.write_own, name_of(store), client.home / "copy", WRITER, name, 6
                ).value
            )
            for name, client in clients.items()
        )
    )
    assert outcomes == [None, None]
    assert store.list() == sorted(f"{name}/{n}" for name in "ab" for n in range(6))
    assert len(store.history()) == 12


def test_threads_of_one_process_commit_one_after_the_other(open_hub: OpenHub) -> None:
    store = open_hub()
    at_once(*(lambda n=n: store.commit([Write(f"{n}", b"1")], f"{n}") for n in range(4)))  # type: ignore[misc]
    assert store.list() == ["0", "1", "2", "3"]
    assert open_hub().list() == store.list()


def test_readers_do_not_wait_for_a_writer(hub: LocalHub, open_hub: OpenHub) -> None:
    store = open_hub()
    store.commit([Write("a", b"1")], "there")
    waits = threading.Event()
    hub.faults.add(COMMIT, Refuse(500))
    slow = open_hub("shared", pause=lambda _: waits.wait(30) and None)
    slow.head()
    writer = threading.Thread(target=lambda: slow.commit([Write("b", b"1")], "slowly"))
    writer.start()
    try:
        until(lambda: 500 in commits_answered(hub), what="the writer waits before its second try")
        assert slow.read("a") == b"1"
    finally:
        waits.set()
        writer.join()
    assert open_hub().list() == ["a", "b"]


def test_large_files_are_stored_and_read_like_others(hub: LocalHub, open_hub: OpenHub) -> None:
    content = b"PAR1" + bytes(range(256)) * 40
    store = open_hub()
    head = store.commit([Write("rows/a.parquet", content), Write("rows/empty.parquet", b"")], "parquet")
    assert any("/lfs/" in path for path in hub.asked("PUT"))
    assert open_hub().read("rows/a.parquet") == content == store.read("rows/a.parquet")
    assert open_hub().read("rows/empty.parquet") == b""
    assert store.commit([Write("rows/a.parquet", content)], "again") == head
    assert open_hub().commit([Write("rows/a.parquet", content)], "again") == head


@pytest.mark.parametrize("token", [READER, "hf_unknown"])
def test_a_token_that_may_not_write_is_named_with_what_it_lacks(open_hub: OpenHub, token: str) -> None:
    open_hub().commit([Write("a", b"1")], "there")
    store = open_hub(token=token)
    with pytest.raises(StoreForbidden) as caught:
        store.commit([Write("a", b"2")], "refused")
    assert "HF_TOKEN" in caught.value.remedy
    assert token not in f"{caught.value!r} {caught.value} {caught.value.remedy}"
    assert open_hub().read("a") == b"1"


def test_without_a_token_nothing_is_even_sent(hub: LocalHub, open_hub: OpenHub) -> None:
    store = open_hub(token=None)
    hub.requests.clear()
    with pytest.raises(StoreForbidden, match="without a token"):
        store.commit([Write("a", b"1")], "refused")
    assert hub.requests == []


def test_a_token_of_another_role_sees_what_anyone_sees(hub: LocalHub, open_hub: OpenHub) -> None:
    hub.tokens["hf_none"] = Account("publisher", ("org",), "none")
    open_hub().commit([Write("a", b"1")], "there")
    store = open_hub(token="hf_none")
    assert store.read("a") == b"1"
    with pytest.raises(StoreForbidden):
        store.commit([Write("a", b"2")], "refused")


def test_a_data_set_that_was_deleted_is_named_and_not_made_anew(hub: LocalHub, open_hub: OpenHub) -> None:
    store = open_hub()
    store.commit([Write("a", b"1")], "there")
    hub.repositories.delete("dataset", name_of(store))
    with pytest.raises(StoreGone) as caught:
        store.commit([Write("a", b"2")], "into nothing")
    assert "rapport store create" in caught.value.remedy
    assert hub.repositories.find("dataset", name_of(store)) is None
    assert store.read("a") == b"1"
    assert "there is no store" in store.condition().reason


def test_a_data_set_is_made_once_and_stays_as_it_is(open_hub: OpenHub) -> None:
    store = open_hub()
    store.commit([Write("a", b"1")], "there")
    store.create()
    assert open_hub().list() == ["a"]


@pytest.mark.parametrize("status", [413, 507])
def test_a_hub_without_room_is_full(hub: LocalHub, open_hub: OpenHub, status: int) -> None:
    store = open_hub()
    hub.faults.add(COMMIT, Refuse(status))
    with pytest.raises(StoreFull):
        store.commit([Write("a", b"1")], "too much")
    assert len(commits_answered(hub)) == 1


def test_an_ignored_name_is_named_and_never_left_out_in_silence(hub: LocalHub, open_hub: OpenHub) -> None:
    store = open_hub()
    hub.repositories.commit("dataset", name_of(store), {".gitignore": "*.json\n"})
    with pytest.raises(StoreCorrupt, match=r"\.gitignore.*keeps a\.json out"):
        store.commit([Write("a.json", b"1"), Write("b", b"1")], "half")
    assert store.list() == []


def test_only_what_is_there_is_deleted(hub: LocalHub, open_hub: OpenHub) -> None:
    store, other = open_hub(), open_hub()
    operations: list[Operation] = [Delete("a"), Delete("none"), Write("b", b"1")]
    store.commit([Write("a", b"1")], "there")
    other.commit(operations, "gone")
    assert store.list() == ["b"]
    assert store.history(limit=1)[0].paths == ("a", "b")


def test_no_token_shows_in_errors_or_logs(hub: LocalHub, open_hub: OpenHub, tmp_path: Path) -> None:
    store = open_hub()
    client = Client(hub.url, tmp_path / "home")
    hub.tokens[READER] = Account("visitor", ("org",), "read")
    answer = client.run(hub_processes.fail_in_every_way, name_of(store), tmp_path / "copies", READER)
    assert len(answer.value) >= 7
    assert all("hub://" in said for said in answer.value)
    assert "as a process would log it" in answer.log
    assert READER not in answer.log + "".join(answer.value)
