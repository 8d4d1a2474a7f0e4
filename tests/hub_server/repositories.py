"""Repositories on disk: every commit is a plain folder of the files as they were.

    ROOT/model/owner/name/settings.json      whether it is gated or private
    ROOT/model/owner/name/refs.json          the commit of each branch and tag
    ROOT/model/owner/name/commits/SHA/...    the files
    ROOT/model/owner/name/commits/SHA.json   parent and title

A commit's SHA is derived from what it holds and what it follows, so a test sees the same SHAs on every run. Nothing is
ever changed in place: a commit appears under its name once it is whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from tests.hub_server.messages import HubError

Kind = Literal["model", "dataset"]

_LARGE = (".safetensors", ".bin", ".parquet", ".gguf")
"""What the Hub keeps as LFS objects, which go by another hash."""


class HubFile(NamedTuple):
    """One file of a commit."""

    path: str
    content: Path

    @property
    def is_large(self) -> bool:
        return self.path.endswith(_LARGE)

    @property
    def size(self) -> int:
        return self.content.stat().st_size

    @property
    def blob(self) -> str:
        """Git's name of the content."""
        content = self.content.read_bytes()
        return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content.read_bytes()).hexdigest()

    @property
    def etag(self) -> str:
        return self.sha256 if self.is_large else self.blob


class Repository(NamedTuple):
    """One repository and who may see it."""

    kind: Kind
    name: str
    folder: Path
    gated: bool
    private: bool

    def resolve(self, revision: str) -> str:
        """Returns the commit that a branch, tag or SHA stands for."""
        sha = self.refs().get(revision, revision)
        if not re.fullmatch(r"[0-9a-f]{40}", sha) or not (self.folder / "commits" / sha).is_dir():
            raise HubError(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return sha

    def refs(self) -> dict[str, str]:
        path = self.folder / "refs.json"
        return json.loads(path.read_text()) if path.is_file() else {}

    def files(self, sha: str) -> dict[str, HubFile]:
        """Returns the files of a commit by path, sorted."""
        root = self.folder / "commits" / sha
        found = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
        return {path: HubFile(path, found[path]) for path in sorted(found)}


class Repositories:
    """All repositories below one folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()

    def find(self, kind: Kind, name: str) -> Repository | None:
        folder = self._root / kind / name
        settings = folder / "settings.json"
        return Repository(kind, name, folder, **json.loads(settings.read_text())) if settings.is_file() else None

    def create(self, kind: Kind, name: str, *, gated: bool = False, private: bool = False) -> None:
        folder = self._root / kind / name
        folder.mkdir(parents=True, exist_ok=True)
        _replace(folder / "settings.json", {"gated": gated, "private": private})

    def commit(
        self, kind: Kind, name: str, files: Mapping[str, bytes | str | None], *, branch: str = "main", title: str = ""
    ) -> str:
        """Adds a commit on a branch and returns its SHA; creates a public repository that is not there yet.

        Args:
            kind: Model or data set.
            name: `owner/name`.
            files: Content by path, on top of what the branch holds; None takes a file away.
            branch: The branch that moves.
            title: First line of the commit.
        """
        with self._lock:
            if self.find(kind, name) is None:
                self.create(kind, name)
            repository = self.find(kind, name)
            assert repository is not None
            refs = repository.refs()
            sha = _write_commit(repository, refs.get(branch), files, title)
            _replace(repository.folder / "refs.json", refs | {branch: sha})
        return sha

    def commit_folder(self, kind: Kind, name: str, folder: Path) -> str:
        """Adds a commit with the files of a folder."""
        paths = [path for path in folder.rglob("*") if path.is_file()]
        return self.commit(kind, name, {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths})


def _write_commit(
    repository: Repository, parent: str | None, files: Mapping[str, bytes | str | None], title: str
) -> str:
    """Writes a commit's folder beside its final place, names it by its content and moves it there."""
    commits = repository.folder / "commits"
    commits.mkdir(exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=commits))
    if parent:
        shutil.copytree(commits / parent, draft, dirs_exist_ok=True)
    for path, content in files.items():
        target = draft / path
        if content is None:
            target.unlink()
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
    held = [(path.relative_to(draft).as_posix(), path.read_bytes()) for path in draft.rglob("*") if path.is_file()]
    names = [[path, hashlib.sha256(content).hexdigest()] for path, content in sorted(held)]
    sha = hashlib.sha1(json.dumps([repository.kind, repository.name, parent, title, names]).encode()).hexdigest()
    _replace(commits / f"{sha}.json", {"parent": parent, "title": title})
    draft.rename(commits / sha)
    return sha


def _replace(path: Path, value: object) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(value))
    os.replace(draft, path)
