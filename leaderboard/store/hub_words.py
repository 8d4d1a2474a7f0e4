"""What a commit on the Hub says of itself: the writer's reason, and a last line for the store.

The last line names the commit, so that one whose answer was lost is found again, and the files that it changed, which
the Hub's history does not tell.
"""

import json
from collections.abc import Sequence
from typing import NamedTuple

_MARK = "Rapport-Commit: "
_LONGEST_TITLE = 100
_LONGEST_LINE = 20_000
"""Characters; with longer lists of files the history is told from the commits themselves."""


class Words(NamedTuple):
    """The two texts that the Hub keeps with a commit."""

    title: str
    description: str


class Told(NamedTuple):
    """What they say."""

    message: str
    id: str | None
    """The name that the store gave the commit; None for a commit that somebody else made."""
    paths: tuple[str, ...] | None
    """The files changed, sorted; None if it does not say."""


def write_words(message: str, commit_id: str, paths: Sequence[str] | None) -> Words:
    """Return the texts of a commit; without paths it does not say what it changed.

    Example:
        >>> write_words("2 batches", "0a", ["b", "a"])
        Words(title='2 batches', description='Rapport-Commit: {"id": "0a", "paths": ["a", "b"]}')
    """
    bare = _MARK + json.dumps({"id": commit_id})
    line = bare if paths is None else _MARK + json.dumps({"id": commit_id, "paths": sorted(paths)})
    if len(line) > _LONGEST_LINE:
        line = bare
    title = next((line for line in message.splitlines() if line.strip()), "no message")[:_LONGEST_TITLE]
    return Words(title, line if title == message else f"{message}\n\n{line}")


def as_one(words: Words) -> str:
    r"""Return both texts as git keeps them: the title, an empty line, the description.

    Example:
        >>> as_one(Words("title", "and more"))
        'title\n\nand more'
    """
    return f"{words.title}\n\n{words.description}"


def read_words(words: Words) -> Told:
    r"""Return what the texts of a commit say, whoever made it.

    Example:
        >>> read_words(write_words("first line\n\nand more", "0a", ["a"]))
        Told(message='first line\n\nand more', id='0a', paths=('a',))
        >>> read_words(Words("by hand", ""))
        Told(message='by hand', id=None, paths=None)
        >>> read_words(Words(as_one(write_words("squashed", "0a", None)), "")).message
        'squashed'
    """
    text, _, last = words.description.rstrip().rpartition("\n")
    if not last.startswith(_MARK):
        # Words that were handed over as one text are parted by the Hub, wherever it likes.
        text, mark, rest = words.title.rpartition(_MARK)
        text, last = text.strip(), mark + rest
    commit_id, paths = _read_line(last)
    if commit_id is None:
        return Told(words.description.strip() or words.title, None, None)
    return Told(text.removesuffix("\n") or words.title, commit_id, paths)


def _read_line(line: str) -> tuple[str | None, tuple[str, ...] | None]:
    if not line.startswith(_MARK):
        return None, None
    try:
        value = json.loads(line.removeprefix(_MARK))
        paths = value.get("paths")
        return str(value["id"]), None if paths is None else tuple(map(str, paths))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None, None
