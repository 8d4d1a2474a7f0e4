"""What a data set on the Hub holds at one commit: each path with the hash of its content.

The hash is the Hub's own: git's SHA-1 of the content, or SHA-256 where the Hub keeps the file as a large one. Folders
have hashes too, so that two commits are compared by looking only into the folders that differ.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import NamedTuple

from leaderboard.store.base import BadPath, Operation, Revision, Write, check_path, folders_of


class Entry(NamedTuple):
    """One line of a listing."""

    path: str
    oid: str
    """Hash of the content."""
    folder: bool


class Index(NamedTuple):
    """All files of one revision that the store could have written; a stranger's other files are passed over."""

    revision: Revision
    """The commit."""
    files: Mapping[str, str]
    """Path to hash."""
    folders: Mapping[str, str]
    """Path to hash, for those folders whose hash is known."""

    def below(self, folder: str) -> list[str]:
        """Return the sorted paths of a folder and below; the empty name is the top."""
        prefix = f"{folder}/" if folder else ""
        return sorted(path for path in self.files if path.startswith(prefix))

    def changes(self, operations: Sequence[Operation]) -> list[Operation]:
        """Return the operations that change something.

        Raises:
            BadPath: if a path to write is a folder here, or lies below a file.
        """
        folders = {folder for path in self.files for folder in folders_of(path)} | set(self.folders)
        changes: list[Operation] = []
        for operation in operations:
            held = self.files.get(operation.path)
            if isinstance(operation, Write):
                self._check_room(operation.path, folders)
                if held is None or not is_content(operation.content, held):
                    changes.append(operation)
            elif held is not None:
                changes.append(operation)
        return changes

    def after(self, changes: Iterable[Operation], revision: Revision, large: Set[str]) -> "Index":
        """Return what the commit holds that these changes made out of this one, `large` ones under their SHA-256."""
        files, folders = dict(self.files), dict(self.folders)
        for change in changes:
            if isinstance(change, Write):
                sha256 = change.path in large
                files[change.path] = hashlib.sha256(change.content).hexdigest() if sha256 else git_hash(change.content)
            else:
                del files[change.path]
            for folder in folders_of(change.path):
                folders.pop(folder, None)
        return Index(revision, files, folders)

    def changed(self, other: "Index") -> tuple[str, ...]:
        """Return the sorted paths whose content is another one in the other revision."""
        paths = {*self.files, *other.files}
        return tuple(sorted(path for path in paths if self.files.get(path) != other.files.get(path)))

    def _check_room(self, path: str, folders: set[str]) -> None:
        if path in folders:
            raise BadPath(path, "a folder has that name in the store")
        for folder in folders_of(path):
            if folder in self.files:
                raise BadPath(path, f"{folder!r} is not a folder in the store")


NOTHING = Index(Revision("0" * 40), {}, {})
"""What there is before the first commit."""


def full_index(revision: Revision, entries: Iterable[Entry]) -> Index:
    """Return the index of a revision from a listing of all that it holds.

    Example:
        >>> listing = [Entry("a", "01", True), Entry("a/b", "02", False), Entry(".gitattributes", "03", False)]
        >>> full_index(NOTHING.revision, listing).files
        {'a/b': '02'}
    """
    allowed = [entry for entry in entries if _is_allowed(entry.path)]
    files = {entry.path: entry.oid for entry in allowed if not entry.folder}
    return Index(revision, files, {entry.path: entry.oid for entry in allowed if entry.folder})


def next_index(old: Index, revision: Revision, list_folder: Callable[[str], Iterable[Entry]]) -> Index:
    """Return the index of another revision, looking only into folders that differ from the old one.

    Args:
        old: what is known.
        revision: what is wanted.
        list_folder: lists what lies directly in a folder at that revision; the empty name is the top.
    """
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    same: set[str] = set()
    to_list = [""]
    while to_list:
        for entry in list_folder(to_list.pop()):
            if not _is_allowed(entry.path):
                continue
            if not entry.folder:
                files[entry.path] = entry.oid
                continue
            folders[entry.path] = entry.oid
            if old.folders.get(entry.path) == entry.oid:
                same.add(entry.path)
            else:
                to_list.append(entry.path)
    for kept, into in ((old.files, files), (old.folders, folders)):
        into.update((path, oid) for path, oid in kept.items() if any(folder in same for folder in folders_of(path)))
    return Index(revision, files, folders)


def git_hash(content: bytes) -> str:
    """Return git's name of a content.

    Example:
        >>> git_hash(b"")
        'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
    """
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def is_content(content: bytes, oid: str) -> bool:
    """Tell whether a content has this hash, be it git's or SHA-256."""
    return (git_hash(content) if len(oid) == 40 else hashlib.sha256(content).hexdigest()) == oid


def _is_allowed(path: str) -> bool:
    try:
        check_path(path)
    except BadPath:
        return False
    return True
