"""Writes a data set of people's labels to a folder that `datasets.load_dataset` opens. Equal rows give equal bytes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from evaluator.human.card import is_human_set, read_front, render_card
from evaluator.human.layout import CARD, KINDS, PART, SUFFIXES, About, HumanTables, with_roster


def encode_human_set(tables: HumanTables, about: About) -> dict[str, bytes]:
    """Returns the files of a data set by their paths, each row one JSON line, in the order of `tables`.

    There is always a table of annotators; see `with_roster`.

    Example:
        >>> list(encode_human_set(HumanTables(), About()))[-2:]
        ['response_ratings/part-0000.jsonl', 'README.md']
    """
    tables = with_roster(tables)
    files = {
        f"{table}/{PART}.jsonl": "".join(f"{row.model_dump_json()}\n" for row in getattr(tables, table)).encode()
        for table in KINDS
    }
    return files | {CARD: render_card(tables, about).encode()}


def write_human_set(folder: Path, tables: HumanTables, about: About) -> bool:
    """Writes a data set, or brings the one that is there up to date.

    A new folder appears whole or not at all. In one that holds such a data set only files that differ are replaced,
    each at once and in the order of the tables, so that whenever it is interrupted no row refers to one that is still
    to come. Further files of the tables go; files that are not of the layout stay.

    Args:
        folder: Where the data set appears.
        tables: Its rows.
        about: What its card says of it.

    Returns:
        Whether anything changed.

    Raises:
        FileExistsError: If there is something else.
        RapportError: `data_error` if the card that is there cannot be read.

    Example:
        >>> write_human_set(Path("labels"), HumanTables(), About(title="Labels"))  # doctest: +SKIP
        True
    """
    files = encode_human_set(tables, about)
    if folder.is_dir() and any(folder.iterdir()):
        if not ((folder / CARD).is_file() and is_human_set(read_front(folder))):
            raise FileExistsError(f"{folder} holds something else; choose another folder or empty it first")
        return _update(folder, files)
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder} is no folder")
    _create(folder, files)
    return True


def files_of(folder: Path, table: str) -> list[Path]:
    """Returns the files of a table in the order in which their rows count: that of their names."""
    return sorted(path for suffix in SUFFIXES for path in (folder / table).glob(f"*{suffix}") if path.is_file())


def _create(folder: Path, files: dict[str, bytes]) -> None:
    """Writes a folder beside its place and moves it there."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.parent / f".{folder.name}.{os.getpid()}.draft"
    try:
        for name, content in files.items():
            path = draft / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        if folder.exists():
            folder.rmdir()
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _update(folder: Path, files: dict[str, bytes]) -> bool:
    """Replaces what differs."""
    changed = False
    for name, content in files.items():
        path = folder / name
        if path.is_file() and path.read_bytes() == content:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
        try:
            draft.write_bytes(content)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        changed = True
    for extra in [path for table in KINDS for path in files_of(folder, table)]:
        if extra.relative_to(folder).as_posix() not in files:
            extra.unlink()
            changed = True
    return changed
