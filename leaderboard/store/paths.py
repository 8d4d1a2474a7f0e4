"""Which paths a store keeps, and which operations may share a commit: one rule for all backends."""

import re
from collections.abc import Sequence

from leaderboard.store.base import MAX_PATH_LENGTH, BadPath, Operation

MAX_PART_LENGTH = 200
"""Longest name of one file or folder, in characters; leaves room for the suffixes that tools add to a name."""

_PART = re.compile(r"[A-Za-z0-9._=@+-]+")


def check_path(path: str) -> str:
    """Return the path unchanged if every backend can keep a file under it.

    A name that starts with a dot is refused because such names belong to the backends (temporary files, lock files,
    a Hub repository's own settings).

    Args:
        path: a POSIX path relative to the store's root.

    Raises:
        BadPath: if it is absolute, too long, or has a part that is empty, hidden, `.`, `..` or holds a character
            outside `A-Za-z0-9._=@+-`.

    Example:
        >>> check_path("runs/a=1/scores.json")
        'runs/a=1/scores.json'
        >>> check_path("../elsewhere")
        Traceback (most recent call last):
            ...
        leaderboard.store.base.BadPath: the path '../elsewhere' cannot be stored: a part may not start with a dot
    """
    if path.startswith("/"):
        raise BadPath(path, "it is absolute")
    if len(path) > MAX_PATH_LENGTH:
        raise BadPath(path, f"it is longer than {MAX_PATH_LENGTH} characters")
    for part in path.split("/"):
        if not part:
            raise BadPath(path, "it has an empty part")
        if part.startswith("."):
            raise BadPath(path, "a part may not start with a dot")
        if len(part) > MAX_PART_LENGTH:
            raise BadPath(path, f"a part is longer than {MAX_PART_LENGTH} characters")
        if not _PART.fullmatch(part):
            raise BadPath(path, "a part holds a character outside A-Z a-z 0-9 . _ = @ + -")
    return path


def check_operations(operations: Sequence[Operation]) -> None:
    """Refuse operations that cannot be one commit, before anything is touched.

    A path that occurs twice is refused because backends disagree on which one wins. A path that is a folder of another
    one is refused even where one of the two is a deletion: free the name in a commit of its own first.

    Raises:
        BadPath: if a path is bad by itself (see `check_path`), occurs twice, or is a folder of another path.

    Example:
        >>> from leaderboard.store.base import Delete, Write
        >>> check_operations([Write("a", b"1"), Delete("a/b")])
        Traceback (most recent call last):
            ...
        leaderboard.store.base.BadPath: the path 'a/b' cannot be stored: the same commit has a file 'a'
    """
    paths: set[str] = set()
    for operation in operations:
        if check_path(operation.path) in paths:
            raise BadPath(operation.path, "it occurs twice in one commit")
        paths.add(operation.path)
    for path in sorted(paths):
        for folder in folders_of(path):
            if folder in paths:
                raise BadPath(path, f"the same commit has a file {folder!r}")


def folders_of(path: str) -> list[str]:
    """Return the folders that a path lies in, outermost first.

    Example:
        >>> folders_of("a/b/c")
        ['a', 'a/b']
    """
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]
