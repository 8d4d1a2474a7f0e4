"""The Hub's endpoints that clients write through, one function each."""

from __future__ import annotations

import base64
import hashlib
import json
from fnmatch import fnmatch
from typing import Any

from leaderboard.local_hub.accounts import Account, check_owner, who
from leaderboard.local_hub.endpoints import API, Hub, id_of, visible
from leaderboard.local_hub.messages import HubError, Request, Response, Route, as_json
from leaderboard.local_hub.repositories import Change, Kind, Repository, Stored, Words, is_large, present

_ATTRIBUTES = "".join(f"*{ending} filter=lfs diff=lfs merge=lfs -text\n" for ending in (".bin", ".parquet"))


def create(hub: Hub, request: Request) -> Response:
    """Makes a repository with its first commit; says 409 and where it is if there is one."""
    asked = json.loads(request.body)
    account, kind, name = _named(hub, request, asked)
    url = f"{request.site}/{'datasets/' if kind == 'dataset' else ''}{name}"
    with hub.repositories.lock:
        if hub.repositories.find(kind, name):
            return as_json({"error": f"You already created this {kind} repo", "url": url}, 409)
        private = asked.get("visibility") == "private" or bool(asked.get("private"))
        hub.repositories.create(kind, name, private=private)
        words = Words("initial commit", author=account.name, date=present())
        hub.repositories.commit(kind, name, {".gitattributes": _ATTRIBUTES}, words=words)
    return as_json({"url": url, "name": name, "id": id_of(name)})


def delete(hub: Hub, request: Request) -> Response:
    """Takes a repository away with all that belongs to it."""
    _, kind, name = _named(hub, request, json.loads(request.body))
    visible(hub, request, kind, name)
    hub.repositories.delete(kind, name)
    return as_json({})


def preupload(hub: Hub, request: Request, kind: str, name: str, revision: str) -> Response:
    """Says of each file how it is to be sent, and what the repository holds under its name."""
    repository, _ = _writable(hub, request, kind, name)
    files = repository.files(repository.resolve(revision))
    asked = json.loads(request.body)
    ignored = asked.get("gitIgnore")
    if ignored is None:
        ignored = files[".gitignore"].content.read_text() if ".gitignore" in files else ""
    answers = [
        {
            "path": one["path"],
            "uploadMode": "lfs" if is_large(one["path"]) else "regular",
            "shouldIgnore": any(fnmatch(one["path"], line) for line in ignored.splitlines()),
            "oid": files[one["path"]].etag if one["path"] in files else None,
        }
        for one in asked["files"]
    ]
    return as_json({"files": answers})


