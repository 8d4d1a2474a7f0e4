"""The Hub's endpoints that clients read from, one function each; `writes` and `discussions` hold the others.

`huggingface_hub` 2.4 and `datasets` 5.2 are what decides how much of an answer is needed here.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import yaml

from leaderboard.local_hub.accounts import Account, check_readable, check_visible, who
from leaderboard.local_hub.messages import HubError, Request, Response, Route, as_json, as_page
from leaderboard.local_hub.repositories import HubFile, Repositories, Repository

_ENTRIES_A_PAGE = 1000
_COMMITS_A_PAGE = 50


class Hub(NamedTuple):
    """What endpoints answer from."""

    repositories: Repositories
    tokens: Mapping[str, Account]
    lags: bool = False
    """Whether branches are told as they were one commit ago."""


def whoami(hub: Hub, request: Request) -> Response:
    """Tells whose token it is."""
    account = who(request, hub.tokens)
    if account is None:
        raise HubError(401, "Invalid username or password.")
    return as_json(account.describe())


def info(hub: Hub, request: Request, kind: str, name: str, revision: str = "") -> Response:
    """Describes a repository at a revision; gated ones are described to everyone."""
    repository = visible(hub, request, kind, name)
    sha = repository.resolve(revision or "main")
    words = repository.commit(sha)["words"]
    siblings = [
        {"rfilename": file.path} | ({"size": file.size, "blobId": file.blob} if request.flag("blobs") else {})
        for file in repository.files(sha).values()
    ]
    return as_json(
        {
            "_id": id_of(name),
            "id": name,
            "author": name.split("/")[0],
            "sha": sha,
            "createdAt": words[-1],
            "lastModified": words[-1],
            "private": repository.private,
            "gated": "manual" if repository.gated else False,
            "disabled": False,
            "downloads": 0,
            "likes": 0,
            "tags": [],
            "siblings": siblings,
            "cardData": _card(repository, sha),
        }
    )


def _card(repository: Repository, sha: str) -> dict[str, Any] | None:
    """Returns the metadata at the head of a commit's README.md, as far as the Hub would make sense of it."""
    readme = repository.files(sha).get("README.md")
    found = re.match(r"---\n(.*?)\n---\n", readme.content.read_text() if readme else "", re.DOTALL)
    try:
        return yaml.safe_load(found[1]) if found else None
    except yaml.YAMLError:
        return None


def auth_check(hub: Hub, request: Request, kind: str, name: str) -> Response:
    """Says whether whoever asks may read a repository."""
    check_readable(visible(hub, request, kind, name), who(request, hub.tokens))
    return as_json({})


def refs(hub: Hub, request: Request, kind: str, name: str) -> Response:
    """Lists the branches of a repository."""
    repository = visible(hub, request, kind, name)
    branches = repository.refs()
    if hub.lags:
        branches = {ref: repository.commit(sha)["parent"] or sha for ref, sha in branches.items()}
    listed = [{"name": ref, "ref": f"refs/heads/{ref}", "targetCommit": sha} for ref, sha in branches.items()]
    return as_json({"branches": listed, "tags": [], "converts": []})


def tree(hub: Hub, request: Request, kind: str, name: str, revision: str, path: str = "") -> Response:
    """Lists a folder of a commit, page by page."""
    repository = visible(hub, request, kind, name)
    files = repository.files(repository.resolve(revision))
    below = path.strip("/") + "/" if path.strip("/") else ""
    inside = [file for file in files.values() if file.path.startswith(below)]
    if below and not inside:
        raise HubError(404, f"{path} does not exist", "EntryNotFound")
    entries = _folders(below, inside) + [_entry(file) for file in inside]
    if not request.flag("recursive"):
        entries = [entry for entry in entries if "/" not in entry["path"][len(below) :]]
    return as_page(request, entries, _ENTRIES_A_PAGE)


def commits(hub: Hub, request: Request, kind: str, name: str, revision: str) -> Response:
    """Tells the history of a revision, newest first."""
    repository = visible(hub, request, kind, name)
    logged = [
        {
            "id": sha,
            "title": words.title,
            "message": words.description,
            "authors": [{"user": words.author}],
            "date": words.date,
        }
        for sha, words in repository.log(repository.resolve(revision))
    ]
    return as_page(request, logged, _COMMITS_A_PAGE)


