"""Deleting on the Hub: thousands of files of a folder are one operation, and no stranger's file goes with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from leaderboard.store import BadPath, Delete, NotFound, Operation, Write
from tests.hub_server import LocalHub
from tests.store.conftest import OpenHub
from tests.store.test_hub_store_writing import name_of


def sent(hub: LocalHub) -> list[tuple[str, str]]:
    """Returns kind and path of the operations of the newest commit that was sent."""
    (body, *_) = [request.body for request in reversed(hub.requests) if "/commit/" in request.path]
    operations: list[dict[str, Any]] = [json.loads(line) for line in body.splitlines() if line.strip()]
    return sorted((one["key"], one["value"]["path"]) for one in operations if one["key"] != "header")


def test_a_folder_of_thousands_of_files_goes_in_one_operation(hub: LocalHub, open_hub: OpenHub) -> None:
    store = open_hub()
    paths = [f"runs/202601/01/r-1/{kind}/{n:04}.jsonl" for kind in ("generations", "verdicts") for n in range(1500)]
    store.commit([Write(path, b"{}") for path in paths] + [Write("runs/202601/01/r-2/plan.json", b"1")], "rows")
    compacted = Write("runs/202601/01/r-3/generations.parquet", b"PAR1")
    head = store.commit([compacted, *map(Delete, paths)], "compacted")
    assert sent(hub) == [("deletedFolder", "runs/202601/01/r-1"), ("lfsFile", compacted.path)]
    for each in (store, open_hub()):
        assert each.list() == ["runs/202601/01/r-2/plan.json", compacted.path]
        assert each.history(1)[0].revision == head
        assert set(each.history(1)[0].paths) == {compacted.path, *paths}
        with pytest.raises(NotFound):
            each.read(paths[0])


def test_a_folder_that_keeps_a_file_is_emptied_file_by_file(hub: LocalHub, open_hub: OpenHub) -> None:
    store = open_hub()
    store.commit([Write(f"run/rows/{n}", b"1") for n in range(3)] + [Write("run/other/1", b"1")], "rows")
    store.commit([Write("run/rows/new", b"1"), *(Delete(f"run/rows/{n}") for n in range(3))], "one is new")
    assert sent(hub) == [("deletedFile", f"run/rows/{n}") for n in range(3)] + [("file", "run/rows/new")]
    store.commit([Write("run/rows/new", b"2"), Delete("run/other/1")], "one file is one file")
    assert sent(hub) == [("deletedFile", "run/other/1"), ("file", "run/rows/new")]
    assert open_hub().list() == ["run/rows/new"]


def test_folders_that_are_emptied_go_as_the_outermost_one(hub: LocalHub, open_hub: OpenHub) -> None:
    store = open_hub()
    store.commit([Write(f"{folder}/{n}", b"1") for folder in ("a/b", "a/c", "a", "d/e") for n in range(2)], "many")
    operations: list[Operation] = [Delete(path) for path in store.list() if path != "d/e/1"]
    store.commit(operations, "all but one")
    assert sent(hub) == [("deletedFile", "d/e/0"), ("deletedFolder", "a")]
    store.commit([Write("a", b"now a file")], "the name is free")
    assert open_hub().list() == ["a", "d/e/1"]


@pytest.mark.parametrize("strange", ["run/.keep", "run/rows/copy of 1", "run/.hidden/x"])
@pytest.mark.parametrize("reopened", [True, False])
def test_a_folder_with_a_strangers_file_stays(hub: LocalHub, open_hub: OpenHub, strange: str, reopened: bool) -> None:
    store = open_hub("copy")
    store.commit([Write(f"run/rows/{n}", b"1") for n in range(3)] + [Write("run/x/1", b"1")], "rows")
    hub.repositories.commit("dataset", name_of(store), {strange: "theirs"})
    if reopened:
        # What is known of strangers is known from the copy too.
        assert len(store.list()) == 4
        store = open_hub("copy")
    store.commit([Delete(path) for path in store.list()], "ours go")
    assert ("deletedFolder", "run") not in sent(hub)
    assert len(sent(hub)) in (2, 4)
    repository = hub.repositories.find("dataset", name_of(store))
    assert repository is not None
    assert set(repository.files(store.head())) == {".gitattributes", strange}
    with pytest.raises(BadPath, match="a folder has that name"):
        store.commit([Write("run", b"1")], "their folder is still there")


def test_a_copy_of_an_earlier_format_is_made_anew(hub: LocalHub, open_hub: OpenHub, tmp_path: Path) -> None:
    store = open_hub("copy")
    store.commit([Write("a/1", b"1"), Write("a/2", b"1")], "two")
    hub.repositories.commit("dataset", name_of(store), {"a/.keep": "theirs"})
    index = tmp_path / "copy/index.json"
    value = json.loads(index.read_bytes()) | {"format": 1, "revision": store.head()}
    del value["foreign"]
    index.write_text(json.dumps(value))
    open_hub("copy").commit([Delete("a/1"), Delete("a/2")], "ours go")
    assert sent(hub) == [("deletedFile", "a/1"), ("deletedFile", "a/2")]