def commit(hub: Hub, request: Request, kind: str, name: str, revision: str) -> Response:
    """Applies all operations of a commit or none."""
    repository, account = _writable(hub, request, kind, name)
    header, *operations = [json.loads(line) for line in request.body.splitlines() if line.strip()]
    said = header["value"]
    words = Words(said["summary"], said.get("description", ""), account.name, present())
    with hub.repositories.lock:
        held = repository.files(repository.resolve(revision))
        if revision not in repository.refs():
            raise HubError(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        changes: dict[str, Change] = {}
        for operation in operations:
            changes |= _change(repository, held, operation["key"], operation["value"])
        _check_names({*held, *changes} - {path for path, change in changes.items() if change is None})
        sha = hub.repositories.commit(
            repository.kind, name, changes, branch=revision, words=words, parent=said.get("parentCommit")
        )
    url = f"{request.site}/{'datasets/' if kind == 'dataset' else ''}{name}/commit/{sha}"
    return as_json({"success": True, "commitOid": sha, "commitUrl": url, "hookOutput": ""})


def _change(repository: Repository, held: dict[str, Any], key: str, value: dict[str, Any]) -> dict[str, Change]:
    path = value["path"]
    match key:
        case "file":
            return {path: base64.b64decode(value["content"])}
        case "lfsFile":
            if not repository.object(value["oid"]).is_file():
                raise HubError(400, f"The content of {path} was never sent")
            return {path: Stored(value["oid"])}
        case "deletedFile":
            if path not in held:
                raise HubError(404, "A file with this name doesn't exist", "EntryNotFound")
            return {path: None}
        case "deletedFolder":
            below: dict[str, Change] = {one: None for one in held if one.startswith(path.rstrip("/") + "/")}
            if not below:
                raise HubError(404, "A folder with this name doesn't exist", "EntryNotFound")
            return below
    raise HubError(400, f"Unknown operation {key}")


def _check_names(paths: set[str]) -> None:
    for path in paths:
        parts = path.split("/")
        if any("/".join(parts[:depth]) in paths for depth in range(1, len(parts))):
            raise HubError(400, f"{path} lies in a file")


def squash(hub: Hub, request: Request, kind: str, name: str, revision: str) -> Response:
    """Leaves one commit of a branch; its message is parted as git parts one."""
    repository, account = _writable(hub, request, kind, name)
    title, _, description = json.loads(request.body)["message"].partition("\n")
    words = Words(title, description.strip(), account.name, present())
    hub.repositories.squash(repository.kind, name, revision, words)
    return as_json({})


def validate_yaml(hub: Hub, request: Request) -> Response:
    """Finds nothing wrong with any card."""
    return as_json({"errors": [], "warnings": []})


def lfs_batch(hub: Hub, request: Request, prefix: str, name: str) -> Response:
    """Says where each large content is to be put, if it is not there yet."""
    repository, _ = _writable(hub, request, "dataset" if prefix else "model", name)
    objects = [
        {"oid": one["oid"], "size": one["size"]}
        | (
            {}
            if repository.object(one["oid"]).is_file()
            else {"actions": {"upload": {"href": f"{request.site}/lfs/{repository.kind}/{name}/{one['oid']}"}}}
        )
        for one in json.loads(request.body)["objects"]
    ]
    return as_json({"transfer": "basic", "objects": objects})


def lfs_put(hub: Hub, request: Request, kind: str, name: str, oid: str) -> Response:
    """Takes a large content; the address alone is the permission, as with the Hub's signed ones."""
    repository = hub.repositories.find("dataset" if kind == "dataset" else "model", name)
    if repository is None or hashlib.sha256(request.body).hexdigest() != oid:
        raise HubError(400, "The content is not what was announced")
    repository.keep(request.body)
    return Response(200)


def _named(hub: Hub, request: Request, asked: dict[str, Any]) -> tuple[Account, Kind, str]:
    """Returns who asks, and the repository that the request's body names."""
    account = who(request, hub.tokens)
    owner = asked.get("organization") or (account.name if account else "")
    kind: Kind = "dataset" if asked.get("type") == "dataset" else "model"
    return check_owner(owner, account), kind, f"{owner}/{asked['name']}"


def _writable(hub: Hub, request: Request, kind: str, name: str) -> tuple[Repository, Account]:
    repository = visible(hub, request, kind, name)
    return repository, check_owner(name.split("/")[0], who(request, hub.tokens))


ROUTES: tuple[Route, ...] = (
    ("POST", r"/api/repos/create", create),
    ("DELETE", r"/api/repos/delete", delete),
    ("POST", r"/api/validate-yaml", validate_yaml),
    ("POST", API + r"/preupload/(?P<revision>[^/]+)", preupload),
    ("POST", API + r"/commit/(?P<revision>[^/]+)", commit),
    ("POST", API + r"/super-squash/(?P<revision>[^/]+)", squash),
    ("POST", r"/(?P<prefix>datasets/)?(?P<name>[^/]+/[^/]+)\.git/info/lfs/objects/batch", lfs_batch),
    ("PUT", r"/lfs/(?P<kind>model|dataset)/(?P<name>[^/]+/[^/]+)/(?P<oid>[0-9a-f]{64})", lfs_put),
)