def paths_info(hub: Hub, request: Request, kind: str, name: str, revision: str) -> Response:
    """Describes the named paths of a commit, and is silent on those that are not there."""
    repository = visible(hub, request, kind, name)
    files = repository.files(repository.resolve(revision))
    if "json" in request.headers.get("content-type", ""):
        paths = json.loads(request.body)["paths"]
    else:
        paths = parse_qs(request.body.decode()).get("paths", [])
    known = {entry["path"]: entry for entry in _folders("", files.values())}
    known |= {path: _entry(file) for path, file in files.items()}
    return as_json([known[path.strip("/")] for path in paths if path.strip("/") in known])


def resolve(hub: Hub, request: Request, prefix: str, name: str, revision: str, path: str) -> Response:
    """Hands out a file, whole or a range of it."""
    repository = visible(hub, request, "dataset" if prefix else "model", name)
    check_readable(repository, who(request, hub.tokens))
    sha = repository.resolve(revision)
    file = repository.files(sha).get(path)
    if file is None:
        raise HubError(404, "Entry not found", "EntryNotFound", **{"X-Repo-Commit": sha})
    headers = {"ETag": f'"{file.etag}"', "X-Repo-Commit": sha, "Accept-Ranges": "bytes"}
    return _ranged(file.content.read_bytes(), request.headers.get("range", ""), headers)


def _ranged(content: bytes, wanted: str, headers: Mapping[str, str]) -> Response:
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", wanted)
    if not match:
        return Response(200, content, headers)
    start = int(match[1])
    end = min(int(match[2] or len(content)), len(content) - 1)
    if start >= len(content):
        return Response(416, b"", {**headers, "Content-Range": f"bytes */{len(content)}"})
    part = content[start : end + 1]
    return Response(206, part, {**headers, "Content-Range": f"bytes {start}-{end}/{len(content)}"})


def id_of(name: str) -> str:
    """Returns the 24 hexadecimal digits by which the Hub knows a repository beside its name."""
    return hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()[:24]


def visible(hub: Hub, request: Request, kind: str, name: str) -> Repository:
    """Returns the repository that a request is about, if its sender may know of it."""
    found = hub.repositories.find("dataset" if kind == "dataset" else "model", name)
    return check_visible(found, who(request, hub.tokens))


def _entry(file: HubFile) -> dict[str, Any]:
    entry = {"type": "file", "path": file.path, "size": file.size, "oid": file.blob}
    if file.is_large:
        entry["lfs"] = {"oid": file.sha256, "size": file.size, "pointerSize": 134}
    return entry


def _folders(below: str, files: Iterable[HubFile]) -> list[dict[str, Any]]:
    """Describes the folders of some files; as in git, equal content has equal names and changed content another."""
    contents: dict[str, list[str]] = {}
    for file in files:
        parts = file.path[len(below) :].split("/")
        for depth in range(1, len(parts)):
            contents.setdefault(below + "/".join(parts[:depth]), []).append(f"{'/'.join(parts[depth:])} {file.blob}")
    return [
        {
            "type": "directory",
            "path": path,
            "oid": hashlib.sha1("\n".join(held).encode(), usedforsecurity=False).hexdigest(),
        }
        for path, held in sorted(contents.items())
    ]


API = r"/api/(?P<kind>model|dataset)s/(?P<name>[^/]+/[^/]+)"
_FILE = r"/(?P<prefix>datasets/)?(?P<name>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)"
ROUTES: tuple[Route, ...] = (
    ("GET", r"/api/whoami-v2", whoami),
    ("GET", API, info),
    ("GET", API + r"/revision/(?P<revision>[^/]+)", info),
    ("GET", API + r"/auth-check", auth_check),
    ("GET", API + r"/refs", refs),
    ("GET", API + r"/tree/(?P<revision>[^/]+)(?:/(?P<path>.*))?", tree),
    ("GET", API + r"/commits/(?P<revision>[^/]+)", commits),
    ("POST", API + r"/paths-info/(?P<revision>[^/]+)", paths_info),
    ("HEAD", _FILE, resolve),
    ("GET", _FILE, resolve),
)
