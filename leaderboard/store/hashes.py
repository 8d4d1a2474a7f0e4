"""Names of contents: SHA-256, and the SHA-1 that git and the Hub go by."""

import hashlib

_GIT_DIGITS = 40


def sha256(content: bytes) -> str:
    """Return the SHA-256 of a content in hexadecimal digits.

    Example:
        >>> sha256(b"")[:8]
        'e3b0c442'
    """
    return hashlib.sha256(content).hexdigest()


def git_hash(content: bytes) -> str:
    """Return git's name of a content.

    Example:
        >>> git_hash(b"")
        'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
    """
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def is_content(content: bytes, name: str) -> bool:
    """Tell whether a content has this name, be it git's or SHA-256.

    Example:
        >>> is_content(b"", git_hash(b"")), is_content(b"", sha256(b"")), is_content(b"a", sha256(b""))
        (True, True, False)
    """
    return (git_hash(content) if len(name) == _GIT_DIGITS else sha256(content)) == name
