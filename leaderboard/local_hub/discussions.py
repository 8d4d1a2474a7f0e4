"""Discussions of a repository: opened, commented on, read back."""

from __future__ import annotations

import json
import uuid
from typing import Any

from leaderboard.local_hub.accounts import Account, who
from leaderboard.local_hub.endpoints import API, Hub, visible
from leaderboard.local_hub.messages import HubError, Request, Response, Route, as_json
from leaderboard.local_hub.repositories import Repository, present, replace

_A_PAGE = 10


def open_one(hub: Hub, request: Request, kind: str, name: str) -> Response:
    """Opens a discussion; anyone with a name may."""
    account = _speaker(hub, request)
    repository = visible(hub, request, kind, name)
    asked = json.loads(request.body)
    with hub.repositories.lock:
        held = _held(repository)
        opened = {
            "num": len(held) + 1,
            "title": asked["title"],
            "status": "open",
            "author": {"name": account.name},
            "createdAt": present(),
            "isPullRequest": False,
            "repo": {"name": name, "type": repository.kind},
            "events": [_comment(account, asked["description"])],
        }
        _keep(repository, [*held, opened])
    return as_json({"num": opened["num"]})


def tell(hub: Hub, request: Request, kind: str, name: str, number: str) -> Response:
    """Tells a discussion with all that was said in it."""
    return as_json(_one(_held(visible(hub, request, kind, name)), number))


def comment(hub: Hub, request: Request, kind: str, name: str, number: str) -> Response:
    """Adds what an account has to say."""
    account = _speaker(hub, request)
    repository = visible(hub, request, kind, name)
    with hub.repositories.lock:
        held = _held(repository)
        said = _comment(account, json.loads(request.body)["comment"])
        _one(held, number)["events"].append(said)
        _keep(repository, held)
    return as_json({"newMessage": said})


def listing(hub: Hub, request: Request, kind: str, name: str) -> Response:
    """Lists the discussions, page by page."""
    held = _held(visible(hub, request, kind, name))
    start = int(request.query("p", "0")) * _A_PAGE
    return as_json({"discussions": held[start : start + _A_PAGE], "count": len(held), "start": start})


def _speaker(hub: Hub, request: Request) -> Account:
    account = who(request, hub.tokens)
    if account is None or account.role == "none":
        raise HubError(403 if account else 401, "You need to be logged in to take part in discussions")
    return account


def _one(held: list[dict[str, Any]], number: str) -> dict[str, Any]:
    if not 1 <= int(number) <= len(held):
        raise HubError(404, "Discussion not found", "EntryNotFound")
    return held[int(number) - 1]


def _comment(account: Account, text: str) -> dict[str, Any]:
    return {
        "id": uuid.uuid4().hex,
        "type": "comment",
        "author": {"name": account.name},
        "createdAt": present(),
        "data": {"edited": False, "hidden": False, "latest": {"raw": text}},
    }


def _held(repository: Repository) -> list[dict[str, Any]]:
    path = repository.folder / "discussions.json"
    return json.loads(path.read_text()) if path.is_file() else []


def _keep(repository: Repository, held: list[dict[str, Any]]) -> None:
    replace(repository.folder / "discussions.json", held)


ROUTES: tuple[Route, ...] = (
    ("POST", API + r"/discussions", open_one),
    ("GET", API + r"/discussions", listing),
    ("GET", API + r"/discussions/(?P<number>\d+)", tell),
    ("POST", API + r"/discussions/(?P<number>\d+)/comment", comment),
)
