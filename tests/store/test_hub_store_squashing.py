"""Forgetting on the Hub: what was squashed away is nowhere any more, however often the Hub fails meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from leaderboard.store import Delete, NotFound, StoreBusy, StoreForbidden, StoreGone, StoreUnavailable, Write
from leaderboard.store.hub_budget import Bucket, Budget
from tests.hub_server import Cut, Drop, Lag, LocalHub, Refuse
from tests.hub_server.faults import Fault
from tests.store.conftest import READER, OpenHub
from tests.store.test_hub_store_writing import impatient, name_of

SQUASH = "POST .*/super-squash/"


def kept_on(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


def squashes(hub: LocalHub) -> list[int]:
    return [status for method, path, status in hub.answers if "/super-squash/" in path]


def test_what_was_deleted_and_squashed_is_nowhere_any_more(hub: LocalHub, open_hub: OpenHub, tmp_path: Path) -> None:
    store, reader = open_hub("ours"), open_hub("theirs")
    old = store.commit([Write("answers", b"secret"), Write("kept", b"kept")], "rows")
    assert reader.read("answers") == b"secret"
    store.commit([Delete("answers")], "taken down")
    store.squash("taken down for good")
    assert (reader.list(), reader.read("kept")) == (["kept"], b"kept")
    with pytest.raises(NotFound):
        reader.read("answers")
    repository = hub.repositories.find("dataset", name_of(store))
    assert repository is not None
    for place in (repository.folder, tmp_path / "ours", tmp_path / "theirs"):
        assert b"secret" not in kept_on(place)
    with pytest.raises(StoreUnavailable):
        store._view.at(old)


def test_what_a_killed_process_left_in_the_copy_is_forgotten_by_the_next(open_hub: OpenHub, tmp_path: Path) -> None:
    store, killed = open_hub("ours"), open_hub("shared")
    store.commit([Write("answers", b"secret"), Write("kept", b"kept")], "rows")
    assert killed.read_all(["answers", "kept"])
    index = (tmp_path / "shared/index.json").read_bytes()
    store.commit([Delete("answers")], "taken down")
    store.squash("for good")
    living = open_hub("shared")
    assert living.list() == ["kept"]
    # A process that knew the earlier state fetched the content once more, and was killed before it forgot it.
    killed._view._cache.keep("5ebe2294ecd0e0f08eab7690d2a6ee69f1a4d7cb", b"secret")
    assert b"secret" in kept_on(tmp_path / "shared")
    assert open_hub("shared").head() == store.head()
    (tmp_path / "shared/index.json").write_bytes(index)
    assert open_hub("shared").list() == ["kept"]
    assert b"secret" not in kept_on(tmp_path / "shared")
    assert b"kept" in kept_on(tmp_path / "shared")


@pytest.mark.parametrize("fault", [Cut(), Refuse(500, late=True), Refuse(504, late=True)])
def test_a_squash_whose_answer_was_lost_is_recognised(hub: LocalHub, open_hub: OpenHub, fault: Fault) -> None:
    store = impatient(open_hub)
    store.commit([Write("a", b"1")], "one")
    hub.faults.add(SQUASH, fault)
    head = store.squash("once")
    assert len(squashes(hub)) == 1
    assert [(info.revision, info.message) for info in open_hub().history()] == [(head, "once")]


@pytest.mark.parametrize("fault", [Drop(), Refuse(429, retry_after=0), Refuse(500), Refuse(409)])
def test_a_squash_that_is_refused_in_passing_is_tried_again(hub: LocalHub, open_hub: OpenHub, fault: Fault) -> None:
    store = impatient(open_hub)
    store.commit([Write("a", b"1")], "one")
    hub.faults.add(SQUASH, fault, times=2)
    head = store.squash("at last")
    assert squashes(hub)[-1] == 200
    assert [(info.revision, info.message) for info in open_hub().history()] == [(head, "at last")]
    assert store.head() == head


def test_a_head_that_lags_behind_a_squash_does_not_lead_back(hub: LocalHub, open_hub: OpenHub) -> None:
    store = open_hub()
    store.commit([Write("a", b"1")], "one")
    head = store.squash("forgotten")
    hub.faults.add("GET .*/refs", Lag(), times=1)
    assert (store.head(), store.read("a")) == (head, b"1")
    assert store.commit([Write("b", b"1")], "goes on", expected_parent=head) == open_hub().head()


def test_a_commit_that_was_squashed_away_with_its_answer_is_not_made_twice(hub: LocalHub, open_hub: OpenHub) -> None:
    other = open_hub()
    store = open_hub(pause=lambda _: other.squash("in between") and None)
    store.head()
    hub.faults.add("POST .*/commit/", Cut())
    head = store.commit([Write("a", b"1")], "lost")
    assert [(info.revision, info.message) for info in open_hub().history()] == [(head, "in between")]
    assert open_hub().read("a") == b"1"


def test_what_others_commit_during_a_squash_is_kept(hub: LocalHub, open_hub: OpenHub) -> None:
    other = open_hub()
    store = open_hub(pause=lambda _: other.commit([Write("b", b"2")], "in between") and None)
    store.commit([Write("a", b"1")], "one")
    hub.faults.add(SQUASH, Cut())
    landed = store.squash("forgotten")
    assert [info.message for info in open_hub().history()] == ["in between", "forgotten"]
    assert open_hub().history()[1].revision == landed
    assert store.list() == open_hub().list() == ["a", "b"]


def test_a_squash_counts_as_a_commit(hub: LocalHub, open_hub: OpenHub) -> None:
    store = open_hub(budget=Budget(Bucket(1, 1 / 60), Bucket(1e9, 1.0), lambda: 0.0))
    store.squash("one")
    with pytest.raises(StoreBusy) as caught:
        store.squash("two")
    assert (caught.value.seconds, len(squashes(hub))) == (60, 1)


def test_who_may_not_write_may_not_forget(hub: LocalHub, open_hub: OpenHub) -> None:
    store = open_hub()
    head = store.commit([Write("a", b"1")], "one")
    with pytest.raises(StoreForbidden) as caught:
        open_hub(token=READER).squash("refused")
    assert "HF_TOKEN" in caught.value.remedy
    asked = len(hub.requests)
    with pytest.raises(StoreForbidden, match="without a token"):
        open_hub(token=None).squash("not even sent")
    assert (len(hub.requests), store.head()) == (asked, head)
    hub.repositories.delete("dataset", name_of(store))
    with pytest.raises(StoreGone):
        store.squash("into nothing")
