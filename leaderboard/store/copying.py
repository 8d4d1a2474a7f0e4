"""Copies one store's files into another: backups, and sites that are made again from one.

A copy is made of many commits, and each says whose copy it is and whether files are still missing. So a copy that was
interrupted goes on where it stopped, is not taken for a whole one, and no store is overwritten that holds something
else. The writer of either store must be at rest: what changes under way is noticed, and ends the copying.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

from evaluator.errors import Cause, RapportError
from leaderboard.store.base import Conflict, Delete, Operation, Revision, Store, StoreBusy, Write
from leaderboard.store.hashes import git_hash, sha256
from leaderboard.store.paths import folders_of

MOST_FILES = 100
"""Files that one commit brings."""

MOST_BYTES = 8 * 2**20
"""Bytes that one commit brings, unless a single file has more."""

_MOST_DELETIONS = 1000
_READ_AT_ONCE = 25
_MESSAGE = re.compile(r"copy of (?P<name>.+) at [0-9a-f]{40}(?P<rest>, unfinished)?")

Result = TypeVar("Result")


class Progress(NamedTuple):
    """How far a copy has come."""

    looked_at: int
    """Files of the source that the target has by now, or that are about to be sent."""
    files: int
    """Files of the source."""
    sent: int
    """Bytes that were sent."""
    waits: float = 0.0
    """Seconds for which a store wants to be left alone before it goes on."""


class Copied(NamedTuple):
    """What a copy took."""

    files: int
    """Files of the source, all of which the target has."""
    written: int
    """Those of them that had to be sent."""
    deleted: int
    """Files that the target had and the source has not."""
    sent: int
    """Bytes that were sent."""


def copy_store(
    source: Store,
    target: Store,
    name: str,
    *,
    replace: bool = False,
    tell: Callable[[Progress], None] = lambda progress: None,
    pause: Callable[[float], None] = time.sleep,
) -> Copied:
    """Makes the target hold exactly the source's files, and returns once the target's own hashes say so.

    Files that the target has already are not sent. Neither history is copied. A store that takes nothing for a while
    is waited for, however long that is.

    Args:
        source: What is copied; its writer is at rest.
        target: Where to; empty, or an earlier copy of the same source, whole or not.
        name: What the source is called in the target's history.
        replace: Whether anything else that the target holds may be overwritten.
        tell: Told after each step, and before each wait.
        pause: Waits for some seconds.

    Raises:
        RapportError: `infrastructure` if the target holds something else, the source is itself an unfinished copy, or
            somebody writes to either meanwhile; `data_error` if the target ends up with other contents.
        StoreError: If a store fails; nothing that was copied is lost, and the next try goes on from there.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from leaderboard.store.local import LocalStore
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     one, other = LocalStore(Path(folder, "one")), LocalStore(Path(folder, "other"))
        ...     _ = one.commit([Write("a", b"1"), Write("b", b"2")], "two files")
        ...     copy_store(one, other, "one"), other.list()
        (Copied(files=2, written=2, deleted=0, sent=2), ['a', 'b'])
    """
    return _Copy(source, target, name, tell, pause).make(replace=replace)


def check_copy(source: Store, target: Store, name: str) -> None:
    """Returns if `copy_store` would begin: nothing is lost by it that is no copy of this source.

    Raises:
        RapportError: `infrastructure` if the target holds something else, or the source is an unfinished copy.
        StoreError: If a store cannot be read.
    """
    _check_whole(source, name)
    _check_target(target, name)


class _Copy:
    """One copy being made."""

    def __init__(
        self,
        source: Store,
        target: Store,
        name: str,
        tell: Callable[[Progress], None],
        pause: Callable[[float], None],
    ) -> None:
        self._source, self._target, self._name = source, target, name
        self._tell, self._pause = tell, pause
        self._contents: dict[str, tuple[str, str]] = {}
        """Path to both names of its content, for the files of the source that were read."""
        self._written = self._deleted = self._sent = self._files = 0

    def make(self, *, replace: bool) -> Copied:
        """See `copy_store`."""
        self._patiently(lambda: _check_whole(self._source, self._name))
        if not replace:
            self._patiently(lambda: _check_target(self._target, self._name))
        begun = self._patiently(lambda: _newest(self._source))
        revision = self._patiently(self._source.head)
        paths = self._patiently(self._source.list)
        self._files = len(paths)
        message = f"copy of {self._name} at {revision}"
        head = self._patiently(self._target.head)
        held = self._patiently(self._target.hashes)
        for operations, last in _with_last(self._commits(paths, held)):
            if last:
                self._check_at_rest(begun)
            head = self._commit(operations, message if last else f"{message}, unfinished", head)
        self._check_at_rest(begun)
        if _is_unfinished(self._patiently(lambda: _newest_message(self._target))):
            # Nothing was left to do but to say so.
            self._patiently(lambda: self._target.squash(message))
        self._verify()
        return Copied(self._files, self._written, self._deleted, self._sent)

    def _commits(self, paths: Sequence[str], held: Mapping[str, str]) -> Iterator[list[Operation]]:
        """Yields what to do, commit by commit.

        What the target has too much goes last, but for a file whose name is a folder's in the source, or a folder's
        whose name is a file's.
        """
        wanted = set(paths)
        wanted_folders = {folder for path in paths for folder in folders_of(path)}
        extra = sorted(set(held) - wanted)
        blocking = [path for path in extra if path in wanted_folders or wanted.intersection(folders_of(path))]
        rest = sorted(set(extra) - set(blocking))
        yield from _deletions(blocking)
        yield from _limited(self._writes(paths, held))
        yield from _deletions(rest)

    def _writes(self, paths: Sequence[str], held: Mapping[str, str]) -> Iterator[Write]:
        """Yields the files that the target has not, or has with another content."""
        for some in _slices(paths, _READ_AT_ONCE):
            contents = self._patiently(lambda some=some: self._source.read_all(some))  # type: ignore[misc]
            for path, content in contents.items():
                self._contents[path] = sha256(content), git_hash(content)
                if held.get(path) not in self._contents[path]:
                    yield Write(path, content)
            self._say()

    def _commit(self, operations: list[Operation], message: str, head: Revision) -> Revision:
        try:
            made = self._patiently(lambda: self._target.commit(operations, message, head))
        except Conflict as error:
            raise _not_at_rest("The target") from error
        for operation in operations:
            if isinstance(operation, Write):
                self._written += 1
                self._sent += len(operation.content)
            else:
                self._deleted += 1
        self._say()
        return made

    def _check_at_rest(self, begun: Revision | None) -> None:
        if self._patiently(lambda: _newest(self._source)) != begun:
            raise _not_at_rest(self._name)

    def _verify(self) -> None:
        """Compares what the target's home says it holds with what was read."""
        held = self._patiently(self._target.hashes)
        wrong = sorted(
            path for path in {*held, *self._contents} if held.get(path, "none") not in self._contents.get(path, ())
        )
        if wrong:
            raise RapportError(
                Cause.DATA_ERROR,
                f"The copy of {self._name} differs from it in {len(wrong)} files, {wrong[0]} among them.",
                "Stop whoever writes to it, and copy again.",
            )

    def _patiently(self, call: Callable[[], Result]) -> Result:
        """Returns what a call returns once no limit is in its way."""
        while True:
            try:
                return call()
            except StoreBusy as error:
                self._say(waits=error.seconds)
                self._pause(error.seconds)

    def _say(self, waits: float = 0.0) -> None:
        self._tell(Progress(len(self._contents), self._files, self._sent, waits))


