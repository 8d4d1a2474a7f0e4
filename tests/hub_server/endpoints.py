"""The Hub's endpoints that clients read from, one function each.

`huggingface_hub` 2.4 and `datasets` 5.2 are what decides how much of an answer is needed here.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote

from tests.hub_server.accounts import Account, check_readable, check_visible, who
from tests.hub_server.messages import HubError, Request, Response, as_json
from tests.hub_server.repositories import HubFile, Repositories, Repository

_DATE = "2026-01-01T00:00:00.000Z"


class Hub(NamedTuple):
    """What endpoints answer from."""

    repositories: Repositories
    tokens: Mapping[str, Account]


def answer(hub: Hub, request: Request) -> Response:
    """Returns the Hub's answer to a request."""
    try:
        for method, pattern, endpoint in _ROUTES:
            if request.method == method and (match := re.fullmatch(pattern, request.path)):
                return endpoint(hub, request, **{name: unquote(part or "") for name, part in match.groupdict().items()})
        raise HubError(404, f"No such endpoint: {request.method} {request.path}")
    except HubError as error:
        return error.response


def whoami(hub: Hub, request: Request) -> Response:
    account = who(request, hub.tokens)
    if account is None:
        raise HubError(401, "Invalid username or password.")
    return as_json(account.describe())


def info(hub: Hub, request: Request, kind: str, name: str, revision: str = "") -> Response:
    """Describes a repository at a revision; gated ones are described to everyone."""
    repository = _visible(hub, request, kind, name)
    sha = repository.resolve(revision or "main")
    siblings = [
        {"rfilename": file.path} | ({"size": file.size, "blobId": file.blob} if request.flag("blobs") else {})
        for file in repository.files(sha).values()
    ]
    return as_json(
        {
            "_id": hashlib.sha1(name.encode()).hexdigest()[:24],
            "id": name,
            "author": name.split("/")[0],
            "sha": sha,
            "createdAt": _DATE,
            "lastModified": _DATE,
            "private": repository.private,
            "gated": "manual" if repository.gated else False,
            "disabled": False,
            "downloads": 0,
            "likes": 0,
            "tags": [],
            "siblings": siblings,
        }
    )


def auth_check(hub: Hub, request: Request, kind: str, name: str) -> Response:
    check_readable(_visible(hub, request, kind, name), who(request, hub.tokens))
    return as_json({})


def refs(hub: Hub, request: Request, kind: str, name: str) -> Response:
    branches = _visible(hub, request, kind, name).refs()
    listed = [{"name": ref, "ref": f"refs/heads/{ref}", "targetCommit": sha} for ref, sha in branches.items()]
    return as_json({"branches": listed, "tags": [], "converts": []})


def tree(hub: Hub, request: Request, kind: str, name: str, revision: str, path: str = "") -> Response:
    """Lists a folder of a commit; always in one page."""
    repository = _visible(hub, request, kind, name)
    files = repository.files(repository.resolve(revision))
    below = path.strip("/") + "/" if path.strip("/") else ""
    inside = [file for file in files.values() if file.path.startswith(below)]
    if below and not inside:
        raise HubError(404, f"{path} does not exist", "EntryNotFound")
    entries = _folders(below, inside) + [_entry(file) for file in inside]
    if not request.flag("recursive"):
        entries = [entry for entry in entries if "/" not in entry["path"][len(below) :]]
    return as_json(entries)


def paths_info(hub: Hub, request: Request, kind: str, name: str, revision: str) -> Response:
    """Describes the named paths of a commit, and is silent on those that are not there."""
    repository = _visible(hub, request, kind, name)
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
    repository = _visible(hub, request, "dataset" if prefix else "model", name)
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


def _visible(hub: Hub, request: Request, kind: str, name: str) -> Repository:
    found = hub.repositories.find("dataset" if kind == "dataset" else "model", name)
    return check_visible(found, who(request, hub.tokens))


def _entry(file: HubFile) -> dict[str, Any]:
    entry = {"type": "file", "path": file.path, "size": file.size, "oid": file.blob}
    if file.is_large:
        entry["lfs"] = {"oid": file.sha256, "size": file.size, "pointerSize": 134}
    return entry


def _folders(below: str, files: Iterable[HubFile]) -> list[dict[str, Any]]:
    parts = [file.path[len(below) :].split("/") for file in files]
    paths = {below + "/".join(part[:depth]) for part in parts for depth in range(1, len(part))}
    return [
        {"type": "directory", "path": path, "oid": hashlib.sha1(path.encode()).hexdigest()} for path in sorted(paths)
    ]


_API = r"/api/(?P<kind>model|dataset)s/(?P<name>[^/]+/[^/]+)"
_FILE = r"/(?P<prefix>datasets/)?(?P<name>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)"
_ROUTES: tuple[tuple[str, str, Callable[..., Response]], ...] = (
    ("GET", r"/api/whoami-v2", whoami),
    ("GET", _API, info),
    ("GET", _API + r"/revision/(?P<revision>[^/]+)", info),
    ("GET", _API + r"/auth-check", auth_check),
    ("GET", _API + r"/refs", refs),
    ("GET", _API + r"/tree/(?P<revision>[^/]+)(?:/(?P<path>.*))?", tree),
    ("POST", _API + r"/paths-info/(?P<revision>[^/]+)", paths_info),
    ("HEAD", _FILE, resolve),
    ("GET", _FILE, resolve),
)
