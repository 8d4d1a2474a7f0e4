"""Repositories on disk: contents under their hashes, and a small file for each commit.

    ROOT/model/owner/name/settings.json      whether it is gated or private
    ROOT/model/owner/name/refs.json          the commit of each branch and tag
    ROOT/model/owner/name/commits/SHA.json   what a commit follows, who made it, and the hashes of its files
    ROOT/model/owner/name/objects/SHA256     a content

A commit's SHA is derived from what it holds and what it follows, so equal contents have equal SHAs on every run.
Nothing is ever changed in place: a commit appears under its name once it is whole.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from leaderboard.local_hub.messages import HubError

Kind = Literal["model", "dataset"]

_LARGE = (".safetensors", ".bin", ".parquet", ".gguf")
"""What the Hub keeps as LFS objects, which go by another hash."""

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
"""What the Hub takes for the name of a repository."""

_DATE = "2026-01-01T00:00:00.000Z"
"""When commits were made that say nothing of it."""


def is_large(path: str) -> bool:
    """Says whether the Hub keeps a file of this name as an LFS object."""
    return path.endswith(_LARGE)


class HubFile(NamedTuple):
    """One file of a commit."""

    path: str
    content: Path
    size: int
    blob: str
    """Git's name of the content."""
    sha256: str

    @property
    def is_large(self) -> bool:
        """Whether it is kept as an LFS object."""
        return is_large(self.path) and self.size > 0

    @property
    def etag(self) -> str:
        """The hash that it goes by."""
        return self.sha256 if self.is_large else self.blob


class Stored(NamedTuple):
    """A content that lies among the objects already."""

    sha256: str


class Words(NamedTuple):
    """What a commit says of itself."""

    title: str = ""
    description: str = ""
    author: str = "nobody"
    date: str = _DATE