def _check_whole(source: Store, name: str) -> None:
    if _is_unfinished(_newest_message(source)):
        raise RapportError(
            Cause.INFRASTRUCTURE,
            f"{name} is an unfinished copy: files are missing in it.",
            "Make the copy again from where it came; it goes on where it stopped.",
        )


def _check_target(target: Store, name: str) -> None:
    if not target.list():
        return
    told = _MESSAGE.fullmatch(_newest_message(target))
    if told is None or told["name"] != name:
        raise RapportError(
            Cause.INFRASTRUCTURE,
            f"The target holds something that is no copy of {name}.",
            "Choose an empty place: what is there would be lost.",
        )


def _newest(store: Store) -> Revision | None:
    """Returns the newest commit, asked of the store's home; None before the first."""
    newest = store.history(1)
    return newest[0].revision if newest else None


def _newest_message(store: Store) -> str:
    newest = store.history(1)
    return newest[0].message if newest else ""


def _is_unfinished(message: str) -> bool:
    told = _MESSAGE.fullmatch(message)
    return told is not None and told["rest"] is not None


def _not_at_rest(what: str) -> RapportError:
    return RapportError(
        Cause.INFRASTRUCTURE,
        f"{what} changed while it was being copied.",
        "Stop the publisher, and copy again: it goes on where it stopped.",
    )


def _deletions(paths: Sequence[str]) -> Iterator[list[Operation]]:
    for some in _slices(paths, _MOST_DELETIONS):
        yield [Delete(path) for path in some]


def _slices(paths: Sequence[str], most: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(paths), most):
        yield paths[start : start + most]


def _limited(writes: Iterable[Write]) -> Iterator[list[Operation]]:
    """Yields the writes in lots that are small enough for one commit.

    Example:
        >>> [len(lot) for lot in _limited(Write(f"{number}", b"") for number in range(250))]
        [100, 100, 50]
    """
    lot: list[Operation] = []
    size = 0
    for write in writes:
        if lot and (len(lot) == MOST_FILES or size + len(write.content) > MOST_BYTES):
            yield lot
            lot, size = [], 0
        lot.append(write)
        size += len(write.content)
    if lot:
        yield lot


def _with_last(lots: Iterable[list[Operation]]) -> Iterator[tuple[list[Operation], bool]]:
    """Yields each lot with whether it is the last one.

    Example:
        >>> [last for _, last in _with_last([[], [], []])]
        [False, False, True]
    """
    ahead: list[Operation] | None = None
    for lot in lots:
        if ahead is not None:
            yield ahead, False
        ahead = lot
    if ahead is not None:
        yield ahead, True
