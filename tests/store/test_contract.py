"""What every store promises, whichever backend stands behind it: a new backend joins by a branch of `opened`."""

import string
from collections.abc import Callable
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leaderboard.store import BadPath, Conflict, Delete, LocalStore, NotFound, Operation, Store, StoreError, Write
from leaderboard.store.hashes import is_content
from tests.store.conftest import opener

ALLOWED = string.ascii_letters + string.digits + "._=@+-"

relaxed = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
good_parts = st.text(ALLOWED, min_size=1, max_size=20).filter(lambda part: not part.startswith("."))
bad_parts = st.sampled_from(
    ["", ".", "..", ".hidden", ".tmp-1", "a b", "a\\b", "a\x00", "a\n", "\x7f", "é", "~", "x" * 201]
) | st.text(min_size=1).filter(lambda part: "/" not in part and not set(part) <= set(ALLOWED))


@pytest.fixture(params=["hub", "local"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    """Open one and the same store, as often as it is called."""
    if request.param == "hub":
        return opener(request.getfixturevalue("shared_hub"), tmp_path)
    return lambda: LocalStore(tmp_path / "store")


@pytest.fixture
def store(opened: Callable[[], Store]) -> Store:
    return opened()


def everything(store: Store) -> dict[str, bytes]:
    return {path: store.read(path) for path in store.list()}


def test_an_empty_store_has_a_head_but_no_files_and_no_history(store: Store) -> None:
    assert store.head()
    assert store.list() == []
    assert store.history() == []


def test_what_was_committed_is_read_back_byte_for_byte(store: Store) -> None:
    content = bytes(range(256)) * 3
    store.commit([Write("a.bin", content), Write("empty", b"")], "two files")
    assert store.read("a.bin") == content
    assert store.read("empty") == b""


def test_a_commit_becomes_the_head_that_everyone_sees(opened: Callable[[], Store]) -> None:
    writer, reader = opened(), opened()
    before = reader.head()
    revision = writer.commit([Write("a", b"1")], "first")
    assert revision != before
    assert reader.head() == writer.head() == opened().head() == revision
    assert reader.read("a") == b"1"


def test_the_history_tells_each_commit_newest_first(store: Store) -> None:
    start = store.head()
    first = store.commit([Write("b", b"1"), Write("a", b"1")], "zwei Läufe\nand a second line")
    second = store.commit([Write("c", b"1"), Delete("a")], "third")
    newest, oldest = store.history()
    assert (newest.revision, newest.parent, newest.message, newest.paths) == (second, first, "third", ("a", "c"))
    assert (oldest.revision, oldest.parent, oldest.paths) == (first, start, ("a", "b"))
    assert oldest.message == "zwei Läufe\nand a second line"
    assert newest.time.utcoffset() == timedelta(0) == UTC.utcoffset(None)
    assert newest.time >= oldest.time


def test_the_history_is_no_longer_than_asked_for(store: Store) -> None:
    revisions = [store.commit([Write("a", str(n).encode())], f"{n}") for n in range(5)]
    assert [info.revision for info in store.history(limit=2)] == [revisions[4], revisions[3]]
    assert len(store.history(limit=5)) == len(store.history(limit=6)) == 5
    with pytest.raises(ValueError, match="at least 1"):
        store.history(limit=0)


def test_a_deleted_file_is_gone(store: Store) -> None:
    store.commit([Write("a/b", b"1"), Write("c", b"1")], "two")
    store.commit([Delete("a/b")], "one")
    assert store.list() == ["c"]
    with pytest.raises(NotFound) as caught:
        store.read("a/b")
    assert caught.value.path == "a/b"


def test_a_name_freed_by_one_commit_is_free_for_the_next(store: Store) -> None:
    store.commit([Write("a/b/c", b"1")], "a folder")
    store.commit([Delete("a/b/c")], "nothing")
    store.commit([Write("a", b"2")], "a file")
    store.commit([Delete("a")], "nothing")
    store.commit([Write("a/b/c", b"3")], "a folder again")
    assert everything(store) == {"a/b/c": b"3"}


def test_listing_is_sorted_and_counts_only_whole_folder_names(store: Store) -> None:
    paths = ["run", "runs/10", "runs/9", "runs/a/1", "runs-old/1"]
    store.commit([Write(path, b"") for path in reversed(paths)], "some")
    assert store.list() == sorted(paths)
    assert store.list("runs") == store.list("runs/") == ["runs/10", "runs/9", "runs/a/1"]
    assert store.list("runs/a") == ["runs/a/1"]
    assert store.list("ru") == store.list("run") == store.list("run/x/y") == store.list("none") == []


def test_a_stale_parent_is_a_conflict_and_changes_nothing(store: Store) -> None:
    stale = store.commit([Write("a", b"1")], "first")
    head = store.commit([Write("a", b"2")], "second", expected_parent=stale)
    with pytest.raises(Conflict) as caught:
        store.commit([Write("a", b"3"), Write("b", b"3")], "third", expected_parent=stale)
    assert (caught.value.expected, caught.value.actual) == (stale, head)
    assert (everything(store), store.head(), len(store.history())) == ({"a": b"2"}, head, 2)


def test_a_stale_parent_is_a_conflict_even_when_the_bytes_are_the_same(store: Store) -> None:
    five = store.commit([Write("count", b"5")], "five")
    store.commit([Write("count", b"6")], "one writer counts", expected_parent=five)
    with pytest.raises(Conflict):
        store.commit([Write("count", b"6")], "another writer counts", expected_parent=five)


def test_committing_the_same_again_is_harmless(store: Store) -> None:
    operations: list[Operation] = [Write("a", b"1"), Delete("b")]
    head = store.commit(operations, "once")
    assert store.commit(operations, "twice") == head
    assert store.commit(operations, "thrice", expected_parent=head) == head
    assert store.commit([], "nothing at all") == head
    assert len(store.history()) == 1


def test_only_what_changed_is_in_the_history(store: Store) -> None:
    store.commit([Write("a", b"1"), Write("b", b"1")], "first")
    store.commit([Write("a", b"1"), Write("b", b"2"), Delete("c")], "second")
    assert store.history(limit=1)[0].paths == ("b",)


def test_going_back_to_an_earlier_content_is_a_new_revision(store: Store) -> None:
    revisions = [store.commit([Write("a", content)], "flip") for content in (b"1", b"2", b"1", b"2")]
    assert len(set(revisions)) == 4


@pytest.mark.parametrize(
    "operations",
    [
        [Write("a", b"1"), Write("a", b"2")],
        [Write("a", b"1"), Delete("a")],
        [Write("a", b"1"), Write("a/b", b"1")],
        [Delete("a/b/c"), Write("a", b"1")],
        [Write("fine", b"1"), Write("../bad", b"1")],
        [Write("fine", b"1"), Write("file/below", b"1")],
        [Write("fine", b"1"), Write("folder", b"1")],
    ],
)
def test_operations_that_cannot_stand_together_change_nothing(store: Store, operations: list[Operation]) -> None:
    head = store.commit([Write("file", b"0"), Write("folder/in", b"0")], "before")
    with pytest.raises(BadPath):
        store.commit(operations, "refused")
    assert (everything(store), store.head()) == ({"file": b"0", "folder/in": b"0"}, head)


@pytest.mark.parametrize("path", ["/", "/a", "a/", "", "a//b", "../a", "a/../b", "./a", ".rapport-store/HEAD", "a\\b"])
def test_paths_that_could_lead_elsewhere_are_refused(store: Store, path: str) -> None:
    with pytest.raises(BadPath):
        store.read(path)
    with pytest.raises(BadPath):
        store.commit([Write(path, b"1")], "refused")


@relaxed
@given(before=st.lists(good_parts, max_size=3), bad=bad_parts, after=st.lists(good_parts, max_size=3))
def test_a_path_with_one_bad_part_is_refused_everywhere(
    store: Store, before: list[str], bad: str, after: list[str]
) -> None:
    path = "/".join([*before, bad, *after])
    head = store.head()
    with pytest.raises(BadPath):
        store.read(path)
    with pytest.raises(BadPath):
        store.commit([Write(path, b"1")], "refused")
    with pytest.raises(BadPath):
        store.commit([Delete(path)], "refused")
    if path and not path.endswith("/"):
        with pytest.raises(BadPath):
            store.list(path)
    assert store.head() == head


@relaxed
@given(parts=st.lists(good_parts, min_size=1, max_size=5), content=st.binary())
def test_every_allowed_path_holds_what_was_written(store: Store, parts: list[str], content: bytes) -> None:
    path = "/".join(parts)
    store.commit([Write(path, content)], "there")
    assert store.read(path) == content
    assert store.list() == store.list(parts[0] if len(parts) > 1 else "") == [path]
    store.commit([Delete(path)], "and gone")
    assert store.list() == []


few_paths = st.sampled_from(["a", "b", "d", "d/x", "d/y", "d/e/z"])
writes = st.builds(Write, few_paths, st.sampled_from([b"", b"1", b"2"]))
commits = st.lists(writes | st.builds(Delete, few_paths), max_size=4, unique_by=lambda operation: operation.path)


@relaxed
@given(batches=st.lists(commits, max_size=6))
def test_a_store_behaves_like_a_dictionary(store: Store, batches: list[list[Operation]]) -> None:
    model: dict[str, bytes] = everything(store)
    for batch in batches:
        after = {path: content for path, content in model.items() if Delete(path) not in batch}
        after.update((operation.path, operation.content) for operation in batch if isinstance(operation, Write))
        head = store.head()
        try:
            assert (store.commit(batch, "next") == head) == (after == model)
        except BadPath:
            touched = {operation.path for operation in batch} | set(model)
            assert any(other.startswith(f"{path}/") for path in touched for other in touched)
            after = model
        assert everything(store) == after
        model = after


def test_many_files_are_read_in_one_go(store: Store) -> None:
    contents = {f"rows/{n}": str(n % 7).encode() for n in range(40)}
    store.commit([Write(path, content) for path, content in contents.items()], "many")
    assert store.read_all(contents) == contents
    assert store.read_all(["rows/3", "rows/3"]) == {"rows/3": b"3"}
    assert store.read_all([]) == {}


def test_one_missing_file_among_many_is_named(store: Store) -> None:
    store.commit([Write("a", b"1"), Write("b", b"1")], "two")
    with pytest.raises(NotFound) as caught:
        store.read_all(["a", "missing", "b"])
    assert caught.value.path == "missing"
    with pytest.raises(BadPath):
        store.read_all(["a", "../b"])


def test_hashes_name_what_is_held_now(opened: Callable[[], Store]) -> None:
    store, other = opened(), opened()
    assert store.hashes() == {}
    store.commit([Write("a", b"1"), Write("b/large.parquet", b"PAR1"), Write("gone", b"1")], "three")
    assert list(other.hashes()) == ["a", "b/large.parquet", "gone"]
    other.commit([Write("a", b"2"), Delete("gone")], "changed")
    hashes = store.hashes()
    assert {path: is_content(content, hashes[path]) for path, content in everything(other).items()} == {
        "a": True,
        "b/large.parquet": True,
    }
    assert not is_content(b"1", hashes["a"])
    assert list(hashes) == ["a", "b/large.parquet"]


def test_a_squashed_history_is_one_commit_and_the_files_stay(opened: Callable[[], Store]) -> None:
    store, other = opened(), opened()
    store.commit([Write("b", b"1"), Write("c/d", b"1"), Write("gone", b"secret")], "secret reason")
    before = store.commit([Write("b", b"2"), Delete("gone")], "second")
    assert other.head() == before
    message = "taken down: two Läufe\n\nand more (0123456789abcdef:41)"
    head = store.squash(message)
    for each in (store, other, opened()):
        assert each.head() == head != before
        assert everything(each) == {"b": b"2", "c/d": b"1"}
        (only,) = each.history()
        assert (only.revision, only.parent, only.message, only.paths) == (head, "0" * 40, message, ("b", "c/d"))
        assert only.time.utcoffset() == timedelta(0)


def test_after_a_squash_an_earlier_parent_is_a_conflict_and_the_new_head_is_none(opened: Callable[[], Store]) -> None:
    store, other = opened(), opened()
    before = store.commit([Write("count", b"5")], "five")
    assert (other.head(), other.read("count")) == (before, b"5")
    head = store.squash("forgotten")
    with pytest.raises(Conflict) as caught:
        other.commit([Write("count", b"6")], "late", expected_parent=before)
    assert (caught.value.expected, caught.value.actual) == (before, head)
    newest = other.commit([Write("count", b"6")], "six", expected_parent=head)
    assert [info.message for info in store.history()] == ["six", "forgotten"]
    assert (store.head(), store.read("count"), store.history(1)[0].parent) == (newest, b"6", head)


def test_every_squash_makes_another_head(store: Store) -> None:
    heads = [store.head(), store.squash("nothing there"), store.squash("nothing again")]
    assert [(info.message, info.paths) for info in store.history()] == [("nothing again", ())]
    heads += [store.commit([Write("a", b"1")], "one"), store.squash("first"), store.squash("second")]
    assert len(set(heads)) == 6
    assert (store.list(), [info.message for info in store.history()]) == (["a"], ["second"])


def test_a_store_goes_on_after_a_squash(store: Store) -> None:
    for number in range(3):
        store.commit([Write("a", str(number).encode()), Write(f"only/{number}", b"1")], f"{number}")
        store.squash(f"squash {number}")
    store.commit([Delete("only/0"), Delete("only/1"), Delete("only/2")], "folder")
    assert everything(store) == {"a": b"2"}
    assert [info.message for info in store.history()] == ["folder", "squash 2"]


def test_an_undisturbed_store_is_current_and_takes_commits(store: Store) -> None:
    store.commit([Write("a", b"1")], "first")
    assert store.read("a") == b"1"
    assert (store.condition().current, store.condition().reason, store.condition().commit_in) == (True, "", 0)


def test_every_failure_says_what_to_do_about_it(store: Store) -> None:
    stale = store.head()
    store.commit([Write("a", b"1")], "first")
    failures: list[Callable[[], object]] = [
        lambda: store.read("missing"),
        lambda: store.read("/absolute"),
        lambda: store.commit([Write("a", b"2")], "late", expected_parent=stale),
    ]
    for fail in failures:
        with pytest.raises(StoreError) as caught:
            fail()
        assert str(caught.value) == caught.value.cause
        assert caught.value.remedy.endswith(".")