class Logged(NamedTuple):
    """One commit of a history."""

    sha: str
    words: Words


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
        if not re.fullmatch(r"[0-9a-f]{40}", sha) or not self._commit(sha).is_file():
            raise HubError(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return sha

    def refs(self) -> dict[str, str]:
        """Returns the commit of each branch."""
        path = self.folder / "refs.json"
        return json.loads(path.read_text()) if path.is_file() else {}

    def files(self, sha: str) -> dict[str, HubFile]:
        """Returns the files of a commit by path, sorted."""
        held = self.commit(sha)["files"]
        return {
            path: HubFile(path, self.object(sha256), size, blob, sha256)
            for path, (size, blob, sha256) in sorted(held.items())
        }

    def log(self, sha: str) -> Iterator[Logged]:
        """Yields a commit and those before it."""
        current: str | None = sha
        while current:
            commit = self.commit(current)
            yield Logged(current, Words(*commit["words"]))
            current = commit["parent"]

    def object(self, sha256: str) -> Path:
        """Returns where a content lies, or would."""
        return self.folder / "objects" / sha256

    def keep(self, content: bytes) -> str:
        """Puts a content among the objects and returns its SHA-256."""
        sha256 = hashlib.sha256(content).hexdigest()
        target = self.object(sha256)
        if not target.exists():
            target.parent.mkdir(exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as draft:
                draft.write(content)
            os.replace(draft.name, target)
        return sha256

    def commit(self, sha: str) -> dict[str, Any]:
        """Returns what was written down of a commit."""
        value: dict[str, Any] = json.loads(self._commit(sha).read_text())
        return value

    def _commit(self, sha: str) -> Path:
        return self.folder / "commits" / f"{sha}.json"


Change = bytes | str | Stored | None


class Repositories:
    """All repositories below one folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.lock = threading.RLock()

    def find(self, kind: Kind, name: str) -> Repository | None:
        """Returns a repository by its name; None if there is none."""
        if not _NAME.fullmatch(name):
            return None
        folder = self._root / kind / name
        settings = folder / "settings.json"
        return Repository(kind, name, folder, **json.loads(settings.read_text())) if settings.is_file() else None

    def all(self, kind: Kind) -> list[Repository]:
        """Returns all repositories of a kind, by name."""
        names = ("/".join(path.parts[-3:-1]) for path in self._root.glob(f"{kind}/*/*/settings.json"))
        return [found for name in sorted(names) if (found := self.find(kind, name))]

    def create(self, kind: Kind, name: str, *, gated: bool = False, private: bool = False) -> None:
        """Makes a repository, or says anew who may see it."""
        if not _NAME.fullmatch(name):
            raise HubError(400, f"{name} is no name of a repository")
        folder = self._root / kind / name
        folder.mkdir(parents=True, exist_ok=True)
        replace(folder / "settings.json", {"gated": gated, "private": private})

    def delete(self, kind: Kind, name: str) -> None:
        """Takes a repository away."""
        with self.lock:
            shutil.rmtree(self._root / kind / name)

    def commit(
        self,
        kind: Kind,
        name: str,
        files: Mapping[str, Change],
        *,
        branch: str = "main",
        title: str = "",
        words: Words | None = None,
        parent: str | None = None,
    ) -> str:
        """Adds a commit on a branch and returns its SHA; creates a public repository that is not there yet.

        Args:
            kind: Model or data set.
            name: `owner/name`.
            files: Content by path, on top of what the branch holds; None takes a file away.
            branch: The branch that moves.
            title: First line of the commit.
            words: All that the commit says of itself, instead of `title`.
            parent: The commit that the branch must stand at; another one is refused with 412.
        """
        with self.lock:
            if self.find(kind, name) is None:
                self.create(kind, name)
            repository = self.find(kind, name)
            assert repository is not None
            head = repository.refs().get(branch)
            if parent and parent != head:
                raise HubError(412, "A commit has happened since. Please refresh and try again.")
            held = repository.commit(head)["files"] if head else {}
            return _write_commit(repository, branch, head, _changed(repository, held, files), words or Words(title))

    def squash(self, kind: Kind, name: str, branch: str, words: Words) -> str:
        """Leaves a branch's newest files as its only commit; what was before is gone for good."""
        with self.lock:
            repository = self.find(kind, name)
            assert repository is not None
            files = repository.commit(repository.resolve(branch))["files"]
            sha = _write_commit(repository, branch, None, files, words)
            _forget_unreachable(repository)
            return sha

    def commit_folder(self, kind: Kind, name: str, folder: Path) -> str:
        """Adds a commit with the files of a folder."""
        paths = [path for path in folder.rglob("*") if path.is_file()]
        return self.commit(kind, name, {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths})


def _changed(repository: Repository, held: dict[str, Any], files: Mapping[str, Change]) -> dict[str, Any]:
    after = dict(held)
    for path, change in files.items():
        if change is None:
            del after[path]
            continue
        content = change.encode() if isinstance(change, str) else change
        if isinstance(content, Stored):
            content = repository.object(content.sha256).read_bytes()
        blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
        after[path] = (len(content), blob, repository.keep(content))
    return after


def _write_commit(
    repository: Repository, branch: str, parent: str | None, files: Mapping[str, Sequence[Any]], words: Words
) -> str:
    """Writes a commit under a name derived from its content and moves the branch to it."""
    names = [[path, sha256] for path, (_, _, sha256) in sorted(files.items())]
    said = [words.title, words.description] if words.description else words.title
    identity = json.dumps([repository.kind, repository.name, parent, said, names])
    sha = hashlib.sha1(identity.encode(), usedforsecurity=False).hexdigest()
    commits = repository.folder / "commits"
    commits.mkdir(exist_ok=True)
    replace(commits / f"{sha}.json", {"parent": parent, "words": words, "files": files})
    replace(repository.folder / "refs.json", repository.refs() | {branch: sha})
    return sha


def _forget_unreachable(repository: Repository) -> None:
    reachable = {logged.sha for head in repository.refs().values() for logged in repository.log(head)}
    held = {sha256 for sha in reachable for _, _, sha256 in repository.commit(sha)["files"].values()}
    for commit in (repository.folder / "commits").glob("*.json"):
        if commit.stem not in reachable:
            commit.unlink()
    for content in (repository.folder / "objects").iterdir():
        if content.name not in held:
            content.unlink()


def present() -> str:
    """Returns the time as the Hub writes it."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def replace(path: Path, value: object) -> None:
    """Writes a small JSON file so that readers see it before or after, and never in between."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(value))
    os.replace(draft, path)
