"""What a data set on the Hub holds at one commit: each path with the hash of its content.

The hash is the Hub's own: git's SHA-1 of the content, or SHA-256 where the Hub keeps the file as a large one. Folders
have hashes too, so that two commits are compared by looking only into the folders that differ.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import NamedTuple

from leaderboard.store.base import BadPath, Operation, Revision, Write
from leaderboard.store.hashes import git_hash, is_content, sha256
from leaderboard.store.paths import check_path, folders_of


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
    foreign: frozenset[str] = frozenset()
    """What was passed over."""

    def below(self, folder: str) -> list[str]:
        """Return the sorted paths of a folder and below; the empty name is the top."""
        prefix = f"{folder}/" if folder else ""
        return sorted(path for path in self.files if path.startswith(prefix))

    def changes(self, operations: Sequence[Operation]) -> list[Operation]:
        """Return the operations that change something.

        Raises:
            BadPath: if a path to write is a folder here, or lies below a file.
        """
        folders = {folder for path in (*self.files, *self.foreign) for folder in folders_of(path)}
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
                name = sha256 if change.path in large else git_hash
                files[change.path] = name(change.content)
            else:
                del files[change.path]
            for folder in folders_of(change.path):
                folders.pop(folder, None)
        return Index(revision, files, folders, self.foreign)

    def deletions(self, changes: Iterable[Operation]) -> "Deletions":
        """Return what to delete so that these changes come about, with as few operations as there can be.

        A folder is deleted as a whole if nothing is left in it: no file that stays, none of a stranger's, no new one.

        Example:
            >>> from leaderboard.store.base import Delete
            >>> index = Index(NOTHING.revision, {"a/b/1": "01", "a/b/2": "02", "a/3": "03"}, {})
            >>> index.deletions([Delete("a/b/1"), Delete("a/b/2")])
            Deletions(files=[], folders=['a/b'])
            >>> index.deletions([Delete("a/b/1"), Delete("a/3")])
            Deletions(files=['a/3', 'a/b/1'], folders=[])
        """
        changes = list(changes)
        gone = sorted(change.path for change in changes if not isinstance(change, Write))
        kept = [change.path for change in changes if isinstance(change, Write)]
        staying = Counter(folder for path in (*self.files, *self.foreign, *kept) for folder in folders_of(path))
        going = Counter(folder for path in gone for folder in folders_of(path))
        emptied = {folder for folder, count in going.items() if count > 1 and count == staying[folder]}
        whole = {path: next((folder for folder in folders_of(path) if folder in emptied), None) for path in gone}
        return Deletions(
            [path for path, folder in whole.items() if folder is None],
            sorted({folder for folder in whole.values() if folder is not None}),
        )

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


class Deletions(NamedTuple):
    """What a commit takes away, sorted."""

    files: list[str]
    folders: list[str]
    """Whole folders, with all that lies below."""


NOTHING = Index(Revision("0" * 40), {}, {})
"""What there is before the first commit."""


def full_index(revision: Revision, entries: Iterable[Entry]) -> Index:
    """Return the index of a revision from a listing of all that it holds.

    Example:
        >>> listing = [Entry("a", "01", True), Entry("a/b", "02", False), Entry(".gitattributes", "03", False)]
        >>> full_index(NOTHING.revision, listing).files
        {'a/b': '02'}
    """
    entries = list(entries)
    allowed = [entry for entry in entries if _is_allowed(entry.path)]
    files = {entry.path: entry.oid for entry in allowed if not entry.folder}
    folders = {entry.path: entry.oid for entry in allowed if entry.folder}
    return Index(revision, files, folders, frozenset(_foreign(entries)))


def next_index(old: Index, revision: Revision, list_folder: Callable[[str], Iterable[Entry]]) -> Index:
    """Return the index of another revision, looking only into folders that differ from the old one.

    Args:
        old: what is known.
        revision: what is wanted.
        list_folder: lists what lies directly in a folder at that revision; the empty name is the top.
    """
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    foreign: set[str] = set()
    same: set[str] = set()
    to_list = [""]
    while to_list:
        listed = list(list_folder(to_list.pop()))
        foreign.update(_foreign(listed))
        for entry in listed:
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
    foreign.update(path for path in old.foreign if any(folder in same for folder in folders_of(path)))
    return Index(revision, files, folders, frozenset(foreign))


def _foreign(entries: Iterable[Entry]) -> list[str]:
    """Return what a listing has of strangers, files and folders alike."""
    return [entry.path for entry in entries if not _is_allowed(entry.path)]


def _is_allowed(path: str) -> bool:
    try:
        check_path(path)
    except BadPath:
        return False
    return True
